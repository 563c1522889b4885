//! What `landscape analyze` and `landscape learning-rate` find, and what they leave alone.

use std::fs;

use landscape::spectrum::extremes;
use landscape::{Hessian, LanczosConfig};
use probes::{AnalyzeConfig, Depth};
use serde_json::Value;

use crate::analysis::{RENAMES, content, finished, mlp, risk, train, write_sequential};
use crate::program::Workplace;

/// The quick analysis without what depends on a clock: the limit is far away.
const QUICK: [&str; 3] = ["--depth=quick", "--seconds=10000", "--json"];

#[test]
fn an_analysis_has_the_librarys_figures_and_changes_nothing() {
    let place = finished(&[]);
    let before = content(&place.path("run"));
    let ended = place.landscape(&[&["analyze", "run"], &QUICK[..]].concat());
    let document = ended.expect(0, &[]).json();
    let model = mlp(&place, "run");
    let hessian = Hessian::at(&model, &risk()).unwrap();
    let lanczos: LanczosConfig = Depth::Quick.settings(0).lanczos;
    let seed = document["seed"].as_u64().unwrap();
    let ends = extremes(&hessian, &lanczos.with_seed(seed)).unwrap();
    let results = &document["models"][0]["results"];
    let close = |found: &Value, expected: f64| {
        let found = found.as_f64().unwrap();
        // The program tells outputs and loss apart, and f32 rounds sums in another order.
        assert!((found / expected - 1.0).abs() < 1e-3, "{found} {expected}");
    };
    close(&results["values"]["curvature/lambda_1"], ends.max.value);
    close(
        &results["values"]["loss/analysis"],
        risk().value(&model).unwrap(),
    );
    assert_eq!(results["examples"], 32);
    assert_eq!(results["summary"].as_array().unwrap().len(), 10);
    assert_eq!(results["omitted"], serde_json::json!([]));
    // ReLU and cross-entropy: the trace is exact.
    assert_eq!(
        results["values"]["curvature_check/trace_standard_error"],
        0.0
    );
    assert_eq!(document["status"], "finished");
    // The run is as it was, and beside it stands the folder with all files that the document names.
    let mut after = content(&place.path("run"));
    let folder = after
        .keys()
        .find(|name| name.ends_with("analysis.json"))
        .unwrap()
        .clone();
    let folder = folder.strip_suffix("analysis.json").unwrap().to_owned();
    assert!(folder.starts_with("analyze-"), "{folder}");
    for file in document["files"].as_array().unwrap() {
        let name = format!("{folder}{}", file.as_str().unwrap());
        assert!(after.contains_key(&name), "{name}");
    }
    for picture in ["line", "surface", "density"] {
        let found = after
            .keys()
            .any(|name| name.contains(picture) && name.ends_with(".png"));
        assert!(found, "no picture of the {picture}");
    }
    after.retain(|name, _| !name.starts_with(&folder));
    assert_eq!(after, before);
    // It is not measured twice by accident.
    let again = place.landscape(&["analyze", "run", "--depth=quick"]);
    again.expect(2, &["--overwrite"]);
}

