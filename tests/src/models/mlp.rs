//! Cases 3 and 4: multilayer perceptrons 64, 24, 16, 10 with tanh and with ReLU.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Int, Tensor};

use super::{floats, labels};
use crate::{Fixture, Net, cross_entropy};

/// Three layers with tanh between them, cross entropy.
#[derive(Module, Debug)]
pub struct MlpTanh {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

/// Three layers with ReLU between them, cross entropy.
#[derive(Module, Debug)]
pub struct MlpRelu {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

fn layers(device: &Device) -> [Linear; 3] {
    [(64, 24), (24, 16), (16, 10)].map(|(inputs, outputs)| {
        LinearConfig::new(inputs, outputs)
            .with_initializer(Initializer::Zeros)
            .init(device)
    })
}

impl Net for MlpTanh {
    type Batch = (Tensor<2>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case3_mlp_tanh";

    fn init(device: &Device) -> Self {
        let [fc1, fc2, fc3] = layers(device);
        Self { fc1, fc2, fc3 }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let h1 = self.fc1.forward(x.clone()).tanh();
        let h2 = self.fc2.forward(h1).tanh();
        self.fc3.forward(h2)
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}

impl Net for MlpRelu {
    type Batch = (Tensor<2>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case4_mlp_relu";

    fn init(device: &Device) -> Self {
        let [fc1, fc2, fc3] = layers(device);
        Self { fc1, fc2, fc3 }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let h1 = relu(self.fc1.forward(x.clone()));
        let h2 = relu(self.fc2.forward(h1));
        self.fc3.forward(h2)
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
