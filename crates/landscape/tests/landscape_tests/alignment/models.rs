//! Small networks of every kind that is permuted, in f64, and what their groups are by hand.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, Linear,
    LinearConfig, PaddingConfig2d,
};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData, activation};
use landscape::alignment::Symmetries;
use landscape::{ParameterSpace, Reduction, Risk, cast};

/// Units of each group, and the path, axis and entries of a unit of each of its places.
type Groups<'a> = Vec<(usize, Vec<(&'a str, usize, usize)>)>;

/// Numbers that have nothing in common, all of size one.
pub(super) fn waves<const D: usize>(shape: [usize; D], speed: f64) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (1..=count)
        .map(|i| (speed * (i * i) as f64 + 0.3 * i as f64).sin())
        .collect();
    let device = Device::flex();
    Tensor::from_data(
        TensorData::new(values, shape),
        (&device, burn::tensor::DType::F64),
    )
}

/// Returns the model in f64 with weights of `waves`, running statistics unlike those of others.
pub(super) fn filled<M: Module>(model: &M, speed: f64) -> M {
    let model = cast(model, FloatDType::F64).expect("flex has f64");
    let space = ParameterSpace::of(&model).expect("a space");
    let theta = waves([space.dim()], speed) * 0.5;
    space.unflatten(&model, &theta).expect("P entries")
}

pub(super) fn linear(from: usize, to: usize) -> Linear {
    LinearConfig::new(from, to).init(&Device::flex())
}

pub(super) fn convolution(from: usize, to: usize) -> Conv2d {
    Conv2dConfig::new([from, to], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init(&Device::flex())
}

fn norm(channels: usize) -> BatchNorm {
    BatchNormConfig::new(channels).init(&Device::flex())
}

/// A network on images or rows whose outputs are `[N, K]`.
pub(super) trait Network: Module + Clone + Sync + 'static {
    fn new() -> Self;
    fn outputs(&self, x: Tensor<4>) -> Tensor<2>;
    /// The groups by hand.
    fn expected() -> Groups<'static>;
}

/// `[6, 1, 4, 4]` images, `[6, 3]` targets.
pub(super) fn risk<N: Network>() -> Risk<N, (Tensor<4>, Tensor<2>)> {
    Risk::of(
        [(waves([6, 1, 4, 4], 0.7), waves([6, 3], 0.11))],
        |model: &N, (x, _): &(Tensor<4>, Tensor<2>)| model.outputs(x.clone()),
        |outputs: Tensor<2>, (_, y): &(Tensor<4>, Tensor<2>)| (outputs - y.clone()).square().mean(),
        Reduction::Mean,
    )
}

pub(super) fn outputs<N: Network>(model: &N) -> Vec<f64> {
    let outputs = model.valid().outputs(waves([6, 1, 4, 4], 0.7));
    outputs.into_data().iter::<f64>().collect()
}

