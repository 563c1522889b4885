//! Layers of burn-nn with weights: linear, convolutions, normalisations, gated activations.

use burn::nn::conv::{
    Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig,
    ConvTranspose3dConfig, DeformConv2dConfig,
};
use burn::nn::norm::NormalizationConfig;
use burn::nn::{
    BatchNormConfig, GroupNormConfig, InstanceNormConfig, LayerNormConfig, LinearConfig,
    LinearLayout, PReluConfig, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d, RmsNormConfig,
    SwiGluConfig,
};
use burn::tensor::{Device, Tensor};
use derivatives::Statistics;

use super::harness::report;
use super::module::{check_module, check_with, input};

#[test]
fn linear_layers() {
    let x = |d: &Device| input::<3>([2, 3, 4], 1, d);
    report(&[
        check_module(
            "Linear",
            |d| LinearConfig::new(4, 3).init(d),
            |m, d| m.forward(x(d)),
        ),
        check_module(
            "Linear, columns first, no bias",
            |d| {
                LinearConfig::new(4, 3)
                    .with_bias(false)
                    .with_layout(LinearLayout::Col)
                    .init(d)
            },
            |m, d| m.forward(x(d)),
        ),
        check_module(
            "PRelu",
            |d| PReluConfig::new().with_num_parameters(3).init(d),
            |m, d| m.forward(x(d)),
        ),
        check_module(
            "SwiGlu",
            |d| SwiGluConfig::new(4, 6).init(d),
            |m, d| m.forward(x(d)),
        ),
    ]);
}

#[test]
fn convolutional_layers() {
    report(&[
        check_module(
            "Conv1d, same padding",
            |d| {
                Conv1dConfig::new(3, 4, 4)
                    .with_padding(PaddingConfig1d::Same)
                    .init(d)
            },
            |m, d| m.forward(input([2, 3, 9], 1, d)),
        ),
        check_module(
            "Conv1d, asymmetric padding, stride",
            |d| {
                Conv1dConfig::new(3, 4, 3)
                    .with_stride(2)
                    .with_padding(PaddingConfig1d::Explicit(2, 0))
                    .init(d)
            },
            |m, d| m.forward(input([2, 3, 9], 1, d)),
        ),
        check_module(
            "Conv2d, groups and dilation",
            |d| {
                Conv2dConfig::new([4, 6], [3, 2])
                    .with_groups(2)
                    .with_dilation([1, 2])
                    .init(d)
            },
            |m, d| m.forward(input([2, 4, 6, 7], 1, d)),
        ),
        check_module(
            "Conv2d, asymmetric padding, stride",
            |d| {
                Conv2dConfig::new([2, 3], [3, 2])
                    .with_stride([2, 1])
                    .with_padding(PaddingConfig2d::Explicit(1, 0, 2, 3))
                    .init(d)
            },
            |m, d| m.forward(input([2, 2, 6, 5], 1, d)),
        ),
        check_module(
            "Conv3d",
            |d| {
                Conv3dConfig::new([2, 4], [2, 2, 1])
                    .with_stride([1, 2, 1])
                    .with_groups(2)
                    .with_padding(PaddingConfig3d::Explicit(1, 0, 1))
                    .init(d)
            },
            |m, d| m.forward(input([1, 2, 3, 4, 3], 1, d)),
        ),
        check_module(
            "ConvTranspose1d",
            |d| {
                ConvTranspose1dConfig::new([4, 2], 3)
                    .with_stride(2)
                    .with_padding(1)
                    .with_groups(2)
                    .init(d)
            },
            |m, d| m.forward(input([2, 4, 5], 1, d)),
        ),
        check_module(
            "ConvTranspose2d",
            |d| {
                ConvTranspose2dConfig::new([3, 2], [3, 3])
                    .with_stride([2, 2])
                    .with_padding_out([1, 1])
                    .init(d)
            },
            |m, d| m.forward(input([2, 3, 3, 4], 1, d)),
        ),
        check_module(
            "ConvTranspose3d",
            |d| {
                ConvTranspose3dConfig::new([2, 2], [2, 2, 2])
                    .with_dilation([1, 2, 1])
                    .init(d)
            },
            |m, d| m.forward(input([1, 2, 2, 3, 2], 1, d)),
        ),
        check_module(
            "DeformConv2d, mask (f32 in Burn)",
            |d| {
                DeformConv2dConfig::new([4, 2], [2, 3])
                    .with_weight_groups(2)
                    .with_offset_groups(2)
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init(d)
            },
            |m, d| {
                let offset = input([2, 24, 6, 5], 2, d);
                let mask = input([2, 12, 6, 5], 3, d);
                m.forward(input([2, 4, 5, 5], 1, d), offset, Some(mask))
            },
        ),
    ]);
}

#[test]
fn normalisations() {
    let image = |d: &Device| input::<4>([4, 6, 2, 2], 1, d);
    let rows = |d: &Device| input::<2>([4, 6], 1, d);
    report(&[
        check_with(
            "BatchNorm, batch statistics",
            Statistics::Batch,
            |d| BatchNormConfig::new(6).init(d),
            |m, d| m.forward(image(d)),
        ),
        check_with(
            "BatchNorm of rows, batch statistics",
            Statistics::Batch,
            |d| BatchNormConfig::new(6).init(d),
            |m, d| m.forward(rows(d)),
        ),
        check_module(
            "LayerNorm",
            |d| LayerNormConfig::new(6).init(d),
            |m, d| m.forward(rows(d)),
        ),
        check_module(
            "LayerNorm, no bias",
            |d| LayerNormConfig::new(6).with_bias(false).init(d),
            |m, d| m.forward(rows(d)),
        ),
        check_module(
            "GroupNorm",
            |d| GroupNormConfig::new(2, 6).init(d),
            |m, d| m.forward(image(d)),
        ),
        check_module(
            "InstanceNorm",
            |d| InstanceNormConfig::new(6).init(d),
            |m, d| m.forward(image(d)),
        ),
        check_module(
            "RmsNorm",
            |d| RmsNormConfig::new(6).init(d),
            |m, d| m.forward(rows(d)),
        ),
        check_module(
            "Normalization, group",
            |d| NormalizationConfig::Group(GroupNormConfig::new(3, 6)).init(d),
            |m, d| m.forward(image(d)),
        ),
        check_module(
            "GroupNorm and InstanceNorm without weights",
            |d| {
                (
                    LinearConfig::new(2, 3).init(d),
                    GroupNormConfig::new(2, 6).with_affine(false).init(d),
                    InstanceNormConfig::new(6).with_affine(false).init(d),
                )
            },
            |(linear, group, instance), d| {
                let x: Tensor<4> = linear.forward(image(d));
                group.forward(x.clone()) + instance.forward(x)
            },
        ),
    ]);
}
