//! Recurrent layers, attention and transformers of burn-nn, their encodings and embeddings.

use burn::nn::attention::{
    CrossAttentionConfig, MhaInput, MultiHeadAttentionConfig, generate_autoregressive_mask,
};
use burn::nn::transformer::{
    PositionWiseFeedForwardConfig, TransformerDecoderConfig, TransformerDecoderInput,
    TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{
    BiGruConfig, BiLstmConfig, BiRnnConfig, EmbeddingConfig, GruConfig, LinearConfig, LstmConfig,
    PositionalEncodingConfig, RnnConfig, RotaryEncodingConfig,
};
use burn::tensor::{Bool, Device, Int, Tensor};

use super::harness::report;
use super::module::{check_module, input};

/// The last two keys of the second sequence are padding.
fn padding(device: &Device) -> Tensor<2, Bool> {
    Tensor::from_data(
        [[false, false, false, false], [false, false, true, true]],
        device,
    )
}

#[test]
fn recurrent_layers() {
    let x = |d: &Device| input([2, 5, 3], 1, d);
    report(&[
        check_module(
            "Rnn",
            |d| RnnConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "Rnn, backwards, clipped",
            |d| {
                RnnConfig::new(3, 4, false)
                    .with_reverse(true)
                    .with_clip(Some(0.6))
                    .init(d)
            },
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "BiRnn",
            |d| BiRnnConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "Gru",
            |d| GruConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None),
        ),
        check_module(
            "Gru, reset before, with a state",
            |d| GruConfig::new(3, 4, true).with_reset_after(false).init(d),
            |m, d| m.forward(x(d), Some(input([2, 4], 2, d))),
        ),
        check_module(
            "BiGru",
            |d| BiGruConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "Lstm",
            |d| LstmConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "Lstm, coupled gates, sequence first",
            |d| {
                LstmConfig::new(3, 4, true)
                    .with_input_forget(true)
                    .with_batch_first(false)
                    .init(d)
            },
            |m, d| m.forward(x(d), None).0,
        ),
        check_module(
            "BiLstm",
            |d| BiLstmConfig::new(3, 4, true).init(d),
            |m, d| m.forward(x(d), None).0,
        ),
    ]);
}

#[test]
fn attention_layers() {
    let x = |d: &Device| input::<3>([2, 4, 8], 1, d);
    report(&[
        check_module(
            "MultiHeadAttention (f32 in Burn)",
            |d| {
                MultiHeadAttentionConfig::new(8, 2)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| m.forward(MhaInput::self_attn(x(d))).context,
        ),
        check_module(
            "MultiHeadAttention, masks, quiet softmax (f32 in Burn)",
            |d| {
                MultiHeadAttentionConfig::new(8, 2)
                    .with_dropout(0.0)
                    .with_quiet_softmax(true)
                    .init(d)
            },
            |m, d| {
                let input = MhaInput::self_attn(x(d))
                    .mask_pad(padding(d))
                    .mask_attn(generate_autoregressive_mask(2, 4, d));
                m.forward(input).context
            },
        ),
        check_module(
            "MultiHeadAttention, weights (f32 in Burn)",
            |d| {
                MultiHeadAttentionConfig::new(8, 2)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| m.forward(MhaInput::self_attn(x(d))).weights,
        ),
        check_module(
            "CrossAttention, grouped heads (f32 in Burn)",
            |d| {
                CrossAttentionConfig::new(8, 6, 4, 2, 3)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| m.forward(x(d), input([2, 4, 6], 2, d), Some(padding(d))),
        ),
    ]);
}

#[test]
fn transformers() {
    let x = |d: &Device| input::<3>([2, 4, 8], 1, d);
    report(&[
        check_module(
            "PositionWiseFeedForward",
            |d| {
                PositionWiseFeedForwardConfig::new(8, 12)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| m.forward(x(d)),
        ),
        check_module(
            "TransformerEncoder, norm last, masks (f32 in Burn)",
            |d| {
                TransformerEncoderConfig::new(8, 12, 2, 2)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| {
                let input = TransformerEncoderInput::new(x(d))
                    .mask_pad(padding(d))
                    .mask_attn(generate_autoregressive_mask(2, 4, d));
                m.forward(input)
            },
        ),
        check_module(
            "TransformerEncoder, norm first, quiet (f32 in Burn)",
            |d| {
                TransformerEncoderConfig::new(8, 12, 2, 1)
                    .with_dropout(0.0)
                    .with_norm_first(true)
                    .with_quiet_softmax(true)
                    .init(d)
            },
            |m, d| m.forward(TransformerEncoderInput::new(x(d))),
        ),
        check_module(
            "TransformerDecoder, masks (f32 in Burn)",
            |d| {
                TransformerDecoderConfig::new(8, 12, 2, 1)
                    .with_dropout(0.0)
                    .init(d)
            },
            |m, d| {
                let memory = input([2, 4, 8], 2, d);
                let input = TransformerDecoderInput::new(x(d), memory)
                    .memory_mask_pad(padding(d))
                    .target_mask_attn(generate_autoregressive_mask(2, 4, d));
                m.forward(input)
            },
        ),
    ]);
}

#[test]
fn embeddings_and_encodings() {
    report(&[
        check_module(
            "Embedding",
            |d| EmbeddingConfig::new(6, 4).init(d),
            |m, d| {
                let tokens: Tensor<2, Int> = Tensor::from_data([[0_i64, 5, 2], [2, 2, 1]], d);
                m.forward(tokens)
            },
        ),
        check_module(
            "PositionalEncoding",
            |d| {
                let encoding = PositionalEncodingConfig::new(4)
                    .with_max_sequence_size(6)
                    .init(d);
                (LinearConfig::new(3, 4).init(d), encoding)
            },
            |(linear, encoding), d| encoding.forward(linear.forward(input([2, 5, 3], 1, d))),
        ),
        check_module(
            "RotaryEncoding",
            |d| {
                let encoding = RotaryEncodingConfig::new(6, 4).init(d);
                (LinearConfig::new(3, 4).init(d), encoding)
            },
            |(linear, encoding), d| {
                let x: Tensor<4> = linear.forward(input([2, 2, 5, 3], 1, d));
                encoding.forward(x)
            },
        ),
    ]);
}
