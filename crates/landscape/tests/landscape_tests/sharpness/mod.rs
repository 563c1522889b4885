//! Measures of sharpness on losses known in closed form.

mod ascent;
mod average;
mod bad_input;
mod rescaling;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::Risk;
use landscape::download;
use landscape::sharpness::{
    Ball, RandomBallConfig, Scale, ScaledTensors, adaptive_sam_sharpness, random_ball,
    random_ball_along, sam_peak, sam_sharpness,
};

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn vector(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn point(values: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(values)),
    }
}

/// Matrix `[1, P, P]` and slope `[1, P]`.
type Quadratic = (Tensor<3>, Tensor<2>);

/// The loss `g'x + x'Hx/2`.
fn quadratic(h: &[f64], g: &[f64]) -> Risk<Point, Quadratic> {
    let dim = g.len();
    let batch = (
        vector(h).reshape([1, dim, dim]),
        vector(g).reshape([1, dim]),
    );
    Risk::mean([batch], |model: &Point, (h, g): &Quadratic| {
        let x = model.at.val();
        let dim = x.dims()[0];
        let hx = (h.clone() * x.clone().reshape([1, 1, dim]))
            .sum_dim(2)
            .reshape([dim]);
        (x.clone() * (g.clone().reshape([dim]) + hx * 0.5)).sum()
    })
    .without_reduction_check()
}

/// A symmetric matrix with known eigenvalues and eigenvectors: `Q diag(values) Q'`, with Q the
/// product of two reflections.
struct Known {
    values: Vec<f64>,
    /// Eigenvectors in the order of the values.
    vectors: Vec<Vec<f64>>,
}

impl Known {
    fn new(values: &[f64], seed: u32) -> Self {
        let dim = values.len();
        let mut vectors: Vec<Vec<f64>> = (0..dim)
            .map(|i| (0..dim).map(|j| f64::from(i == j)).collect())
            .collect();
        for round in 0..2 {
            let mut axis: Vec<f64> = (0..dim)
                .map(|i| (1.7 * i as f64 + f64::from(seed) * 2.3 + f64::from(round) + 0.4).sin())
                .collect();
            let size = axis.iter().map(|x| x * x).sum::<f64>().sqrt();
            axis.iter_mut().for_each(|x| *x /= size);
            for vector in &mut vectors {
                let along: f64 = dot(vector, &axis);
                for (x, a) in vector.iter_mut().zip(&axis) {
                    *x -= 2.0 * along * a;
                }
            }
        }
        Self {
            values: values.to_vec(),
            vectors,
        }
    }

    /// Row-major.
    fn matrix(&self) -> Vec<f64> {
        let dim = self.values.len();
        let mut matrix = vec![0.0; dim * dim];
        for (value, vector) in self.values.iter().zip(&self.vectors) {
            for i in 0..dim {
                for j in 0..dim {
                    matrix[i * dim + j] += value * vector[i] * vector[j];
                }
            }
        }
        matrix
    }

    /// The vector with these coefficients in the eigenvectors.
    fn combine(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.values.len()];
        for (coefficient, vector) in coefficients.iter().zip(&self.vectors) {
            for (sum, x) in sum.iter_mut().zip(vector) {
                *sum += coefficient * x;
            }
        }
        sum
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Numbers in (-1, 1) that are the same everywhere.
fn numbers(count: usize, seed: u32) -> Vec<f64> {
    (0..count)
        .map(|i| ((i as f64 + 1.0) * 12.9898 + f64::from(seed) * 78.233).sin() * 43_758.545_3)
        .map(|x| 2.0 * (x - x.floor()) - 1.0)
        .collect()
}

#[test]
fn rises_along_given_directions_are_those_of_a_quadratic() {
    let (h, g, x) = ([2.0, 1.0, 1.0, -3.0], [0.5, -0.2], [0.3, -0.7]);
    let risk = quadratic(&h, &g);
    let directions = [vec![1.0, 0.0], vec![3.0, 4.0], vec![-2.0, 5.0]];
    let slope = [g[0] + 2.0 * x[0] + x[1], g[1] + x[0] - 3.0 * x[1]];
    let rise = |e: [f64; 2]| {
        slope[0] * e[0]
            + slope[1] * e[1]
            + 0.5 * (2.0 * e[0] * e[0] + 2.0 * e[0] * e[1] - 3.0 * e[1] * e[1])
    };
    // T = |w| + 0.1, and 1 where only matrices are scaled: the one parameter is none.
    let adaptive = Scale::Weights {
        eta: 0.1,
        tensors: ScaledTensors::All,
    };
    let cases: [(Ball, [f64; 2]); 4] = [
        (Ball::l2(0.1), [1.0, 1.0]),
        (Ball::l_inf(0.1), [1.0, 1.0]),
        (Ball::l2(0.1).with_scale(adaptive), [0.4, 0.8]),
        (Ball::l_inf(0.1).with_scale(Scale::ASAM), [1.0, 1.0]),
    ];
    for (ball, t) in cases {
        let found = random_ball_along(&point(&x), &risk, &ball, &directions).unwrap();
        let expected: Vec<f64> = directions
            .iter()
            .map(|d| {
                let size = match ball.norm {
                    landscape::sharpness::BallNorm::L2 => d[0].hypot(d[1]),
                    landscape::sharpness::BallNorm::LInf => d[0].abs().max(d[1].abs()),
                };
                rise([t[0] * 0.1 * d[0] / size, t[1] * 0.1 * d[1] / size])
            })
            .collect();
        for (a, b) in found.rises.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-15, "{ball}: {a} {b}");
        }
        let worst = expected.iter().copied().fold(0.0, f64::max);
        let mean = expected.iter().sum::<f64>() / 3.0;
        assert!((found.worst - worst).abs() < 1e-15 && (found.mean.mean - mean).abs() < 1e-15);
        assert!(found.rounding > 0.0 && found.rounding < 1e-12);
    }
}

