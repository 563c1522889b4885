//! The exact diagonal over data in several shapes, and of layers that the fixtures lack, beside
//! products with unit vectors.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData, activation};
use landscape::curvature::{ExactDiagonal, exact_diagonal, exact_trace};
use landscape::spectrum::materialize;
use landscape::{Batch, Error, GaussNewton, Hessian, LinearOperator, Reduction, Risk};

fn numbers(shape: &[usize], seed: f64) -> TensorData {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (seed + 1.7 * i as f64).sin()).collect();
    TensorData::new(values, shape.to_vec())
}

fn floats<const D: usize>(shape: [usize; D], seed: f64) -> Tensor<D> {
    Tensor::from_data(numbers(&shape, seed), (&Device::flex(), DType::F64))
}

fn whole<const D: usize>(shape: [usize; D], below: i64) -> Tensor<D, Int> {
    let count: usize = shape.iter().product();
    let values: Vec<i64> = (0..count).map(|i| (i * i) as i64 % below).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn double<M: Module>(model: &M) -> M {
    landscape::cast(model, FloatDType::F64).expect("flex has f64")
}

/// Checks diagonal and claims against the matrices, and returns the diagonal.
fn agrees<M: Module, B: Batch>(model: &M, risk: &Risk<M, B>) -> ExactDiagonal {
    let diagonal = exact_diagonal(model, risk).expect("a diagonal");
    let hessian = Hessian::at(model, risk).expect("H");
    let (h, g) = (
        materialize(&hessian).expect("H").entries,
        materialize(&GaussNewton::at(model, risk).expect("G"))
            .expect("G")
            .entries,
    );
    let dim = hessian.dim();
    let size = g.iter().map(|x| x * x).sum::<f64>().sqrt();
    for i in 0..dim {
        let error = (diagonal.gauss_newton[i] - g[i * dim + i]).abs() / size;
        assert!(error < 1e-12, "G at {i}: {error:.1e}");
    }
    for block in diagonal.blocks.iter().filter(|block| block.is_exact) {
        for i in block.range.clone() {
            let error = (diagonal.values[i] - h[i * dim + i]).abs() / size;
            assert!(error < 1e-12, "H of {} at {i}: {error:.1e}", block.path);
        }
    }
    diagonal
}

type Rows = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

fn net() -> Net {
    let device = Device::flex();
    double(&Net {
        first: LinearConfig::new(3, 4).init(&device),
        second: LinearConfig::new(4, 2).init(&device),
    })
}

fn squares(batches: Vec<Rows>) -> Risk<Net, Rows> {
    Risk::of(
        batches,
        |model: &Net, (x, _): &Rows| {
            model
                .second
                .forward(activation::relu(model.first.forward(x.clone())))
        },
        |f: Tensor<2>, (_, y): &Rows| (f - y.clone()).square().mean(),
        Reduction::Mean,
    )
}

fn rows(count: usize, seed: f64) -> Rows {
    (floats([count, 3], seed), floats([count, 2], seed + 0.3))
}

#[test]
fn ragged_weighted_and_cut_batches_have_the_diagonal_of_their_matrix() {
    let model = net();
    let ragged = squares(vec![rows(5, 0.1), rows(3, 0.7), rows(1, 2.0)]);
    assert!(agrees(&model, &ragged).is_exact());
    let weighted = ragged.with_weights(|(x, _): &Rows| 1.0 + x.dims()[0] as f64);
    agrees(&model, &weighted);
    // 600 rows are captured in parts; one batch is the mean of them.
    let large = squares(vec![rows(600, 0.4)]);
    let trace = exact_trace(&model, &large).expect("a trace");
    assert_eq!((trace.passes, trace.products), (2, 0));
    agrees(&model, &large);
}

#[test]
fn a_risk_without_outputs_is_told_so() {
    let risk = Risk::mean([rows(4, 0.2)], |model: &Net, (x, _): &Rows| {
        model
            .second
            .forward(model.first.forward(x.clone()))
            .square()
            .mean()
    });
    assert_eq!(
        exact_trace(&net(), &risk).err(),
        Some(Error::OutputsNotApart)
    );
}

#[derive(Module, Debug)]
struct Tokens {
    embedding: Embedding,
    mix: Linear,
    head: Linear,
}

#[test]
fn tokens_have_a_block_for_each_position() {
    let device = Device::flex();
    let (examples, tokens, words) = (4, 3, 5);
    let model = double(&Tokens {
        embedding: EmbeddingConfig::new(words, 3).init(&device),
        mix: LinearConfig::new(tokens, tokens).init(&device),
        head: LinearConfig::new(3, words).init(&device),
    });
    type Pair = (Tensor<2, Int>, Tensor<2, Int>);
    let batch: Pair = (whole([examples, tokens], 5), whole([examples, tokens], 4));
    let outputs = |model: &Tokens, (x, _): &Pair| {
        let states = model.embedding.forward(x.clone());
        // Positions are brought together by a layer.
        let mixed = model.mix.forward(states.swap_dims(1, 2)).swap_dims(1, 2);
        model.head.forward(activation::relu(mixed))
    };
    let loss = move |f: Tensor<3>, (_, y): &Pair| {
        let flat = f.reshape([-1, 5]);
        let [count, _] = flat.dims();
        let terms = activation::log_softmax(flat, 1);
        terms.gather(1, y.clone().reshape([count, 1])).mean().neg()
    };
    let risk = Risk::of([batch], outputs, loss, Reduction::Mean);
    let diagonal = agrees(&model, &risk);
    assert!(diagonal.is_exact());
    // Four of five columns have an eigenvalue, at each of three positions; rounding may add one.
    assert!(
        (12..=18).contains(&diagonal.passes),
        "{} passes",
        diagonal.passes
    );
}

#[derive(Module, Debug)]
struct Convolutions {
    grouped: Conv2d,
    dilated: Conv2d,
    up: ConvTranspose2d,
}

#[test]
fn grouped_dilated_and_transposed_convolutions_have_the_diagonal_of_their_matrix() {
    let device = Device::flex();
    let model = double(&Convolutions {
        grouped: Conv2dConfig::new([2, 4], [2, 2])
            .with_groups(2)
            .init(&device),
        dilated: Conv2dConfig::new([4, 2], [2, 2])
            .with_dilation([2, 2])
            .init(&device),
        up: ConvTranspose2dConfig::new([2, 1], [2, 2])
            .with_stride([2, 2])
            .init(&device),
    });
    let risk = Risk::of(
        [floats([3, 2, 5, 5], 0.3)],
        |model: &Convolutions, x: &Tensor<4>| {
            let x = activation::relu(model.grouped.forward(x.clone()));
            let x = activation::relu(model.dilated.forward(x));
            model.up.forward(x)
        },
        |f: Tensor<4>, _: &Tensor<4>| (f - 0.5).square().mean(),
        Reduction::Mean,
    );
    assert!(agrees(&model, &risk).is_exact());
}
