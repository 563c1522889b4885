//! The result of the closure of a step: the loss, or the loss and an output.

use burn::tensor::Tensor;

/// The result of the closure of a step: the loss, `Tensor<1>`, or a pair of the loss and an output,
/// `(Tensor<1>, T)`.
///
/// The output of the first pass, at the weights, comes back in
/// [`Step::output`](crate::Step::output): that of the network, say, for a loop that prints its
/// accuracy.
pub trait StepLoss {
    /// The type of the output.
    type Output;

    /// The output where there is nothing to compute.
    const NOTHING: Option<Self::Output>;

    /// Returns the loss and the output.
    fn into_parts(self) -> (Tensor<1>, Self::Output);
}

impl StepLoss for Tensor<1> {
    type Output = ();

    const NOTHING: Option<()> = Some(());

    fn into_parts(self) -> (Tensor<1>, ()) {
        (self, ())
    }
}

impl<T> StepLoss for (Tensor<1>, T) {
    type Output = T;

    const NOTHING: Option<T> = None;

    fn into_parts(self) -> Self {
        self
    }
}
