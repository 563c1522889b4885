//! Filter normalisation takes the scale of the weights out of a slice.
//!
//! Networks that compute the same function with weights of another scale have the same slice along
//! a direction that is filter-normalised to each; along the raw direction they have not.

use burn::module::Module;
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{
    Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig, DeformConv2d, DeformConv2dConfig,
};
use burn::nn::{
    Embedding, EmbeddingConfig, Linear, LinearConfig, Rnn, RnnConfig, SwiGlu, SwiGluConfig,
};
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use landscape::direction::{Normalization, NormalizeConfig, VectorParameters, normalize};
use landscape::{
    Grid, ParameterSpace, Risk, cast, download, line, plane, random_direction, random_directions,
};

type Data = Tensor<2>;

/// One of several networks. They are one type, since all that measures a model is compiled for
/// each.
#[derive(Module, Debug)]
enum Net {
    Mlp(Mlp),
    Cnn(Cnn),
    Attentive(Attentive),
    Recurrent(Recurrent),
    Text(Text),
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Mlp(net) => net.forward(x),
            Self::Cnn(net) => net.forward(x),
            Self::Attentive(net) => net.forward(x),
            Self::Recurrent(net) => net.forward(x),
            Self::Text(net) => net.forward(x),
        }
    }
}

/// Returns numbers in [-1, 1] without a pattern that a layer could notice.
fn numbers<const D: usize>(shape: [usize; D], step: f64) -> Tensor<D> {
    let len: usize = shape.iter().product();
    let mut angle = 0.3_f64;
    let entries = (0..len).map(|_| {
        angle += step;
        (angle * angle).sin()
    });
    let data = TensorData::new(entries.collect::<Vec<f64>>(), shape);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

/// Returns the network in f64 with weights from a seed, about 0.4 large.
fn drawn(net: &Net) -> Net {
    let net = cast(net, FloatDType::F64).unwrap();
    let space = ParameterSpace::of(&net).unwrap();
    let weights = random_direction(&space, 3).mul_scalar(0.4);
    space.unflatten(&net, &weights).unwrap()
}

/// Returns the network with the tensors at the given paths multiplied.
fn rescaled(net: &Net, factors: &[(&str, f64)]) -> Net {
    let space = ParameterSpace::of(net).unwrap();
    let mut theta = download(&space.flatten(net).unwrap());
    for (pattern, factor) in factors {
        for block in space.matching(pattern).unwrap() {
            theta[block.range()].iter_mut().for_each(|w| *w *= factor);
        }
    }
    let theta = space.domain.upload(&theta).unwrap();
    space.unflatten(net, &theta).unwrap()
}

fn risk(data: Data) -> Risk<Net, Data> {
    Risk::mean(data, |net: &Net, x: &Data| {
        (net.forward(x.clone()) - 0.7).square().mean()
    })
}

const AT: [f64; 5] = [-1.0, -0.4, 0.0, 0.3, 1.0];

fn slice(net: &Net, risk: &Risk<Net, Data>, config: &NormalizeConfig) -> Vec<f64> {
    let space = ParameterSpace::of(net).unwrap();
    let direction = normalize(&space, net, random_direction(&space, 11), config).unwrap();
    line(net, risk, &direction, &AT).unwrap().loss
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs());
    differences.fold(0.0, f64::max)
}

/// Checks that `factors` change neither the loss nor the filter-normalised slice, but the raw one.
fn check(name: &str, net: &Net, factors: &[(&str, f64)], data: Data) {
    let risk = risk(data);
    let other = rescaled(net, factors);
    let (here, there) = (risk.value(net).unwrap(), risk.value(&other).unwrap());
    assert!(
        (here / there - 1.0).abs() < 1e-12,
        "{name}: another function"
    );
    for vectors in [VectorParameters::Ignore, VectorParameters::Copy] {
        let config = NormalizeConfig::new().with_vectors(vectors);
        let (here, there) = (slice(net, &risk, &config), slice(&other, &risk, &config));
        let error = apart(&here, &there);
        assert!(error < 1e-9, "{name}, {vectors:?}: {error:.1e}");
        // The slice is no constant, in which nothing could be seen.
        assert!(
            apart(&[here[0], here[4]], &[here[2], here[2]]) > 1e-3,
            "{name}"
        );
    }
    let raw = NormalizeConfig::new().with_normalization(Normalization::None);
    let error = apart(&slice(net, &risk, &raw), &slice(&other, &risk, &raw));
    assert!(
        error > 1e-2,
        "{name}: the raw slices are as near as {error:.1e}"
    );
}

