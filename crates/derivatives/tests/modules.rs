//! Layers and losses of burn-nn as they are, in f64: gradient beside Burn's, Hessian products
//! beside differences, symmetry.
#![allow(clippy::print_stdout, reason = "the table is shown with --nocapture")]
#![allow(clippy::cast_precision_loss, reason = "small numbers")]

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::attention::{MhaInput, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv1dConfig, Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, HuberLossConfig, MseLoss, Reduction,
};
use burn::nn::transformer::{TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{
    BatchNormConfig, BiLstmConfig, EmbeddingConfig, GroupNormConfig, InstanceNormConfig,
    LayerNormConfig, LinearConfig, LstmConfig, RmsNormConfig, SwiGluConfig, gru::GruConfig,
};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use derivatives::{Capture, Statistics};

/// Tensors are created in f64 in this process, unless told otherwise.
fn device() -> Device {
    let mut device = Device::flex();
    // Only the first call can choose.
    let _ = device.configure(FloatDType::F64);
    device
}

fn noise(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
        })
        .collect()
}

fn input<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let len = shape.iter().product();
    Tensor::from_data(
        TensorData::new(noise(len, seed), shape),
        (device, DType::F64),
    )
}

fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f64>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        match self.gradients.get::<D>(param.id) {
            Some(gradient) => self.values.extend(gradient.into_data().iter::<f64>()),
            None => self
                .values
                .extend(vec![0.0; param.val().shape().num_elements()]),
        }
    }
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(1e-6_f64, |size, x| size.max(x.abs()));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
        / size
}

fn check<M: Module>(
    name: &str,
    make: impl Fn(&Device) -> M,
    loss: impl Fn(&M, &Device) -> Tensor<1>,
) {
    check_with(name, Statistics::Running, make, loss);
}

fn check_with<M: Module>(
    name: &str,
    statistics: Statistics,
    make: impl Fn(&Device) -> M,
    loss: impl Fn(&M, &Device) -> Tensor<1>,
) {
    let device = device();
    let auto = device.clone().autodiff();
    let model = make(&auto);
    let captured = Capture::of(&model)
        .with_statistics(statistics)
        .loss(|model: &M, device| loss(model, device))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let burn_loss = loss(&model, &auto);
    let burn_value: f64 = burn_loss.clone().into_scalar();
    let mut burn = Flatten {
        gradients: &GradientsParams::from_grads(burn_loss.backward(), &model),
        values: Vec::new(),
    };
    model.visit(&mut burn);
    let theta = captured.origin();
    let (value, gradient) = captured.gradient(&theta).expect("a gradient");
    let gradient_error = worst(&entries(gradient), &burn.values);
    let dim = captured.dim();
    let v: Tensor<1> = input([dim], 11, &device);
    let u: Tensor<1> = input([dim], 12, &device);
    let h = 1e-5;
    let ahead = captured
        .gradient(&(theta.clone() + v.clone() * h))
        .expect("a gradient")
        .1;
    let behind = captured
        .gradient(&(theta.clone() - v.clone() * h))
        .expect("a gradient")
        .1;
    let difference = entries((ahead - behind) * (0.5 / h));
    let product = captured.hessian_vector(&theta, &v).expect("a product");
    let other = captured.hessian_vector(&theta, &u).expect("a product");
    let product_error = worst(&entries(product.clone()), &difference);
    let left: f64 = (u * product.clone()).sum().into_scalar();
    let right: f64 = (v.clone() * other).sum().into_scalar();
    let form: f64 = (v.clone() * product.clone()).sum().into_scalar();
    let quadratic = captured.quadratic_form(&theta, &v).expect("a form");
    let size = entries(product)
        .iter()
        .map(|x| x * x)
        .sum::<f64>()
        .sqrt()
        .max(1e-6);
    let symmetry = ((left - right).abs() + (form - quadratic).abs()) / size;
    println!(
        "| {name} | {dim} | {:.1e} | {gradient_error:.1e} | {product_error:.1e} | {symmetry:.1e} |",
        (value - burn_value).abs()
    );
    // Burn takes some scalars in f32 in its backward pass.
    assert!((value - burn_value).abs() < 1e-7, "{name}: value");
    assert!(
        gradient_error < 1e-6,
        "{name}: gradient {gradient_error:.1e}"
    );
    assert!(product_error < 1e-6, "{name}: product {product_error:.1e}");
    assert!(symmetry < 1e-11, "{name}: symmetry {symmetry:.1e}");
}

fn bend<const D: usize>(out: Tensor<D>) -> Tensor<1> {
    let len = out.shape().num_elements();
    let weights: Tensor<1> = input([len], 5, &out.device());
    (out.reshape([len]).sin() * weights).sum()
}

