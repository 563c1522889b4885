//! A GRU that reads the rows of MNIST.

use burn::module::Module;
use burn::nn::activation::{Activation, Relu, Tanh};
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{Variant, images};
use crate::models::labels;
use crate::{Fixture, Net, cross_entropy};

const ROW: usize = 28;
const HIDDEN: usize = 24;

/// A GRU over 28 steps with tanh or ReLU, mean or maximum over its states, linear.
#[derive(Module, Debug)]
pub struct GruClassifier {
    gru: Gru,
    head: Linear,
    #[module(skip)]
    variant: Variant,
}

impl Net for GruClassifier {
    type Batch = (Tensor<3>, Tensor<1, Int>);

    const FOLDER: &'static str = "networks";
    const FIXTURE: &'static str = "gru";
    const VIEWS: &'static [&'static str] = &["smooth", "kinked"];

    fn init(device: &Device) -> Self {
        Self {
            gru: GruConfig::new(ROW, HIDDEN, true).init(device),
            head: LinearConfig::new(HIDDEN, 10).init(device),
            variant: Variant::default(),
        }
    }

    fn at_view(mut self, view: &str) -> Self {
        self.variant = Variant::of(view);
        self.gru.hidden_activation = match self.variant {
            Variant::Smooth => Activation::Tanh(Tanh::new()),
            Variant::Kinked => Activation::Relu(Relu::new()),
        };
        self
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (images(fixture, dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let states = self.gru.forward(x.clone(), None);
        self.head.forward(self.variant.mean_or_max(states))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