#[test]
fn several_models_are_analysed_in_turn_with_ten_lines_each() {
    let place = finished(&[]);
    train(&place, &["--output=other", "--seed=1"]);
    write_sequential(&place.path("torch.safetensors"), &mlp(&place, "run"));
    let mut arguments = vec!["analyze", "run", "other", "--torch=torch.safetensors"];
    arguments.extend(RENAMES);
    arguments.extend(["--depth=quick", "--seconds=10000", "--output=found"]);
    let ended = place.landscape(&arguments).expect(0, &[]);
    for line in [
        "Model  ",
        "Loss  ",
        "Curvature  ",
        "Trace  ",
        "Findings  ",
        "Left out   nothing",
    ] {
        assert_eq!(
            ended.out.matches(line).count(),
            3,
            "{line} in {}",
            ended.out
        );
    }
    for line in ended.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let text = fs::read_to_string(place.path("found/analysis.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let loss =
        |model: usize| document["models"][model]["results"]["values"]["loss/analysis"].clone();
    // PyTorch's weights are those of the first run.
    assert_eq!(loss(0), loss(2));
    assert_ne!(loss(0), loss(1));
}

#[test]
fn bad_settings_are_refused_before_anything_is_measured() {
    let place = finished(&[]);
    let before = content(&place.path("."));
    let refused = |arguments: &[&str], words: &[&str]| {
        place.landscape(arguments).expect(2, words);
        assert_eq!(content(&place.path(".")), before);
    };
    refused(
        &["analyze", "run", "--depth=deep"],
        &["deep", "quick, standard or thorough"],
    );
    refused(&["analyze", "run", "--seconds=0"], &["--seconds"]);
    refused(&["analyze", "nowhere"], &["there is no run nowhere"]);
    refused(&["learning-rate", "par"], &["unknown run `par`", "pair"]);
    refused(
        &["learning-rate", "run", "--from=1", "--to=0.1"],
        &["--to", "0.1", "--from"],
    );
    refused(
        &["learning-rate", "run", "--rates=0.1,0.01"],
        &["--rates", "increasing"],
    );
    refused(&["learning-rate", "run", "--rates=-1"], &["--rates"]);
    refused(
        &["learning-rate", "one", "--step=3"],
        &["--step", "before a training"],
    );
}

#[test]
fn the_learning_rate_is_tested_before_a_training() {
    let place = Workplace::new();
    let arguments = [
        "learning-rate",
        "pair",
        "--steps=60",
        "--orders=2",
        "--json",
    ];
    let document = place.landscape(&arguments).expect(0, &[]).json();
    let models = document["models"].as_array().unwrap();
    assert_eq!(models.len(), 2);
    for (model, name) in models.iter().zip(["sgd", "sam"]) {
        assert_eq!(model["name"], name);
        let results = &model["results"];
        let suggestion = results["suggestion"]["value"].as_f64().unwrap();
        let largest = results["largest_stable"]["value"].as_f64().unwrap();
        assert!(
            1e-5 < suggestion && suggestion < largest,
            "{suggestion} {largest}"
        );
        let limits = &results["limits"];
        let descent = limits["gradient_descent"].as_f64().unwrap();
        let lambda = limits["lambda_1"].as_f64().unwrap();
        assert!((descent * lambda / 2.0 - 1.0).abs() < 1e-12);
        let own = limits["own"].as_f64().unwrap();
        match name {
            // Momentum 0.9 allows 1.9 times as much.
            "sgd" => assert!((own / descent - 1.9).abs() < 1e-6, "{own} {descent}"),
            _ => assert!(own < 1.9 * descent, "{own} {descent}"),
        }
        assert_eq!(results["courses"].as_array().unwrap().len(), 2);
    }
    let files = content(&place.path("runs/pair-learning-rate"));
    let pictures = files.keys().filter(|name| name.ends_with(".png")).count();
    assert_eq!(pictures, 2, "{:?}", files.keys());
    assert!(!place.path("runs/pair").exists());
}

#[test]
fn the_learning_rate_is_tested_at_the_weights_of_a_run() {
    let place = finished(&[]);
    let before = content(&place.path("run"));
    let arguments = [
        "learning-rate",
        "run",
        "--steps=40",
        "--orders=1",
        "--output=found",
    ];
    let ended = place.landscape(&arguments).expect(0, &[]);
    for word in ["Suggestion", "Largest stable", "lambda_1", "This optimiser"] {
        assert!(ended.out.contains(word), "{}", ended.out);
    }
    for line in ended.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(content(&place.path("run")), before);
    let arguments = [
        "learning-rate",
        "run",
        "--steps=5",
        "--rates=0.001,0.1,1000",
        "--output=short",
    ];
    let ended = place.landscape(&arguments).expect(0, &[]);
    assert!(
        ended.out.contains("diverged in 3 of 3 runs"),
        "{}",
        ended.out
    );
    assert!(place.path("short/learning-rate.png").exists());
}

/// The depth is said in the document with the limit that the command line gave.
#[test]
fn the_limit_is_written_down() {
    let place = finished(&[]);
    let arguments = [
        "analyze",
        "run",
        "--depth=quick",
        "--seconds=0.000001",
        "--json",
    ];
    let document = place.landscape(&arguments).expect(0, &[]).json();
    assert_eq!(document["seconds"], 1e-6);
    assert_ne!(
        document["seconds"],
        AnalyzeConfig::of(Depth::Quick).seconds.unwrap()
    );
    let omitted = document["models"][0]["results"]["omitted"]
        .as_array()
        .unwrap();
    assert_eq!(omitted.len(), 7);
    assert_eq!(omitted[0]["why"], "there was no time for it");
}
