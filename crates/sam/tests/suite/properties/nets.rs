//! Networks and batches whose every number is drawn on the host, and what is read of them.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sam::Rows;

/// Numbers between -1 and 1.
pub(crate) struct Numbers {
    generator: Xoshiro256PlusPlus,
    device: Device,
    dtype: DType,
}

impl Numbers {
    pub(crate) fn new(seed: u64, dtype: DType) -> Self {
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
            device: Device::flex().autodiff(),
            dtype,
        }
    }

    pub(crate) fn tensor<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let values: Vec<f64> = (0..shape.iter().product())
            .map(|_| self.generator.random_range(-1.0..1.0))
            .collect();
        Tensor::from_data(TensorData::new(values, shape), (&self.device, self.dtype))
    }

    pub(crate) fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear {
            weight: Param::from_tensor(self.tensor([inputs, outputs])),
            bias: Some(Param::from_tensor(self.tensor([outputs]))),
        }
    }
}

/// One layer or several, with a tanh or a ReLU between, and one that no loss depends on.
#[derive(Module, Debug)]
pub(crate) struct Net {
    pub(crate) layers: Vec<Linear>,
    pub(crate) unused: Linear,
    #[module(skip)]
    is_tanh: bool,
}

impl Net {
    pub(crate) fn new(seed: u64, widths: &[usize], is_tanh: bool, dtype: DType) -> Self {
        let mut numbers = Numbers::new(seed, dtype);
        Self {
            layers: widths
                .windows(2)
                .map(|pair| numbers.linear(pair[0], pair[1]))
                .collect(),
            unused: numbers.linear(2, 2),
            is_tanh,
        }
    }

    /// `[k]`: half the squared error of each of the rows.
    pub(crate) fn losses(&self, batch: &Batch, rows: Rows<'_>) -> Tensor<1> {
        self.errors(rows.of(&batch.inputs), rows.of(&batch.targets))
    }

    /// Those of all rows.
    pub(crate) fn all_losses(&self, batch: &Batch) -> Tensor<1> {
        self.errors(batch.inputs.clone(), batch.targets.clone())
    }

    /// The mean loss of the batch.
    pub(crate) fn loss(&self, batch: &Batch) -> Tensor<1> {
        self.all_losses(batch).mean()
    }

    fn errors(&self, inputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let [examples, _] = targets.dims();
        let mut x = inputs;
        for (number, layer) in self.layers.iter().enumerate() {
            if number > 0 {
                x = if self.is_tanh { x.tanh() } else { relu(x) };
            }
            x = layer.forward(x);
        }
        ((x - targets).square().sum_dim(1) / 2.0).reshape([examples])
    }
}

/// Inputs and targets.
pub(crate) struct Batch {
    pub(crate) inputs: Tensor<2>,
    pub(crate) targets: Tensor<2>,
}

impl Batch {
    pub(crate) fn new(
        seed: u64,
        examples: usize,
        [inputs, outputs]: [usize; 2],
        dtype: DType,
    ) -> Self {
        let mut numbers = Numbers::new(seed, dtype);
        Self {
            inputs: numbers.tensor([examples, inputs]),
            targets: numbers.tensor([examples, outputs]),
        }
    }

    /// The examples from `start` on, `count` of them.
    pub(crate) fn part(&self, start: usize, count: usize) -> Self {
        Self {
            inputs: self.inputs.clone().narrow(0, start, count),
            targets: self.targets.clone().narrow(0, start, count),
        }
    }
}

pub(crate) fn gradients<M: Module>(model: &M, loss: Tensor<1>) -> GradientsParams {
    GradientsParams::from_grads(loss.backward(), model)
}

/// Every float tensor of a model, frozen ones and buffers included: its path and its numbers.
pub(crate) fn tensors<M: Module>(model: &M) -> Vec<(String, Vec<f64>)> {
    #[derive(Default)]
    struct Read {
        path: Vec<String>,
        tensors: Vec<(String, Vec<f64>)>,
    }
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.base().inner().to_data();
            self.tensors
                .push((self.path.join("."), data.iter::<f64>().collect()));
        }

        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
    }
    let mut read = Read::default();
    model.visit(&mut read);
    read.tensors
}

/// All numbers of a model.
pub(crate) fn flat<M: Module>(model: &M) -> Vec<f64> {
    tensors(model)
        .into_iter()
        .flat_map(|(_, values)| values)
        .collect()
}

pub(crate) fn bits<M: Module>(model: &M) -> Vec<u64> {
    flat(model).into_iter().map(f64::to_bits).collect()
}

/// The numbers of some gradients, in the order of visiting.
pub(crate) fn gradient_bits<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<u64> {
    struct Read<'a>(&'a GradientsParams, Vec<u64>);
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                let data = gradient.inner().to_data();
                self.1.extend(data.iter::<f64>().map(f64::to_bits));
            }
        }
    }
    let mut read = Read(gradients, Vec::new());
    model.visit(&mut read);
    read.1
}

/// Gradients times a factor.
pub(crate) fn scaled<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    factor: f64,
) -> GradientsParams {
    struct Scale<'a> {
        gradients: &'a GradientsParams,
        factor: f64,
        scaled: GradientsParams,
    }
    impl ModuleVisitor for Scale<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let gradient = gradient.inner().mul_scalar(self.factor);
                self.scaled.register(param.id, gradient);
            }
        }
    }
    let mut scale = Scale {
        gradients,
        factor,
        scaled: GradientsParams::new(),
    };
    model.visit(&mut scale);
    scale.scaled
}
