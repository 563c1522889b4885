//! The networks of the fixtures, each exactly as its manifest's `forward` says.

mod attention;
mod cnn;
mod cnn_batch_norm;
mod linear_regression;
mod mlp;
mod saddle;
mod softmax_regression;

pub use attention::Attention;
pub use cnn::Cnn;
pub use cnn_batch_norm::CnnBatchNorm;
pub(crate) use cnn_batch_norm::TrainingFlag;
pub use linear_regression::LinearRegression;
pub use mlp::{MlpRelu, MlpTanh};
pub use saddle::Saddle;
pub use softmax_regression::SoftmaxRegression;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::Fixture;
use crate::load::upload;

/// A float tensor of the fixture, such as the inputs `x`.
pub(crate) fn floats<const D: usize>(
    fixture: &Fixture,
    key: &str,
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    let (shape, values) = fixture.floats(key);
    upload(shape.to_vec(), values.to_vec(), dtype, device)
}

/// The integer labels `y`.
pub(crate) fn labels(fixture: &Fixture, device: &Device) -> Tensor<1, Int> {
    let (shape, values) = fixture.integers("y");
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape.to_vec()),
        (device, DType::I64),
    )
}
