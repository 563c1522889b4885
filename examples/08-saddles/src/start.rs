//! The starts of the trainings.

use anyhow::Result;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorCreationOptions};
use models::{Activation, Mlp, MlpConfig};

/// The initial weights of an MLP 64-8-10 with tanh.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// The usual ones.
    Usual,
    /// A hundredth of the usual ones.
    Small,
    /// All hidden neurons alike: what the first has of the usual ones.
    Alike,
    /// Zero.
    Zero,
}

impl Start {
    pub(crate) const ALL: [Self; 4] = [Self::Usual, Self::Small, Self::Alike, Self::Zero];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Small => "small",
            Self::Alike => "alike",
            Self::Zero => "zero",
        }
    }

    /// Returns the model with these weights.
    pub(crate) fn model(self, seed: u64, options: impl Into<TensorCreationOptions>) -> Result<Mlp> {
        let config = MlpConfig::new(vec![64, 8, 10]).with_activation(Activation::Tanh);
        let mut model = config.init_seeded(seed, options)?;
        match self {
            Self::Usual => {}
            Self::Small => model = model.map(&mut Scaled(0.01)),
            Self::Zero => model = model.map(&mut Scaled(0.0)),
            Self::Alike => {
                let [first, second] = &mut model.layers[..] else {
                    unreachable!("two layers");
                };
                // Column j of the first weight and row j of the second belong to neuron j.
                let alike =
                    |weight: Tensor<2>, axis: usize| weight.narrow(axis, 0, 1).repeat_dim(axis, 8);
                first.weight = replaced(&first.weight, |weight| alike(weight, 1));
                second.weight = replaced(&second.weight, |weight| alike(weight, 0));
                first.bias = first
                    .bias
                    .as_ref()
                    .map(|bias| replaced(bias, |bias| bias.zeros_like()));
            }
        }
        Ok(model)
    }
}

struct Scaled(f64);

impl ModuleMapper for Scaled {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        replaced(&param, |tensor| tensor * self.0)
    }
}

/// Returns a parameter with another value and the same id.
fn replaced<const D: usize>(
    param: &Param<Tensor<D>>,
    value: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    param
        .clone()
        .map(|tensor| value(tensor.detach()).detach().require_grad())
}
