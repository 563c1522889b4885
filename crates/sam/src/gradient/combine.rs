//! Sums of gradients over all parameters of a model.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::module::Once;

/// Returns `a x + b y`; a gradient that one of the two lacks is zero there.
pub(crate) fn combined<M: Module>(
    model: &M,
    (a, x): (f64, &GradientsParams),
    (b, y): (f64, &GradientsParams),
) -> GradientsParams {
    let term = |factor, gradients| Term { factor, gradients };
    let mut visitor = Combine {
        terms: [term(a, x), term(b, y)],
        sum: GradientsParams::new(),
        once: Once::default(),
    };
    model.visit(&mut visitor);
    visitor.sum
}

struct Term<'a> {
    factor: f64,
    gradients: &'a GradientsParams,
}

impl Term<'_> {
    #[expect(clippy::float_cmp, reason = "a factor of one is left out, no other")]
    fn of<const D: usize>(&self, id: ParamId) -> Option<Tensor<D>> {
        let gradient = self.gradients.get::<D>(id)?.inner();
        Some(if self.factor == 1.0 {
            gradient
        } else {
            gradient.mul_scalar(self.factor)
        })
    }
}

struct Combine<'a> {
    terms: [Term<'a>; 2],
    sum: GradientsParams,
    once: Once,
}

impl ModuleVisitor for Combine<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let [x, y] = &self.terms;
        let sum = match (x.of::<D>(param.id), y.of::<D>(param.id)) {
            (Some(x), Some(y)) => x.clone() + y.to_device(&x.device()),
            (Some(term), None) | (None, Some(term)) => term,
            (None, None) => return,
        };
        self.sum.register(param.id, sum);
    }
}

/// Returns the same gradients; the tensors are shared.
pub(crate) fn copy<M: Module>(model: &M, gradients: &GradientsParams) -> GradientsParams {
    combined(model, (1.0, gradients), (1.0, &GradientsParams::new()))
}
