//! Layers of burn-nn without weights: pooling, resampling, activations, distances.

use burn::nn::interpolate::{Interpolate1dConfig, Interpolate2dConfig, InterpolateMode};
use burn::nn::pool::{
    AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AdaptiveAvgPool3dConfig, AvgPool1dConfig,
    AvgPool2dConfig, MaxPool1dConfig, MaxPool2dConfig,
};
use burn::nn::{
    CeluConfig, CosineSimilarityConfig, DropoutConfig, EluConfig, Fold4dConfig,
    GaussianNoiseConfig, Gelu, HardShrinkConfig, HardSigmoidConfig, Identity, LeakyReluConfig,
    LocalResponseNormConfig, PaddingConfig1d, PaddingConfig2d, PairwiseDistanceConfig,
    PixelShuffleConfig, PixelUnshuffleConfig, Relu, Selu, ShrinkConfig, Sigmoid, SoftShrinkConfig,
    SoftplusConfig, Softsign, Tanh, ThresholdedReluConfig, Unfold4dConfig, activation as act,
};
use burn::tensor::Tensor;
use derivatives::Error;

use super::device::name;
use super::harness::{capture, check, device, noise, report, tensor};
use super::valued::check_value;

fn signal(x: Tensor<1>) -> Tensor<3> {
    x.reshape([2, 2, 9])
}

fn image(x: Tensor<1>) -> Tensor<4> {
    x.reshape([1, 2, 6, 7])
}

fn halves(x: Tensor<1>) -> (Tensor<2>, Tensor<2>) {
    (
        x.clone().slice_dim(0, 0..12).reshape([3, 4]),
        x.slice_dim(0, 12..24).reshape([3, 4]),
    )
}

#[test]
fn pooling() {
    report(&[
        check("MaxPool1d", 36, |x| {
            let pool = MaxPool1dConfig::new(3)
                .with_stride(2)
                .with_padding(PaddingConfig1d::Explicit(1, 0))
                .with_ceil_mode(true);
            pool.init().forward(signal(x))
        }),
        check("MaxPool2d", 84, |x| {
            let pool = MaxPool2dConfig::new([3, 2])
                .with_strides([1, 2])
                .with_dilation([2, 1])
                .with_padding(PaddingConfig2d::Same);
            pool.init().forward(image(x))
        }),
        check("AvgPool1d", 36, |x| {
            let pool = AvgPool1dConfig::new(3)
                .with_stride(2)
                .with_padding(PaddingConfig1d::Explicit(0, 1))
                .with_count_include_pad(false);
            pool.init().forward(signal(x))
        }),
        check("AvgPool2d", 84, |x| {
            let pool = AvgPool2dConfig::new([3, 2])
                .with_strides([2, 1])
                .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 1))
                .with_ceil_mode(true);
            pool.init().forward(image(x))
        }),
        check("AdaptiveAvgPool1d", 36, |x| {
            AdaptiveAvgPool1dConfig::new(4).init().forward(signal(x))
        }),
        check("AdaptiveAvgPool2d", 84, |x| {
            let pool = AdaptiveAvgPool2dConfig::new([4, 3]).init();
            pool.forward(image(x))
        }),
        check("AdaptiveAvgPool3d", 120, |x| {
            let pool = AdaptiveAvgPool3dConfig::new([2, 3, 4]).init();
            let x: Tensor<5> = x.reshape([1, 2, 3, 4, 5]);
            pool.forward(x)
        }),
    ]);
}

#[test]
fn resampling() {
    let mut rows = vec![
        check("Unfold4d", 84, |x| {
            let unfold = Unfold4dConfig::new([2, 3]).with_stride([2, 1]).init();
            unfold.forward(image(x))
        }),
        check("Fold4d", 48, |x| {
            let fold = Fold4dConfig::new([4, 5], [2, 2])
                .with_stride([2, 1])
                .with_padding([0, 0])
                .init();
            let x: Tensor<3> = x.reshape([1, 4, 12]).slice_dim(2, 0..8);
            fold.forward(x)
        }),
        check("PixelShuffle", 48, |x| {
            let x: Tensor<4> = x.reshape([1, 8, 2, 3]);
            PixelShuffleConfig::new(2).init().forward(x)
        }),
        check("PixelUnshuffle", 48, |x| {
            let x: Tensor<4> = x.reshape([1, 2, 4, 6]);
            PixelUnshuffleConfig::new(2).init().forward(x)
        }),
        check("LocalResponseNorm", 84, |x| {
            let norm = LocalResponseNormConfig::new(3).with_alpha(0.5).init();
            norm.forward(x.reshape([1, 7, 3, 4]))
        }),
    ];
    for (name, mode) in [
        ("nearest", InterpolateMode::Nearest),
        ("linear", InterpolateMode::Linear),
        ("cubic", InterpolateMode::Cubic),
    ] {
        for align in [false, true] {
            rows.push(check(
                &format!("Interpolate1d {name} {align} (f32 in Burn)"),
                36,
                |x| {
                    let layer = Interpolate1dConfig::new()
                        .with_output_size(Some(13))
                        .with_mode(mode.clone())
                        .with_align_corners(align);
                    layer.init().forward(signal(x))
                },
            ));
            rows.push(check(
                &format!("Interpolate2d {name} {align} (f32 in Burn)"),
                84,
                |x| {
                    let layer = Interpolate2dConfig::new()
                        .with_output_size(Some([4, 9]))
                        .with_mode(mode.clone())
                        .with_align_corners(align);
                    layer.init().forward(image(x))
                },
            ));
        }
    }
    // Burn's CPU has no gradient for this mode.
    for align in [false, true] {
        rows.push(check_value(
            &format!("Interpolate2d Lanczos {align} (f32 in Burn)"),
            84,
            |x| {
                let layer = Interpolate2dConfig::new()
                    .with_output_size(Some([4, 9]))
                    .with_mode(InterpolateMode::Lanczos)
                    .with_align_corners(align);
                layer.init().forward(image(x))
            },
        ));
    }
    report(&rows);
}

