//! Random layers that fit a value, and their random parameters.

use burn::module::{LoraAdapter, Module, ModuleMapper, Param, ParamId, Reparameterizer};
use burn::nn::attention::MultiHeadAttentionConfig;
use burn::nn::conv::{Conv1dConfig, Conv2dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig};
use burn::nn::gru::GruConfig;
use burn::nn::{
    BatchNormConfig, DropoutConfig, GroupNormConfig, InstanceNormConfig, LayerNormConfig,
    LinearConfig, LstmConfig, PReluConfig, PaddingConfig1d, PaddingConfig2d, RmsNormConfig,
    RnnConfig, SwiGluConfig,
};
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::node::{Block, Loose, Node};
use super::random::Random;

/// A layer for a value of such dimensions, if one is found.
pub(super) fn proposed(random: &mut Random, dims: &[usize], device: &Device) -> Option<Node> {
    let last = *dims.last()?;
    let channels = *dims.get(1)?;
    let width = random.between(2, 4);
    let node = match (random.below(9), dims.len()) {
        (0, _) => Node::LayerNorm(LayerNormConfig::new(last).init(device)),
        (1, _) => Node::BatchNorm(BatchNormConfig::new(channels).init(device)),
        (2, 2..) if random.once_in(6) => Node::RmsNorm(RmsNormConfig::new(last).init(device)),
        (2, 3..) => {
            if channels.is_multiple_of(2) && random.once_in(2) {
                Node::GroupNorm(GroupNormConfig::new(2, channels).init(device))
            } else {
                Node::InstanceNorm(InstanceNormConfig::new(channels).init(device))
            }
        }
        (3, _) if random.once_in(2) => Node::PRelu(
            PReluConfig::new()
                .with_num_parameters(if random.once_in(2) { channels } else { 1 })
                .init(device),
        ),
        (3, _) if random.once_in(2) => Node::SwiGlu(SwiGluConfig::new(last, width).init(device)),
        (3, _) => Node::Dropout(DropoutConfig::new(0.4).init()),
        (4, _) => block(random, dims, device)?,
        (5.., 3) => sequence(random, dims, device),
        (5.., 4) => image(random, dims, device),
        _ => Node::Linear(
            LinearConfig::new(last, width)
                .with_bias(!random.once_in(4))
                .init(device),
        ),
    };
    Some(node)
}

/// A layer on `[N, C, L]`, which is also `[B, T, F]`.
fn sequence(random: &mut Random, dims: &[usize], device: &Device) -> Node {
    let (channels, last) = (dims[1], dims[2]);
    let width = random.between(2, 3);
    match random.below(7) {
        0 => Node::Lstm(
            LstmConfig::new(last, width, !random.once_in(4))
                .with_reverse(random.once_in(3))
                .with_batch_first(!random.once_in(3))
                .init(device),
        ),
        1 => Node::Gru(
            GruConfig::new(last, width, true)
                .with_reset_after(random.once_in(2))
                .init(device),
        ),
        2 => Node::Rnn(RnnConfig::new(last, width, true).init(device)),
        3 if last % 2 == 0 => Node::Attention(
            MultiHeadAttentionConfig::new(last, 2)
                .with_dropout(0.0)
                .with_quiet_softmax(random.once_in(3))
                .init(device),
        ),
        4 => Node::ConvTranspose1d(
            ConvTranspose1dConfig::new([channels, width], 2)
                .with_stride(random.between(1, 2))
                .init(device),
        ),
        5 => Node::Linear(LinearConfig::new(last, width).init(device)),
        _ => Node::Conv1d(
            Conv1dConfig::new(channels, width, 2)
                .with_padding(PaddingConfig1d::Explicit(random.below(2), random.below(2)))
                .with_stride(random.between(1, 2))
                .with_bias(!random.once_in(3))
                .init(device),
        ),
    }
}

/// A layer on `[N, C, H, W]`.
fn image(random: &mut Random, dims: &[usize], device: &Device) -> Node {
    let channels = dims[1];
    let width = random.between(1, 3);
    let groups = if channels.is_multiple_of(2) && random.once_in(3) {
        2
    } else {
        1
    };
    if random.once_in(3) {
        Node::ConvTranspose2d(
            ConvTranspose2dConfig::new([channels, width * groups], [2, 2])
                .with_stride([random.between(1, 2), 1])
                .with_groups(groups)
                .init(device),
        )
    } else {
        Node::Conv2d(
            Conv2dConfig::new([channels, width * groups], [2, random.between(1, 2)])
                .with_padding(if random.once_in(2) {
                    PaddingConfig2d::Valid
                } else {
                    PaddingConfig2d::Explicit(1, 0, 1, 0)
                })
                .with_stride([1, random.between(1, 2)])
                .with_groups(groups)
                .init(device),
        )
    }
}

