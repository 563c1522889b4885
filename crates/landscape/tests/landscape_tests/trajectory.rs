//! Trajectories: principal components beside a singular value decomposition of the whole matrix,
//! projections, measures of the path, and what is no trajectory.

use std::cell::Cell;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor};
use faer::Mat;
use landscape::direction::DirectionKind;
use landscape::trajectory::{
    Centre, PathMeasures, PrincipalComponents, PrincipalConfig, Projection, path_measures,
    principal_components, principal_plane, project, true_and_projected,
};
use landscape::{Error, Grid, ParameterSpace, Risk, cast, download, norm, plane, random_direction};

use crate::direction::{Point, point, vector};

fn load<'a>(path: &'a [Vec<f64>]) -> impl FnMut(usize) -> Result<Point, Error> + 'a {
    |number| Ok(point(&path[number]))
}

/// Returns `count` checkpoints of `dim` numbers, a random walk with a drift.
fn walk(count: usize, dim: usize) -> Vec<Vec<f64>> {
    let space = ParameterSpace::of(&point(&vec![0.0; dim])).expect("a space");
    let drift = download(&random_direction(&space, 100));
    let mut at = download(&random_direction(&space, 101));
    (0_u64..)
        .take(count)
        .map(|number| {
            let step = download(&random_direction(&space, number));
            for ((w, s), d) in at.iter_mut().zip(step).zip(&drift) {
                *w += 0.3 * s + 0.2 * d;
            }
            at.clone()
        })
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Returns the centre of a path, from its definition.
fn centre_of(path: &[Vec<f64>], centre: Centre) -> Vec<f64> {
    match centre {
        Centre::Last => path[path.len() - 1].clone(),
        Centre::Mean => {
            let n = f64::from(u32::try_from(path.len()).expect("a small number"));
            (0..path[0].len())
                .map(|j| path.iter().map(|w| w[j]).sum::<f64>() / n)
                .collect()
        }
    }
}

/// Returns the left singular vectors and singular values of the deviations, one column each.
fn decomposed(path: &[Vec<f64>], centre: Centre) -> (Mat<f64>, Vec<f64>) {
    let c = centre_of(path, centre);
    let deviations = Mat::from_fn(c.len(), path.len(), |j, i| path[i][j] - c[j]);
    let svd = deviations.thin_svd().expect("a decomposition");
    let values = svd.S().column_vector().iter().copied().collect();
    (svd.U().to_owned(), values)
}

#[test]
fn principal_components_are_the_singular_vectors_of_the_whole_matrix() {
    let path = walk(9, 40);
    for centre in [Centre::Mean, Centre::Last] {
        let (vectors, values) = decomposed(&path, centre);
        let total: f64 = values.iter().map(|s| s * s).sum();
        let c = centre_of(&path, centre);
        for max_vectors in [4, 5, 9, 40] {
            let config = PrincipalConfig::new()
                .with_centre(centre)
                .with_max_vectors(max_vectors);
            let found = principal_components(9, load(&path), 3, &config).unwrap();
            for k in 0..3 {
                let expected: Vec<f64> = vectors.col(k).iter().copied().collect();
                let direction = download(&found.directions[k].vector);
                let cosine = dot(&expected, &direction);
                // Errors of either: rounding over the gap between the singular values, which are
                // of one order here.
                assert!((cosine.abs() - 1.0).abs() < 1e-12, "{k}: {cosine}");
                let share = values[k] * values[k] / total;
                assert!((found.explained[k] - share).abs() < 1e-13);
                for (w, coordinates) in path.iter().zip(&found.coordinates) {
                    let expected = cosine.signum() * dot(&expected, &minus(w, &c));
                    assert!((coordinates[k] - expected).abs() < 1e-11);
                }
            }
            let origin = download(&found.origin);
            assert!(norm(&minus(&origin, &c)) < 1e-13);
        }
    }
}

#[test]
fn as_many_checkpoints_are_loaded_as_is_stated() {
    for count in [3, 4, 10, 11, 12, 23] {
        let path = walk(count, 30);
        for centre in [Centre::Mean, Centre::Last] {
            for max_vectors in [3, 6, 13] {
                let config = PrincipalConfig::new()
                    .with_centre(centre)
                    .with_max_vectors(max_vectors);
                let loads = Cell::new(0);
                let counted = |number: usize| {
                    loads.set(loads.get() + 1);
                    Ok(point(&path[number]))
                };
                principal_plane(count, counted, &config).unwrap();
                assert_eq!(loads.get(), config.loads(count, 2), "{count} {config:?}");
            }
        }
    }
}

#[test]
fn distances_in_and_out_of_the_plane_recompose_to_the_true_distance() {
    let path = walk(12, 25);
    for centre in [Centre::Mean, Centre::Last] {
        let config = PrincipalConfig::new()
            .with_centre(centre)
            .with_max_vectors(5);
        let found = principal_plane(12, load(&path), &config).unwrap();
        let c = centre_of(&path, centre);
        let [first, second] = found.directions.clone().map(|d| download(&d.vector));
        assert!((norm(&first) - 1.0).abs() < 1e-14 && (norm(&second) - 1.0).abs() < 1e-14);
        assert!(dot(&first, &second).abs() < 1e-14);
        for (w, at) in path.iter().zip(&found.checkpoints) {
            let expected = norm(&minus(w, &c));
            let recomposed = at.in_plane.hypot(at.out_of_plane);
            assert!((recomposed - expected).abs() < 1e-13 * (1.0 + expected));
            assert!((at.distance - expected).abs() < 1e-13 * (1.0 + expected));
            let [a, b] = at.coordinates;
            assert!((at.in_plane - a.hypot(b)).abs() < 1e-14 * (1.0 + expected));
            // The rest is what the plane's point lacks, and is at a right angle to the plane.
            let rest: Vec<f64> = (0..w.len())
                .map(|j| w[j] - c[j] - a * first[j] - b * second[j])
                .collect();
            assert!((norm(&rest) - at.out_of_plane).abs() < 1e-13 * (1.0 + expected));
            assert!(
                dot(&rest, &first).abs() + dot(&rest, &second).abs() < 1e-13 * (1.0 + expected)
            );
        }
        // The shares are of the squared distances that the picture shows.
        let square = |f: fn(&Projection<2>) -> f64| {
            found
                .checkpoints
                .iter()
                .map(|at| f(at).powi(2))
                .sum::<f64>()
        };
        let share = square(|at| at.in_plane) / square(|at| at.distance);
        assert!((found.explained[0] + found.explained[1] - share).abs() < 1e-14);
        assert!((found.mean_square - square(|at| at.distance) / 12.0).abs() < 1e-12);
        // The same plane, given, has the same checkpoints in it.
        let directions = [&found.directions[0].vector, &found.directions[1].vector];
        let again = project(&point(&c), directions, 12, load(&path)).unwrap();
        for (again, at) in again.iter().zip(&found.checkpoints) {
            assert!(norm(&minus(&again.coordinates, &at.coordinates)) < 1e-13);
            assert!((again.out_of_plane - at.out_of_plane).abs() < 1e-13);
        }
    }
}

#[test]
fn ellipse_has_the_shares_of_its_axes() {
    // 8 points of an ellipse with the half axes 3 and 2, and 0.1 up and down in turn: the sums of
    // squares are 8 times 9/2, 4/2 and 1/100.
    let path: Vec<Vec<f64>> = (0..8)
        .map(|i| {
            let angle = std::f64::consts::FRAC_PI_4 * f64::from(i);
            let up = if i % 2 == 0 { 0.1 } else { -0.1 };
            vec![5.0, 2.0 * angle.sin() - 1.0, up, 3.0 * angle.cos() + 7.0]
        })
        .collect();
    let config = PrincipalConfig::new().with_centre(Centre::Mean);
    let found = principal_plane(8, load(&path), &config).unwrap();
    let total = 4.5 + 2.0 + 0.01;
    assert!((found.explained[0] - 4.5 / total).abs() < 1e-14);
    assert!((found.explained[1] - 2.0 / total).abs() < 1e-14);
    assert!((found.mean_square - total).abs() < 1e-13);
    for (i, at) in (0_u32..).zip(&found.checkpoints) {
        let angle = std::f64::consts::FRAC_PI_4 * f64::from(i);
        // The first point with the largest coordinate has a positive one.
        assert!((at.coordinates[0] - 3.0 * angle.cos()).abs() < 1e-13);
        assert!((at.coordinates[1] - 2.0 * angle.sin()).abs() < 1e-13);
        assert!((at.out_of_plane - 0.1).abs() < 1e-14);
    }
    assert!(matches!(
        found.directions[1].info.kind,
        DirectionKind::Principal {
            number: 1,
            centre: Centre::Mean,
            ..
        }
    ));
    assert!(
        found.directions[0]
            .info
            .to_string()
            .starts_with("principal direction 1 about the mean, 69."),
        "{}",
        found.directions[0].info
    );
}

#[test]
fn small_second_component_is_found_to_its_digits() {
    // Half axes 1 and 1e-4: the share of the second is 1e-8, of whose digits half are lost.
    let path: Vec<Vec<f64>> = (0..16)
        .map(|i| {
            let angle = std::f64::consts::FRAC_PI_8 * f64::from(i);
            vec![angle.cos(), 0.5, 1e-4 * angle.sin()]
        })
        .collect();
    let config = PrincipalConfig::new()
        .with_centre(Centre::Mean)
        .with_max_vectors(3);
    let found = principal_plane(16, load(&path), &config).unwrap();
    let [_, second] = found.directions.map(|d| download(&d.vector));
    assert!((second[2].abs() - 1.0).abs() < 1e-12, "{second:?}");
    assert!((found.explained[1] / 1e-8 - 1.0).abs() < 1e-6);
}

#[test]
fn projection_onto_directions_that_are_not_orthogonal_is_the_least_squares_point() {
    let path = walk(5, 20);
    let origin = point(&path[2]);
    let space = ParameterSpace::of(&origin).unwrap();
    let first = random_direction(&space, 40).mul_scalar(3.0);
    let second = first.clone().mul_scalar(0.9) + random_direction(&space, 41).mul_scalar(0.2);
    let (d1, d2) = (download(&first), download(&second));
    for (w, at) in path
        .iter()
        .zip(project(&origin, [&first, &second], 5, load(&path)).unwrap())
    {
        let x = minus(w, &path[2]);
        // Normal equations: the residual is at a right angle to both directions.
        let [a, b] = at.coordinates;
        let rest: Vec<f64> = (0..20).map(|j| x[j] - a * d1[j] - b * d2[j]).collect();
        let scale = 1.0 + norm(&x);
        assert!(dot(&rest, &d1).abs() < 1e-12 * scale * norm(&d1));
        assert!(dot(&rest, &d2).abs() < 1e-12 * scale * norm(&d2));
        assert!((norm(&rest) - at.out_of_plane).abs() < 1e-12 * scale);
        assert!((at.in_plane.hypot(at.out_of_plane) - norm(&x)).abs() < 1e-13 * scale);
        assert!((at.distance - norm(&x)).abs() < 1e-14 * scale);
    }
    // On a line, and at a point of the plane itself.
    let [found] = project(&origin, [&first], 1, |_| Ok(point(&path[2]))).unwrap()[..] else {
        panic!("one checkpoint");
    };
    assert_eq!((found.coordinates, found.out_of_plane), ([0.0], 0.0));
    let moved = space
        .displace(&origin, &(first.clone() - second.clone()))
        .unwrap();
    let load = |_| Ok(moved.clone());
    let [found] = project(&origin, [&first, &second], 1, load).unwrap()[..] else {
        panic!("one checkpoint");
    };
    assert!(
        (found.coordinates[0] - 1.0).abs() < 1e-12 && (found.coordinates[1] + 1.0).abs() < 1e-12
    );
    assert!(found.out_of_plane < 1e-13);
}

/// L(w) = Σ w_i² / 2.
fn bowl() -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        model.at.val().powi_scalar(2).sum() * 0.5 * one.clone().mean()
    })
}

