//! Small networks and batches whose every number is drawn on the host.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::optim::GradientsParams;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// SplitMix64: the same numbers on every machine.
pub(crate) struct Host(pub(crate) u64);

impl Host {
    /// Uniform in [-1, 1).
    pub(crate) fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    pub(crate) fn tensor<const D: usize>(
        &mut self,
        shape: [usize; D],
        device: &Device,
        dtype: DType,
    ) -> Tensor<D> {
        let values: Vec<f64> = (0..shape.iter().product()).map(|_| self.number()).collect();
        Tensor::from_data(TensorData::new(values, shape), (device, dtype))
    }

    pub(crate) fn linear(
        &mut self,
        [inputs, outputs]: [usize; 2],
        device: &Device,
        dtype: DType,
    ) -> Linear {
        Linear {
            weight: Param::from_tensor(self.tensor([inputs, outputs], device, dtype)),
            bias: Some(Param::from_tensor(self.tensor([outputs], device, dtype))),
        }
    }
}

/// Two layers with a ReLU between.
#[derive(Module, Debug)]
pub(crate) struct Mlp {
    pub(crate) hidden: Linear,
    pub(crate) out: Linear,
}

impl Mlp {
    pub(crate) fn new(seed: u64, device: &Device, dtype: DType) -> Self {
        let mut host = Host(seed);
        Self {
            hidden: host.linear([6, 8], device, dtype),
            out: host.linear([8, 3], device, dtype),
        }
    }

    pub(crate) fn loss(&self, batch: &Batch) -> Tensor<1> {
        let hidden = relu(self.hidden.forward(batch.inputs.clone()));
        cross_entropy(self.out.forward(hidden), &batch.labels)
    }
}

/// The same with batch normalisation before the ReLU.
#[derive(Module, Debug)]
pub(crate) struct Normalised {
    pub(crate) hidden: Linear,
    pub(crate) norm: BatchNorm,
    pub(crate) out: Linear,
}

impl Normalised {
    pub(crate) fn new(seed: u64, device: &Device, dtype: DType) -> Self {
        let mut host = Host(seed);
        let model = Self {
            hidden: host.linear([6, 8], device, dtype),
            norm: BatchNormConfig::new(8).init(device),
            out: host.linear([8, 3], device, dtype),
        };
        model.map(&mut Cast(dtype))
    }

    pub(crate) fn loss(&self, batch: &Batch) -> Tensor<1> {
        let hidden = relu(self.norm.forward(self.hidden.forward(batch.inputs.clone())));
        cross_entropy(self.out.forward(hidden), &batch.labels)
    }

    /// Running mean and variance after all pending updates, as bits.
    pub(crate) fn statistics(&self) -> Vec<u64> {
        [&self.norm.running_mean, &self.norm.running_var]
            .into_iter()
            .flat_map(|state| bits(&read(state.value_sync())))
            .collect()
    }
}

/// Gives every float tensor a type, in the autodiff context it has.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.dtype() == self.0 {
            return param;
        }
        param.map(|value| {
            let require_grad = value.is_require_grad();
            let value = value.inner().cast(burn::tensor::FloatDType::from(self.0));
            Tensor::from_inner(value).set_require_grad(require_grad)
        })
    }
}

/// 32 inputs of 6 numbers with labels of three classes.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) inputs: Tensor<2>,
    pub(crate) labels: Tensor<1, Int>,
}

impl Batch {
    pub(crate) fn new(seed: u64, device: &Device, dtype: DType) -> Self {
        let mut host = Host(seed);
        let inputs = host.tensor([32, 6], device, dtype);
        let labels: Vec<i64> = (0..32)
            .map(|_| i64::from(host.number() > -0.3) + i64::from(host.number() > 0.3))
            .collect();
        Self {
            inputs,
            labels: Tensor::from_data(TensorData::new(labels, [32]), (device, DType::I64)),
        }
    }
}

pub(crate) fn cross_entropy(logits: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, labels.clone().reshape([examples, 1]))
        .neg()
        .mean()
}

pub(crate) fn gradients<M: Module>(model: &M, loss: Tensor<1>) -> GradientsParams {
    GradientsParams::from_grads(loss.backward(), model)
}

pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor
        .inner()
        .try_into_vec_as::<f64>()
        .expect("floats can be read")
}

pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// All float tensors of a model, frozen ones and buffers included, in visit order.
pub(crate) fn flat<M: Module>(model: &M) -> Vec<f64> {
    struct Flat(Vec<f64>);
    impl ModuleVisitor for Flat {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(read(param.base()));
        }
    }
    let mut visitor = Flat(Vec::new());
    model.visit(&mut visitor);
    visitor.0
}

pub(crate) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

pub(crate) fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

pub(crate) const DTYPES: [DType; 2] = [DType::F32, DType::F64];
