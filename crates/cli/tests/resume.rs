//! A run that is stopped in whatever way and resumed equals the uninterrupted one, to the last bit.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod program;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::{Workplace, checkpoints, event_files, summary};

/// A run long enough to be stopped in the middle.
const LONG: &[&str] = &[
    "run",
    "one",
    "--epochs",
    "40",
    "--batch-size",
    "8",
    "--probe-loss",
    "every 200 + end",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

/// Waits until a run has some checkpoints behind it.
#[track_caller]
fn wait_for_checkpoint(directory: &Path, child: &mut Child) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be stopped"
        );
        let seen = directory
            .join("checkpoints")
            .exists()
            .then(|| checkpoints(directory));
        // The names sort by step; the first is that of step 0.
        if seen.is_some_and(|names| {
            names
                .first()
                .is_some_and(|name| name.starts_with("step-") && !name.ends_with("00000000"))
        }) {
            return;
        }
        sleep(Duration::from_millis(5));
    }
    panic!("no checkpoint within a minute");
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Stops the run with a signal, resumes it, and compares it with the uninterrupted one.
#[track_caller]
fn stopped_and_resumed_equals_uninterrupted(name: &str, code: Option<i32>, more: &[&str]) {
    let place = Workplace::new();
    place
        .landscape(&with(&with(LONG, more), &["--output", "whole"]))
        .expect(0, &[]);
    let arguments = with(&with(LONG, more), &["--output", "parts"]);
    let mut child = place
        .command(&arguments)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_checkpoint(&place.path("parts"), &mut child);
    signal(&child, name);
    assert_eq!(child.wait().unwrap().code(), code);
    assert!(!place.path("parts/summary.json").exists());
    event_files(&place.path("parts"));

    let ended = place.landscape(&arguments);
    ended.expect(2, &["parts holds an unfinished run", "--resume"]);
    place
        .landscape(&with(&arguments, &["--resume"]))
        .expect(0, &["resuming at step"]);
    assert_eq!(summary(&place.path("parts")), summary(&place.path("whole")));

    // Both event files together hold every step of the training loss; the later file takes over where it begins.
    let files = event_files(&place.path("parts"));
    assert_eq!(files.len(), 2);
    let whole = &event_files(&place.path("whole"))[0];
    let resumed = files[1].scalars("loss/train");
    let mut joined: Vec<_> = files[0].scalars("loss/train");
    joined.retain(|point| point.0 < resumed[0].0);
    joined.extend(resumed);
    assert_eq!(joined, whole.scalars("loss/train"));
}

#[test]
fn killed_sgd_run_resumed_equals_uninterrupted() {
    stopped_and_resumed_equals_uninterrupted("-KILL", None, &[]);
}

#[test]
fn killed_sam_run_resumed_in_the_middle_of_an_epoch_equals_uninterrupted() {
    stopped_and_resumed_equals_uninterrupted(
        "-KILL",
        None,
        &["--method", "sam", "--checkpoint-every", "50"],
    );
}

#[test]
fn killed_adam_run_resumed_equals_uninterrupted() {
    let adam = [
        "--optimiser",
        "adam",
        "--learning-rate",
        "0.001",
        "--method",
        "asam",
    ];
    stopped_and_resumed_equals_uninterrupted("-KILL", None, &adam);
}

/// Each remembers something else: a vector and how many steps there were, an average, which weights come next.
#[test]
fn killed_runs_of_methods_with_a_memory_resumed_equal_uninterrupted() {
    for method in ["looksam", "friendly-sam", "esam"] {
        let flags = ["--method", method, "--checkpoint-every", "7"];
        stopped_and_resumed_equals_uninterrupted("-KILL", None, &flags);
    }
}

#[test]
fn interrupted_run_ends_with_complete_files_and_resumed_equals_uninterrupted() {
    stopped_and_resumed_equals_uninterrupted("-INT", Some(130), &[]);
}

