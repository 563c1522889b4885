//! The test functions beside numpy's closed forms: values, gradients, Hessians and surfaces.

use burn::tensor::{DType, Device, Tensor};
use landscape::spectrum::materialize;
use landscape::test_functions::{Point, TestFunction};
use landscape::{Grid, Hessian, download, plane};
use tests::Fixture;

/// Sums of a few products in another order.
const TOLERANCE: f64 = 1e-12;

fn options() -> (Device, DType) {
    (Device::flex(), DType::F64)
}

/// Compares lists of numbers, relative to the largest.
fn compare(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let size = theirs.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
    let error = ours.iter().zip(theirs).fold(0.0_f64, |error, (a, b)| {
        let difference = (a - b).abs();
        if difference.is_nan() {
            f64::NAN
        } else {
            error.max(difference)
        }
    });
    println!("{what:40} {:.1e}", error / size);
    assert!(error <= TOLERANCE * size, "{what}: {error:e} of {size}");
}

#[test]
fn test_functions_have_the_values_gradients_and_hessians_of_their_closed_forms() {
    let fixture = Fixture::read("fixtures", "worked_examples");
    let (_, points) = fixture.floats("functions/points");
    for function in TestFunction::ALL {
        let name = function.name();
        let risk = function.risk((&options().0, options().1));
        let (mut values, mut gradients, mut hessians) = (Vec::new(), Vec::new(), Vec::new());
        for point in points.chunks(2) {
            let point = Point::new([point[0], point[1]], (&options().0, options().1));
            let (value, gradient) = risk.gradient(&point).expect("a gradient");
            let hessian = Hessian::at(&point, &risk).expect("a Hessian");
            values.push(value);
            gradients.extend(download(&gradient));
            let matrix = materialize(&hessian).expect("a matrix");
            hessians.extend_from_slice(&matrix.entries);
        }
        for (kind, ours) in [
            ("value", values),
            ("gradient", gradients),
            ("hessian", hessians),
        ] {
            let key = format!("functions/{name}/{kind}");
            compare(&key, &ours, fixture.floats(&key).1);
        }
    }
}

#[test]
fn surfaces_of_the_test_functions_are_those_of_their_closed_forms() {
    let fixture = Fixture::read("fixtures", "worked_examples");
    let unit = |entries: [f64; 2]| {
        let (device, dtype) = options();
        Tensor::<1>::from_data(entries, (&device, dtype))
    };
    let grid = Grid::square(-2.0..=2.0, 21);
    for function in TestFunction::ALL {
        let origin = Point::new([0.0, 0.0], (&options().0, options().1));
        let risk = function.risk((&options().0, options().1));
        let directions = [&unit([1.0, 0.0]), &unit([0.0, 1.0])];
        let surface = plane(&origin, &risk, directions, &grid).expect("a surface");
        let key = format!("functions/{}/surface_21x21_a_rows", function.name());
        compare(&key, &surface.loss, fixture.floats(&key).1);
    }
}
