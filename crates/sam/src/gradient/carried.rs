//! A vector over the parameters that a method carries from step to step.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Tensor, TensorData};

use crate::gradient::scaled_norms::summable;
use crate::module::places::Once;

/// One flat tensor for each parameter, by its identifier. What is not there is zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vectors(BTreeMap<u64, Stored>);

/// On the device of its parameter, or as it was read from a record.
#[derive(Debug, Clone)]
enum Stored {
    Tensor(Tensor<1>),
    Data(TensorData),
}

impl Vectors {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, id: ParamId, tensor: Tensor<1>) {
        self.0.insert(id.val(), Stored::Tensor(tensor));
    }

    pub(crate) fn insert_data(&mut self, id: u64, data: TensorData) {
        self.0.insert(id, Stored::Data(data));
    }

    /// The entries of a parameter, in the shape, on the device and in the type of `like`; `None` for
    /// zero, or where another number of entries is stored.
    pub(crate) fn get<const D: usize>(&self, id: ParamId, like: &Tensor<D>) -> Option<Tensor<D>> {
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

    /// Every vector on the host, in the order of the identifiers.
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

    /// All parameters of the model that require a gradient, each once, one after the other in the order
    /// of visiting, `[P]`, on the device and in the type of `like`; `None` without such a parameter.
    pub(crate) fn join<M: Module>(&self, model: &M, like: &Tensor<1>) -> Option<Tensor<1>> {
        let mut join = Join {
            vectors: self,
            like,
            parts: Vec::new(),
            once: Once::default(),
        };
        model.visit(&mut join);
        (!join.parts.is_empty()).then(|| Tensor::cat(join.parts, 0))
    }

    /// The parts of a vector as [`join`](Self::join) makes it; nothing if its length is another.
    pub(crate) fn split<M: Module>(model: &M, joined: &Tensor<1>) -> Self {
        let mut split = Split {
            vectors: Self::default(),
            joined,
            at: 0,
            once: Once::default(),
        };
        model.visit(&mut split);
        if split.at == joined.dims()[0] {
            split.vectors
        } else {
            Self::default()
        }
    }
}

struct Join<'a> {
    vectors: &'a Vectors,
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
        let part: Tensor<1> = match self.vectors.get(param.id, &weight) {
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
    vectors: Vectors,
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
            self.vectors.insert(param.id, part);
        }
        self.at = end;
    }
}

/// `scale` times the gradients, and a factor times what is carried.
pub(crate) fn from_gradients<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    scale: f64,
    carried: Option<(&Vectors, f64)>,
) -> Vectors {
    let mut visitor = FromGradients {
        gradients,
        scale,
        carried,
        vectors: Vectors::default(),
        once: Once::default(),
    };
    model.visit(&mut visitor);
    visitor.vectors
}

struct FromGradients<'a> {
    gradients: &'a GradientsParams,
    scale: f64,
    carried: Option<(&'a Vectors, f64)>,
    vectors: Vectors,
    once: Once,
}

impl ModuleVisitor for FromGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let gradient = self.gradients.get::<D>(param.id);
        let carried = |like: &Tensor<D>| {
            let (vectors, factor) = self.carried?;
            Some(vectors.get(param.id, like)?.mul_scalar(factor))
        };
        let vector = match gradient {
            Some(gradient) => {
                let gradient = summable(gradient.inner());
                let carried = carried(&gradient);
                let scaled = gradient.mul_scalar(self.scale);
                match carried {
                    Some(carried) => carried + scaled,
                    None => scaled,
                }
            }
            None => match carried(&summable(param.base().inner())) {
                Some(carried) => carried,
                None => return,
            },
        };
        let entries = vector.shape().num_elements();
        self.vectors.insert(param.id, vector.reshape([entries]));
    }
}
