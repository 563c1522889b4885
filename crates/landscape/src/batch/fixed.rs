//! A module that goes along with the batches of a risk.

use burn::module::Module;

use super::{Batch, TensorMapper};

/// A module of which the loss needs tensors beside the examples, such as a criterion with class
/// weights or a frozen teacher: a part of the batch that is the same for all examples.
///
/// A loss is recorded on a device of its own, to which batches are moved and what a closure has
/// moved in is not. A criterion that was made outside the closure belongs here:
///
/// ```
/// use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Int, Tensor};
/// use landscape::{Fixed, Hessian, Method, Risk};
///
/// type Batch = ((Tensor<2>, Tensor<1, Int>), Fixed<CrossEntropyLoss>);
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 2).init(&device);
/// let weights = Some(vec![1.0, 3.0]);
/// let criterion = CrossEntropyLossConfig::new()
///     .with_weights(weights)
///     .init(&device);
/// let (x, y) = (
///     Tensor::ones([4, 2], &device),
///     Tensor::from_ints([0, 1, 1, 0], &device),
/// );
/// let batch: Batch = ((x, y), Fixed(criterion));
/// let risk = Risk::mean([batch], |model: &Linear, ((x, y), criterion): &Batch| {
///     criterion.0.forward(model.forward(x.clone()), y.clone())
/// });
/// let hessian = Hessian::at(&model, &risk)?;
/// assert!(matches!(hessian.method(), Method::Exact { .. }));
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fixed<M>(
    /// The module, on the device of the measurement.
    pub M,
);

impl<M: Module + Sync + 'static> Batch for Fixed<M> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self(f.module(self.0))
    }
}
