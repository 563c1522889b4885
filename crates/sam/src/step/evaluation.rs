//! What the closure of a step gives: the loss, or the loss and more.

use burn::tensor::Tensor;

/// What the closure of a step gives: the loss, `Tensor<1>`, or a pair of the loss and whatever else it
/// has computed, `(Tensor<1>, T)`.
///
/// The second of the first pass, at the weights, comes back in [`Step::output`](crate::Step::output): the
/// output of the network, say, for a loop that prints accuracy.
pub trait Evaluation {
    /// What there is beside the loss.
    type Output;

    /// The output where there is nothing to compute.
    const NOTHING: Option<Self::Output>;

    /// The loss and the output.
    fn into_parts(self) -> (Tensor<1>, Self::Output);
}

impl Evaluation for Tensor<1> {
    type Output = ();

    const NOTHING: Option<()> = Some(());

    fn into_parts(self) -> (Tensor<1>, ()) {
        (self, ())
    }
}

impl<T> Evaluation for (Tensor<1>, T) {
    type Output = T;

    const NOTHING: Option<T> = None;

    fn into_parts(self) -> Self {
        self
    }
}
