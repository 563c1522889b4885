//! What `landscape trajectory` finds of a run's checkpoints, and what it asks for where there are
//! too few.

use std::fs;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use landscape::ParameterSpace;
use models::{Mlp, MlpConfig};
use serde_json::Value;

use crate::analysis::{content, finished, risk};
use crate::program::{Workplace, checkpoints};

fn model(place: &Workplace, checkpoint: &str) -> Mlp {
    let path = place
        .path("run/checkpoints")
        .join(checkpoint)
        .join("model.bpk");
    let network = MlpConfig::new(vec![64, 16, 10]);
    let network = network.init(&Device::flex().autodiff()).unwrap();
    network.load_record(ModuleRecord::load(path).unwrap())
}

#[test]
fn trajectory_has_the_distances_lengths_and_losses_of_its_checkpoints() {
    let place = finished(&["--keep=all", "--checkpoint-every=8"]);
    let found = place
        .landscape(&["trajectory", "run", "--grid=7x5", "--json"])
        .expect(0, &[])
        .json();
    let stored = fs::read_to_string(place.path("run/trajectory/trajectory.json")).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(&stored).unwrap());
    assert_eq!(found["schema"], "landscape-trajectory/1");
    let names = checkpoints(&place.path("run"));
    let models: Vec<Mlp> = names.iter().map(|name| model(&place, name)).collect();
    let space = ParameterSpace::of(&models[0]).unwrap();
    let thetas: Vec<Vec<f64>> = models
        .iter()
        .map(|model| landscape::download(&space.flatten(model).unwrap()))
        .collect();
    let distance = |a: &[f64], b: &[f64]| -> f64 {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let results = &found["results"];
    let points = results["checkpoints"].as_array().unwrap();
    assert_eq!(points.len(), models.len());
    assert!(models.len() >= 5, "{names:?}");
    let last = thetas.last().unwrap();
    let (mut in_plane, mut all) = (0.0, 0.0);
    for ((point, theta), model) in points.iter().zip(&thetas).zip(&models) {
        let number = |key: &str| point[key].as_f64().unwrap();
        // Both are sums in double precision of numbers in single precision.
        let expected = distance(theta, last);
        assert!(
            (number("distance") - expected).abs() <= 1e-6 * expected.max(1e-3),
            "{point}"
        );
        let both = number("in_plane").powi(2) + number("out_of_plane").powi(2);
        assert!(
            (both - expected.powi(2)).abs() <= 1e-9 + 1e-6 * both,
            "{point}"
        );
        in_plane += number("in_plane").powi(2);
        all += expected.powi(2);
        let loss = point["quantities"][0]["true"].as_f64().unwrap();
        let expected = risk().value(model).unwrap();
        assert!(
            (loss - expected).abs() < 1e-5 * expected,
            "{loss} {expected}"
        );
    }
    let explained: f64 = (0..2)
        .map(|k| results["explained"][k].as_f64().unwrap())
        .sum();
    assert!((explained - in_plane / all).abs() < 1e-6, "{explained}");
    let length: f64 = thetas
        .windows(2)
        .map(|pair| distance(&pair[0], &pair[1]))
        .sum();
    let straight = distance(&thetas[0], last);
    let number = |key: &str| results[key].as_f64().unwrap();
    assert!((number("length") - length).abs() < 1e-6 * length);
    assert!((number("ratio") - length / straight).abs() < 1e-6 * length / straight);
    assert_eq!(results["layers"].as_array().unwrap().len(), 2);
    for file in ["training-loss.png", "checkpoints.csv", "values.csv"] {
        assert!(place.path("run/trajectory").join(file).is_file(), "{file}");
    }
    let table = fs::read_to_string(place.path("run/trajectory/values.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 7 * 5);
    let text = place.landscape(&["trajectory", "run", "--grid=3", "--output=table"]);
    let text = text.expect(0, &[]).out;
    assert!(text.contains("explained by direction 1"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn run_with_too_few_checkpoints_is_told_how_it_keeps_more() {
    let place = finished(&[]);
    let before = content(&place.path(""));
    for (flags, said) in [
        (&["trajectory", "run"][..], "run has 2 checkpoints"),
        (
            &["trajectory", "run", "--step=34"],
            "--step names 1 checkpoint",
        ),
    ] {
        let said = [
            said,
            "a plane takes three",
            "--keep all",
            "--checkpoint-every",
        ];
        place.landscape(flags).expect(2, &said);
    }
    place
        .landscape(&["trajectory", "nowhere"])
        .expect(2, &["there is no run nowhere"]);
    assert_eq!(content(&place.path("")), before);
}

#[test]
fn damaged_checkpoint_is_named_by_its_step() {
    let place = finished(&["--keep=all", "--checkpoint-every=8"]);
    let names = checkpoints(&place.path("run"));
    let path = place
        .path("run/checkpoints")
        .join(&names[1])
        .join("model.bpk");
    fs::write(&path, "nothing").unwrap();
    let step = names[1].trim_start_matches("step-").trim_start_matches('0');
    place
        .landscape(&["trajectory", "run", "--grid=3"])
        .expect(1, &[&format!("checkpoint of step {step}"), "damaged"]);
}
