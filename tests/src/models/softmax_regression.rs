//! Case 2: softmax regression 64 to 10.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{floats, labels};
use crate::{Fixture, Net, cross_entropy};

/// `out = x W + b` with cross entropy.
#[derive(Module, Debug)]
pub struct SoftmaxRegression {
    fc: Linear,
}

impl Net for SoftmaxRegression {
    type Batch = (Tensor<2>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case2_softmax_regression";

    fn init(device: &Device) -> Self {
        Self {
            fc: LinearConfig::new(64, 10)
                .with_initializer(Initializer::Zeros)
                .init(device),
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        self.fc.forward(x.clone())
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
