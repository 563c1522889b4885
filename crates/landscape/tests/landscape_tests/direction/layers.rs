//! One of each of Burn's layers that have parameters, and what a filter is in each.

use burn::module::Module;
use burn::nn::attention::{
    CrossAttention, CrossAttentionConfig, MultiHeadAttention, MultiHeadAttentionConfig,
};
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3d, Conv3dConfig, ConvTranspose1d,
    ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig, ConvTranspose3d,
    ConvTranspose3dConfig, DeformConv2d, DeformConv2dConfig,
};
use burn::nn::transformer::{
    PositionWiseFeedForward, PositionWiseFeedForwardConfig, TransformerDecoder,
    TransformerDecoderConfig, TransformerEncoder, TransformerEncoderConfig,
};
use burn::nn::{
    BatchNorm, BatchNormConfig, BiGru, BiGruConfig, BiLstm, BiLstmConfig, BiRnn, BiRnnConfig,
    Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, Gru, GruConfig, InstanceNorm,
    InstanceNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, LinearLayout, Lstm,
    LstmConfig, PRelu, PReluConfig, RmsNorm, RmsNormConfig, Rnn, RnnConfig, SwiGlu, SwiGluConfig,
};
use burn::tensor::{Device, FloatDType};
use landscape::{ParameterSpace, cast, random_direction};

/// One of each.
#[derive(Module, Debug)]
pub(super) struct Layers {
    linear: Linear,
    linear_by_columns: Linear,
    conv1d: Conv1d,
    conv2d: Conv2d,
    conv2d_by_channel: Conv2d,
    conv3d: Conv3d,
    deform: DeformConv2d,
    transposed1d: ConvTranspose1d,
    transposed2d: ConvTranspose2d,
    transposed3d: ConvTranspose3d,
    transposed_without_bias: ConvTranspose1d,
    embedding: Embedding,
    rnn: Rnn,
    gru: Gru,
    lstm: Lstm,
    bi_rnn: BiRnn,
    bi_gru: BiGru,
    bi_lstm: BiLstm,
    attention: MultiHeadAttention,
    cross_attention: CrossAttention,
    encoder: TransformerEncoder,
    decoder: TransformerDecoder,
    feed_forward: PositionWiseFeedForward,
    gated: SwiGlu,
    prelu: PRelu,
    batch_norm: BatchNorm,
    layer_norm: LayerNorm,
    group_norm: GroupNorm,
    instance_norm: InstanceNorm,
    rms_norm: RmsNorm,
}

/// Types of Burn's layers that hold parameters themselves.
pub(super) const HOLDERS: [&str; 15] = [
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "DeformConv2d",
    "Embedding",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "Linear",
    "PRelu",
    "RmsNorm",
];

/// The width of attention and of its heads, of which there are three.
pub(super) const WIDTH: usize = 12;
pub(super) const HEAD: usize = 4;

/// Returns one of each layer in f64, all weights drawn from a seed, about 0.3 large.
pub(super) fn layers() -> Layers {
    let device = &Device::flex();
    let (three, two) = ([3, 3, 3], [3, 3]);
    let layers = Layers {
        linear: LinearConfig::new(7, 5).init(device),
        linear_by_columns: LinearConfig::new(7, 5)
            .with_layout(LinearLayout::Col)
            .init(device),
        conv1d: Conv1dConfig::new(4, 6, 3).init(device),
        conv2d: Conv2dConfig::new([4, 6], two).with_groups(2).init(device),
        conv2d_by_channel: Conv2dConfig::new([4, 4], two).with_groups(4).init(device),
        conv3d: Conv3dConfig::new([2, 3], three).init(device),
        deform: DeformConv2dConfig::new([4, 6], two)
            .with_weight_groups(2)
            .init(device),
        transposed1d: ConvTranspose1dConfig::new([4, 6], 3)
            .with_groups(2)
            .init(device),
        transposed2d: ConvTranspose2dConfig::new([6, 9], two)
            .with_groups(3)
            .init(device),
        transposed3d: ConvTranspose3dConfig::new([2, 3], three).init(device),
        transposed_without_bias: ConvTranspose1dConfig::new([4, 6], 3)
            .with_groups(2)
            .with_bias(false)
            .init(device),
        embedding: EmbeddingConfig::new(11, 6).init(device),
        rnn: RnnConfig::new(5, 4, true).init(device),
        gru: GruConfig::new(5, 4, true).init(device),
        lstm: LstmConfig::new(5, 4, true).init(device),
        bi_rnn: BiRnnConfig::new(5, 4, true).init(device),
        bi_gru: BiGruConfig::new(5, 4, true).init(device),
        bi_lstm: BiLstmConfig::new(5, 4, true).init(device),
        attention: MultiHeadAttentionConfig::new(WIDTH, WIDTH / HEAD).init(device),
        cross_attention: CrossAttentionConfig::new(12, 10, 4, 2, 3).init(device),
        encoder: TransformerEncoderConfig::new(8, 16, 2, 2).init(device),
        decoder: TransformerDecoderConfig::new(8, 16, 2, 1).init(device),
        feed_forward: PositionWiseFeedForwardConfig::new(6, 9).init(device),
        gated: SwiGluConfig::new(6, 9).with_bias(true).init(device),
        prelu: PReluConfig::new().with_num_parameters(5).init(device),
        batch_norm: BatchNormConfig::new(5).init(device),
        layer_norm: LayerNormConfig::new(5).init(device),
        group_norm: GroupNormConfig::new(2, 6).init(device),
        instance_norm: InstanceNormConfig::new(6).init(device),
        rms_norm: RmsNormConfig::new(6).init(device),
    };
    let layers = cast(&layers, FloatDType::F64).expect("f64 on this device");
    let space = space(&layers);
    let weights = random_direction(&space, 5).mul_scalar(0.3);
    space.unflatten(&layers, &weights).expect("P entries")
}

/// Returns their coordinates, with the groups of the transposed convolution that cannot tell them.
pub(super) fn space(layers: &Layers) -> ParameterSpace {
    ParameterSpace::of(layers)
        .expect("a space")
        .with_filters("transposed_without_bias.weight", 1, 2)
        .expect("two groups of two")
}

/// Returns the number of the filter that an entry at `index` of a tensor belongs to, from the
/// definition: the output channel, neuron or token that it is a weight of. None for vectors.
pub(super) fn filter_of(
    layer: &str,
    path: &str,
    shape: &[usize],
    index: &[usize],
) -> Option<usize> {
    if shape.len() < 2 {
        return None;
    }
    Some(match layer {
        // `y = x W`: an output is a column.
        "Linear" => index[1],
        "Embedding" => index[0],
        "Conv1d" | "Conv2d" | "Conv3d" | "DeformConv2d" => index[0],
        "ConvTranspose1d" | "ConvTranspose2d" | "ConvTranspose3d" => {
            let groups = match path.split('.').next() {
                Some("transposed1d" | "transposed_without_bias") => 2,
                Some("transposed2d") => 3,
                _ => 1,
            };
            // Channel j of group g is output channel g (out/groups) + j.
            index[0] / (shape[0] / groups) * shape[1] + index[1]
        }
        other => panic!("`{other}` at `{path}` has no definition here"),
    })
}

/// Returns the index of entry `position` of a row-major tensor.
pub(super) fn index_of(mut position: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = position % shape[axis];
        position /= shape[axis];
    }
    index
}
