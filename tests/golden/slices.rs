//! Filter-normalised directions, lines, planes and SAM sharpness against PyTorch in float64.

use burn::tensor::Tensor;
use landscape::direction::{Normalization, NormalizeConfig, VectorParameters, normalize};
use landscape::download;
use landscape::sharpness::sam_sharpness;
use landscape::{Grid, ParameterSpace, line, plane};
use tests::{Case, CaseVisitor, Net, for_each_case, relative_error};

fn vector<N: Net>(case: &Case<N>, family: &str) -> Tensor<1> {
    let space = ParameterSpace::of(&case.model).expect("a space");
    space
        .domain
        .upload(&case.family(family))
        .expect("P entries")
}

struct Directions;

impl CaseVisitor for Directions {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let space = ParameterSpace::of(&case.model).expect("a space");
        for raw in ["d1", "d2"] {
            for (suffix, normalization, vectors) in [
                (
                    "filter_ignore",
                    Normalization::Filter,
                    VectorParameters::Ignore,
                ),
                ("filter_copy", Normalization::Filter, VectorParameters::Copy),
                ("layer", Normalization::Layer, VectorParameters::Ignore),
            ] {
                let family = format!("{raw}_{suffix}");
                if !case.has_family(&family) {
                    continue;
                }
                let config = NormalizeConfig::new()
                    .with_normalization(normalization)
                    .with_vectors(vectors);
                let ours = normalize(&space, &case.model, vector(case, raw), &config)
                    .expect("a direction");
                let error = relative_error(&download(&ours), &case.family(&family));
                println!("{case:28} {family:18} {error:.1e}");
                assert!(error < 1e-11, "{case} {family}: {error:.1e}");
            }
        }
    }
}

#[test]
fn normalised_directions_agree_with_pytorch_to_1e_11() {
    for_each_case(&mut Directions);
}

/// The worst difference relative to the larger of both values.
fn worst(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs() / b.abs())
        .fold(0.0, f64::max)
}

struct Lines;

impl CaseVisitor for Lines {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let a = case.values("slice_a");
        for (family, key) in [
            ("d1_filter_ignore", "slice_loss"),
            ("d1_filter_copy", "slice_copy_loss"),
            ("d1_layer", "slice_layer_loss"),
            ("d1", "slice_raw_loss"),
        ] {
            if !case.has(key) {
                continue;
            }
            let slice = line(&case.model, &case.risk(), &vector(case, family), &a).expect("a line");
            let error = worst(&slice.loss, &case.values(key));
            println!("{case:28} {key:18} {error:.1e}");
            assert!(error < 1e-12, "{case} {key}: {error:.1e}");
        }
    }
}

#[test]
fn lines_agree_with_pytorch_to_1e_12() {
    for_each_case(&mut Lines);
}

struct Planes;

impl CaseVisitor for Planes {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        for (suffix, key) in [("filter_ignore", "grid_loss"), ("layer", "grid_layer_loss")] {
            if !case.has(key) || !case.has_family(&format!("d1_{suffix}")) {
                continue;
            }
            let grid = Grid {
                a: case.values("grid_a"),
                b: case.values("grid_b"),
            };
            assert_ne!(grid.a.len(), grid.b.len(), "the plane is not square");
            let first = vector(case, &format!("d1_{suffix}"));
            let second = vector(case, &format!("d2_{suffix}"));
            let surface =
                plane(&case.model, &case.risk(), [&first, &second], &grid).expect("a plane");
            let error = worst(&surface.loss, &case.values(key));
            println!("{case:28} {key:18} {error:.1e}");
            assert!(error < 1e-12, "{case} {key}: {error:.1e}");
        }
    }
}

#[test]
fn planes_that_are_not_square_agree_with_pytorch_to_1e_12() {
    for_each_case(&mut Planes);
}

struct Sharpness;

impl CaseVisitor for Sharpness {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        for (name, rho) in [("0.05", 0.05), ("0.5", 0.5)] {
            let ours = sam_sharpness(&case.model, &case.risk(), rho).expect("a sharpness");
            let expected = case.scalar(&["sam", name, "sharpness"]);
            let loss = case.scalar(&["sam", name, "loss"]);
            // The difference of two losses is as exact as the losses are.
            let error = (ours.value - expected).abs() / loss;
            println!("{case:28} rho {name}: {error:.1e}");
            assert!(error < 1e-11, "{case}: {error:.1e}");
        }
    }
}

#[test]
fn sam_sharpness_agrees_with_pytorch_to_1e_11() {
    for_each_case(&mut Sharpness);
}
