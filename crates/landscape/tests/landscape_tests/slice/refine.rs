//! Refined surfaces of functions known in closed form.

use landscape::slice::{RefineConfig, Refined, Scale, linspace, refine_with};
use landscape::{Error, Grid};

/// The points of a full grid in each direction, as in a picture.
const SIDE: usize = 101;

/// A surface.
type Function<'f> = &'f dyn Fn(f64, f64) -> f64;

fn refined(
    grid: &Grid,
    config: &RefineConfig,
    function: impl Fn(f64, f64) -> f64,
) -> (Refined, Vec<f64>) {
    let columns = grid.b.len();
    let value = |index: usize| function(grid.a[index / columns], grid.b[index % columns]);
    let mut asked = vec![false; grid.len()];
    let refined = refine_with(grid, config, |indices| {
        let values = indices.iter().map(|&index| {
            assert!(!asked[index], "{index} was asked for twice");
            asked[index] = true;
            value(index)
        });
        Ok(values.collect())
    })
    .expect("a surface");
    assert_eq!(refined.evaluated, asked);
    assert_eq!(
        refined.evaluations,
        asked.iter().filter(|asked| **asked).count()
    );
    (refined, (0..grid.len()).map(value).collect())
}

/// The largest error over all points, in the scale of the picture; both have values at the same
/// points.
fn error(refined: &Refined, full: &[f64], scale: Scale) -> f64 {
    let drawn = |value: f64| match scale {
        Scale::Linear => value,
        Scale::Log10 => value.log10(),
    };
    let mut worst: f64 = 0.0;
    for (index, (found, expected)) in refined.values.iter().zip(full).enumerate() {
        let (ours, theirs) = (drawn(*found), drawn(*expected));
        assert_eq!(
            ours.is_finite(),
            theirs.is_finite(),
            "{found} for {expected} at {index}"
        );
        if theirs.is_finite() {
            worst = worst.max((ours - theirs).abs());
        }
        if refined.evaluated[index] {
            assert_eq!(
                found.to_bits(),
                expected.to_bits(),
                "evaluated values are kept"
            );
        }
    }
    worst
}

