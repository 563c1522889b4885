//! A network of the fixtures: the trait that all of them implement.

use burn::module::Module;
use burn::tensor::{DType, Device, Int, Tensor, activation::log_softmax};

use crate::Fixture;

/// A network of the fixtures: how to build it, and its loss on its batch.
pub trait Net: Module + Sync + 'static {
    /// Inputs and targets: a tuple of two tensors.
    type Batch: landscape::Batch + Send + Sync + 'static;

    /// The folder of the fixture's files, within `tests`.
    const FOLDER: &'static str = "fixtures";

    /// The name of the fixture, such as `case3_mlp_tanh`.
    const FIXTURE: &'static str;

    /// The views under which the fixture has its numbers: one empty name where there is one only.
    const VIEWS: &'static [&'static str] = &[""];

    /// The module with weights of zero, drawn from no generator:
    /// [`Case`](crate::Case) loads the fixture's over them.
    fn init(device: &Device) -> Self;

    /// Sets in the module what a view asks beside weights: by default nothing.
    #[must_use]
    fn at_view(self, _view: &str) -> Self {
        self
    }

    /// The fixture's inputs `x` and targets `y`.
    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch;

    /// The outputs `[N, K]` before the loss.
    fn outputs(&self, batch: &Self::Batch) -> Tensor<2>;

    /// The loss terms `[N]`, one for each example, of outputs `[N, K]`.
    fn loss_terms(outputs: Tensor<2>, batch: &Self::Batch) -> Tensor<1>;

    /// The mean loss `[1]` over the batch.
    fn loss(&self, batch: &Self::Batch) -> Tensor<1> {
        Self::loss_terms(self.outputs(batch), batch).mean()
    }
}

/// Cross entropy `[N]` of logits `[N, K]` with labels `[N]`, one term for each example.
///
/// Written in plain operations, so that it has the precision of the logits.
#[must_use]
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, labels.reshape([examples, 1]))
        .neg()
        .reshape([examples])
}

/// Squared error `[N]` of outputs `[N, K]`: each term the mean over the K outputs of an example.
#[must_use]
pub fn squared_error(outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [examples, _] = outputs.dims();
    (outputs - targets).square().mean_dim(1).reshape([examples])
}