#[test]
fn true_loss_stands_beside_that_of_the_picture() {
    let path = walk(7, 15);
    let config = PrincipalConfig::new();
    let found = principal_plane(7, load(&path), &config).unwrap();
    let origin = found
        .space
        .unflatten(&point(&path[0]), &found.origin)
        .unwrap();
    let directions = [&found.directions[0].vector, &found.directions[1].vector];
    let risk = bowl();
    let measure = |model: &Point| risk.value(model);
    let losses = true_and_projected(
        &origin,
        directions,
        &found.checkpoints,
        load(&path),
        measure,
    )
    .unwrap();
    let last = path.last().unwrap();
    for ((w, at), losses) in path.iter().zip(&found.checkpoints).zip(losses) {
        let truth = 0.5 * dot(w, w);
        assert!((losses.at_checkpoint - truth).abs() < 1e-13 * truth);
        // The value of the surface there.
        let grid = Grid {
            a: vec![at.coordinates[0]],
            b: vec![at.coordinates[1]],
        };
        let drawn = plane(&origin, &risk, directions, &grid).unwrap().loss[0];
        assert!((losses.at_projection - drawn).abs() < 1e-12 * drawn);
        // For this loss the difference is that of the squared norms, by a rest r at a right angle.
        let rest = at.out_of_plane.powi(2) * 0.5;
        let [first, second] = directions.map(download);
        let [a, b] = at.coordinates;
        let r: Vec<f64> = (0..w.len())
            .map(|j| w[j] - last[j] - a * first[j] - b * second[j])
            .collect();
        let expected = rest + dot(&r, last);
        assert!((losses.at_checkpoint - losses.at_projection - expected).abs() < 1e-12 * truth);
    }
}

