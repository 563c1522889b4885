//! A training step from a risk: the gradient of one batch, with dropout off.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use landscape::{Batch, ParameterSpace, Risk, snapshot};

use crate::Error;

/// Returns the step of `risk`: of the mean loss of one batch, as [`Risk::gradient`] gives it, with
/// dropout off and BatchNorm as the risk says, so that neither running statistics nor the device's
/// random numbers move.
pub(super) fn descent<M: Module, B: Batch>(
    risk: &Risk<M, B>,
) -> impl FnMut(M, &mut ModuleOptimizer, f64, &B) -> Result<(M, f64), Error> {
    let risk = risk.clone();
    move |model, optimiser, rate, batch| {
        let (loss, gradient) = match risk.over(vec![batch.clone()]).gradient(&model) {
            Ok(found) => found,
            Err(landscape::Error::NonFiniteLoss { value, .. }) => return Ok((model, value)),
            Err(landscape::Error::NonFiniteVector { .. }) => return Ok((model, f64::NAN)),
            Err(error) => return Err(error.into()),
        };
        let gradients = by_parameter(&ParameterSpace::of(&model)?, &gradient)?;
        Ok((optimiser.step(rate, model, gradients), loss))
    }
}

/// Returns a flat gradient as an optimiser takes it.
fn by_parameter(space: &ParameterSpace, gradient: &Tensor<1>) -> Result<GradientsParams, Error> {
    let mut gradients = GradientsParams::new();
    for block in &space.blocks {
        let part = gradient.clone().slice([block.range()]);
        macro_rules! register {
            ($($rank:literal),*) => {
                match block.shape.len() {
                    $($rank => {
                        let shape: [usize; $rank] = std::array::from_fn(|axis| block.shape[axis]);
                        gradients.register::<$rank>(block.id, part.reshape(shape));
                    })*
                    #[expect(clippy::cast_precision_loss, reason = "a small number")]
                    rank => {
                        return Err(Error::Setting {
                            name: "the rank of a parameter",
                            value: rank as f64,
                            allowed: "it must be from 1 to 8: give a step of your own",
                        });
                    }
                }
            };
        }
        register!(1, 2, 3, 4, 5, 6, 7, 8);
    }
    Ok(gradients)
}

/// Returns a copy of a model that can be trained and shares nothing with it.
pub(super) fn trainable<M: Module>(model: &M) -> M {
    let mut tracked = Tracked(false);
    model.visit(&mut tracked);
    if tracked.0 {
        snapshot(model)
    } else {
        model.valid().train()
    }
}

struct Tracked(bool);

impl ModuleVisitor for Tracked {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 |= param.val().is_autodiff();
    }
}