#[test]
fn batch_norm_run_resumed_equals_uninterrupted() {
    // The statistics of the last batch are part of a checkpoint; a network without them would drift apart.
    let place = Workplace::new();
    let run = |more: &[&'static str]| {
        let arguments = [
            "run",
            "one",
            "--model",
            "cnn-batch-norm",
            "--epochs",
            "2",
            "--batch-size",
            "64",
            "--checkpoint-every",
            "5",
            "--probe-eigenvalues",
            "every 5",
            "--probe-eigenvalue-count",
            "1",
        ];
        place.landscape(&with(&arguments, more))
    };
    run(&["--output", "whole"]).expect(0, &[]);
    run(&["--output", "parts"]).expect(0, &[]);
    // As if killed after the last but one checkpoint: it is in the middle of the second epoch.
    let names = checkpoints(&place.path("parts"));
    fs::remove_dir_all(place.path("parts/checkpoints").join(&names[1])).unwrap();
    fs::remove_file(place.path("parts/summary.json")).unwrap();
    let ended = run(&["--output", "parts", "--resume"]);
    let ended = ended.expect(0, &["resuming at step 30 of 34"]);
    assert!(!ended.err.contains("failed"), "{}", ended.err);
    assert_eq!(summary(&place.path("parts")), summary(&place.path("whole")));
    let ratios = |name: &str| {
        let files = event_files(&place.path(name));
        files.last().unwrap().scalars("stability/sharpness_ratio")
    };
    assert_eq!(ratios("parts"), ratios("whole")[6..]);
}

#[test]
fn damaged_checkpoint_falls_back_to_the_one_before() {
    let place = Workplace::new();
    place
        .landscape(&["run", "one", "--output", "whole"])
        .expect(0, &[]);
    for (file, damage) in [
        ("model.bpk", "cut"),
        ("optimiser.bpk", "flipped"),
        ("manifest.json", "cut"),
        ("manifest.json", "flipped"),
    ] {
        place
            .landscape(&["run", "one", "--overwrite"])
            .expect(0, &[]);
        fs::remove_file(place.path("runs/one/summary.json")).unwrap();
        let names = checkpoints(&place.path("runs/one"));
        assert_eq!(names, ["step-00000017", "step-00000034"]);
        let path = place.path("runs/one/checkpoints/step-00000034").join(file);
        let mut bytes = fs::read(&path).unwrap();
        if damage == "cut" {
            bytes.truncate(bytes.len() / 2);
        } else {
            // Within the state for the manifest: the digit of a setting.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let place = text
                .find("\"epochs\": 2")
                .map_or(bytes.len() / 2, |at| at + 10);
            bytes[place] ^= 1;
        }
        fs::write(&path, bytes).unwrap();
        let ended = place.landscape(&["run", "one", "--resume"]);
        ended.expect(
            0,
            &["step-00000034 is damaged", file, "going on from step 17"],
        );
        assert_eq!(
            summary(&place.path("runs/one")),
            summary(&place.path("whole"))
        );
    }
}

#[test]
fn damage_to_every_checkpoint_is_said() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    for name in checkpoints(&place.path("runs/one")) {
        fs::remove_file(
            place
                .path("runs/one/checkpoints")
                .join(name)
                .join("model.bpk"),
        )
        .unwrap();
    }
    let ended = place.landscape(&["run", "one", "--resume"]);
    ended.expect(
        1,
        &["no checkpoint can be used", "model.bpk", "--overwrite"],
    );
}

#[test]
fn other_settings_cannot_resume_a_run() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let ended = place.landscape(&["run", "one", "--resume", "--learning-rate", "0.01"]);
    ended.expect(2, &["learning_rate was", "is now 0.01", "--overwrite"]);
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    let ended = place.landscape(&["run", "one", "--resume", "--seed", "7"]);
    ended.expect(2, &["seed was 42 and is now 7"]);
}

#[test]
fn group_resumes_the_members_that_are_not_finished() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let whole = [
        summary(&place.path("runs/pair/sgd")),
        summary(&place.path("runs/pair/sam")),
    ];
    fs::remove_file(place.path("runs/pair/sam/summary.json")).unwrap();
    let ended = place.landscape(&["run", "pair", "--resume"]);
    ended.expect(0, &["sgd: finished already", "sam: resuming at step 34"]);
    let parts = [
        summary(&place.path("runs/pair/sgd")),
        summary(&place.path("runs/pair/sam")),
    ];
    assert_eq!(parts, whole);
}