/// Three layers.
#[derive(Module, Debug)]
pub(super) struct Mlp {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl Network for Mlp {
    fn new() -> Self {
        Self {
            fc1: linear(16, 7),
            fc2: linear(7, 5),
            fc3: linear(5, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let t = activation::relu(self.fc1.forward(x.flatten(1, 3)));
        self.fc3.forward(self.fc2.forward(t).tanh())
    }

    fn expected() -> Groups<'static> {
        vec![
            (
                7,
                vec![
                    ("fc1.weight", 1, 1),
                    ("fc1.bias", 0, 1),
                    ("fc2.weight", 0, 1),
                ],
            ),
            (
                5,
                vec![
                    ("fc2.weight", 1, 1),
                    ("fc2.bias", 0, 1),
                    ("fc3.weight", 0, 1),
                ],
            ),
        ]
    }
}

impl Mlp {
    pub(super) fn set_hidden(&mut self, first: Linear, second: Linear) {
        self.fc1 = first;
        self.fc2 = second;
    }
}

/// Convolutions, pooling, a flattening between convolution and linear layer.
#[derive(Module, Debug)]
pub(super) struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

impl Network for Cnn {
    fn new() -> Self {
        Self {
            conv1: convolution(1, 5),
            conv2: convolution(5, 4),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            fc1: linear(16, 6),
            fc2: linear(6, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let t = activation::relu(self.conv1.forward(x));
        let t = self.pool.forward(activation::relu(self.conv2.forward(t)));
        let t = activation::relu(self.fc1.forward(t.flatten(1, 3)));
        self.fc2.forward(t)
    }

    fn expected() -> Groups<'static> {
        vec![
            (
                5,
                vec![
                    ("conv1.weight", 0, 1),
                    ("conv1.bias", 0, 1),
                    ("conv2.weight", 1, 1),
                ],
            ),
            (
                4,
                vec![
                    ("conv2.weight", 0, 1),
                    ("conv2.bias", 0, 1),
                    // A channel is a block of 2 x 2 rows.
                    ("fc1.weight", 0, 4),
                ],
            ),
            (
                6,
                vec![
                    ("fc1.weight", 1, 1),
                    ("fc1.bias", 0, 1),
                    ("fc2.weight", 0, 1),
                ],
            ),
        ]
    }
}

/// A residual stream with BatchNorm, that changes its width once.
#[derive(Module, Debug)]
pub(super) struct ResNet {
    stem: Conv2d,
    norm: BatchNorm,
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    wider: Conv2d,
    head: Linear,
}

impl Network for ResNet {
    fn new() -> Self {
        Self {
            stem: convolution(1, 5),
            norm: norm(5),
            conv1: convolution(5, 4),
            norm1: norm(4),
            conv2: convolution(4, 5),
            norm2: norm(5),
            wider: convolution(5, 6),
            head: linear(6, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let stream = activation::relu(self.norm.forward(self.stem.forward(x)));
        let t = activation::relu(self.norm1.forward(self.conv1.forward(stream.clone())));
        let t = self.norm2.forward(self.conv2.forward(t));
        let t = activation::gelu(self.wider.forward(stream + t));
        self.head
            .forward(t.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2))
    }

    fn expected() -> Groups<'static> {
        vec![
            (
                5,
                vec![
                    ("stem.weight", 0, 1),
                    ("stem.bias", 0, 1),
                    ("norm.gamma", 0, 1),
                    ("norm.beta", 0, 1),
                    ("norm.running_mean", 0, 1),
                    ("norm.running_var", 0, 1),
                    ("conv1.weight", 1, 1),
                    ("conv2.weight", 0, 1),
                    ("conv2.bias", 0, 1),
                    ("norm2.gamma", 0, 1),
                    ("norm2.beta", 0, 1),
                    ("norm2.running_mean", 0, 1),
                    ("norm2.running_var", 0, 1),
                    ("wider.weight", 1, 1),
                ],
            ),
            (
                4,
                vec![
                    ("conv1.weight", 0, 1),
                    ("conv1.bias", 0, 1),
                    ("norm1.gamma", 0, 1),
                    ("norm1.beta", 0, 1),
                    ("norm1.running_mean", 0, 1),
                    ("norm1.running_var", 0, 1),
                    ("conv2.weight", 1, 1),
                ],
            ),
            (
                6,
                vec![
                    ("wider.weight", 0, 1),
                    ("wider.bias", 0, 1),
                    ("head.weight", 0, 1),
                ],
            ),
        ]
    }
}

/// Features of two layers joined, as in a DenseNet, and flattened together.
#[derive(Module, Debug)]
pub(super) struct Dense {
    first: Conv2d,
    second: Conv2d,
    head: Linear,
}

impl Network for Dense {
    fn new() -> Self {
        Self {
            first: convolution(1, 3),
            second: convolution(3, 4),
            head: linear(7 * 16, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let first = self.first.forward(x).tanh();
        let second = self.second.forward(first.clone()).tanh();
        self.head
            .forward(Tensor::cat(vec![second, first], 1).flatten(1, 3))
    }

    fn expected() -> Groups<'static> {
        vec![
            (
                3,
                vec![
                    ("first.weight", 0, 1),
                    ("first.bias", 0, 1),
                    ("second.weight", 1, 1),
                    ("head.weight", 0, 16),
                ],
            ),
            (
                4,
                vec![
                    ("second.weight", 0, 1),
                    ("second.bias", 0, 1),
                    ("head.weight", 0, 16),
                ],
            ),
        ]
    }
}

/// Channels normalised in two groups of three: the groups are permuted whole, and the channels
/// within them alike.
#[derive(Module, Debug)]
pub(super) struct Grouped {
    first: Conv2d,
    norm: GroupNorm,
    head: Linear,
}

impl Network for Grouped {
    fn new() -> Self {
        Self {
            first: convolution(1, 6),
            norm: GroupNormConfig::new(2, 6).init(&Device::flex()),
            head: linear(6, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let t = self.norm.forward(self.first.forward(x)).tanh();
        self.head
            .forward(t.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2))
    }

    fn expected() -> Groups<'static> {
        let places = |entries| {
            vec![
                ("first.weight", 0, entries),
                ("first.bias", 0, entries),
                ("norm.gamma", 0, entries),
                ("norm.beta", 0, entries),
                ("head.weight", 0, entries),
            ]
        };
        vec![(2, places(3)), (3, places(2))]
    }
}

/// A linear residual stream, on which weights have the same units along both axes.
#[derive(Module, Debug)]
pub(super) struct Stream {
    into: Linear,
    block: Linear,
    gain: Param<Tensor<1>>,
    out: Linear,
}

impl Network for Stream {
    fn new() -> Self {
        Self {
            into: linear(16, 6),
            block: linear(6, 6),
            gain: Param::from_tensor(Tensor::ones([6], &Device::flex())),
            out: linear(6, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let stream = self.into.forward(x.flatten(1, 3));
        let stream = stream.clone() + activation::relu(self.block.forward(stream));
        self.out.forward(stream * self.gain.val().unsqueeze())
    }

    fn expected() -> Groups<'static> {
        vec![(
            6,
            vec![
                ("into.weight", 1, 1),
                ("into.bias", 0, 1),
                ("block.weight", 0, 1),
                ("block.weight", 1, 1),
                ("block.bias", 0, 1),
                ("gain", 0, 1),
                ("out.weight", 0, 1),
            ],
        )]
    }
}

/// Embedding dimensions are units, the vocabulary is not.
#[derive(Module, Debug)]
pub(super) struct Embedded {
    embedding: Embedding,
    out: Linear,
}

impl Network for Embedded {
    fn new() -> Self {
        Self {
            embedding: EmbeddingConfig::new(4, 5).init(&Device::flex()),
            out: linear(5, 3),
        }
    }

    fn outputs(&self, x: Tensor<4>) -> Tensor<2> {
        let [count, ..] = x.dims();
        let words: Vec<i64> = (0..2 * count)
            .map(|i| ((i * i + i / 3) % 4) as i64)
            .collect();
        let words = Tensor::<2, Int>::from_data(TensorData::new(words, [count, 2]), &x.device());
        let t: Tensor<2> = self.embedding.forward(words).sum_dim(1).squeeze_dim(1);
        let scale: Tensor<1> = x.flatten::<2>(1, 3).mean_dim(1).squeeze_dim(1);
        self.out.forward((t * scale.unsqueeze_dim(1)).tanh())
    }

    fn expected() -> Groups<'static> {
        vec![(5, vec![("embedding.weight", 1, 1), ("out.weight", 0, 1)])]
    }
}

/// The groups as they are written by hand above.
pub(super) fn by_hand(found: &Symmetries) -> Groups<'_> {
    found
        .groups
        .iter()
        .map(|group| {
            let places = group.places.iter();
            let places = places.map(|place| (place.path.as_str(), place.axis, place.entries));
            (group.units, places.collect())
        })
        .collect()
}
