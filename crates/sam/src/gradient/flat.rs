//! A carried vector as one flat tensor, for the buffers of a model.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{FloatDType, Tensor};

use super::Carried;
use super::scaled_norms::summable;
use crate::module::Once;

impl Carried {
    /// Returns the entries of all parameters that require a gradient, each once, one after the
    /// other in the order of visiting, `[P]`, on the device and in the type of `like`; `None`
    /// without such a parameter.
    pub(crate) fn join<M: Module>(&self, model: &M, like: &Tensor<1>) -> Option<Tensor<1>> {
        let mut join = Join {
            carried: self,
            like,
            parts: Vec::new(),
            once: Once::default(),
        };
        model.visit(&mut join);
        (!join.parts.is_empty()).then(|| Tensor::cat(join.parts, 0))
    }

    /// Returns the vector that [`join`](Self::join) has made flat; nothing if its length is
    /// another.
    pub(crate) fn split<M: Module>(model: &M, joined: &Tensor<1>) -> Self {
        let mut split = Split {
            carried: Self::default(),
            joined,
            at: 0,
            once: Once::default(),
        };
        model.visit(&mut split);
        if split.at == joined.dims()[0] {
            split.carried
        } else {
            Self::default()
        }
    }
}

struct Join<'a> {
    carried: &'a Carried,
    like: &'a Tensor<1>,
    parts: Vec<Tensor<1>>,
    once: Once,
}

impl ModuleVisitor for Join<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let weight = summable(param.base().inner());
        let entries = weight.shape().num_elements();
        let part: Tensor<1> = match self.carried.get(param.id, &weight) {
            Some(part) => part.reshape([entries]),
            None => weight.zeros_like().reshape([entries]),
        };
        let part = part.to_device(&self.like.device());
        self.parts.push(if part.dtype() == self.like.dtype() {
            part
        } else {
            part.cast(FloatDType::from(self.like.dtype()))
        });
    }
}

struct Split<'a> {
    carried: Carried,
    joined: &'a Tensor<1>,
    at: usize,
    once: Once,
}

impl ModuleVisitor for Split<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let entries = param.shape().num_elements();
        let end = self.at + entries;
        if end <= self.joined.dims()[0] {
            let part = self.joined.clone().narrow(0, self.at, entries);
            self.carried.insert(param.id, part);
        }
        self.at = end;
    }
}