/// Burn has this mode for GPUs only, and panics on a CPU; here it is an error.
#[test]
fn a_mode_that_the_device_has_not_is_an_error_that_names_it() {
    let captured = capture(36, |x| {
        let layer = Interpolate1dConfig::new()
            .with_output_size(Some(13))
            .with_mode(InterpolateMode::NearestExact);
        layer.init().forward(signal(x))
    });
    match captured {
        Err(Error::Unsupported {
            operation, option, ..
        }) => {
            assert_eq!(operation, "Interpolate");
            let option = option.to_lowercase().replace(' ', "");
            assert!(option.contains("nearestexact"), "{option}");
            assert_ne!(name(), "wgpu");
        }
        Ok(_) => assert_eq!(name(), "wgpu"),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn activations_as_layers() {
    let n = 12;
    let m = |x: Tensor<1>| -> Tensor<2> { x.reshape([3, 4]) };
    report(&[
        check("Relu", n, |x| Relu::new().forward(m(x))),
        check("Relu6", n, |x| act::Relu6::new().forward(m(x) * 8.0)),
        check("LeakyRelu", n, |x| {
            LeakyReluConfig::new().init().forward(m(x))
        }),
        check("ThresholdedRelu", n, |x| {
            ThresholdedReluConfig::new()
                .with_alpha(0.4)
                .init()
                .forward(m(x))
        }),
        check("Threshold", n, |x| {
            act::ThresholdConfig::new(0.1, 0.3).init().forward(m(x))
        }),
        check("Gelu", n, |x| Gelu::new().forward(m(x))),
        check("Gelu, approximate", n, |x| {
            Gelu::new_approximate().forward(m(x))
        }),
        check("Silu", n, |x| act::SiLU::new().forward(m(x))),
        check("Mish", n, |x| act::Mish::new().forward(m(x))),
        check("HardSwish (f32 in Burn)", n, |x| {
            act::HardSwish::new().forward(m(x) * 2.0)
        }),
        check("HardSigmoid (f32 in Burn)", n, |x| {
            HardSigmoidConfig::new().init().forward(m(x))
        }),
        check("Sigmoid", n, |x| Sigmoid::new().forward(m(x))),
        check("LogSigmoid", n, |x| act::LogSigmoid::new().forward(m(x))),
        check("Tanh", n, |x| Tanh::new().forward(m(x))),
        check("Tanhshrink", n, |x| act::Tanhshrink::new().forward(m(x))),
        check("Hardtanh", n, |x| {
            act::HardtanhConfig::new()
                .with_min_val(-0.4)
                .with_max_val(0.6)
                .init()
                .forward(m(x))
        }),
        check("Softplus (f32 in Burn)", n, |x| {
            SoftplusConfig::new().with_beta(1.5).init().forward(m(x))
        }),
        check("Softsign", n, |x| Softsign::new().forward(m(x))),
        check("HardShrink", n, |x| {
            HardShrinkConfig::new()
                .with_lambda(0.3)
                .init()
                .forward(m(x))
        }),
        check("SoftShrink", n, |x| {
            SoftShrinkConfig::new()
                .with_lambda(0.3)
                .init()
                .forward(m(x))
        }),
        check("Shrink", n, |x| {
            ShrinkConfig::new()
                .with_lambda(0.3)
                .with_bias(0.1)
                .init()
                .forward(m(x))
        }),
        check("Elu", n, |x| EluConfig::new().init().forward(m(x))),
        check("Celu (f32 in Burn)", n, |x| {
            CeluConfig::new().with_alpha(0.7).init().forward(m(x))
        }),
        check("Selu", n, |x| Selu::new().forward(m(x))),
        check("GLU", n, |x| burn::nn::GLU::new(1).forward(m(x))),
        check("Identity", n, |x| Identity::new().forward(m(x))),
    ]);
}

#[test]
fn distances() {
    report(&[
        check("CosineSimilarity", 24, |x| {
            let (a, b) = halves(x);
            CosineSimilarityConfig::new().init().forward(a, b)
        }),
        check("PairwiseDistance, p 2", 24, |x| {
            let (a, b) = halves(x);
            PairwiseDistanceConfig::new().init().forward(a, b)
        }),
        check("PairwiseDistance, p 3", 24, |x| {
            let (a, b) = halves(x);
            PairwiseDistanceConfig::new()
                .with_p(3.0)
                .init()
                .forward(a, b)
        }),
    ]);
}

/// In a captured loss they do what they do in evaluation: nothing, or a fixed slope.
#[test]
fn what_is_random_in_training_is_as_in_evaluation() {
    let device = device();
    let loss = capture(12, |x| {
        let x = DropoutConfig::new(0.5).init().forward(x);
        let x = GaussianNoiseConfig::new(0.5).init().forward(x);
        act::RReluConfig::new()
            .with_lower(0.1)
            .with_upper(0.3)
            .init()
            .forward(x)
    })
    .expect("a capture");
    let plain = capture(12, |x| burn::tensor::activation::leaky_relu(x, 0.2)).expect("a capture");
    let theta = tensor(noise(12, 1), &device, loss.dtype());
    assert_eq!(
        loss.value(&theta).expect("a value").to_bits(),
        plain.value(&theta).expect("a value").to_bits()
    );
}