#[test]
fn worst_of_directions_is_not_below_the_middle() {
    // A maximum: the loss falls to all sides.
    let risk = quadratic(&[-1.0, 0.0, 0.0, -2.0], &[0.0, 0.0]);
    let found = random_ball(
        &point(&[0.0, 0.0]),
        &risk,
        &Ball::l2(0.5),
        &RandomBallConfig::new().with_directions(20),
    )
    .unwrap();
    assert_eq!(found.worst, 0.0);
    assert!(found.mean.mean < 0.0 && found.rises.iter().all(|rise| *rise < 0.0));
}

#[test]
fn random_directions_are_uniform_on_the_boundary() {
    // L = x² in three dimensions: the mean over the sphere of radius ρ is ρ²/3. On the cube's
    // boundary x is at its end on one face of three, and uniform on the others: ρ² (1 + 2/3) / 3.
    let mut h = [0.0; 9];
    h[0] = 2.0;
    let risk = quadratic(&h, &[0.0; 3]);
    let config = RandomBallConfig::new().with_directions(4000).with_seed(3);
    for (ball, expected) in [(Ball::l2(0.5), 1.0 / 3.0), (Ball::l_inf(0.5), 5.0 / 9.0)] {
        let found = random_ball(&point(&[0.0; 3]), &risk, &ball, &config).unwrap();
        let off = (found.mean.mean - 0.25 * expected) / found.mean.standard_error;
        // Four standard errors: 6 in 100,000 for one seed.
        assert!(off.abs() < 4.0, "{ball}: {off}");
    }
}

#[test]
fn directions_depend_on_the_seed_and_their_number_alone() {
    let known = Known::new(&[3.0, 1.0, 0.5, -0.2, -1.0], 1);
    let risk = quadratic(&known.matrix(), &[0.1, 0.2, 0.3, 0.4, 0.5]);
    let model = point(&[0.5, -0.5, 0.2, 0.1, 0.9]);
    let rises = |directions, seed| {
        let config = RandomBallConfig::new()
            .with_directions(directions)
            .with_seed(seed);
        random_ball(&model, &risk, &Ball::l2(0.1), &config)
            .unwrap()
            .rises
    };
    let many = rises(40, 5);
    assert_eq!(rises(7, 5)[..], many[..7]);
    assert_ne!(rises(7, 6)[..], many[..7]);
}

#[test]
fn filters_scale_by_their_norms_and_weights_by_themselves() {
    #[derive(Module, Debug)]
    struct Two {
        /// `[in, out]` of a linear layer's weight is told by the layer; here axis 0 counts.
        matrix: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
    }
    let device = Device::flex();
    let model = Two {
        matrix: Param::from_tensor(Tensor::from_data(
            TensorData::from([[3.0, -4.0], [0.0, 2.0]]),
            (&device, DType::F64),
        )),
        bias: Param::from_tensor(vector(&[-0.5])),
    };
    // L is the sum of all parameters: the gradient is one everywhere, so that SAM's displacement is
    // ρ T² / ‖T‖.
    let risk = Risk::mean([vector(&[1.0])], |model: &Two, one: &Tensor<1>| {
        (model.matrix.val().sum() + model.bias.val().sum()) * one.clone()
    });
    let all = |by_filter, eta| match by_filter {
        true => Scale::Filters {
            eta,
            tensors: ScaledTensors::All,
        },
        false => Scale::Weights {
            eta,
            tensors: ScaledTensors::All,
        },
    };
    let on_matrices = Scale::Filters {
        eta: 0.25,
        tensors: ScaledTensors::Matrices,
    };
    for (scale, t) in [
        (all(false, 0.25), [3.25, 4.25, 0.25, 2.25, 0.75]),
        (Scale::INVARIANT, [3.0, 4.0, 0.0, 2.0, 0.5]),
        (Scale::ASAM, [3.01, 4.01, 0.01, 2.01, 1.0]),
        (all(true, 0.25), [5.25, 5.25, 2.25, 2.25, 0.75]),
        (on_matrices, [5.25, 5.25, 2.25, 2.25, 1.0]),
    ] {
        let size = dot(&t, &t).sqrt();
        let ball = Ball::l2(0.2).with_scale(scale);
        let peak = sam_peak(&model, &risk, &ball).unwrap();
        for (e, t) in download(&peak.displacement).iter().zip(t) {
            assert!((e - 0.2 * t * t / size).abs() < 1e-15, "{scale}: {e}");
        }
        assert!((peak.sharpness.slope - size).abs() < 1e-14);
        assert!((peak.sharpness.value - 0.2 * size).abs() < 1e-14);
        let alone = adaptive_sam_sharpness(&model, &risk, 0.2, scale).unwrap();
        assert_eq!(alone, peak.sharpness);
        // In the box every coordinate goes all the way.
        let peak = sam_peak(&model, &risk, &Ball::l_inf(0.2).with_scale(scale)).unwrap();
        for (e, t) in download(&peak.displacement).iter().zip(t) {
            assert!((e - 0.2 * t).abs() < 1e-15, "{scale}: {e}");
        }
    }
}