#[test]
fn recurrent_layers() {
    check(
        "Gru",
        |d| GruConfig::new(3, 4, true).init(d),
        |m, d| bend(m.forward(input([2, 5, 3], 1, d), None)),
    );
    check(
        "Lstm",
        |d| LstmConfig::new(3, 4, true).init(d),
        |m, d| bend(m.forward(input([2, 5, 3], 1, d), None).0),
    );
    check(
        "BiLstm",
        |d| BiLstmConfig::new(3, 4, true).init(d),
        |m, d| bend(m.forward(input([2, 4, 3], 1, d), None).0),
    );
}

#[test]
fn attention_and_transformers() {
    check(
        "MultiHeadAttention",
        |d| {
            MultiHeadAttentionConfig::new(8, 2)
                .with_dropout(0.0)
                .init(d)
        },
        |m, d| {
            bend(
                m.forward(MhaInput::self_attn(input([2, 3, 8], 1, d)))
                    .context,
            )
        },
    );
    check(
        "TransformerEncoder",
        |d| {
            TransformerEncoderConfig::new(8, 12, 2, 2)
                .with_dropout(0.0)
                .init(d)
        },
        |m, d| bend(m.forward(TransformerEncoderInput::new(input([2, 3, 8], 1, d)))),
    );
    check(
        "Embedding",
        |d| EmbeddingConfig::new(6, 4).init(d),
        |m, d| {
            let tokens: Tensor<2, Int> = Tensor::from_data([[0_i64, 5, 2], [2, 2, 1]], d);
            bend(m.forward(tokens))
        },
    );
    check(
        "SwiGlu",
        |d| SwiGluConfig::new(4, 6).init(d),
        |m, d| bend(m.forward(input([3, 4], 1, d))),
    );
}

#[test]
fn normalisations() {
    check(
        "LayerNorm",
        |d| LayerNormConfig::new(5).init(d),
        |m, d| bend(m.forward(input([4, 5], 1, d))),
    );
    check(
        "GroupNorm",
        |d| GroupNormConfig::new(2, 6).init(d),
        |m, d| bend(m.forward(input([2, 6, 4], 1, d))),
    );
    check(
        "InstanceNorm",
        |d| InstanceNormConfig::new(3).init(d),
        |m, d| bend(m.forward(input([2, 3, 4], 1, d))),
    );
    check(
        "RmsNorm",
        |d| RmsNormConfig::new(5).init(d),
        |m, d| bend(m.forward(input([4, 5], 1, d))),
    );
    check_with(
        "BatchNorm, batch statistics",
        Statistics::Batch,
        |d| BatchNormConfig::new(3).init(d),
        |m, d| bend(m.forward(input::<4>([4, 3, 2, 2], 1, d))),
    );
}

#[test]
fn convolutions() {
    check(
        "Conv1d",
        |d| Conv1dConfig::new(3, 4, 3).with_stride(2).init(d),
        |m, d| bend(m.forward(input([2, 3, 9], 1, d))),
    );
    check(
        "Conv2d, groups and dilation",
        |d| {
            Conv2dConfig::new([4, 6], [3, 2])
                .with_groups(2)
                .with_dilation([1, 2])
                .init(d)
        },
        |m, d| bend(m.forward(input([2, 4, 6, 7], 1, d))),
    );
    check(
        "ConvTranspose2d",
        |d| {
            ConvTranspose2dConfig::new([3, 2], [3, 3])
                .with_stride([2, 2])
                .with_padding_out([1, 1])
                .init(d)
        },
        |m, d| bend(m.forward(input([2, 3, 3, 4], 1, d))),
    );
}

#[test]
fn losses() {
    let linear = |d: &Device| LinearConfig::new(4, 3).init(d);
    check("MseLoss", linear, |m, d| {
        MseLoss::new().forward(
            m.forward(input([5, 4], 1, d)),
            input([5, 3], 2, d),
            Reduction::Mean,
        )
    });
    check("CrossEntropyLoss", linear, |m, d| {
        let labels: Tensor<1, Int> = Tensor::from_data([0_i64, 2, 1, 1, 0], d);
        CrossEntropyLossConfig::new()
            .init(d)
            .forward(m.forward(input([5, 4], 1, d)), labels)
    });
    check("CrossEntropyLoss, smoothing", linear, |m, d| {
        let labels: Tensor<1, Int> = Tensor::from_data([0_i64, 2, 1, 1, 0], d);
        CrossEntropyLossConfig::new()
            .with_smoothing(Some(0.1))
            .init(d)
            .forward(m.forward(input([5, 4], 1, d)), labels)
    });
    check("HuberLoss", linear, |m, d| {
        HuberLossConfig::new(0.5).init().forward(
            m.forward(input([5, 4], 1, d)),
            input([5, 3], 2, d),
            Reduction::Mean,
        )
    });
    check(
        "BinaryCrossEntropyLoss",
        |d| LinearConfig::new(4, 1).init(d),
        |m, d| {
            let labels: Tensor<1, Int> = Tensor::from_data([0_i64, 1, 1, 1, 0], d);
            BinaryCrossEntropyLossConfig::new()
                .with_logits(true)
                .init(d)
                .forward(m.forward(input([5, 4], 1, d)).reshape([5]), labels)
        },
    );
}
