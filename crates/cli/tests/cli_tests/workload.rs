//! A program with a workload of its own has every command of `landscape`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{Ended, Workplace, checkpoints, event_files, summary};

/// Runs that take a second, without networks and data sets.
const WORKSPACE: &str = r#"
[defaults]
epochs = 2
batch_size = 64
curvature_examples = 64
log_every = 1
probes = { density = "never", line = "end", surface = "end", grid = 5 }

[runs.pair.members.sgd]
[runs.pair.members.sam]
method = "sam"
"#;

/// The program of `tests/workload`.
fn waves(place: &Workplace, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waves"));
    command.args(arguments).current_dir(place.path(""));
    Ended::from(command.output().unwrap())
}

fn place() -> Workplace {
    Workplace::with(WORKSPACE)
}

fn has_accuracy(value: &Value) -> bool {
    value.to_string().contains("accuracy")
}

#[test]
fn own_workload_trains_is_measured_and_drawn() {
    let place = place();
    let group = waves(&place, &["run", "pair"]).expect(0, &[]);
    assert!(
        group.out.contains("test loss") && !group.out.contains("acc"),
        "{}",
        group.out
    );
    let run = place.path("runs/pair/sgd");
    let found = summary(&run);
    assert_eq!(found["config"]["workload"], "waves");
    assert_eq!(found["config"].get("dataset"), None);
    // 32 weights and 32 biases, and as many weights with one bias.
    assert_eq!(found["parameters"], 97);
    assert_eq!(found["steps"], 16);
    assert_eq!(found["data"]["validation"], 128);
    assert!(!has_accuracy(&found), "{found}");
    assert!(found["figures"]["lambda_1"]["value"].as_f64().unwrap() > 0.0);
    for picture in ["landscape-surface.png", "landscape-line.png"] {
        assert!(run.join(picture).is_file(), "{picture}");
    }
    let tags = event_files(&run);
    assert!(!format!("{tags:?}").contains("accuracy/valid"));

    // What it measures afterwards is what it has measured itself, to the last bit.
    let measured = waves(&place, &["measure", "runs/pair/sgd", "--json"])
        .expect(0, &[])
        .json();
    let results = &measured["results"];
    assert_eq!(
        results["losses"]["test_loss"],
        found["figures"]["test_loss"]
    );
    let lambda = &results["eigenvalues"]["largest"][0];
    assert_eq!(lambda["value"], found["figures"]["lambda_1"]["value"]);
    assert!(!has_accuracy(&measured), "{measured}");

    let line = [
        "measure",
        "runs/pair/sgd",
        "--to",
        "runs/pair/sam",
        "--points",
        "5",
        "--json",
    ];
    let line = waves(&place, &line).expect(0, &[]).json();
    assert!(line["results"]["between"].is_object(), "{line}");

    let compared = waves(&place, &["compare", "runs/pair", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(compared["runs"].as_array().unwrap().len(), 2);
    assert!(!has_accuracy(&compared), "{compared}");
    let csv = waves(&place, &["compare", "runs/pair", "--format", "csv"]).expect(0, &[]);
    assert!(
        csv.out.contains("test_loss") && !csv.out.contains("accuracy"),
        "{}",
        csv.out
    );

    let listed = waves(&place, &["list"]).expect(0, &[]);
    assert!(
        listed.out.contains("pair/sam") && !listed.out.contains("data set"),
        "{}",
        listed.out
    );
}

#[test]
fn own_workload_has_slices_paths_and_a_trajectory_without_accuracy() {
    let place = place();
    for (name, seed) in [("mine", "--seed=1"), ("other", "--seed=2")] {
        let train = [
            "train",
            "--no-probes",
            "--keep=all",
            "--checkpoint-every=4",
            seed,
        ];
        let output = format!("--output={name}");
        waves(&place, &[&train[..], &[output.as_str()]].concat()).expect(0, &[]);
    }
    for arguments in [
        &["surface", "mine", "--grid=4", "--orthogonal"][..],
        &[
            "line",
            "mine",
            "other",
            "--points=5",
            "--directions=gradient",
        ],
        &[
            "connect",
            "mine",
            "other",
            "--points=5",
            "--plane=3",
            "--epochs=2",
            "--align",
        ],
        &["trajectory", "mine", "--grid=4", "--centre=mean"],
    ] {
        let found = waves(&place, &[arguments, &["--json"]].concat()).expect(0, &[]);
        let found = found.json();
        assert_eq!(found["status"], "finished");
        assert!(
            !has_accuracy(&found["slices"]) && !has_accuracy(&found["pairs"]),
            "{found}"
        );
        assert!(!has_accuracy(&found["results"]), "{found}");
    }
    let help = waves(&place, &["surface", "--help"]).expect(0, &[]).out;
    assert!(
        help.contains("waves surface") && !help.contains("--hidden"),
        "{help}"
    );
}

#[test]
fn own_workload_that_was_stopped_goes_on_bit_for_bit() {
    let place = place();
    let train = ["train", "--method", "looksam", "--output", "whole"];
    waves(&place, &train).expect(0, &[]);
    // The summary and the last checkpoint of a run that is whole are taken away; it goes on from
    // the one before.
    copy(&place.path("whole"), &place.path("half"));
    std::fs::remove_file(place.path("half/summary.json")).unwrap();
    let last = checkpoints(&place.path("half")).pop().unwrap();
    std::fs::remove_dir_all(place.path("half/checkpoints").join(last)).unwrap();
    let resume = [
        "train", "--method", "looksam", "--output", "half", "--resume",
    ];
    waves(&place, &resume).expect(0, &["resuming at step 8 of 16"]);
    let [mut whole, mut half] = ["whole", "half"].map(|name| summary(&place.path(name)));
    for summary in [&mut whole, &mut half] {
        summary.as_object_mut().unwrap().remove("crc32c");
    }
    assert_eq!(whole, half);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let place = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &place);
        } else {
            std::fs::copy(&path, place).unwrap();
        }
    }
}

