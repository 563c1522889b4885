//! Sharpness-aware methods from the command line: their settings, and what those leave of plain
//! training and of SAM.

use crate::program::{SMALL, Workplace, checkpoints, event_files, summary};
use serde_json::{Value, json};

/// The summary of a short training.
#[track_caller]
fn trained(place: &Workplace, name: &str, flags: &[&str]) -> Value {
    let arguments = [&["train", "--output", name], flags].concat();
    place.landscape(&arguments).expect(0, &[]);
    summary(&place.path(name))
}

#[test]
fn every_method_trains_with_the_settings_of_its_paper_and_says_them() {
    let place = Workplace::new();
    let plain = trained(&place, "plain", &[]);
    assert_eq!(plain["config"]["sam"], json!({}));
    for (method, rho, settings, words) in [
        ("sam", 0.05, json!({}), "sam over sgd, rho 0.05"),
        ("asam", 0.5, json!({}), "asam over sgd, rho 0.5"),
        (
            "gsam",
            0.05,
            json!({"alpha": 0.4}),
            "gsam over sgd, rho 0.05, alpha 0.4",
        ),
        (
            "looksam",
            0.1,
            json!({"k": 10, "alpha": 0.7}),
            "looksam over sgd, rho 0.1, k 10, alpha 0.7",
        ),
        (
            "esam",
            0.05,
            json!({"beta": 0.5, "gamma": 0.5}),
            "esam over sgd, rho 0.05, beta 0.5, gamma 0.5",
        ),
        (
            "friendly-sam",
            0.05,
            json!({"sigma": 1.0, "lambda": 0.9}),
            "friendly-sam over sgd, rho 0.05, sigma 1, lambda 0.9",
        ),
        (
            "m-sam",
            0.05,
            json!({"micro_batch": 16}),
            "m-sam over sgd, rho 0.05, m 16",
        ),
    ] {
        let arguments = ["train", "--method", method, "--output", method];
        let ended = place.landscape(&arguments).expect(0, &[]);
        // The method, its radius and what else it has are a line each.
        for (word, label) in words.splitn(3, ", ").zip(["method", "rho", "its settings"]) {
            let mut lines = ended.out.lines().map(str::trim);
            let word = word.trim_start_matches("rho ");
            let said = |line: &str| line.starts_with(label) && line.ends_with(word);
            assert!(lines.any(said), "no {label} {word} in {}", ended.out);
        }
        let summary = summary(&place.path(method));
        assert_eq!(summary["config"]["method"], method);
        assert_eq!(summary["config"]["rho"], rho);
        assert_eq!(summary["config"]["sam"], settings);
        assert_ne!(summary["weights_crc32c"], plain["weights_crc32c"]);
        let events = event_files(&place.path(method));
        assert!(!events[0].scalars("sam/ascent_gain").is_empty(), "{method}");
        let newest = checkpoints(&place.path(method)).pop().unwrap();
        let file = format!("{method}/checkpoints/{newest}/method.bpk");
        assert!(place.path(&file).exists(), "{method}");
    }
}

/// Where a setting takes all that is particular away, the weights are those of SAM to the last bit.
#[test]
fn settings_reach_the_methods() {
    let place = Workplace::new();
    let sam = trained(&place, "sam", &["--method", "sam", "--rho", "0.1"]);
    for (number, (flags, is_sam)) in [
        (["gsam", "--sam-alpha", "0"], true),
        (["gsam", "--sam-alpha", "0.4"], false),
        (["looksam", "--sam-k", "1"], true),
        (["looksam", "--sam-k", "2"], false),
        (["friendly-sam", "--sam-sigma", "0"], true),
        (["friendly-sam", "--sam-sigma", "0.5"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let flags = [&["--method"], &flags[..], &["--rho", "0.1"]].concat();
        let other = trained(&place, &number.to_string(), &flags);
        let equal = other["weights_crc32c"] == sam["weights_crc32c"];
        assert_eq!(equal, is_sam, "{flags:?}");
    }
    // The losses of single examples are summed in another order than the mean of the batch.
    let loss = |summary: &Value| summary["figures"]["training_loss"].as_f64().unwrap();
    for (name, flags) in [
        ("m", &["--method", "m-sam", "--sam-micro-batch", "64"][..]),
        (
            "esam",
            &["--method", "esam", "--sam-beta", "1", "--sam-gamma", "1"],
        ),
    ] {
        let other = trained(&place, name, &[flags, &["--rho", "0.1"]].concat());
        let difference = loss(&other) / loss(&sam) - 1.0;
        assert!(difference.abs() < 1e-4, "{name}: {difference:.1e}");
    }
}

#[test]
fn settings_of_the_file_serve_the_members_that_have_them() {
    let text = SMALL.replace("[runs.pair]", "[runs.pair]\nsam = { alpha = 0.3, k = 3 }");
    let text = text.replace("method = \"sam\"\n", "method = \"looksam\"\nsam.k = 4\n");
    let list = Workplace::with(&text).landscape(&["list", "--json"]);
    let list = list.expect(0, &[]).json();
    let of = |member: usize| list["runs"][1]["trainings"][member]["config"]["sam"].clone();
    assert_eq!(of(0), json!({}));
    assert_eq!(of(1), json!({"k": 4, "alpha": 0.3}));
}

/// The settings of methods are checked before the flags are known.
#[test]
fn data_set_may_be_given_by_a_flag_alone() {
    let place = Workplace::with(&SMALL.replace("dataset = \"digits\"\n", ""));
    place
        .landscape(&["run", "pair", "--dataset", "digits"])
        .expect(0, &[]);
    place
        .landscape(&["run", "pair"])
        .expect(2, &["no data set"]);
}

#[test]
fn setting_that_no_training_has_is_refused_where_it_is_written() {
    let place = Workplace::new();
    for (flags, words) in [
        (
            &["train", "--method", "sam", "--sam-k", "5"][..],
            &["--sam-k: only the method looksam", "here the method is sam"][..],
        ),
        (
            &["run", "pair", "--sam-micro-batch", "5"],
            &["--sam-micro-batch", "m-sam", "plain and sam"],
        ),
        (&["run", "one", "--sam-alpha", "1"], &["gsam or looksam"]),
        (
            &["run", "one", "--rho", "1"],
            &["--rho: the method is plain"],
        ),
        (
            &["train", "--method", "esam", "--sam-gamma", "0"],
            &["greater than 0"],
        ),
        (
            &["train", "--method", "looksam", "--sam-k", "0"],
            &["from 1"],
        ),
    ] {
        place.landscape(flags).expect(2, words);
        assert!(!place.path("runs").exists());
    }
    for (from, to, words) in [
        (
            "[runs.one]",
            "[runs.one]\nmethod = \"sam\"\nsam = { beta = 0.5 }",
            &["runs.one.sam.beta", "only the method esam", "is sam"][..],
        ),
        (
            "rho = 0.1",
            "rho = 0.1\nsam = { k = 5 }",
            &["runs.pair.members.sam.sam.k", "looksam"],
        ),
        (
            "[runs.one]",
            "[runs.one]\nsam = { kay = 5 }",
            &["runs.one.sam.kay: unknown key", "micro_batch"],
        ),
    ] {
        let place = Workplace::with(&SMALL.replace(from, to));
        place.landscape(&["list"]).expect(2, words);
    }
}
