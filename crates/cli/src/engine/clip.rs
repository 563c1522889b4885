//! Clipping of the norm of a gradient.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Returns the gradient, shortened to the norm `most` if it is longer: g · min(1, most / ‖g‖) with
/// the Euclidean norm over all parameters together. One whose norm is no finite number stays.
///
/// # References
/// Pascanu, Mikolov, Bengio (2013), "On the difficulty of training recurrent neural networks",
/// algorithm 1.
pub(super) fn clipped<M: Module>(
    gradients: GradientsParams,
    model: &M,
    most: f64,
) -> GradientsParams {
    let mut norm = SquaredNorm {
        gradients: &gradients,
        sum: 0.0,
    };
    model.visit(&mut norm);
    let norm = norm.sum.sqrt();
    if !norm.is_finite() || norm <= most {
        return gradients;
    }
    let mut scaled = Scaled {
        gradients,
        factor: most / norm,
    };
    model.visit(&mut scaled);
    scaled.gradients
}

struct SquaredNorm<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SquaredNorm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sum += gradient.square().sum().into_scalar::<f64>();
        }
    }
}

struct Scaled {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scaled {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let shorter = gradient.mul_scalar(self.factor);
            self.gradients.register(param.id, shorter);
        }
    }
}