#[test]
fn checkpoint_has_its_own_statistics_and_its_projection_those_of_the_picture() {
    let device = Device::flex().autodiff();
    let made = |shift: f32| -> BatchNorm {
        let model: BatchNorm = BatchNormConfig::new(1).init(&device);
        model.forward(Tensor::<2>::from_floats([[shift], [shift + 2.0]], &device));
        model
    };
    let models = [made(0.0), made(4.0)];
    let data = Tensor::<2>::from_floats([[1.0], [3.0]], &device);
    let risk = Risk::mean(data, |model: &BatchNorm, x: &Tensor<2>| {
        model.forward(x.clone()).square().mean()
    });
    let values = models.each_ref().map(|model| risk.value(model).unwrap());
    assert!((values[0] - values[1]).abs() > 0.1);
    let space = ParameterSpace::of(&models[0]).unwrap();
    let direction = random_direction(&space, 1);
    let load = |number: usize| Ok(models[number].clone());
    let projections = project(&models[0], [&direction], 2, load).unwrap();
    let measure = |model: &BatchNorm| risk.value(model);
    let found = true_and_projected(&models[0], [&direction], &projections, load, measure).unwrap();
    let own: Vec<f64> = found.iter().map(|both| both.at_checkpoint).collect();
    let drawn: Vec<f64> = found.iter().map(|both| both.at_projection).collect();
    assert_eq!(own, values);
    assert_eq!(drawn, [values[0]; 2]);
}

