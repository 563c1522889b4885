//! Ranges that reach until a loss known in closed form has risen.

use burn::tensor::Tensor;
use landscape::slice::{Quantity, RangeConfig, Rise, Slice, adaptive_range};
use landscape::{Error, Risk};

use super::{Point, bowl, point, vector};

fn slice(risk: &Risk<Point, Tensor<1>>, reach: f64) -> Slice<Point, 2> {
    let model = point(&[0.5, 0.0]);
    let (first, second) = (vector(&[1.0, 0.0]), vector(&[0.0, 1.0]));
    Slice::along(&model, [&first, &second], [Quantity::of("loss", risk)])
        .unwrap()
        .within([-reach..=reach, -reach..=reach])
        .unwrap()
}

#[test]
fn ends_are_where_the_bowl_has_risen() {
    // (0.5 + a)² + 10 b² is 0.25 at the centre.
    let slice = slice(&bowl(), 50.0);
    let config = RangeConfig::new()
        .with_rise(Rise::Factor(16.0))
        .with_tolerance(1e-3);
    let range = adaptive_range(&slice, &config).unwrap();
    let expected = [[2.5, 1.5], [0.375_f64.sqrt(), 0.375_f64.sqrt()]];
    for (ends, expected) in range.ends.iter().flatten().zip(expected.iter().flatten()) {
        assert!(ends.reached);
        assert!(
            ends.below <= *expected && *expected <= ends.distance,
            "{ends:?}"
        );
        assert!(ends.distance - ends.below <= 1e-3 * ends.distance);
        assert!(ends.value >= range.threshold);
    }
    assert_eq!((range.centre, range.threshold), (0.25, 4.0));
    let amount = RangeConfig::new()
        .with_rise(Rise::Amount(3.75))
        .with_tolerance(1e-3);
    assert_eq!(adaptive_range(&slice, &amount).unwrap().ends, range.ends);
    let [a, b] = range.extent();
    assert_eq!(
        (*a.start(), *b.end()),
        (-range.ends[0][0].distance, range.ends[1][1].distance)
    );
    let grid = range.grid([5, 7]);
    assert_eq!((grid.a.len(), grid.b.len(), grid.a[0]), (5, 7, *a.start()));
}

#[test]
fn ends_that_are_not_reached_are_flagged() {
    let near = adaptive_range(&slice(&bowl(), 1.0), &RangeConfig::new()).unwrap();
    let [[left, right], [down, up]] = near.ends;
    // Ten times 0.25 is met at −2.08 and 1.08 along the first direction, at 0.47 along the second.
    assert!(!left.reached && left.distance == 1.0 && left.below == 1.0);
    assert!(!right.reached && right.distance == 1.0);
    assert!(down.reached && up.reached);
    let few = RangeConfig::new().with_max_evaluations(3);
    let found = adaptive_range(&slice(&bowl(), 50.0), &few).unwrap();
    assert!(found.ends.iter().flatten().all(|end| !end.reached));
    assert_eq!(found.evaluations, 1 + 4 * 3);
}

#[test]
fn a_loss_that_is_not_finite_has_risen() {
    // ln(0.5 + a) is no number from a = −0.5 down.
    let log = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        (-model.at.val().slice_dim(0, 0..1).log()) * one.clone()
    });
    let config = RangeConfig::new().with_rise(Rise::Amount(100.0));
    let range = adaptive_range(&slice(&log, 4.0), &config).unwrap();
    let [left, right] = range.ends[0];
    assert!(
        left.reached && (0.49..0.51).contains(&left.distance),
        "{left:?}"
    );
    assert!(!left.value.is_finite() && *range.extent()[0].start() == -left.below);
    assert!(!right.reached, "it falls");
}

#[test]
fn settings_and_centres_that_are_none_are_refused() {
    let refused = |config: &RangeConfig| adaptive_range(&slice(&bowl(), 1.0), config).unwrap_err();
    for config in [
        RangeConfig::new().with_rise(Rise::Factor(1.0)),
        RangeConfig::new().with_rise(Rise::Amount(f64::NAN)),
        RangeConfig::new().with_tolerance(0.0),
        RangeConfig::new().with_first(0.0),
        RangeConfig::new().with_quantity(1),
    ] {
        assert!(
            matches!(refused(&config), Error::Setting { .. }),
            "{config:?}"
        );
    }
    let negative = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        (model.at.val().square().sum() - 1.0) * one.clone()
    });
    let error = adaptive_range(&slice(&negative, 1.0), &RangeConfig::new()).unwrap_err();
    assert!(error.to_string().contains("Rise::Amount"), "{error}");
    let nan = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        (model.at.val().sum() - 10.0).log() * one.clone()
    });
    let error = adaptive_range(&slice(&nan, 1.0), &RangeConfig::new()).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { .. }));
}
