//! What `landscape connect` finds between checkpoints, and what it refuses.

use std::fs;

use burn::tensor::Tensor;
use landscape::ParameterSpace;
use landscape::alignment::symmetries;
use landscape::connectivity::average;
use landscape::{Reduction, Risk};
use models::Mlp;
use serde_json::Value;

use crate::analysis::{
    Batch, RENAMES, content, finished, mlp, risk, sample, train, write_sequential,
};
use crate::program::{Workplace, summary};

fn numbers(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

/// Two runs from different seeds.
fn two() -> Workplace {
    let place = finished(&[]);
    train(&place, &["--seed=7", "--output=other"]);
    place
}

#[test]
fn line_and_trained_curve_have_the_ends_barrier_and_mean_of_their_numbers() {
    let place = two();
    let flags = [
        "connect",
        "run",
        "other",
        "--points=21",
        "--plane=7",
        "--epochs=20",
        "--json",
    ];
    let found = place.landscape(&flags).expect(0, &[]).json();
    let stored = fs::read_to_string(place.path("connect/connect.json")).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(&stored).unwrap());
    assert_eq!(found["schema"], "landscape-connect/1");
    let paths = found["pairs"][0]["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 2);
    let models = [mlp(&place, "run"), mlp(&place, "other")];
    let ends = models.each_ref().map(|model| risk().value(model).unwrap());
    let mut highest = Vec::new();
    for path in paths {
        let (t, quantity) = (numbers(&path["t"]), &path["quantities"][0]);
        assert_eq!(quantity["name"], "training loss");
        let loss = numbers(&quantity["values"]);
        for (found, expected) in [loss[0], loss[20]].iter().zip(ends) {
            assert!(
                (found - expected).abs() < 1e-5 * expected,
                "{found} {expected}"
            );
        }
        let above = t
            .iter()
            .zip(&loss)
            .map(|(t, l)| l - ((1.0 - t) * loss[0] + t * loss[20]));
        let barrier = above.fold(0.0, f64::max);
        let said = quantity["barrier"].as_f64().unwrap();
        assert!((said - barrier).abs() < 1e-9, "{said} {barrier}");
        let max = quantity["max"].as_f64().unwrap();
        assert_eq!(max, loss.iter().copied().fold(0.0, f64::max));
        highest.push(max);
        // The trapezoidal rule on equally spaced points.
        let mean = (loss.iter().sum::<f64>() - (loss[0] + loss[20]) / 2.0) / 20.0;
        assert!((quantity["mean"].as_f64().unwrap() - mean).abs() < 1e-9);
        let connected = max <= 1.1 * ends[0].max(ends[1]);
        assert_eq!(quantity["verdict"] == "connected", connected, "{quantity}");
    }
    // The curve is trained from the line, which is its start.
    assert!(highest[1] < highest[0], "{highest:?}");
    let accuracy = paths[0]["quantities"].as_array().unwrap().last().unwrap();
    assert_eq!(accuracy["name"], "validation accuracy");
    let known = summary(&place.path("run"))["figures"]["validation_accuracy"].clone();
    let first = numbers(&accuracy["values"])[0];
    assert!((first - known.as_f64().unwrap()).abs() < 1e-6);
    // The average of the weights is the middle of the line.
    let middle = numbers(&paths[0]["quantities"][0]["values"])[10];
    let average_of_both = average(&[&models[0], &models[1]]).unwrap();
    let expected = risk().value(&average_of_both).unwrap();
    let said = found["average_of_the_weights"]["training loss"]
        .as_f64()
        .unwrap();
    assert!(
        (said - expected).abs() < 1e-5 * expected && (middle - expected).abs() < 1e-5 * expected
    );
    for file in [
        "training-loss.png",
        "validation-loss.svg",
        "profiles.csv",
        "plane.png",
        "plane.csv",
    ] {
        assert!(place.path("connect").join(file).is_file(), "{file}");
    }
    // The models lie in the plane at their distance.
    let space = ParameterSpace::of(&models[0]).unwrap();
    let way = space.flatten(&models[1]).unwrap() - space.flatten(&models[0]).unwrap();
    let distance = landscape::norm(&landscape::download(&way));
    let places = &found["pairs"][0]["plane"]["models"];
    assert!(
        (places[1][0].as_f64().unwrap() - distance).abs() < 1e-5 * distance,
        "{places}"
    );
    assert_eq!(places[0], serde_json::json!([0.0, 0.0]));
    let profile = &paths[0];
    let length = profile["length"].as_f64().unwrap();
    assert!((length - distance).abs() < 1e-5 * distance);
    let text = place.landscape(&["connect", "run", "other", "--path=line", "--output=table"]);
    let text = text.expect(0, &[]).out;
    assert!(
        text.contains("verdict") && text.contains("At the average of all weights"),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn aligned_line_to_a_permuted_copy_is_flat() {
    let place = finished(&[]);
    let model = mlp(&place, "run");
    let risk = Risk::of(
        sample(),
        |model: &Mlp, (images, _): &Batch| model.forward(images.clone()),
        |logits: Tensor<2>, (_, labels): &Batch| {
            burn::nn::loss::CrossEntropyLossConfig::new()
                .init(&logits.device())
                .forward(logits, labels.clone())
        },
        Reduction::Mean,
    );
    let order: Vec<usize> = (0..16).map(|unit| (5 * unit + 3) % 16).collect();
    let permuted = symmetries(&model, &risk)
        .unwrap()
        .permute(&model, &[order])
        .unwrap();
    write_sequential(&place.path("permuted.safetensors"), &permuted);
    let flags = [
        "connect",
        "run",
        "--torch=permuted.safetensors",
        RENAMES[0],
        RENAMES[1],
        "--path=line",
        "--align",
        "--points=5",
        "--json",
    ];
    let found = place.landscape(&flags).expect(0, &[]).json();
    let paths = found["pairs"][0]["paths"].as_array().unwrap();
    assert_eq!(paths[1]["path"], "aligned line");
    let barrier = |path: &Value| path["quantities"][0]["barrier"].as_f64().unwrap();
    assert!(barrier(&paths[0]) > 0.05, "{}", paths[0]);
    assert_eq!(paths[1]["alignment"]["squared_distance_after"], 0.0);
    assert!(barrier(&paths[1]) < 1e-6, "{}", paths[1]);
}

#[test]
fn several_models_give_a_symmetric_matrix_of_barriers() {
    let place = two();
    train(&place, &["--seed=9", "--output=third"]);
    let flags = [
        "connect",
        "run",
        "other",
        "third",
        "--path=line",
        "--points=5",
        "--splits=training",
    ];
    let found = place
        .landscape(&[&flags[..], &["--json"]].concat())
        .expect(0, &[])
        .json();
    assert_eq!(found["pairs"].as_array().unwrap().len(), 3);
    let rows = found["barriers"][0]["barrier"].as_array().unwrap();
    let matrix: Vec<Vec<f64>> = rows.iter().map(numbers).collect();
    for (i, row) in matrix.iter().enumerate() {
        assert_eq!(row[i], 0.0);
        assert!(
            (0..3).all(|j| row[j] == matrix[j][i] && (i == j || row[j] > 0.0)),
            "{matrix:?}"
        );
    }
    assert!(place.path("connect/barriers-line.png").is_file());
    let text = place
        .landscape(&[&flags[..], &["--output=table"]].concat())
        .expect(0, &[])
        .out;
    assert!(
        text.contains("Barriers of the line") && text.contains("of 3 pairs connected"),
        "{text}"
    );
}

#[test]
fn what_has_no_path_is_told_in_one_sentence_and_leaves_nothing() {
    let place = finished(&[]);
    train(&place, &["--hidden=8", "--output=narrow"]);
    train(&place, &["--dataset=other-split", "--output=elsewhere"]);
    let before = content(&place.path(""));
    for (flags, said) in [
        (&["connect", "run"][..], "a path has two ends"),
        (
            &["connect", "run", "narrow"],
            "different networks (mlp 16 and mlp 8)",
        ),
        (&["connect", "run", "elsewhere"], "different split seeds"),
        (&["connect", "run", "nowhere"], "there is no run nowhere"),
        (&["connect", "run", "narrow", "--bends=0"], "from 1 to 100"),
        (
            &["connect", "run", "narrow", "--threshold=0.5"],
            "at least 1",
        ),
        (
            &["connect", "run", "narrow", "--learning-rate=0"],
            "greater than 0",
        ),
        (
            &["connect", "run", "narrow", "--points=2"],
            "show no barrier",
        ),
        (
            &["connect", "run", "narrow", "--path=arc"],
            "possible values: line, bezier, chain",
        ),
    ] {
        place.landscape(flags).expect(2, &[said]);
        assert_eq!(content(&place.path("")), before, "{flags:?}");
    }
}