#[test]
fn seed_decides_the_weights_that_burn_draws() {
    let place = place();
    let weights = |seed: &str, name: &str| {
        let train = [
            "train",
            "--no-probes",
            "--epochs",
            "1",
            "--seed",
            seed,
            "--output",
            name,
        ];
        waves(&place, &train).expect(0, &[]);
        summary(&place.path(name))["weights_crc32c"].clone()
    };
    let first = weights("1", "a");
    assert_eq!(weights("1", "b"), first);
    assert_ne!(weights("2", "c"), first);
}

#[test]
fn settings_of_bundled_networks_are_refused_and_not_offered() {
    let place = place();
    for (flag, value) in [
        ("--model", "mlp"),
        ("--hidden", "8"),
        ("--activation", "relu"),
        ("--dataset", "digits"),
    ] {
        waves(&place, &["train", flag, value]).expect(2, &[flag, "its own workload `waves`"]);
        let help = waves(&place, &["train", "--help"]).expect(0, &[]).out;
        assert!(!help.contains(&format!("{flag} ")), "{help}");
    }
    let text = WORKSPACE.replace("epochs = 2", "epochs = 2\nmodel = \"mlp\"");
    let words = ["workspace.toml:4", "defaults.model", "`waves`"];
    waves(&Workplace::with(&text), &["list"]).expect(2, &words);
    let text = format!("{WORKSPACE}\n[datasets.digits]\nsource = \"digits\"\n");
    waves(&Workplace::with(&text), &["list"]).expect(2, &["datasets", "`waves`"]);
}

#[test]
fn method_that_tells_examples_apart_needs_their_losses() {
    let place = place();
    for method in ["esam", "m-sam"] {
        let words = ["--method", method, "`waves`", "`losses`"];
        waves(&place, &["train", "--method", method]).expect(2, &words);
    }
}

#[test]
fn own_workload_needs_no_workspace_file() {
    let place = place();
    std::fs::remove_file(place.path("workspace.toml")).unwrap();
    let said = waves(&place, &["train", "--dry-run"]).expect(0, &[]).out;
    assert!(said.contains("97") && said.contains("512"), "{said}");
    waves(&place, &["list"]).expect(0, &[]);
    let help = waves(&place, &["train", "--help"]).expect(0, &[]).out;
    assert!(help.contains("waves train --method sam"), "{help}");
    assert!(!help.contains("landscape train"), "{help}");
}

#[test]
fn run_of_another_program_is_not_taken_for_one_of_its_own() {
    let place = place();
    let bundled = Workplace::new();
    bundled
        .landscape(&["train", "--no-probes", "--epochs", "1"])
        .expect(0, &[]);
    let run = bundled.path("runs/train");
    let run = run.to_str().unwrap();
    waves(&place, &["measure", run]).expect(2, &["mlp on digits", "`waves`"]);
    waves(&place, &["train", "--no-probes", "--epochs", "1"]).expect(0, &[]);
    let run = place.path("runs/train");
    bundled
        .landscape(&["measure", run.to_str().unwrap()])
        .expect(2, &["`waves`"]);
    let output = ["train", "--output", run.to_str().unwrap(), "--resume"];
    bundled.landscape(&output).expect(2, &["other settings"]);
}

#[test]
fn readme_shows_the_program_that_is_tested() {
    let program = include_str!("../../../../tests/workload/src/main.rs");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```rust\n{program}```\n")));
    let lines = program.lines().filter(|line| !line.is_empty());
    assert!(lines.count() <= 30);
}