#[derive(Module, Debug)]
struct Mlp {
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Mlp {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = relu(self.first.forward(x));
        self.third.forward(relu(self.second.forward(x)))
    }
}

fn mlp() -> Net {
    let device = &Device::flex();
    drawn(&Net::Mlp(Mlp {
        first: LinearConfig::new(4, 6).init(device),
        second: LinearConfig::new(6, 5).init(device),
        third: LinearConfig::new(5, 3).init(device),
    }))
}

#[test]
fn slice_of_an_mlp_does_not_depend_on_the_scale_of_relu_layers() {
    let factors = [("*first.*", 5.0), ("*second.weight", 0.2)];
    check("first", &mlp(), &factors, numbers([8, 4], 0.37));
    let factors = [("*second.*", 0.01), ("*third.weight", 100.0)];
    check("second", &mlp(), &factors, numbers([8, 4], 0.37));
}

#[test]
fn plane_of_an_mlp_does_not_depend_on_the_scale_of_relu_layers() {
    let risk = risk(numbers([8, 4], 0.37));
    let surface = |net: &Net| {
        let space = ParameterSpace::of(net).unwrap();
        let config = NormalizeConfig::new().with_vectors(VectorParameters::Copy);
        let [first, second] =
            random_directions(&space, 2).map(|d| normalize(&space, net, d, &config).unwrap());
        let grid = Grid::rectangle((-1.0..=1.0, 5), (-0.5..=1.0, 4));
        plane(net, &risk, [&first, &second], &grid).unwrap().loss
    };
    let scaled = rescaled(&mlp(), &[("*first.*", 7.0), ("*second.weight", 1.0 / 7.0)]);
    assert!(apart(&surface(&mlp()), &surface(&scaled)) < 1e-9);
}

/// Convolutions of every kind, each rescaled against the one after it.
#[derive(Module, Debug)]
struct Cnn {
    conv: Conv2d,
    grouped: Conv2d,
    deform: DeformConv2d,
    up: ConvTranspose2d,
    head: Linear,
}

impl Cnn {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, _] = x.dims();
        let x = relu(self.conv.forward(x.reshape([rows, 1, 6, 6])));
        let x = relu(self.grouped.forward(x));
        let offset = Tensor::zeros([rows, 8, 2, 2], (&x.device(), x.dtype()));
        let x = relu(self.deform.forward(x, offset, None));
        let x = relu(self.up.forward(x));
        self.head
            .forward(x.mean_dim(3).mean_dim(2).reshape([rows, 6]))
    }
}

#[test]
fn slice_of_a_cnn_does_not_depend_on_the_scale_of_relu_layers() {
    let device = &Device::flex();
    let net = drawn(&Net::Cnn(Cnn {
        conv: Conv2dConfig::new([1, 4], [3, 3]).init(device),
        grouped: Conv2dConfig::new([4, 6], [2, 2])
            .with_groups(2)
            .init(device),
        deform: DeformConv2dConfig::new([6, 4], [2, 2])
            .with_weight_groups(2)
            .init(device),
        up: ConvTranspose2dConfig::new([4, 6], [2, 2])
            .with_groups(2)
            .init(device),
        head: LinearConfig::new(6, 3).init(device),
    }));
    let layers = ["conv", "grouped", "deform", "up", "head"];
    for pair in layers.windows(2) {
        let (of_layer, next) = (format!("*{}.*", pair[0]), format!("*{}.weight", pair[1]));
        let factors = [(&of_layer[..], 4.0), (&next[..], 0.25)];
        check(pair[0], &net, &factors, numbers([5, 36], 0.23));
    }
}

