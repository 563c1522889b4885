//! The coordinates: order, filters, shared and frozen parameters.

mod ids;
mod models;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use landscape::direction::{
    Normalization, NormalizeConfig, VectorParameters, normalize, orthogonalize,
};
use landscape::download;
use landscape::{
    Error, ParameterSpace, Risk, filter_normalize, random_direction, random_directions,
};

#[derive(Module, Debug)]
struct Zoo {
    linear: Linear,
    conv: Conv2d,
    up: ConvTranspose2d,
    table: Embedding,
    norm: BatchNorm,
}

fn zoo(device: &Device) -> Zoo {
    Zoo {
        linear: LinearConfig::new(3, 2).init(device),
        conv: Conv2dConfig::new([2, 4], [3, 3]).init(device),
        up: ConvTranspose2dConfig::new([2, 5], [2, 2]).init(device),
        table: EmbeddingConfig::new(7, 3).init(device),
        norm: BatchNormConfig::new(4).init(device),
    }
}

#[test]
fn blocks_follow_visit_order_without_gap_and_leave_buffers_out() {
    let space = ParameterSpace::of(&zoo(&Device::flex().autodiff())).unwrap();
    let paths: Vec<&str> = space
        .blocks
        .iter()
        .map(|block| block.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "linear.weight",
            "linear.bias",
            "conv.weight",
            "conv.bias",
            "up.weight",
            "up.bias",
            "table.weight",
            "norm.gamma",
            "norm.beta",
        ]
    );
    let mut offset = 0;
    for block in &space.blocks {
        assert_eq!(block.offset, offset);
        offset += block.len();
    }
    assert_eq!(space.dim(), offset);
    assert_eq!(offset, 6 + 2 + 72 + 4 + 40 + 5 + 21 + 4 + 4);
    let axes: Vec<_> = space.blocks.iter().map(|block| block.filter_axis).collect();
    let expected = [
        Some(1),
        None,
        Some(0),
        None,
        Some(1),
        None,
        Some(0),
        None,
        None,
    ];
    assert_eq!(axes, expected);
}

#[test]
fn filter_axis_is_one_of_the_axes_of_a_parameter() {
    let space = || ParameterSpace::of(&zoo(&Device::flex())).unwrap();
    let changed = space().with_filter_axis("linear.weight", 0).unwrap();
    assert_eq!(changed.blocks[0].filter_axis, Some(0));
    for (path, axis) in [("linear.weight", 2), ("linear.wait", 0), ("linear", 0)] {
        let error = space().with_filter_axis(path, axis).unwrap_err();
        assert!(
            matches!(error, Error::Setting { .. }) && error.to_string().contains(path),
            "{error}"
        );
    }
}

#[test]
fn model_without_autodiff_has_the_same_space() {
    let model = zoo(&Device::flex().autodiff());
    let active = ParameterSpace::of(&model).unwrap();
    let inner = ParameterSpace::of(&model.valid()).unwrap();
    assert_eq!(active.blocks, inner.blocks);
    assert_eq!(active.domain, inner.domain);
}

#[test]
fn unflatten_undoes_flatten_and_keeps_ids_and_flags() {
    let device = Device::flex().autodiff();
    let mut model = zoo(&device);
    model.conv = model.conv.no_grad();
    let space = ParameterSpace::of(&model).unwrap();
    assert!(
        space
            .blocks
            .iter()
            .all(|block| !block.path.starts_with("conv"))
    );
    let theta = space.flatten(&model).unwrap();
    let moved = space
        .displace(&model, &(theta.clone() * 0.0 + 1.0))
        .unwrap();
    let back = space.unflatten(&moved, &theta).unwrap();
    assert_eq!(download(&space.flatten(&back).unwrap()), download(&theta));
    assert_eq!(back.linear.weight.id, model.linear.weight.id);
    assert!(back.linear.weight.is_require_grad());
    assert!(!moved.conv.weight.is_require_grad());
    assert_eq!(
        moved
            .conv
            .weight
            .to_data()
            .iter::<f32>()
            .collect::<Vec<_>>(),
        model
            .conv
            .weight
            .to_data()
            .iter::<f32>()
            .collect::<Vec<_>>(),
        "a frozen parameter does not move"
    );
    let wrong = Tensor::zeros([3], &Device::flex());
    assert!(matches!(
        space.unflatten(&model, &wrong),
        Err(Error::Length { found: 3, .. })
    ));
}

#[test]
fn checkpointing_strategy_survives_a_displacement() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let model: Linear = LinearConfig::new(3, 2).init(&device);
    let space = ParameterSpace::of(&model).unwrap();
    let moved = space
        .displace(&model, &random_direction(&space, 1))
        .unwrap();
    // Autodiff refuses to join tensors of two strategies.
    let loss = moved.forward(Tensor::<2>::ones([4, 3], &device)).mean();
    assert!(moved.weight.val().grad(&loss.backward()).is_some());
    assert_eq!(
        moved.weight.val().gradient_checkpointing_strategy(),
        model.weight.val().gradient_checkpointing_strategy()
    );
}

#[derive(Module, Debug)]
struct Tied {
    first: Param<Tensor<1>>,
    second: Param<Tensor<1>>,
}