#[test]
fn gradient_at_the_peak_is_that_of_a_quadratic() {
    let known = Known::new(&[4.0, 1.0, -2.0], 2);
    let (g, x) = ([0.3, -0.1, 0.7], [0.2, 0.5, -0.4]);
    let h = known.matrix();
    let risk = quadratic(&h, &g);
    let peak = sam_peak(&point(&x), &risk, &Ball::l2(0.3)).unwrap();
    let times = |v: &[f64]| -> Vec<f64> { h.chunks(3).map(|row| dot(row, v)).collect() };
    let slope: Vec<f64> = g.iter().zip(times(&x)).map(|(g, hx)| g + hx).collect();
    let size = dot(&slope, &slope).sqrt();
    let e: Vec<f64> = slope.iter().map(|s| 0.3 * s / size).collect();
    let there = times(&e);
    for (i, found) in download(&peak.gradient).iter().enumerate() {
        assert!((found - slope[i] - there[i]).abs() < 1e-14);
    }
    let rise = dot(&slope, &e) + 0.5 * dot(&e, &there);
    assert!((peak.sharpness.value - rise).abs() < 1e-14);
    assert_eq!(
        sam_sharpness(&point(&x), &risk, 0.3).unwrap(),
        peak.sharpness
    );
}

#[test]
fn zero_gradient_gives_no_rise_and_no_nan() {
    let risk = quadratic(&[2.0, 0.0, 0.0, 4.0], &[0.0, 0.0]);
    let model = point(&[0.0, 0.0]);
    for ball in [Ball::l2(0.1), Ball::l_inf(0.1)] {
        for scale in [Scale::One, Scale::ASAM, Scale::INVARIANT] {
            let peak = sam_peak(&model, &risk, &ball.with_scale(scale)).unwrap();
            assert_eq!(peak.sharpness.value, 0.0);
            assert_eq!(download(&peak.displacement), [0.0, 0.0]);
            assert_eq!(download(&peak.gradient), [0.0, 0.0]);
        }
    }
}

/// A number that is read on the host makes the loss one that cannot be recorded.
#[test]
fn losses_that_cannot_be_captured_are_measured_by_the_model() {
    let model = point(&[0.4, -0.3, 0.8]);
    let batches = || vec![vector(&[1.0, 2.0]), vector(&[0.5])];
    let captured = Risk::mean(batches(), |model: &Point, x: &Tensor<1>| {
        model.at.val().powi_scalar(4).sum() * x.clone().mean()
    });
    let reading = Risk::mean(batches(), |model: &Point, x: &Tensor<1>| {
        let mean: f64 = x.clone().mean().into_scalar();
        let norm: f64 = model.at.val().detach().sum().into_scalar();
        assert!(norm.is_finite());
        model.at.val().powi_scalar(4).sum() * mean
    });
    let config = RandomBallConfig::new().with_directions(9);
    for ball in [Ball::l2(0.3), Ball::l_inf(0.2).with_scale(Scale::INVARIANT)] {
        let one = random_ball(&model, &captured, &ball, &config).unwrap();
        let other = random_ball(&model, &reading, &ball, &config).unwrap();
        for (a, b) in one.rises.iter().zip(&other.rises) {
            assert!((a - b).abs() < 1e-15, "{a} {b}");
        }
    }
}

#[test]
fn models_in_f32_are_measured_in_f64() {
    // x⁴ at 0.5 displaced by 1e-6: the rise of 5e-7 has two digits in f32.
    let weights = Tensor::<1>::from_floats([0.5], &Device::flex());
    let model = Point {
        at: Param::from_tensor(weights),
    };
    let one = Tensor::<1>::ones([1], &Device::flex());
    let risk = Risk::mean(one, |model: &Point, one: &Tensor<1>| {
        model.at.val().powi_scalar(4) * one.clone().mean()
    });
    let ball = Ball::l2(1e-6);
    let found = random_ball_along(&model, &risk, &ball, &[vec![1.0]]).unwrap();
    let expected = 0.500_001_f64.powi(4) - 0.0625;
    assert!((found.rises[0] - expected).abs() <= found.rounding && found.rounding < 1e-14);
    let sam = sam_sharpness(&model, &risk, 1e-6).unwrap();
    assert!((sam.value - expected).abs() <= sam.rounding);
}