#[test]
fn line_has_one_component_and_no_plane() {
    let path: Vec<Vec<f64>> = [0.0, 1.0, 1.5, 4.0, 2.0]
        .map(|t| vec![1.0 + 2.0 * t, 0.3 - t, 7.0 + 0.5 * t])
        .to_vec();
    for (count, centre) in [(5, Centre::Mean), (5, Centre::Last), (2, Centre::Mean)] {
        let config = PrincipalConfig::new().with_centre(centre);
        let found: PrincipalComponents =
            principal_components(count, load(&path), 2, &config).unwrap();
        assert_eq!((found.directions.len(), found.explained.len()), (1, 1));
        assert!((found.explained[0] - 1.0).abs() < 1e-14);
        assert!(found.out_of_plane.iter().all(|&rest| rest < 1e-14));
        assert!(found.coordinates.iter().all(|c| c.len() == 1));
    }
    let error = principal_plane(5, load(&path), &PrincipalConfig::new()).unwrap_err();
    assert!(error.to_string().contains("on one line"), "{error}");
}

#[test]
fn line_of_models_in_single_precision_has_no_plane_of_rounding() {
    let device = Device::flex();
    let model: Linear = LinearConfig::new(20, 10).init(&device);
    let space = ParameterSpace::of(&model).unwrap();
    let (from, way) = (random_direction(&space, 1), random_direction(&space, 2));
    let load = |number: usize| {
        let t = [0.0, 0.1, 0.35, 0.6, 1.0][number];
        space.unflatten(&model, &(from.clone() + way.clone().mul_scalar(t)))
    };
    for centre in [Centre::Mean, Centre::Last] {
        let config = PrincipalConfig::new().with_centre(centre);
        let error = principal_plane(5, load, &config).unwrap_err();
        assert!(error.to_string().contains("on one line"), "{error}");
    }
    // A bend that single precision can tell is one.
    let bent = |number: usize| {
        let model = load(number)?;
        if number != 2 {
            return Ok(model);
        }
        space.displace(&model, &random_direction(&space, 3).mul_scalar(1e-4))
    };
    let found = principal_plane(5, bent, &PrincipalConfig::new()).unwrap();
    assert!(found.explained[1] < 1e-6);
}

