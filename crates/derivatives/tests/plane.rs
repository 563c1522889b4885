//! Losses on planes and lines are those of their points.

use crate::device;
use burn::module::{Module, Param};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Error, Plane};
use proptest::prelude::*;

/// Three matrices of 3 by 3.
#[derive(Module, Debug)]
struct Matrices {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
    third: Param<Tensor<2>>,
}

fn noise(len: usize, seed: usize) -> Vec<f64> {
    // Fractions of multiples of the golden ratio, in (-1, 1).
    (0..len)
        .map(|i| ((i + 31 * seed + 1) as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0)
        .collect()
}

fn vector(len: usize, seed: usize) -> Tensor<1> {
    let data = TensorData::new(noise(len, seed), [len]);
    Tensor::from_data(data, (&device(), DType::F64))
}

fn matrix(rows: usize, columns: usize, seed: usize) -> Tensor<2> {
    vector(rows * columns, seed).reshape([rows, columns])
}

fn matrices() -> Matrices {
    let parameter = |seed| Param::from_tensor(matrix(3, 3, seed));
    Matrices {
        first: parameter(1),
        second: parameter(2),
        third: parameter(3),
    }
}

fn captured(loss: impl Fn(&Matrices, &Device) -> Tensor<1>) -> CapturedLoss {
    Capture::of(&matrices())
        .loss(loss)
        .expect("the loss can be captured")
}

/// The largest relative difference on a grid that is not square.
fn worst(loss: &CapturedLoss) -> f64 {
    let theta = loss.origin();
    let (d1, d2) = (vector(loss.dim(), 5), vector(loss.dim(), 6));
    let plane: Plane<2> = loss.on_plane(&theta, [&d1, &d2]).expect("a plane");
    let mut worst: f64 = 0.0;
    for a in [-1.5, 0.0, 0.25, 2.0] {
        for b in [-0.5, 0.0, 1.0] {
            let at = theta.clone() + d1.clone() * a + d2.clone() * b;
            let there = loss.value(&at).expect("a value");
            worst = worst.max((plane.value([a, b]) - there).abs() / there.abs());
        }
    }
    worst
}

#[test]
fn weights_that_enter_twice_are_moved_in_both_places() {
    let x = matrix(5, 3, 7);
    // Two linear layers with one weight: quadratic in it.
    let twice = captured(|model, device| {
        let (x, w) = (x.clone().to_device(device), model.first.val());
        x.matmul(w.clone()).matmul(w).square().mean()
    });
    assert!(worst(&twice) < 1e-12);
    // An autoencoder whose decoder is its encoder transposed, and its penalty.
    let tied = captured(|model, device| {
        let (x, w) = (x.clone().to_device(device), model.first.val());
        let decoded = x
            .clone()
            .matmul(w.clone())
            .tanh()
            .matmul(w.clone().transpose());
        (decoded - x).square().mean() + w.square().sum() * 0.1
    });
    assert!(worst(&tied) < 1e-12);
}

#[test]
fn products_of_two_moving_factors_are_not_taken_for_affine() {
    let loss = captured(|model, _| {
        let (u, v) = (model.first.val(), model.second.val());
        let product = u.clone() * v.clone() + u.matmul(v);
        (product.clone() * product).sum()
    });
    assert!(worst(&loss) < 1e-12);
}

#[test]
fn value_on_a_line_is_the_polynomial_it_has_to_be() {
    // The loss is the mean of squares: with theta = 0 and one direction d, a^2 mean(d^2).
    let loss = captured(|model, _| model.first.val().square().mean());
    let (zero, d) = (vector(27, 0) * 0.0, vector(27, 4));
    let square: f64 = noise(27, 4)[..9].iter().map(|d| d * d).sum::<f64>() / 9.0;
    let line = loss.on_plane(&zero, [&d]).expect("a line");
    for a in [-2.0, 0.0, 0.5, 3.0] {
        assert!((line.value([a]) - a * a * square).abs() <= 1e-14 * a * a * square);
    }
}

#[test]
fn loss_that_is_not_finite_somewhere_is_so_on_the_plane() {
    let loss = captured(|model, _| model.first.val().slice([0..1, 0..1]).log().sum());
    let theta = loss.origin();
    let start: f64 = theta.clone().slice_dim(0, 0..1).into_scalar();
    let mut along = vec![0.0; 27];
    along[0] = 1.0;
    let data = TensorData::new(along, [27]);
    let along = Tensor::from_data(data, (&device(), DType::F64));
    let line = loss.on_plane(&theta, [&along]).expect("a line");
    assert!(line.value([-start - 1.0]).is_nan());
    assert_eq!(line.value([-start]), f64::NEG_INFINITY);
    assert!(line.value([1.0 - start]).abs() < 1e-15);
}

#[test]
fn directions_of_another_length_are_an_error() {
    let loss = captured(|model, _| model.first.val().sum());
    let (theta, short) = (loss.origin(), vector(26, 1));
    let error = loss.on_plane(&theta, [&theta, &short]).map(|_| ());
    assert_eq!(
        error,
        Err(Error::Length {
            expected: 27,
            found: 26
        })
    );
}

/// One more matrix out of those there are.
fn step(operation: usize, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let picked = || {
        let data = TensorData::from([2_i64, 0, 2]);
        Tensor::<1, Int>::from_data(data, &x.device())
    };
    match operation {
        0 => x + y,
        1 => x - y * 0.5,
        2 => x * y,
        3 => x.matmul(y) * 0.4,
        4 => x.transpose(),
        5 => relu(x),
        6 => x.tanh(),
        7 => x.sum_dim(0) * 0.3 + y,
        8 => {
            x.slice([0..2, 0..3])
                .flip([0])
                .reshape([3, 2])
                .matmul(y.slice([1..3, 0..3]))
                * 0.4
        }
        9 => Tensor::cat(vec![x.slice([0..1, 0..3]), y.slice([1..3, 0..3])], 0),
        10 => x.clone().select(1, picked()),
        11 => x.cumsum(1) * 0.4,
        12 => log_softmax(x, 1) * 0.4 + y,
        13 => relu(x.reshape([9]).add_scalar(0.1)).reshape([3, 3]),
        14 => x.mean_dim(1).expand([3, 3]),
        _ => relu(x.transpose() + y.mean_dim(0)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_on_a_plane_are_programs_at_its_points(
        steps in proptest::collection::vec((0_usize..16, 0_usize..12, 0_usize..12), 1..9),
    ) {
        let loss = captured(|model, device| {
            let mut known = vec![
                model.first.val(),
                model.second.val(),
                model.third.val(),
                matrix(3, 3, 8).to_device(device),
            ];
            for &(operation, x, y) in &steps {
                let (x, y) = (known[x % known.len()].clone(), known[y % known.len()].clone());
                known.push(step(operation, x, y));
            }
            // Squares do not cancel, and each parameter takes part.
            let all = known.into_iter().map(|x| x.square().mean());
            all.reduce(|a, b| a + b).expect("four at least")
        });
        // Sums of other order: some units of rounding for each of nine steps.
        prop_assert!(worst(&loss) < 1e-12);
    }
}