#[test]
fn parameter_used_twice_is_one_block_with_the_sum_of_both_gradients() {
    let device = Device::flex().autodiff();
    let shared = Param::from_tensor(Tensor::<1>::from_data(TensorData::from([3.0f32]), &device));
    let model = Tied {
        first: shared.clone(),
        second: shared,
    };
    let space = ParameterSpace::of(&model).unwrap();
    assert_eq!(space.dim(), 1);
    let risk = Risk::mean(
        [Tensor::<1>::ones([1], &device)],
        |model: &Tied, x: &Tensor<1>| (model.first.val() * model.second.val() * x.clone()).mean(),
    );
    let (value, gradient) = risk.gradient(&model).unwrap();
    assert!((value - 9.0).abs() < 1e-6);
    assert_eq!(download(&gradient), [6.0]);
    let moved = space
        .displace(&model, &Tensor::ones([1], &Device::flex()))
        .unwrap();
    let (value, gradient) = risk.gradient(&moved).unwrap();
    assert!((value - 16.0).abs() < 1e-6);
    assert_eq!(download(&gradient), [8.0]);
}

/// Norms of the columns of a row-major `[rows, cols]` matrix.
fn column_norms(matrix: &[f64], cols: usize) -> Vec<f64> {
    (0..cols)
        .map(|c| {
            matrix
                .iter()
                .skip(c)
                .step_by(cols)
                .map(|x| x * x)
                .sum::<f64>()
                .sqrt()
        })
        .collect()
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!(
            (x - y).abs() <= tolerance * y.abs().max(1e-3),
            "{x} and {y}"
        );
    }
}

#[test]
fn each_filter_of_a_normalised_direction_has_the_norm_of_the_weights() {
    let model = zoo(&Device::flex().autodiff());
    let space = ParameterSpace::of(&model).unwrap();
    let theta = download(&space.flatten(&model).unwrap());
    let d = filter_normalize(&space, &model, random_direction(&space, 5)).unwrap();
    let d = download(&d);
    // A neuron of Linear is a column of [in, out]; f32 rounding is some 1e-7.
    let linear = space.blocks[0].range();
    assert_close(
        &column_norms(&d[linear.clone()], 2),
        &column_norms(&theta[linear], 2),
        1e-6,
    );
    // A filter of Conv2d is a row of [out, rest]: columns of the transpose.
    let conv = space.blocks[2].range();
    for filter in 0..4 {
        let rows = conv.start + filter * 18..conv.start + (filter + 1) * 18;
        assert_close(
            &column_norms(&d[rows.clone()], 1),
            &column_norms(&theta[rows], 1),
            1e-6,
        );
    }
    assert!(
        d[space.blocks[1].range()].iter().all(|&x| x == 0.0),
        "biases rest by default"
    );
    assert!(
        d[space.blocks[7].range()].iter().all(|&x| x == 0.0),
        "so does a norm's scale"
    );
}

#[test]
fn copied_bias_directions_are_the_weights_once() {
    let model = zoo(&Device::flex().autodiff());
    let space = ParameterSpace::of(&model).unwrap();
    let theta = download(&space.flatten(&model).unwrap());
    for normalization in [Normalization::Filter, Normalization::Layer] {
        let config = NormalizeConfig::new()
            .with_normalization(normalization)
            .with_vectors(VectorParameters::Copy);
        let once = normalize(&space, &model, random_direction(&space, 5), &config).unwrap();
        let entries = download(&once);
        for block in space
            .blocks
            .iter()
            .filter(|block| block.filter_axis.is_none())
        {
            assert_eq!(entries[block.range()], theta[block.range()]);
        }
        let twice = download(&normalize(&space, &model, once, &config).unwrap());
        assert_close(&twice, &entries, 1e-6);
    }
}

#[test]
fn random_directions_are_gaussian_independent_and_stable() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(200, 200).init(&device);
    let space = ParameterSpace::of(&model).unwrap();
    let [first, second] = random_directions(&space, 42);
    let (a, b) = (download(&first), download(&second));
    assert_eq!(a, download(&random_direction(&space, 42)));
    let n = a.len() as f64;
    let moment = |p: i32| a.iter().map(|x| x.powi(p)).sum::<f64>() / n;
    // Five standard errors: 1, sqrt 2, sqrt 96 over sqrt n. A uniform law would have kurtosis 1.8.
    assert!(moment(1).abs() < 5.0 / n.sqrt());
    assert!((moment(2) - 1.0).abs() < 5.0 * 2f64.sqrt() / n.sqrt());
    assert!((moment(4) - 3.0).abs() < 5.0 * 96f64.sqrt() / n.sqrt());
    let correlation = a.iter().zip(&b).map(|(x, y)| x * y).sum::<f64>() / n;
    assert!(correlation.abs() < 5.0 / n.sqrt());
}

#[test]
fn orthogonalised_direction_is_orthogonal_and_not_anti_parallel() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(30, 20).init(&device);
    let space = ParameterSpace::of(&model).unwrap();
    let [first, second] = random_directions(&space, 3);
    // A projection that forgets to divide by the squared norm, 600 here, gives -600 times `first`.
    let orthogonal = orthogonalize(&space.domain, &second, &first).unwrap();
    let dot = |x: &Tensor<1>, y: &Tensor<1>| {
        download(x)
            .iter()
            .zip(download(y))
            .map(|(x, y)| x * y)
            .sum::<f64>()
    };
    let norm = |x: &Tensor<1>| dot(x, x).sqrt();
    assert!(dot(&orthogonal, &first).abs() / (norm(&orthogonal) * norm(&first)) < 1e-6);
    assert!(dot(&orthogonal, &second) / (norm(&orthogonal) * norm(&second)) > 0.9);
    let zero = first.zeros_like();
    assert!(matches!(
        orthogonalize(&space.domain, &second, &zero),
        Err(Error::NoDirection { .. })
    ));
    let parallel = first.clone() * 3.0;
    assert!(matches!(
        orthogonalize(&space.domain, &parallel, &first),
        Err(Error::NoDirection { .. })
    ));
}
