//! Principal components, projections and path measures of a trajectory against numpy in float64.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::download;
use landscape::trajectory::{Centre, PrincipalConfig, path_measures, principal_plane, project};
use serde_json::Value;

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn vector(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&Device::flex(), DType::F64),
    )
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../fixtures/trajectory.json")).expect("valid JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let entries = value.as_array().expect("a list").iter();
    entries.map(|x| x.as_f64().expect("a number")).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(numbers)
        .collect()
}

fn load(path: &[Vec<f64>]) -> impl Fn(usize) -> Result<Point, landscape::Error> + Copy + '_ {
    |number| {
        Ok(Point {
            at: Param::from_tensor(vector(&path[number])),
        })
    }
}

fn worst(name: &str, ours: impl IntoIterator<Item = f64>, theirs: &[f64]) {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    let error = differences.fold(0.0, f64::max);
    println!("{name:28} {error:.1e}");
    // All numbers are of order one; directions are as exact as the gaps between singular values
    // are wide, which is of order one too.
    assert!(error < 1e-12, "{name}: {error:.1e}");
}

#[test]
fn principal_planes_agree_with_a_singular_value_decomposition_to_1e_12() {
    let golden = golden();
    let path = rows(&golden["checkpoints"]);
    for (name, centre) in [("mean", Centre::Mean), ("last", Centre::Last)] {
        for max_vectors in [4, 64] {
            let config = PrincipalConfig::new()
                .with_centre(centre)
                .with_max_vectors(max_vectors);
            let found = principal_plane(path.len(), load(&path), &config).expect("a plane");
            let golden = &golden[name];
            let directions = rows(&golden["directions"]);
            for (direction, expected) in found.directions.iter().zip(&directions) {
                worst("direction", download(&direction.vector), expected);
            }
            worst("explained", found.explained, &numbers(&golden["explained"]));
            let mean_square = golden["mean_square"].as_f64().expect("a number");
            worst("mean square", [found.mean_square], &[mean_square]);
            let at = || found.checkpoints.iter();
            let coordinates = rows(&golden["coordinates"]).concat();
            worst(
                "coordinates",
                at().flat_map(|at| at.coordinates),
                &coordinates,
            );
            let rest = numbers(&golden["out_of_plane"]);
            worst("out of plane", at().map(|at| at.out_of_plane), &rest);
            let distance = numbers(&golden["distance"]);
            worst("distance", at().map(|at| at.distance), &distance);
        }
    }
}

#[test]
fn projections_onto_oblique_directions_agree_with_least_squares_to_1e_12() {
    let golden = golden();
    let path = rows(&golden["checkpoints"]);
    let given = &golden["given"];
    let directions = rows(&given["directions"]);
    let [first, second] = [0, 1].map(|k: usize| vector(&directions[k]));
    let origin = load(&path)(0).expect("a model");
    let found = project(&origin, [&first, &second], path.len(), load(&path)).expect("places");
    let coordinates = rows(&given["coordinates"]).concat();
    worst(
        "coordinates",
        found.iter().flat_map(|at| at.coordinates),
        &coordinates,
    );
    let rest = numbers(&given["out_of_plane"]);
    worst(
        "out of plane",
        found.iter().map(|at| at.out_of_plane),
        &rest,
    );
}

#[test]
fn path_measures_agree_with_numpy_to_1e_12() {
    let golden = golden();
    let path = rows(&golden["checkpoints"]);
    let found = path_measures(path.len(), load(&path)).expect("measures");
    let golden = &golden["path"];
    let number = |name: &str| golden[name].as_f64().expect("a number");
    worst(
        "length, straight",
        [found.length, found.straight],
        &[number("length"), number("straight")],
    );
    let cosines = found
        .cosines
        .iter()
        .map(|cosine| cosine.expect("steps that are none"));
    worst("cosines", cosines, &numbers(&golden["cosines"]));
    let norms = found.parameters[0].norms.clone();
    worst("norms", norms, &numbers(&golden["norms"]));
}
