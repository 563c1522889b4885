//! A vector over the parameters that a method carries from step to step.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::scaled_norms::summable;
use crate::module::Once;

/// A vector over the parameters of a model, which a method carries from step to step: an average of
/// gradients, say.
///
/// What has not been set is zero. Entries of a parameter in half precision are kept in float32.
#[derive(Debug, Clone, Default)]
pub struct Carried(BTreeMap<u64, Stored>);

/// The flat entries of one parameter.
#[derive(Debug, Clone)]
enum Stored {
    /// On the device of the parameter.
    Tensor(Tensor<1>),
    /// As they were read from a record.
    Data(TensorData),
}

impl Carried {
    /// Returns whether nothing is carried.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what is carried.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Sets the vector to `factor · g` for the parameters that have a gradient, and to zero for the
    /// others.
    pub fn set<M: Module>(&mut self, model: &M, factor: f64, gradients: &GradientsParams) {
        *self = Update::of(model, None, factor, gradients);
    }

    /// Sets the vector `v` to `keep · v + factor · g`: a moving average of the gradients where
    /// `keep` and `factor` add up to 1.
    pub fn update<M: Module>(
        &mut self,
        model: &M,
        keep: f64,
        factor: f64,
        gradients: &GradientsParams,
    ) {
        *self = Update::of(model, Some((self, keep)), factor, gradients);
    }

    /// Returns `g + factor · v` for the parameters that have a gradient, v being this vector.
    #[must_use]
    pub fn added_to<M: Module>(
        &self,
        model: &M,
        factor: f64,
        gradients: &GradientsParams,
    ) -> GradientsParams {
        let mut visitor = Add {
            gradients,
            factor,
            carried: self,
            sum: GradientsParams::new(),
            once: Once::default(),
        };
        model.visit(&mut visitor);
        visitor.sum
    }

    /// Sets the entries of one parameter.
    pub(super) fn insert(&mut self, id: ParamId, tensor: Tensor<1>) {
        self.0.insert(id.val(), Stored::Tensor(tensor));
    }

    /// Sets the entries of one parameter to what a record holds.
    pub(crate) fn insert_data(&mut self, id: u64, data: TensorData) {
        self.0.insert(id, Stored::Data(data));
    }

    /// Returns the entries of a parameter, in the shape, on the device and in the type of `like`;
    /// `None` for zero, or where another number of entries is stored.
    pub(super) fn get<const D: usize>(&self, id: ParamId, like: &Tensor<D>) -> Option<Tensor<D>> {
        let device = like.device();
        let tensor = match self.0.get(&id.val())? {
            Stored::Tensor(tensor) => {
                let tensor = tensor.clone().to_device(&device);
                if tensor.dtype() == like.dtype() {
                    tensor
                } else {
                    tensor.cast(like.dtype())
                }
            }
            Stored::Data(data) => Tensor::from_data(data.clone(), (&device, like.dtype())),
        };
        let entries = like.shape().num_elements();
        (tensor.dims()[0] == entries).then(|| tensor.reshape(like.shape()))
    }

    /// Reads every entry to the host, by parameter, in the order of the identifiers.
    pub(crate) fn to_data(&self) -> Vec<(u64, TensorData)> {
        let data = |stored: &Stored| match stored {
            Stored::Tensor(tensor) => tensor.to_data(),
            Stored::Data(data) => data.clone(),
        };
        self.0
            .iter()
            .map(|(&id, stored)| (id, data(stored)))
            .collect()
    }
}

/// The visitor that computes `factor · g`, or `keep · v + factor · g`.
struct Update<'a> {
    /// `v` and `keep`.
    before: Option<(&'a Carried, f64)>,
    factor: f64,
    gradients: &'a GradientsParams,
    after: Carried,
    once: Once,
}

impl<'a> Update<'a> {
    fn of<M: Module>(
        model: &M,
        before: Option<(&'a Carried, f64)>,
        factor: f64,
        gradients: &'a GradientsParams,
    ) -> Carried {
        let mut visitor = Self {
            before,
            factor,
            gradients,
            after: Carried::default(),
            once: Once::default(),
        };
        model.visit(&mut visitor);
        visitor.after
    }
}

impl ModuleVisitor for Update<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let gradient = self.gradients.get::<D>(param.id);
        let kept = |like: &Tensor<D>| {
            let (before, keep) = self.before?;
            Some(before.get(param.id, like)?.mul_scalar(keep))
        };
        let vector = match gradient {
            Some(gradient) => {
                let gradient = summable(gradient.inner());
                let kept = kept(&gradient);
                let scaled = gradient.mul_scalar(self.factor);
                match kept {
                    Some(kept) => kept + scaled,
                    None => scaled,
                }
            }
            None => match kept(&summable(param.base().inner())) {
                Some(kept) => kept,
                None => return,
            },
        };
        let entries = vector.shape().num_elements();
        self.after.insert(param.id, vector.reshape([entries]));
    }
}

/// The visitor that computes `g + factor · v`.
struct Add<'a> {
    gradients: &'a GradientsParams,
    factor: f64,
    carried: &'a Carried,
    sum: GradientsParams,
    once: Once,
}

impl ModuleVisitor for Add<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.once.gradient(self.gradients, param) else {
            return;
        };
        let sum = match self.carried.get(param.id, &gradient) {
            Some(vector) => gradient + vector.mul_scalar(self.factor),
            None => gradient,
        };
        self.sum.register(param.id, sum);
    }
}
