//! One ascent step.

use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor};

use crate::gradient::{Norm, Scale};
use crate::kernel;
use crate::module::Context;

/// One ascent step: along what, and how far.
pub(crate) struct Climb<'a> {
    /// The vector g.
    pub(crate) along: &'a GradientsParams,
    /// The norm `‖T g‖`.
    pub(crate) norm: Norm,
    /// The distance to go.
    pub(crate) length: f64,
    /// The scale T.
    pub(crate) scale: Scale,
    /// The parameters that move; `None` for all.
    pub(crate) chosen: Option<&'a HashSet<ParamId>>,
}

impl Climb<'_> {
    /// Returns `model` with weights `w + length · T² g / ‖T g‖`.
    ///
    /// Without a perturbation nothing is added: not even the sign of a zero changes.
    pub(crate) fn from<M: Module>(mut self, model: M) -> M {
        if self.norm.is_zero() || self.length == 0.0 {
            return model;
        }
        model.map(&mut self)
    }

    /// Returns `length / ‖T g‖`, if that is within the range of every type.
    fn factor(&self) -> Option<f64> {
        let factor = self.length / self.norm.value();
        (1e-30..1e30).contains(&factor).then_some(factor)
    }

    /// Returns `length · x / ‖T g‖`, in two factors where one would leave the range of the type.
    fn unit<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self.factor() {
            Some(factor) => x.mul_scalar(factor),
            None => x
                .div_scalar(self.norm.largest)
                .mul_scalar(self.length / self.norm.ratio),
        }
    }

    /// Returns the weights of a parameter at the peak.
    fn climbed<const D: usize>(&self, weight: Tensor<D>, gradient: Tensor<D>) -> Tensor<D> {
        let eta = self.scale.eta::<D>();
        if let Some(factor) = self.factor()
            && let Some(peak) = kernel::climbed(&weight, &gradient, factor, eta)
        {
            return peak;
        }
        // A step of half precision could leave its range before it is added.
        if matches!(weight.dtype(), DType::F16 | DType::BF16) {
            let dtype = FloatDType::from(weight.dtype());
            let single = |tensor: Tensor<D>| tensor.cast(FloatDType::F32);
            return self.climbed(single(weight), single(gradient)).cast(dtype);
        }
        let step = match self.scale.of(&weight) {
            None => self.unit(gradient),
            Some(scale) => self.unit(scale.clone() * gradient) * scale,
        };
        weight + step
    }
}

impl ModuleMapper for Climb<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_chosen = |chosen: &HashSet<ParamId>| chosen.contains(&param.id);
        if !param.is_require_grad() || !self.chosen.is_none_or(is_chosen) {
            return param;
        }
        let Some(gradient) = self.along.get::<D>(param.id) else {
            return param;
        };
        let (id, weight, mapper) = param.consume();
        let context = Context::of(&weight);
        let weight = weight.inner();
        let gradient = gradient.inner().to_device(&weight.device());
        let peak = self.climbed(weight, gradient);
        Param::from_mapped_value(id, context.restore(peak, id), mapper)
    }
}
