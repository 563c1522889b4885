//! Case 1: linear regression 64 to 3 with squared error.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor};

use super::floats;
use crate::{Fixture, Net, squared_error};

/// `out = x W + b`, the mean of squares over all N x 3 entries.
#[derive(Module, Debug)]
pub struct LinearRegression {
    fc: Linear,
}

impl Net for LinearRegression {
    type Batch = (Tensor<2>, Tensor<2>);

    const FIXTURE: &'static str = "case1_linear_mse";

    fn init(device: &Device) -> Self {
        Self {
            fc: LinearConfig::new(64, 3)
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (
            floats(fixture, "x", dtype, device),
            floats(fixture, "y", dtype, device),
        )
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        self.fc.forward(x.clone())
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        squared_error(outputs, y.clone())
    }
}
