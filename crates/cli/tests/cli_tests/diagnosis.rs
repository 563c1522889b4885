//! The diagnosis of a training, in the terminal and in its files.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tensorboard::SummaryValue;

use crate::program::{SMALL, Workplace, event_files, summary};

/// The small workspace with the probes that see the causes, and ten epochs.
fn workplace() -> Workplace {
    let small = SMALL.replace("epochs = 2", "epochs = 12");
    let small = small.replace("gradient = \"never\"", "gradient = \"every 10 + end\"");
    let small = small.replace("eigenvalues = \"end\"", "eigenvalues = \"start + end\"");
    let probes = "[defaults.probes]\nstability = \"start + end\"\nactivations = \"start + end\"\nupdates = \"start + end\"\nweights = \"start + end\"";
    Workplace::with(&small.replace("[defaults.probes]", probes))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The reports in the first event file, by step.
fn reports(directory: &Path) -> Vec<(i64, String)> {
    let points = event_files(directory).remove(0).points.into_iter();
    let report = |point: tensorboard::Point| match point.value {
        SummaryValue::Text(text) if point.tag == "diagnosis/report" => Some((point.step, text)),
        _ => None,
    };
    points.filter_map(report).collect()
}

fn symptoms(found: &Value) -> Vec<&str> {
    let findings = found.as_array().unwrap().iter();
    findings
        .map(|finding| finding["symptom"].as_str().unwrap())
        .collect()
}

#[test]
fn training_that_learns_has_no_finding_above_note() {
    let place = workplace();
    let ended = place.landscape(&["run", "one"]);
    ended.expect(0, &["one: Diagnosis: no finding above note"]);
    let found = json(&place.path("runs/one/diagnosis.json"));
    let summary = summary(&place.path("runs/one"));
    assert_eq!(summary["findings"], found["findings"]);
    for finding in found["findings"].as_array().unwrap() {
        assert_eq!(finding["severity"], "note");
    }
    let texts = reports(&place.path("runs/one"));
    let (step, text) = &texts[0];
    assert_eq!(Value::from(*step), summary["steps"]);
    assert!(
        text.starts_with("**Diagnosis: no finding above note"),
        "{text}"
    );
}

#[test]
fn rate_that_is_too_high_is_named_where_the_run_stops_without_a_summary() {
    let place = workplace();
    let ended = place.landscape(&["run", "one", "--learning-rate", "1e4"]);
    ended.expect(1, &["learning rate too high (problem", "try: divide the"]);
    assert!(!place.path("runs/one/summary.json").exists());
    let found = json(&place.path("runs/one/diagnosis.json"));
    assert_eq!(symptoms(&found["findings"])[0], "learning_rate_too_high");
    let first = &found["findings"][0];
    assert_eq!(first["severity"], "problem");
    assert_eq!(first["remedies"][0]["remedy"], "learning_rate");
    assert!(first["remedies"][0]["factor"].as_f64().unwrap() <= 0.1);
    let texts = reports(&place.path("runs/one"));
    assert!(
        texts
            .iter()
            .all(|(_, text)| text.contains("Learning rate too high"))
    );
    assert!(!texts.is_empty());
}

#[test]
fn weights_of_zero_and_rates_of_next_to_nothing_are_told_apart() {
    for (flags, symptom) in [
        (["--initialisation", "zero"], "vanishing_gradients"),
        (["--learning-rate", "1e-5"], "learning_rate_too_low"),
    ] {
        let place = workplace();
        place
            .landscape(&[&["run", "one"][..], &flags].concat())
            .expect(0, &["Diagnosis: "]);
        let found = summary(&place.path("runs/one"));
        let found = symptoms(&found["findings"]);
        assert_eq!(found[0], symptom, "{found:?}");
    }
}

#[test]
fn seeds_of_which_none_fails_agree() {
    let place = workplace();
    let ended = place.landscape(&["run", "one", "--seeds", "2", "--json"]);
    let found = &ended.json()["seeds"];
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(symptoms(&found[0]["findings"]), [""; 0]);
    assert!(place.path("runs/one/seed-42/facts.json").exists());
}