#[derive(Module, Debug)]
struct Attentive {
    attention: MultiHeadAttention,
    head: Linear,
}

impl Attentive {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, _] = x.dims();
        let x = x.reshape([rows, 3, 6]);
        let input = MhaInput::new(x.clone(), x.clone(), x);
        let x = self.attention.forward(input).context;
        self.head.forward(x.mean_dim(1).reshape([rows, 6]))
    }
}

#[test]
fn slice_of_attention_does_not_depend_on_the_scale_of_query_key_and_value() {
    let device = &Device::flex();
    let net = drawn(&Net::Attentive(Attentive {
        attention: MultiHeadAttentionConfig::new(6, 2)
            .with_dropout(0.0)
            .init(device),
        head: LinearConfig::new(6, 2).init(device),
    }));
    for (name, factors) in [
        (
            "query and key",
            [("*.query.*", 3.0), ("*.key.*", 1.0 / 3.0)],
        ),
        (
            "value and output",
            [("*.value.*", 3.0), ("*.output.weight", 1.0 / 3.0)],
        ),
        (
            "output and head",
            [("*.output.*", 3.0), ("*head.weight", 1.0 / 3.0)],
        ),
    ] {
        check(name, &net, &factors, numbers([4, 18], 0.51));
    }
}

#[derive(Module, Debug)]
struct Recurrent {
    cell: Rnn,
    gated: SwiGlu,
    head: Linear,
}

impl Recurrent {
    /// Takes four steps of three numbers, by the cell's gate: `Rnn::forward` makes its state in the
    /// default float type.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, _] = x.dims();
        let mut state = Tensor::zeros([rows, 4], (&x.device(), x.dtype()));
        for step in 0..4 {
            let input = x.clone().narrow(1, 3 * step, 3);
            state = relu(self.cell.gate.gate_product(input, state));
        }
        self.head.forward(self.gated.forward(state))
    }
}

#[test]
fn slice_does_not_depend_on_the_scale_of_a_relu_state_or_a_gated_unit() {
    let device = &Device::flex();
    let net = drawn(&Net::Recurrent(Recurrent {
        cell: RnnConfig::new(3, 4, true).init(device),
        gated: SwiGluConfig::new(4, 5).with_bias(true).init(device),
        head: LinearConfig::new(5, 2).init(device),
    }));
    // The state is multiplied by 3: so are what comes from the input and the biases, and the
    // weights from state to state stay.
    let cell = [
        ("*cell.*.input_transform.*", 3.0),
        ("*cell.*.hidden_transform.bias", 3.0),
        ("*gated.*.weight", 1.0 / 3.0),
    ];
    check("cell", &net, &cell, numbers([4, 12], 0.41));
    let gated = [("*gated.linear_outer.*", 3.0), ("*head.weight", 1.0 / 3.0)];
    check("gated", &net, &gated, numbers([4, 12], 0.41));
}

#[derive(Module, Debug)]
struct Text {
    table: Embedding,
    head: Linear,
}

impl Text {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, _] = x.dims();
        let tokens = TensorData::from([[0, 1, 2], [3, 4, 4], [5, 6, 0]]);
        let tokens: Tensor<2, Int> = Tensor::from_data(tokens, &x.device());
        let words = self.table.forward(tokens).mean_dim(1).reshape([rows, 5]);
        self.head.forward(relu(words + x))
    }
}

#[test]
fn slice_does_not_depend_on_the_scale_of_an_embedding() {
    let device = &Device::flex();
    let net = drawn(&Net::Text(Text {
        table: EmbeddingConfig::new(7, 5).init(device),
        head: LinearConfig::new(5, 2).init(device),
    }));
    let factors = [("*table.weight", 6.0), ("*head.weight", 1.0 / 6.0)];
    let data = Tensor::zeros([3, 5], (device, DType::F64));
    check("table", &net, &factors, data);
}
