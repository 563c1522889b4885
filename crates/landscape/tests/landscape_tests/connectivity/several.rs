//! Barriers, averages, widths, eigenspaces and distances of several models.

use std::ops::ControlFlow;

use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use landscape::alignment::{AlignConfig, align, symmetries};
use landscape::connectivity::{
    BasinConfig, Curve, Shape, aligned_barriers, average, barriers, basin_width, distances,
    overlap, path_average, subspace_overlap, weighted_average,
};
use landscape::direction::random_direction;
use landscape::operator::Dense;
use landscape::slice::{Buffers, linspace};
use landscape::{Error, LanczosConfig, Reduction, Risk, download, top_eigenpairs};

use super::{Point, double_well, height, near, point, vector};

#[test]
fn barriers_of_pairs_are_those_of_their_lines_before_and_after_alignment() {
    // The loss is even: −x has the function of x, and is aligned by the sign of its first entry.
    let models = [
        point(&[1.0, 1.0]),
        point(&[-1.0, -1.0]),
        point(&[-1.0, 1.0]),
    ];
    let models = models.each_ref();
    let t = linspace(0.0..=1.0, 5);
    let before = barriers(&models, &double_well(), &Buffers::Interpolate, &t).unwrap();
    // From a well to another by way of zero in as many coordinates as change their sign.
    assert_eq!(
        before.matrix(),
        [[0.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    );
    let distances = before.distances();
    assert!((distances[0][1] - 8.0_f64.sqrt()).abs() < 1e-15 && distances[1][2] == 2.0);
    let flip = |a: &Point, b: &Point| -> Result<Point, Error> {
        let (a, b) = (download(&a.at.val()), download(&b.at.val()));
        let sign = if (a[0] > 0.0) == (b[0] > 0.0) {
            1.0
        } else {
            -1.0
        };
        Ok(point(&[sign * b[0], sign * b[1]]))
    };
    let mut seen = Vec::new();
    let after = aligned_barriers(
        &models,
        &double_well(),
        &Buffers::Interpolate,
        &t,
        flip,
        |pair| {
            seen.push((pair.first, pair.second));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    // The second is the first mirrored, and no line is left between them.
    assert_eq!(
        after.matrix(),
        [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    );
    assert!(after.pairs[0].profile.is_none() && after.pairs[0].distance == 0.0);
    assert_eq!(seen, [(0, 1), (0, 2), (1, 2)]);
    let stopped = aligned_barriers(&models, &double_well(), &Buffers::Keep, &t, flip, |_| {
        ControlFlow::Break(())
    });
    assert_eq!(stopped, Err(Error::Cancelled { done: 1 }));
}

#[test]
fn alignment_removes_the_barrier_to_a_network_with_its_units_in_another_order() {
    let device = Device::flex();
    let layer = |inputs: usize, outputs: usize, speed: f32| -> Linear {
        let wave = |len: usize, start: f32| -> Vec<f32> {
            (0..len)
                .map(|i| (speed * (i * i) as f32 + start).sin())
                .collect()
        };
        let mut layer = LinearConfig::new(inputs, outputs).init(&device);
        let weight = TensorData::new(wave(inputs * outputs, 0.2), [inputs, outputs]);
        layer.weight = Param::from_tensor(Tensor::from_data(weight, &device));
        let bias = TensorData::new(wave(outputs, 0.9), [outputs]);
        layer.bias = Some(Param::from_tensor(Tensor::from_data(bias, &device)));
        layer
    };
    type Rows = (Tensor<2>, Tensor<2>);
    let forward = |[first, second]: &[Linear; 2], x: &Tensor<2>| {
        second.forward(first.forward(x.clone()).tanh())
    };
    let a = [layer(2, 6, 0.7), layer(6, 2, 1.3)];
    let x: Vec<f32> = (0..40).map(|i| (1.1 * i as f32).sin() * 2.0).collect();
    let x = Tensor::<2>::from_data(TensorData::new(x, [20, 2]), &device);
    // What a computes is what is asked for, so that its loss is 0.1 and any other function's more.
    let target = forward(&a, &x);
    let risk = Risk::of(
        (x, target),
        move |net: &[Linear; 2], (x, _): &Rows| forward(net, x),
        |found: Tensor<2>, (_, target): &Rows| (found - target.clone()).square().mean() + 0.1,
        Reduction::Mean,
    );
    let order = vec![vec![3, 0, 5, 1, 2, 4]];
    let b = symmetries(&a, &risk).unwrap().permute(&a, &order).unwrap();
    let t = linspace(0.0..=1.0, 11);
    let before = barriers(&[&a, &b], &risk, &Buffers::Interpolate, &t).unwrap();
    assert!(
        before.pairs[0].barrier > 0.05,
        "{}",
        before.pairs[0].barrier
    );
    let config = AlignConfig::new();
    let after = aligned_barriers(
        &[&a, &b],
        &risk,
        &Buffers::Interpolate,
        &t,
        |first, second| Ok(align(first, second, &risk, &config)?.model),
        |_| ControlFlow::Continue(()),
    )
    .unwrap();
    assert_eq!(
        (after.pairs[0].distance, after.pairs[0].barrier),
        (0.0, 0.0)
    );
}

#[test]
fn averages_are_the_means_of_models_and_of_all_points_of_a_path() {
    let [a, b, c] = [[0.0, 0.0], [3.0, 0.0], [3.0, 6.0]].map(|at| point(&at));
    let at = |model: &Point| download(&model.at.val());
    near(&at(&average(&[&a, &b, &c]).unwrap()), &[2.0, 2.0], 1e-15);
    let weighted = weighted_average(&[&a, &b, &c], &[0.5, 0.75, -0.25]).unwrap();
    near(&at(&weighted), &[1.5, -1.5], 1e-15);
    // A Bezier curve's average is the mean of its three nodes; a chain's that of its segments'
    // middles.
    for (shape, expected) in [
        (Shape::Line, [1.5, 3.0]),
        (Shape::Bezier, [2.0, 2.0]),
        (Shape::Chain { bends: 1 }, [2.25, 1.5]),
    ] {
        let curve = Curve::between(&a, &c, shape).unwrap();
        let bends = [&b];
        let curve = curve.with_bends(&bends[..shape.bends()]).unwrap();
        near(&at(&curve.average().unwrap()), &expected, 1e-15);
        // The midpoint rule, whose error for a polynomial of degree two is 1/12 of its second
        // derivative over the square of the number of points.
        let points: Vec<Vec<f64>> = (0..1000)
            .map(|i| download(&curve.theta((f64::from(i) + 0.5) / 1000.0).unwrap()))
            .collect();
        let mean = [0, 1].map(|k| points.iter().map(|point| point[k]).sum::<f64>() / 1000.0);
        near(&mean, &expected, 1e-5);
    }
    // Of a convex loss the average's is below the path's mean: x² over 0 to 3.
    let line = Curve::between(&a, &b, Shape::Line).unwrap();
    let risk = height(|x| x.square().sum());
    let t = linspace(0.0..=1.0, 101);
    let found = path_average(&line, &risk, &Buffers::Interpolate, &t).unwrap();
    assert_eq!(found.loss, 2.25);
    assert!((found.path.mean - 3.0).abs() < 1e-3);
}

#[derive(Module, Debug)]
struct Looking {
    scale: Param<Tensor<1>>,
    table: Param<Tensor<1, Int>>,
}

#[test]
fn the_average_of_a_path_keeps_tables_that_cannot_be_interpolated() {
    let device = Device::flex();
    let looking = |scale: f32, entry: i64| Looking {
        scale: Param::from_tensor(Tensor::from_floats([scale], &device)),
        table: Param::initialized(
            ParamId::new(),
            Tensor::from_data(TensorData::from([entry]), &device),
        ),
    };
    let line = Curve::between(&looking(1.0, 5), &looking(3.0, 7), Shape::Line).unwrap();
    let one = Tensor::<1>::ones([1], &device);
    let risk = Risk::mean(one, |model: &Looking, x: &Tensor<1>| {
        model.scale.val() * x.clone() * model.table.val().float()
    });
    let found = path_average(&line, &risk, &Buffers::Keep, &[0.5]).unwrap();
    assert_eq!(
        (found.loss, &found.path.loss[..]),
        (10.0, &[5.0, 10.0, 15.0][..])
    );
    let refused = path_average(&line, &risk, &Buffers::Interpolate, &[0.5]);
    assert!(matches!(refused, Err(Error::RestDiffers { path, .. }) if path == "table"));
}

#[test]
fn a_basin_reaches_as_far_as_its_loss_says_on_each_side() {
    let device = Device::flex();
    // x² to the right, 100 x² to the left, and one at the bottom: factor 5 at 2 and at −0.2.
    let risk = height(|x| {
        let left = x.clone().clamp_max(0.0);
        x.square() + left.square() * 99.0 + 1.0
    });
    let config = BasinConfig::new().with_factor(5.0).with_tolerance(1e-6);
    let direction = vector(&[0.5], &device);
    let found = basin_width(&point(&[0.0]), &risk, &direction, &config).unwrap();
    assert_eq!((found.loss, found.level), (1.0, 5.0));
    assert!(found.forward.reached && found.backward.reached);
    for (reach, a) in [(found.forward, 4.0), (found.backward, 0.4)] {
        assert!(reach.inner <= a && a <= reach.a && reach.loss >= 5.0);
        assert!(reach.a - reach.inner <= 1e-6 * reach.a);
        assert!((reach.distance - 0.5 * a).abs() < 1e-6 * a);
    }
    assert!((found.width - 2.2).abs() < 1e-5);
    assert!(found.passes <= 75, "{}", found.passes);
    // Nearer than the crossing there is no crossing to report.
    let near = basin_width(&point(&[0.0]), &risk, &direction, &config.with_bound(3.0)).unwrap();
    assert!(!near.forward.reached && near.backward.reached);
    assert_eq!((near.forward.a, near.forward.inner), (3.0, 3.0));
    assert_eq!(near.forward.loss, 3.25);
    // Below zero the level lies above the loss by the same share of its size.
    let deep = height(|x| x.square() - 4.0);
    let config = BasinConfig::new().with_factor(1.25);
    let found = basin_width(&point(&[0.0]), &deep, &vector(&[1.0], &device), &config).unwrap();
    assert_eq!(found.level, -3.0);
    assert!((found.width - 2.0).abs() < 1e-3);
    // The root is no number left of −1, where the level counts as reached.
    let edge = height(|x| (x + 1.0).sqrt() * 1e-3 + 1.0);
    let found = basin_width(
        &point(&[0.0]),
        &edge,
        &vector(&[1.0], &device),
        &BasinConfig::new(),
    )
    .unwrap();
    assert!(found.backward.reached && found.backward.loss.is_nan());
    assert!((found.backward.a - 1.0).abs() < 1e-3 && !found.forward.reached);
}

/// An orthonormal basis of rotations of the first two axes of some planes: columns of a matrix with
/// these eigenvalues, the plane (i, j) turned by an angle.
fn turned(values: &[f64], turns: &[(usize, usize, f64)]) -> Vec<f64> {
    let n = values.len();
    let mut basis = vec![vec![0.0; n]; n];
    for (i, row) in basis.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for &(i, j, angle) in turns {
        let (sin, cos) = angle.sin_cos();
        for row in &mut basis {
            let (x, y) = (row[i], row[j]);
            row[i] = cos * x + sin * y;
            row[j] = cos * y - sin * x;
        }
    }
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            matrix[i * n + j] = (0..n).map(|k| values[k] * basis[i][k] * basis[j][k]).sum();
        }
    }
    matrix
}

#[test]
fn the_overlap_of_eigenspaces_is_that_of_their_angles_and_its_bound_holds() {
    let values = [9.0, 8.0, 7.0, 2.0, 1.0, 0.5, 0.25, 0.1];
    let matrix = |turns: &[(usize, usize, f64)]| {
        Dense::new(&turned(&values, turns), (&Device::flex(), DType::F64)).unwrap()
    };
    let (first, second) = (matrix(&[]), matrix(&[(0, 4, 0.3), (1, 5, 0.8)]));
    // Of the first three axes two are turned out of their space.
    let expected = (0.3_f64.cos().powi(2) + 0.8_f64.cos().powi(2) + 1.0) / 3.0;
    let pairs = |op: &Dense, k, tolerance: f64, steps| {
        let config = LanczosConfig::new()
            .with_tolerance(tolerance)
            .with_max_steps(steps);
        top_eigenpairs(op, k, &config).unwrap()
    };
    let found =
        subspace_overlap(&pairs(&first, 4, 1e-12, 8), &pairs(&second, 4, 1e-12, 8), 3).unwrap();
    assert!((found.overlap - expected).abs() < 1e-10, "{found:?}");
    near(&found.cosines, &[1.0, 0.3_f64.cos(), 0.8_f64.cos()], 1e-9);
    assert_eq!(found.of_random, 3.0 / 8.0);
    assert!(found.error.unwrap() < 1e-9);
    // An eigenvector that is off by an angle of 0.05, with the value and the residual that it has:
    // the overlap is off by no more than the bound, which is no triviality.
    let mut off = pairs(&first, 4, 1e-12, 8);
    let (sin, cos) = 0.05_f64.sin_cos();
    let mut vector = vec![0.0; 8];
    (vector[0], vector[5]) = (cos, sin);
    off[0].vector = Tensor::from_data(TensorData::new(vector, [8]), (&Device::flex(), DType::F64));
    off[0].value = 9.0 * cos * cos + 0.5 * sin * sin;
    off[0].residual = 8.5 * sin * cos;
    let found = subspace_overlap(&off, &pairs(&second, 4, 1e-12, 8), 3).unwrap();
    let (off, bound) = ((found.overlap - expected).abs(), found.error.unwrap());
    println!("a vector that is off by 0.05: the overlap by {off:.1e}, bound {bound:.1e}");
    assert!(
        off > 1e-5 && off <= bound && bound < 0.1,
        "{off:.1e} {bound:.1e}"
    );
    // A residual that reaches over the gap leaves the space undetermined.
    let mut wide = pairs(&first, 4, 1e-12, 8);
    wide[3].residual = 6.0;
    assert_eq!(subspace_overlap(&wide, &wide, 3).unwrap().error, None);
    // Without a pair to follow nothing is said of the error.
    let short = pairs(&first, 3, 1e-12, 8);
    assert_eq!(subspace_overlap(&short, &short, 3).unwrap().error, None);
    assert!((subspace_overlap(&short, &short, 3).unwrap().overlap - 1.0).abs() < 1e-14);
    assert!(subspace_overlap(&short, &short, 4).is_err());
}

#[test]
fn random_spaces_overlap_by_k_over_p_in_the_mean() {
    let space = landscape::ParameterSpace::of(&point(&[0.0; 60])).unwrap();
    let directions: Vec<Vec<f64>> = (0..120)
        .map(|seed| download(&random_direction(&space, seed)))
        .collect();
    let mut sum = 0.0;
    for six in directions.chunks(6) {
        sum += overlap(six[..3].to_vec(), six[3..].to_vec())
            .unwrap()
            .overlap;
    }
    let mean = sum / 20.0;
    // k / P = 0.05. The squared norm of three random coordinates of 60 has the variance
    // 2 · 3 · 57 / (60² · 62) = 0.0015; a mean over three vectors and 20 pairs a standard error of
    // 0.0051. Four of them.
    assert!((mean - 0.05).abs() < 0.02, "{mean}");
}

#[test]
fn distances_and_cosines_are_seen_from_where_one_asks() {
    let models = [[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]].map(|at| point(&at));
    let models = models.each_ref();
    let found = distances(&models, None).unwrap();
    assert_eq!(found.norm, [1.0, 2.0, 3.0]);
    assert_eq!(
        found.cosine,
        [[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]
    );
    assert_eq!(found.distance[0], [0.0, 5.0_f64.sqrt(), 4.0]);
    let from = distances(&models, Some(&point(&[-3.0, 2.0]))).unwrap();
    near(&from.norm, &[20.0_f64.sqrt(), 3.0, 2.0], 1e-15);
    near(&from.cosine[1], &[4.0 / 20.0_f64.sqrt(), 1.0, 0.0], 1e-15);
    assert_eq!(from.distance, found.distance);
}

#[test]
fn directions_of_the_model_type_are_adopted() {
    let found = basin_width(
        &point(&[0.0, 0.0]),
        &height(|x| x.square().sum() + 1.0),
        &Tensor::<1>::from_floats([3.0, 4.0], &Device::flex()),
        &BasinConfig::new(),
    )
    .unwrap();
    assert!((found.width - 2.0).abs() < 1e-3);
    let curve = Curve::between(&point(&[0.0]), &point(&[1.0]), Shape::Line).unwrap();
    assert_eq!(curve.bends().len(), 0);
}
