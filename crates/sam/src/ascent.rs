//! From the weights to the peak.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::batch_norm::with_own_statistics;
use crate::context::Context;
use crate::norm::Norm;
use crate::{BatchNormStatistics, SharpnessAware};

/// w + rho T (T g) / ||T g||, with `norm` = ||T g||.
pub(crate) fn peak<M: Module, S: SharpnessAware>(
    method: &S,
    model: &M,
    gradients: &GradientsParams,
    norm: Norm,
) -> M {
    let peak = match method.batch_norm() {
        BatchNormStatistics::FirstPass => with_own_statistics(model),
        BatchNormStatistics::BothPasses => model.clone(),
    };
    // Without a perturbation nothing is added, so that not even the sign of a zero changes.
    if norm.is_zero() || method.rho() == 0.0 {
        return peak;
    }
    peak.map(&mut Ascent {
        method,
        gradients,
        norm,
    })
}

struct Ascent<'a, S> {
    method: &'a S,
    gradients: &'a GradientsParams,
    norm: Norm,
}

impl<S: SharpnessAware> ModuleMapper for Ascent<'_, S> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return param;
        };
        let (id, weight, mapper) = param.consume();
        let context = Context::of(&weight);
        let weight = weight.inner();
        let gradient = gradient.inner().to_device(&weight.device());
        // In two factors, each within the range of the gradient's type: 1 / ||T g|| may not be.
        let unit = |x: Tensor<D>| {
            x.div_scalar(self.norm.largest)
                .mul_scalar(self.method.rho() / self.norm.ratio)
        };
        let step = match self.method.scale(&weight) {
            None => unit(gradient),
            Some(scale) => unit(scale.clone() * gradient) * scale,
        };
        Param::from_mapped_value(id, context.restore(weight + step, id), mapper)
    }
}
