//! Case 8: two linear layers without bias, at a saddle and beside it.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor};

use super::floats;
use crate::{Fixture, Net, squared_error};

/// `out = (x W1) W2` from 4 over 3 to 1, squared error.
#[derive(Module, Debug)]
pub struct Saddle {
    fc1: Linear,
    fc2: Linear,
}

impl Net for Saddle {
    type Batch = (Tensor<2>, Tensor<2>);

    const FIXTURE: &'static str = "case8_saddle";
    const VIEWS: &'static [&'static str] = &["zero", "perturbed"];

    fn init(device: &Device) -> Self {
        let linear = |inputs, outputs| {
            LinearConfig::new(inputs, outputs)
                .with_initializer(Initializer::Zeros)
                .with_bias(false)
                .init(device)
        };
        Self {
            fc1: linear(4, 3),
            fc2: linear(3, 1),
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (
            floats(fixture, "x", dtype, device),
            floats(fixture, "y", dtype, device),
        )
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        self.fc2.forward(self.fc1.forward(x.clone()))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        squared_error(outputs, y.clone())
    }
}
