//! Spectra of weight matrices, their tails, and the gap of BatchNorm's statistics.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use landscape::weights::{PowerLaw, power_law, spectra};
use landscape::{Error, Risk};

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (&Device::flex(), DType::F64),
    )
}

/// SplitMix64: uniform numbers in (0, 1].
fn uniform(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON / 4.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[derive(Module, Debug)]
struct Net {
    conv: Conv2d,
    linear: Linear,
    norm: BatchNorm,
}

/// Returns the Householder reflection `I − 2 u uᵀ/uᵀu`, row-major: an orthogonal matrix.
fn reflection(dim: usize, seed: u64) -> Vec<f64> {
    let u: Vec<f64> = uniform(dim, seed).iter().map(|x| x - 0.5).collect();
    let square: f64 = u.iter().map(|x| x * x).sum();
    let entry = |at: usize| {
        let (i, j) = (at / dim, at % dim);
        f64::from(i == j) - 2.0 * u[i] * u[j] / square
    };
    (0..dim * dim).map(entry).collect()
}

/// Returns `U diag(s) Vᵀ` of `rows` rows and as many columns as singular values or more.
fn matrix(singular: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let (u, v) = (reflection(rows, 1), reflection(columns, 2));
    let entry = |at: usize| {
        let (i, j) = (at / columns, at % columns);
        let terms = singular.iter().enumerate();
        terms
            .map(|(k, s)| u[rows * i + k] * s * v[columns * j + k])
            .sum::<f64>()
    };
    (0..rows * columns).map(entry).collect()
}

#[test]
fn singular_values_are_those_that_the_matrices_were_made_of() {
    let device = Device::flex();
    let mut net = Net {
        conv: Conv2dConfig::new([2, 3], [2, 2]).init(&device),
        linear: LinearConfig::new(6, 4).init(&device),
        norm: BatchNormConfig::new(3).init(&device),
    };
    net = landscape::cast(&net, FloatDType::F64).unwrap();
    let (of_conv, of_linear) = ([5.0, 2.0, 0.5], [3.0, 3.0, 1.0, 0.0]);
    // Rows are output channels; of a linear layer `[in, out]` they are its columns.
    net.conv.weight = Param::from_tensor(tensor(&matrix(&of_conv, 3, 8), [3, 2, 2, 2]));
    net.linear.weight = Param::from_tensor(tensor(&matrix(&of_linear, 4, 6), [4, 6]).transpose());
    let found = spectra(&net).unwrap();
    let paths: Vec<_> = found
        .iter()
        .map(|spectrum| spectrum.path.as_str())
        .collect();
    assert_eq!(paths, ["conv.weight", "linear.weight"]);
    for (spectrum, expected) in found.iter().zip([&of_conv[..], &of_linear[..]]) {
        let pairs = spectrum.singular_values.iter().zip(expected);
        // Some roundings of the largest.
        assert!(
            pairs.clone().all(|(a, b)| (a - b).abs() < 2e-15 * 5.0),
            "{spectrum:?}"
        );
        let squares: f64 = expected.iter().map(|s| s * s).sum();
        let rank = squares / expected[0].powi(2);
        assert!((spectrum.stable_rank.unwrap() - rank).abs() < 1e-13);
        assert!((spectrum.frobenius_norm() - squares.sqrt()).abs() < 1e-13);
        assert!((spectrum.spectral_norm() - expected[0]).abs() < 1e-14);
    }
    assert_eq!(
        (found[0].rows, found[0].columns, &found[0].layer[..]),
        (3, 8, "Conv2d")
    );
    assert_eq!(
        (found[1].rows, found[1].columns, &found[1].layer[..]),
        (4, 6, "Linear")
    );
    // Two of the nonzero eigenvalues are equal up to rounding, a third differs, zero is left out.
    assert!(found[1].tail.is_none_or(|law| law.is_small()));
}

#[test]
fn the_tail_is_that_of_the_squared_singular_values_whatever_the_scale() {
    let singular: Vec<f64> = uniform(12, 5).iter().map(|u| u.powf(-0.4)).collect();
    let mut sorted = singular.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let of = |scale: f64| {
        let mut layer = LinearConfig::new(12, 12)
            .with_bias(false)
            .init(&Device::flex());
        let weights: Vec<f64> = matrix(&sorted, 12, 12).iter().map(|w| w * scale).collect();
        layer.weight = Param::from_tensor(tensor(&weights, [12, 12]));
        spectra(&layer).unwrap().remove(0).tail.unwrap()
    };
    let squares: Vec<f64> = singular.iter().map(|s| s * s).collect();
    let expected = power_law(&squares).unwrap().unwrap();
    for scale in [1.0, 1e-3, 7.5e6] {
        let law = of(scale);
        // The relative error of the smallest eigenvalues is that of the matrix over theirs.
        assert!((law.alpha - expected.alpha).abs() < 1e-12, "{scale}");
        assert!((law.distance - expected.distance).abs() < 1e-12);
        assert!((law.x_min / (scale * scale) - expected.x_min).abs() < 1e-12);
        assert_eq!(law.tail, expected.tail);
    }
}

#[test]
fn the_exponent_of_pareto_samples_is_found_within_its_error() {
    // x = x_min u^(-1/(α-1)) has the density (α-1)/x_min (x/x_min)^-α. The z-scores of 60 fits are
    // standard normal but for the choice of x_min, which widens them: their root mean square is 1
    // with a standard error of 0.09, and a single one beyond 4 has a probability of 0.004 in all.
    let mut squares = 0.0;
    for seed in 0..60 {
        let alpha = 1.5 + 0.1 * (seed % 30) as f64;
        let sample: Vec<f64> = uniform(600, 1000 + seed)
            .iter()
            .map(|u| 2.5 * u.powf(-1.0 / (alpha - 1.0)))
            .collect();
        let law = power_law(&sample).unwrap().unwrap();
        let z = (law.alpha - alpha) / law.standard_error;
        assert!(z.abs() < 4.0, "{alpha}: {law:?}");
        assert!(!law.is_small(), "{law:?}");
        squares += z * z;
    }
    let spread = (squares / 60.0_f64).sqrt();
    assert!((0.7..1.6).contains(&spread), "{spread}");
}

#[test]
fn small_sets_have_the_closed_form() {
    // From 1 on: α = 1 + 3 / (0 + ln 2 + ln 4) = 1 + 1/ln 2, P = 0, 1/2^.., S = 0, 1/3, 2/3;
    // from 2 on: α = 1 + 2 / ln 2, P = 0, 1 - e^-2, S = 0, 1/2. The first has the smaller distance.
    let law = power_law(&[4.0, 1.0, 2.0, -3.0, 0.0]).unwrap().unwrap();
    let exponent = 1.0 / 2.0_f64.ln();
    assert!((law.alpha - 1.0 - exponent).abs() < 1e-15);
    assert!((law.standard_error - exponent / 3.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!((law.x_min, law.tail), (1.0, 3));
    let expected = (1.0 - (-1.0_f64).exp() - 1.0 / 3.0).max(1.0 - (-2.0_f64).exp() - 2.0 / 3.0);
    assert!((law.distance - expected).abs() < 1e-15, "{}", law.distance);
    assert!(law.is_small());
    for values in [
        &[][..],
        &[1.0],
        &[1.0, 2.0],
        &[2.0, 2.0, 2.0, 1.0],
        &[0.0, -1.0, -2.0, -3.0],
    ] {
        assert_eq!(power_law(values).unwrap(), None, "{values:?}");
    }
    for value in [f64::NAN, f64::INFINITY] {
        let error = power_law(&[1.0, value, 3.0, 4.0]).unwrap_err();
        assert!(matches!(error, Error::NonFiniteVector { .. }), "{error}");
    }
    // Ties count once as a start, and all in the tail.
    let PowerLaw { tail, .. } = power_law(&[1.0, 1.0, 2.0, 3.0]).unwrap().unwrap();
    assert!(tail >= 2);
}

#[test]
fn zeros_have_no_rank_and_weights_that_are_no_numbers_are_an_error() {
    let device = Device::flex();
    let mut layer = LinearConfig::new(3, 2).init(&device);
    layer.weight = Param::from_tensor(Tensor::zeros([3, 2], &device));
    let found = spectra(&layer).unwrap().remove(0);
    assert_eq!(
        (found.stable_rank, found.tail, found.spectral_norm()),
        (None, None, 0.0)
    );
    layer.weight = Param::from_tensor(Tensor::full([3, 2], f32::NAN, &device));
    let error = spectra(&layer).unwrap_err();
    assert!(matches!(error, Error::NonFiniteWeights { .. }), "{error}");
}

#[derive(Module, Debug)]
struct Normed {
    norm: BatchNorm,
    weight: Param<Tensor<1>>,
}

/// The bits of every float tensor, running statistics included.
#[derive(Default)]
struct Bits(Vec<u64>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().into_data();
        self.0.extend(values.iter::<f64>().map(f64::to_bits));
    }
}

#[test]
fn the_gap_is_that_of_the_statistics_of_the_batch_and_the_running_ones() {
    let device = Device::flex().autodiff();
    let model = landscape::cast(
        &Normed {
            norm: BatchNormConfig::new(1).init(&device),
            weight: Param::from_tensor(Tensor::ones([1], &device)),
        },
        FloatDType::F64,
    )
    .unwrap();
    // Two batches with means 2 and 10, of squares 5 and 101 about zero, variance 1 both.
    let batches = [
        tensor(&[1.0, 3.0], [2, 1]),
        tensor(&[9.0, 11.0, 9.0, 11.0], [4, 1]),
    ];
    let loss = |model: &Normed, x: &Tensor<2>| {
        let scaled = model.norm.forward(x.clone()) * model.weight.val().reshape([1, 1]);
        scaled.square().mean()
    };
    let risk = Risk::mean(batches, loss);
    let bits = || {
        let mut bits = Bits::default();
        model.visit(&mut bits);
        bits.0
    };
    let before = bits();
    let found = risk.batch_norm_gap(&model).unwrap().unwrap();
    assert_eq!(bits(), before);
    // Burn has the epsilon in f32: 1e-5 up to 1e-12.
    let epsilon = 1e-5;
    let batch = 1.0 / (1.0 + epsilon);
    let running = (2.0 * 5.0 + 4.0 * 101.0) / 6.0 / (1.0 + epsilon);
    assert!((found.batch - batch).abs() < 1e-11, "{found:?}");
    assert!((found.running - running).abs() < 1e-9, "{found:?}");
    assert!((found.gap() - (batch - running)).abs() < 1e-9);
    // Off the autodiff device too; a frozen layer and a model without one have no gap.
    let inner = model.valid();
    let there = risk.batch_norm_gap(&inner).unwrap().unwrap();
    assert!((there.gap() - found.gap()).abs() < 1e-12);
    let linear = LinearConfig::new(1, 1).init(&Device::flex());
    let risk = Risk::mean(
        [Tensor::<2>::ones([2, 1], &Device::flex())],
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()).square().mean(),
    );
    assert_eq!(risk.batch_norm_gap(&linear).unwrap(), None);
}