#[test]
fn surfaces_are_met_within_the_stated_error_by_a_sixth_of_the_evaluations() {
    let wave = |x: f64| (std::f64::consts::TAU * x).cos();
    let surfaces: [(&str, Scale, Function<'_>); 6] = [
        ("bowl", Scale::Linear, &|a, b| a * a + 3.0 * b * b),
        ("saddle", Scale::Linear, &|a, b| a * a - b * b),
        ("Rosenbrock", Scale::Linear, &|a, b| {
            (1.0 - 2.0 * a).powi(2) + 100.0 * (2.0 * b - 4.0 * a * a).powi(2)
        }),
        ("multimodal", Scale::Linear, &|a, b| {
            20.0 + a * a + b * b - 10.0 * (wave(a) + wave(b))
        }),
        ("over ten decades", Scale::Log10, &|a, b| {
            (8.0 * a - 4.0 * b * b).exp() * (1.1 + (3.0 * b).sin())
        }),
        ("kinks", Scale::Linear, &|a, b| {
            let relu = |x: f64| x.max(0.0);
            2.0 * a * a + b * b + relu(a + 0.3 * b - 0.1) + relu(0.2 - a + b) + relu(-b)
        }),
    ];
    for (name, scale, function) in surfaces {
        let grid = Grid::square(-1.0..=1.0, SIDE);
        let config = RefineConfig::new().with_scale(scale);
        let (found, full) = refined(&grid, &config, function);
        let error = error(&found, &full, scale);
        let range = found.range[1] - found.range[0];
        assert!(found.converged, "{name}");
        assert!((found.tolerance / range - 0.01).abs() < 1e-12, "{name}");
        assert!(
            error <= found.error && found.error <= found.tolerance,
            "{name}: {error:.1e}"
        );
        let most = SIDE * SIDE / 6;
        assert!(
            found.evaluations <= most,
            "{name}: {} evaluations",
            found.evaluations
        );
    }
}

#[test]
fn regions_without_a_value_are_kept_and_never_interpolated_over() {
    let hole = |a: f64, b: f64| {
        if a * a + b * b < 0.2 {
            f64::NAN
        } else {
            a * a + b
        }
    };
    let wall = |a: f64, b: f64| {
        if a > 0.537 {
            f64::INFINITY
        } else {
            (a + b).exp()
        }
    };
    for (function, scale) in [
        (&hole as Function<'_>, Scale::Linear),
        (&wall, Scale::Linear),
        // What is zero or negative has no logarithm, and is kept as it is all the same.
        (&|a: f64, b: f64| a * a + b * b - 0.3, Scale::Log10),
    ] {
        let grid = Grid::rectangle((-1.0..=1.0, 81), (-1.0..=1.0, 61));
        let config = RefineConfig::new().with_scale(scale);
        let (found, full) = refined(&grid, &config, function);
        let error = error(&found, &full, scale);
        assert!(
            found.converged && error <= found.error,
            "{error:.1e} {:.1e}",
            found.error
        );
        assert!(found.evaluations < grid.len(), "something is interpolated");
    }
    let nowhere = |_: f64, _: f64| f64::NAN;
    let (found, _) = refined(&Grid::square(0.0..=1.0, 41), &RefineConfig::new(), nowhere);
    assert!(found.values.iter().all(|value| value.is_nan()));
    assert_eq!((found.error, found.range), (0.0, [0.0, 0.0]));
}

#[test]
fn a_bound_on_the_evaluations_is_kept_and_told() {
    let function = |a: f64, b: f64| (9.0 * a).sin() * (11.0 * b + a).cos();
    let grid = Grid::square(-1.0..=1.0, SIDE);
    let free = refined(&grid, &RefineConfig::new().with_accuracy(1e-4), function).0;
    assert!(
        free.converged && free.evaluations > 1000,
        "{}",
        free.evaluations
    );
    let config = RefineConfig::new()
        .with_accuracy(1e-4)
        .with_max_evaluations(Some(900));
    let (bound, full) = refined(&grid, &config, function);
    assert!(!bound.converged && bound.error > bound.tolerance);
    assert!(bound.evaluations <= 900, "{}", bound.evaluations);
    assert!(error(&bound, &full, Scale::Linear) <= bound.error);
}

#[test]
fn small_and_uneven_grids_are_evaluated_wholly_or_interpolated() {
    let function = |a: f64, b: f64| a * a * b - b;
    for (rows, columns) in [(1, 1), (1, 40), (3, 2), (7, 90)] {
        let grid = Grid {
            a: linspace(0.0..=1.0, rows),
            // Spacing that grows: the coordinates count, not the indices.
            b: (0..columns).map(|j| (j as f64 / 10.0).exp()).collect(),
        };
        let (found, full) = refined(&grid, &RefineConfig::new(), function);
        assert!(found.converged && error(&found, &full, Scale::Linear) <= found.error + 1e-12);
    }
}

#[test]
fn grids_and_settings_that_are_none_are_refused() {
    let zeros = |indices: &[usize]| Ok(vec![0.0; indices.len()]);
    let refused = |grid: &Grid, config: &RefineConfig, name: &str| {
        let error = refine_with(grid, config, zeros).unwrap_err();
        assert!(
            matches!(&error, Error::Setting { name: found, .. } if *found == name),
            "{error}"
        );
    };
    let grid = Grid::square(-1.0..=1.0, 9);
    let plain = RefineConfig::new();
    refused(
        &Grid {
            a: vec![],
            b: vec![0.0],
        },
        &plain,
        "number of grid points",
    );
    refused(
        &Grid {
            a: vec![0.0, -1.0],
            b: vec![0.0],
        },
        &plain,
        "coordinate",
    );
    refused(
        &Grid {
            a: vec![0.0, f64::NAN],
            b: vec![0.0],
        },
        &plain,
        "coordinate",
    );
    refused(&grid, &plain.clone().with_accuracy(0.0), "accuracy");
    refused(&grid, &plain.clone().with_accuracy(f64::NAN), "accuracy");
    refused(&grid, &plain.clone().with_start(4), "start");
    for short in [0, 1] {
        let found = refine_with(&grid, &plain, |_| Ok(vec![0.0; short]));
        assert!(matches!(found, Err(Error::Length { found, .. }) if found == short));
    }
}
