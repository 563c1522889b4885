//! Models made at run time: a tree of Burn's layers.

use burn::module::{Module, Param};
use burn::nn::attention::{MhaInput, MultiHeadAttention};
use burn::nn::conv::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d};
use burn::nn::gru::Gru;
use burn::nn::{
    BatchNorm, Dropout, Embedding, GroupNorm, InstanceNorm, LayerNorm, Linear, Lstm, LstmState,
    PRelu, RmsNorm, Rnn, RnnState, SwiGlu,
};
use burn::tensor::{DType, Int, Tensor, activation};

use super::value::{Value, mapped, with};

/// A layer, or several.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a handful of layers")]
pub(crate) enum Node {
    Linear(Linear),
    Conv1d(Conv1d),
    Conv2d(Conv2d),
    ConvTranspose1d(ConvTranspose1d),
    ConvTranspose2d(ConvTranspose2d),
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    GroupNorm(GroupNorm),
    InstanceNorm(InstanceNorm),
    RmsNorm(RmsNorm),
    Embedding(Embedding),
    Rnn(Rnn),
    Lstm(Lstm),
    Gru(Gru),
    Attention(MultiHeadAttention),
    PRelu(PRelu),
    SwiGlu(SwiGlu),
    Dropout(Dropout),
    Block(Block),
    Loose(Loose),
}

/// Layers one after the other, beside a way around them.
#[derive(Module, Debug)]
pub(crate) struct Block {
    pub(crate) inside: Vec<Node>,
    pub(crate) around: Option<Vec<Node>>,
    pub(crate) gate: Option<Param<Tensor<1>>>,
    /// A tensor that is no parameter.
    pub(crate) fixed: Tensor<1>,
    pub(crate) scale: f64,
}

/// Parameters without a layer.
#[derive(Module, Debug)]
pub(crate) struct Loose {
    pub(crate) vector: Param<Tensor<1>>,
    pub(crate) matrix: Param<Tensor<2>>,
    /// The same parameter as `matrix`, where there is one.
    pub(crate) again: Option<Param<Tensor<2>>>,
    pub(crate) pair: (Param<Tensor<1>>, [Param<Tensor<1>>; 2]),
}

/// The whole model.
#[derive(Module, Debug)]
pub(crate) struct Net {
    pub(crate) nodes: Vec<Node>,
}

/// Statistics by which a BatchNorm layer normalises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normalising {
    /// As the layer decides by its device.
    AsBurn,
    /// Mean and biased variance of the batch, written out.
    WrittenOut,
}

impl Node {
    /// The layer applied to `x`.
    ///
    /// # Panics
    /// If the layer does not fit.
    pub(super) fn forward(&self, x: Value, normalising: Normalising) -> Value {
        match (self, x) {
            (Self::Linear(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::Conv1d(layer), Value::Three(x)) => Value::Three(layer.forward(x)),
            (Self::ConvTranspose1d(layer), Value::Three(x)) => Value::Three(layer.forward(x)),
            (Self::Conv2d(layer), Value::Four(x)) => Value::Four(layer.forward(x)),
            (Self::ConvTranspose2d(layer), Value::Four(x)) => Value::Four(layer.forward(x)),
            (Self::BatchNorm(layer), x) => match normalising {
                Normalising::AsBurn => mapped!(x, x => layer.forward(x)),
                Normalising::WrittenOut => mapped!(x, x => by_batch(layer, x)),
            },
            (Self::LayerNorm(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::GroupNorm(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::InstanceNorm(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::RmsNorm(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::Rnn(layer), Value::Three(x)) => {
                let state = state(&x, &layer.batch_first, layer.d_hidden);
                Value::Three(layer.forward(x, Some(RnnState::new(state))).0)
            }
            (Self::Lstm(layer), Value::Three(x)) => {
                let state = state(&x, &layer.batch_first, layer.d_hidden);
                let state = LstmState::new(state.clone(), state);
                Value::Three(layer.forward(x, Some(state)).0)
            }
            (Self::Gru(layer), Value::Three(x)) => {
                let state = state(&x, &true, layer.d_hidden);
                Value::Three(layer.forward(x, Some(state)))
            }
            (Self::Attention(layer), Value::Three(x)) => {
                Value::Three(layer.forward(MhaInput::self_attn(x)).context)
            }
            (Self::PRelu(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::SwiGlu(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::Dropout(layer), x) => mapped!(x, x => layer.forward(x)),
            (Self::Block(block), x) => block.forward(x, normalising),
            (layer, x) => panic!("{layer:?} does not take a tensor of rank {}", x.rank()),
        }
    }

    /// The rows of an embedding.
    pub(super) fn embed(&self, tokens: Tensor<2, Int>) -> Value {
        match self {
            Self::Embedding(layer) => Value::Three(layer.forward(tokens)),
            layer => panic!("{layer:?} takes no tokens"),
        }
    }
}

impl Block {
    fn forward(&self, x: Value, normalising: Normalising) -> Value {
        let through =
            |nodes: &[Node], x: Value| nodes.iter().fold(x, |x, node| node.forward(x, normalising));
        let inside = through(&self.inside, x.clone());
        let around = match &self.around {
            Some(nodes) => through(nodes, x),
            None => x,
        };
        let device = inside.device();
        let dtype = with!(&inside, x => x.dtype());
        let fixed = self.fixed.clone().to_device(&device).cast(dtype).mean();
        let gate = match &self.gate {
            Some(gate) => activation::sigmoid(gate.val()).mean() * fixed,
            None => fixed,
        };
        super::value::joined!(inside, around, x, y => x * gate.unsqueeze() + y * self.scale)
    }
}

/// A state of zeros, in the type of the sequence: Burn's own is of the device's default type.
fn state(x: &Tensor<3>, batch_first: &bool, width: usize) -> Tensor<2> {
    let rows = if *batch_first {
        x.dims()[0]
    } else {
        x.dims()[1]
    };
    Tensor::zeros([rows, width], (&x.device(), DType::F64))
}

/// BatchNorm with the statistics of the batch, written out.
fn by_batch<const D: usize>(layer: &BatchNorm, x: Tensor<D>) -> Tensor<D> {
    let axes: Vec<usize> = (0..D).filter(|&axis| axis != 1).collect();
    let mean = x.clone().mean_dims(&axes);
    let centred = x - mean;
    let variance = (centred.clone() * centred.clone()).mean_dims(&axes);
    let mut shape = [1; D];
    shape[1] = layer.gamma.dims()[0];
    centred / (variance + layer.epsilon).sqrt() * layer.gamma.val().reshape(shape)
        + layer.beta.val().reshape(shape)
}