/// A block that keeps the last axis.
fn block(random: &mut Random, dims: &[usize], device: &Device) -> Option<Node> {
    let last = *dims.last()?;
    let linear = |bias| Node::Linear(LinearConfig::new(last, last).with_bias(bias).init(device));
    let mut inside = vec![linear(true)];
    match random.below(4) {
        // One layer, several times: clones keep their identifiers.
        0 => inside = vec![inside.remove(0); random.between(2, 3)],
        1 => inside.push(Node::LayerNorm(LayerNormConfig::new(last).init(device))),
        2 => inside.push(proposed_block(random, dims, device)?),
        _ => {}
    }
    Some(Node::Block(Block {
        inside,
        around: random.once_in(3).then(|| vec![linear(false)]),
        gate: random
            .once_in(2)
            .then(|| Param::from_tensor(Tensor::ones([2], (device, DType::F64)))),
        fixed: Tensor::full([2], 0.7, (&device.clone().without_autodiff(), DType::F64)),
        scale: 0.5,
    }))
}

fn proposed_block(random: &mut Random, dims: &[usize], device: &Device) -> Option<Node> {
    if random.once_in(3) {
        block(random, dims, device)
    } else if random.once_in(6) {
        Some(Node::RmsNorm(
            RmsNormConfig::new(*dims.last()?).init(device),
        ))
    } else {
        Some(Node::LayerNorm(
            LayerNormConfig::new(*dims.last()?).init(device),
        ))
    }
}

/// Parameters without a layer, for values of so many columns.
pub(super) fn loose(width: usize, tied: bool, device: &Device) -> Node {
    let vector = |n: usize| Param::from_tensor(Tensor::<1>::ones([n], (device, DType::F64)));
    let matrix = Param::from_tensor(Tensor::<2>::ones([width, width], (device, DType::F64)));
    Node::Loose(Loose {
        vector: vector(width),
        again: tied.then(|| matrix.clone()),
        matrix,
        pair: (vector(1), [vector(width), vector(1)]),
    })
}

/// Gives every float tensor random entries in f64, equal ones to equal identifiers, and freezes
/// some.
pub(super) struct Fill<'r> {
    pub(super) random: &'r mut Random,
    /// Freezes one parameter in so many.
    pub(super) freezes: Option<usize>,
    pub(super) known: Vec<(ParamId, Vec<f64>, bool)>,
    /// Whether equal identifiers may get different entries.
    pub(super) tears: bool,
    pub(super) path: Vec<String>,
}

impl<'r> Fill<'r> {
    pub(super) const fn new(random: &'r mut Random) -> Self {
        Self {
            random,
            freezes: None,
            known: Vec::new(),
            tears: false,
            path: Vec::new(),
        }
    }
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.last().cloned().unwrap_or_default();
        let id = param.id;
        let dims = param.dims();
        let count: usize = dims.iter().product();
        let known = self.known.iter().find(|(known, ..)| *known == id).cloned();
        let (entries, frozen) = match known {
            Some((_, entries, frozen)) if !self.tears => (entries, frozen),
            _ => {
                let mut entries = self.random.normals(count);
                for entry in &mut entries {
                    *entry = match name.as_str() {
                        "gamma" | "alpha" => 1.0 + 0.3 * *entry,
                        "running_var" => (0.4 * *entry).exp(),
                        _ => 0.5 * *entry,
                    };
                }
                let frozen = self.freezes.is_some_and(|count| self.random.once_in(count));
                self.known.push((id, entries.clone(), frozen));
                (entries, frozen)
            }
        };
        let param = param.map(|tensor| {
            let (device, flag) = (tensor.device(), tensor.is_require_grad());
            let tensor = Tensor::<1>::from_data(
                TensorData::new(entries, [count]),
                (&device.clone().without_autodiff(), DType::F64),
            )
            .reshape(dims);
            if device.is_autodiff() {
                Tensor::from_inner(tensor).set_require_grad(flag)
            } else {
                tensor
            }
        });
        if frozen {
            param.set_require_grad(false)
        } else {
            param
        }
    }
}

/// Adapters of rank one on matrices, the matrices themselves frozen or not.
pub(super) struct Adapt {
    pub(super) freezes: bool,
}

impl Reparameterizer for Adapt {
    type Reparam = LoraAdapter;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<LoraAdapter>) {
        let param = if self.freezes {
            param.set_require_grad(false)
        } else {
            param
        };
        if D != 2 {
            return (param, None);
        }
        let (shape, device) = (param.dims(), param.device());
        let ones = |dims| Tensor::<2>::ones(dims, (&device, DType::F64));
        let adapter = LoraAdapter {
            a: Param::from_tensor(ones([shape[0], 1])),
            b: Param::from_tensor(ones([1, shape[1]])),
            scale: 0.5,
        };
        (param, Some(adapter))
    }
}

/// The same layer with other numbers.
pub(super) fn filled<M: Module>(module: M, random: &mut Random) -> M {
    module.map(&mut Fill::new(random))
}