#[test]
fn what_is_no_trajectory_is_one_sentence() {
    let path = walk(5, 6);
    let config = PrincipalConfig::new();
    let says = |found: Result<_, Error>, words: &str| {
        let error = found.map(|_: ()| ()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    for count in [0, 1, 2] {
        let found = principal_plane(count, load(&path), &config);
        says(
            found.map(drop),
            &format!("number of checkpoints is {count}; it must be at least 3"),
        );
    }
    for count in [0, 1] {
        says(
            principal_components(count, load(&path), 1, &config).map(drop),
            "it must be at least 2",
        );
        says(
            path_measures(count, load(&path)).map(drop),
            "it must be at least 2",
        );
    }
    let equal = vec![path[0].clone(); 4];
    says(
        principal_plane(4, load(&equal), &config).map(drop),
        "all checkpoints are equal up to rounding",
    );
    says(
        principal_components(5, load(&path), 0, &config).map(drop),
        "number of components is 0",
    );
    let few = PrincipalConfig::new().with_max_vectors(2);
    says(
        principal_plane(5, load(&path), &few).map(drop),
        "max_vectors is 2",
    );

    let mut broken = path.clone();
    broken[3][2] = f64::NAN;
    for max_vectors in [3, 12] {
        let config = PrincipalConfig::new().with_max_vectors(max_vectors);
        let found = principal_plane(5, load(&broken), &config);
        says(found.map(drop), "checkpoint 3: `at` of the model has a NaN");
    }
    says(
        path_measures(5, load(&broken)).map(drop),
        "checkpoint 3: `at` of the model",
    );
    let mut other = path.clone();
    other[4].pop();
    let shapes = "checkpoint 4: the modules do not match: `at` of shape [6]";
    says(principal_plane(5, load(&other), &config).map(drop), shapes);
    says(path_measures(5, load(&other)).map(drop), shapes);

    let (first, origin) = (vector(&[1.0; 6]), point(&path[0]));
    for (second, words) in [
        (vector(&[-2.0; 6]), "parallel to the other"),
        (vector(&[0.0; 6]), "is zero"),
        (vector(&[f64::NAN; 6]), "is not finite"),
        (vector(&[1.0; 5]), "5 entries where 6 are needed"),
    ] {
        says(
            project(&origin, [&first, &second], 5, load(&path)).map(drop),
            words,
        );
    }
    says(
        project(&point(&broken[3]), [&first], 5, load(&path)).map(drop),
        "`at` of the origin",
    );
}

#[test]
fn errors_of_loading_come_back_with_the_checkpoint_and_cancelling_as_it_is() {
    let path = walk(5, 6);
    let fails = |number: usize| match number {
        2 => Err(Error::NoData),
        _ => Ok(point(&path[number])),
    };
    let error = principal_plane(5, fails, &PrincipalConfig::new()).unwrap_err();
    assert!(
        matches!(error, Error::Checkpoint { index: 2, .. }),
        "{error}"
    );
    let stops = |number: usize| match number {
        2 => Err(Error::Cancelled { done: 2 }),
        _ => Ok(point(&path[number])),
    };
    let error = path_measures(5, stops).unwrap_err();
    assert_eq!(error, Error::Cancelled { done: 2 });
}

#[test]
fn checkpoint_that_is_written_to_while_it_is_read_is_an_error() {
    let path = walk(8, 6);
    let reads = Cell::new(0);
    let changing = |number: usize| {
        let mut at = path[number].clone();
        if number == 5 {
            reads.set(reads.get() + 1);
            at[0] += f64::from(reads.get());
        }
        Ok(point(&at))
    };
    let config = PrincipalConfig::new().with_max_vectors(4);
    let error = principal_plane(8, changing, &config).unwrap_err();
    let words = "checkpoint 5: it differs from one reading to the next";
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn path_has_the_length_and_the_turns_of_its_polygon() {
    let corners = [
        [0.0, 0.0, 1.0],
        [3.0, 4.0, 1.0],
        [3.0, 4.0, 1.0],
        [6.0, 8.0, 1.0],
        [10.0, 5.0, 1.0],
        [6.0, 8.0, 1.0],
    ];
    let path = corners.map(|c| c.to_vec());
    let found = path_measures(6, load(&path)).unwrap();
    let expected = PathMeasures {
        length: 20.0,
        straight: 10.0,
        ratio: Some(2.0),
        steps: vec![5.0, 0.0, 5.0, 5.0, 5.0],
        // Standing still has no direction; then a right angle, and back.
        cosines: vec![None, None, Some(0.0), Some(-1.0)],
        mean_cosine: Some(-0.5),
        from_first: vec![0.0, 5.0, 5.0, 10.0, 125.0_f64.sqrt(), 10.0],
        parameters: found.parameters.clone(),
        layers: found.layers.clone(),
    };
    assert_eq!(found, expected);
    let squares = [1.0, 26.0, 26.0, 101.0, 126.0, 101.0_f64];
    assert_eq!(found.parameters.len(), 1);
    assert_eq!(found.parameters[0].path, "at");
    for (norm, square) in found.parameters[0].norms.iter().zip(squares) {
        assert!((norm - square.sqrt()).abs() < 1e-14);
    }
    let closed = path_measures(2, |_| Ok(point(&[1.0]))).unwrap();
    assert_eq!(
        (closed.length, closed.ratio, closed.mean_cosine),
        (0.0, None, None)
    );
}

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

#[test]
fn norms_grow_by_parameter_and_by_layer() {
    let device = Device::flex();
    let net = Net {
        first: LinearConfig::new(2, 3).init(&device),
        second: LinearConfig::new(3, 1).with_bias(false).init(&device),
    };
    let net = cast(&net, FloatDType::F64).unwrap();
    let space = ParameterSpace::of(&net).unwrap();
    let theta = download(&random_direction(&space, 6));
    // The weights of the first layer double with each checkpoint, its bias begins at zero.
    let factors = |number: usize| [[1.0, 2.0, 4.0][number], [0.0, 1.0, 2.0][number], 1.0];
    let load = |number: usize| {
        let mut theta = theta.clone();
        for (block, factor) in space.blocks.iter().zip(factors(number)) {
            theta[block.range()].iter_mut().for_each(|w| *w *= factor);
        }
        space.unflatten(&net, &space.domain.upload(&theta)?)
    };
    let found = path_measures(3, load).unwrap();
    let growth: Vec<_> = found
        .parameters
        .iter()
        .map(|p| (&p.path[..], p.growth))
        .collect();
    assert_eq!(
        growth,
        [
            ("first.weight", Some(4.0)),
            ("first.bias", None),
            ("second.weight", Some(1.0))
        ]
    );
    let layers: Vec<&str> = found.layers.iter().map(|layer| &layer.path[..]).collect();
    assert_eq!(layers, ["first", "second"]);
    let [weight, bias] = [0, 1].map(|block: usize| norm(&theta[space.blocks[block].range()]));
    for (number, &found) in found.layers[0].norms.iter().enumerate() {
        let [w, b, _] = factors(number);
        assert!((found - (w * weight).hypot(b * bias)).abs() < 1e-13 * weight);
    }
}

#[test]
fn checkpoints_made_separately_are_matched_by_path() {
    let device = Device::flex();
    let made = || -> Net {
        Net {
            first: LinearConfig::new(2, 3).init(&device),
            second: LinearConfig::new(3, 1).with_bias(false).init(&device),
        }
    };
    let (a, b, c) = (made(), made(), made());
    let space = ParameterSpace::of(&a).unwrap();
    let load = |number: usize| Ok([&a, &b, &c][number].clone());
    let found = path_measures(3, load).unwrap();
    let step = |from: &Net, to: &Net| {
        let [from, to] = [from, to].map(|net| download(&space.flatten(net).unwrap()));
        norm(&minus(&to, &from))
    };
    assert!((found.length - step(&a, &b) - step(&b, &c)).abs() < 1e-12);
}
