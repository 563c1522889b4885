//! A run that is stopped in whatever way and resumed equals the uninterrupted one, to the last bit.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::program::{Workplace, checkpoints, event_files, summary, wait_for_checkpoint};

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

    // Both event files together hold every step of the training loss; the later file takes over
    // where it begins.
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

/// Each remembers something else: a vector and how many steps there were, an average, which weights
/// come next.
#[test]
fn killed_runs_of_methods_with_a_memory_resumed_equal_uninterrupted() {
    for method in ["looksam", "friendly-sam", "esam"] {
        let flags = ["--method", method, "--checkpoint-every", "97"];
        stopped_and_resumed_equals_uninterrupted("-KILL", None, &flags);
    }
}

#[test]
fn interrupted_run_ends_with_complete_files_and_resumed_equals_uninterrupted() {
    stopped_and_resumed_equals_uninterrupted("-INT", Some(130), &[]);
}

#[test]
fn batch_norm_run_resumed_equals_uninterrupted() {
    // The statistics of the last batch are part of a checkpoint; a network without them would drift
    // apart.
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
            "--probe-stability",
            "every 5",
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

/// The small run, stopped as if by a kill after its last checkpoint but one.
fn unfinished(place: &Workplace) {
    place.landscape(&["run", "one"]).expect(0, &[]);
    let names = checkpoints(&place.path("runs/one"));
    let last = place.path("runs/one/checkpoints").join(&names[1]);
    fs::remove_dir_all(last).unwrap();
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
}

/// Every file of a folder with its bytes, and when it was written.
fn content(folder: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let written = entry.metadata().unwrap().modified().unwrap();
            (name, fs::read(entry.path()).unwrap(), written)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn resumed_run_does_not_touch_the_checkpoint_that_it_has_read() {
    let place = Workplace::new();
    unfinished(&place);
    let last = place.path("runs/one/checkpoints/step-00000017");
    let before = content(&last);
    place
        .landscape(&["run", "one", "--resume"])
        .expect(0, &["resuming at step 17"]);
    assert_eq!(content(&last), before);
}

#[test]
fn complete_checkpoint_under_another_name_is_found_and_gets_its_own() {
    let place = Workplace::new();
    place
        .landscape(&["run", "one", "--output", "whole"])
        .expect(0, &[]);
    for (left, damaged) in [
        (".writing.partial", false),
        (".writing.partial", true),
        (".aside.partial", false),
    ] {
        place
            .landscape(&["run", "one", "--overwrite"])
            .expect(0, &[]);
        let folder = place.path("runs/one/checkpoints");
        fs::remove_file(place.path("runs/one/summary.json")).unwrap();
        let last = folder.join("step-00000034");
        fs::rename(&last, folder.join(left)).unwrap();
        if damaged {
            // What the complete one was to replace.
            fs::create_dir(&last).unwrap();
            fs::write(last.join("model.bpk"), "cut").unwrap();
        }
        place
            .landscape(&["run", "one", "--resume"])
            .expect(0, &["resuming at step 34"]);
        assert_eq!(
            summary(&place.path("runs/one")),
            summary(&place.path("whole"))
        );
        assert_eq!(
            checkpoints(&place.path("runs/one")),
            ["step-00000017", "step-00000034"]
        );
    }
}

#[test]
fn damaged_checkpoint_does_not_push_a_sound_one_out() {
    let place = Workplace::new();
    place
        .landscape(&["run", "one", "--checkpoint-every", "5"])
        .expect(0, &[]);
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    let model = |step: &str| {
        place
            .path("runs/one/checkpoints")
            .join(step)
            .join("model.bpk")
    };
    fs::write(model("step-00000034"), "cut").unwrap();
    place
        .landscape(&["run", "one", "--checkpoint-every", "5", "--resume"])
        .expect(0, &["step-00000034 is damaged", "resuming at step 30"]);
    // Both are whole: the damaged one was replaced, and the one that the run went on from was kept.
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    fs::write(model("step-00000034"), "cut").unwrap();
    place
        .landscape(&["run", "one", "--checkpoint-every", "5", "--resume"])
        .expect(0, &["resuming at step 30"]);
}

#[test]
fn checkpoint_that_says_another_step_than_its_name_is_damaged() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    let folder = place.path("runs/one/checkpoints");
    fs::rename(folder.join("step-00000034"), folder.join("step-00001000")).unwrap();
    let ended = place.landscape(&["run", "one", "--resume"]);
    ended.expect(
        0,
        &[
            "step-00001000 is damaged",
            "state of step 34",
            "resuming at step 17",
        ],
    );
}

#[test]
fn settings_are_told_again_by_an_event_file_that_starts_again_at_step_0() {
    let place = Workplace::new();
    let arguments = with(LONG, &["--checkpoint-every", "1000000"]);
    let mut child = place
        .command(&arguments)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !place.path("runs/one/checkpoints/step-00000000").exists() {
        assert!(child.try_wait().unwrap().is_none());
    }
    signal(&child, "-KILL");
    child.wait().unwrap();
    place
        .landscape(&with(&arguments, &["--resume"]))
        .expect(0, &["resuming at step 0"]);
    let files = event_files(&place.path("runs/one"));
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(file.start, Some(0));
        let settings =
            |point: &tensorboard::Point| (point.tag == "run/settings").then_some(point.step);
        let steps: Vec<i64> = file.points.iter().filter_map(settings).collect();
        assert_eq!(steps, [0]);
    }
}

#[test]
fn damaged_event_file_is_said_and_the_run_goes_on() {
    for (damage, words) in [
        ("flipped", &["is damaged", "fails its checksum"][..]),
        ("cut", &["ends after", "that the checkpoint knows of"]),
        ("removed", &["is gone"]),
    ] {
        let place = Workplace::new();
        unfinished(&place);
        let file = &tensorboard::existing_event_files(place.path("runs/one")).unwrap()[0];
        let mut bytes = fs::read(file).unwrap();
        match damage {
            "flipped" => {
                bytes[1000] ^= 1;
                fs::write(file, bytes).unwrap();
            }
            "cut" => fs::write(file, &bytes[..1000]).unwrap(),
            _ => fs::remove_file(file).unwrap(),
        }
        let ended = place
            .landscape(&["run", "one", "--resume"])
            .expect(0, words);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(ended.err.contains(name), "{}", ended.err);
    }
    // A kill cuts the last record, which is no damage.
    let place = Workplace::new();
    unfinished(&place);
    let file = &tensorboard::existing_event_files(place.path("runs/one")).unwrap()[0];
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() - 5]).unwrap();
    let ended = place.landscape(&["run", "one", "--resume"]).expect(0, &[]);
    assert!(!ended.err.contains("warning"), "{}", ended.err);
}

/// A data set in idx files: `count` images of 8 by 8 pixels in `classes` classes, told apart by
/// where they are bright.
fn write_idx(folder: &Path, count: u32, classes: u8) {
    fs::create_dir_all(folder).unwrap();
    for part in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3];
        images.extend([count, 8, 8].iter().flat_map(|size| size.to_be_bytes()));
        let mut labels = vec![0, 0, 8, 1];
        labels.extend(count.to_be_bytes());
        for index in 0..count {
            let label = u8::try_from(index % u32::from(classes)).unwrap();
            labels.push(label);
            let place = usize::from(label) * 64 / usize::from(classes);
            let noise = (index * 37 % 50) as u8;
            images.extend((0..64).map(|pixel| if pixel == place { 255 - noise } else { noise }));
        }
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

fn workplace_of_idx(more: &str) -> Workplace {
    let text = crate::program::SMALL.replace("[runs.one]", "[runs.one]\ndataset = \"mine\"");
    Workplace::with(&format!(
        "{text}\n[datasets.mine]\nsource = \"mnist-folder\"\npath = \"images\"\n{more}"
    ))
}

#[test]
fn changed_data_cannot_resume_a_run() {
    let place = workplace_of_idx("");
    let images = place.path("images");
    write_idx(&images, 200, 10);
    unfinished(&place);
    for (file, part) in [
        ("train-images-idx3-ubyte", "training examples"),
        ("train-labels-idx1-ubyte", "training examples"),
        ("t10k-images-idx3-ubyte", "test examples"),
        ("t10k-labels-idx1-ubyte", "test examples"),
    ] {
        let old = fs::read(images.join(file)).unwrap();
        for at in [30, old.len() - 1] {
            let mut new = old.clone();
            new[at] ^= 1;
            fs::write(images.join(file), new).unwrap();
            let ended = place.landscape(&["run", "one", "--resume"]);
            // The last training images may belong to the validation part.
            let word = part.split(' ').next_back().unwrap();
            let ended = ended.expect(1, &[word, "have changed since runs/one was begun"]);
            if at == 30 && part.starts_with("test") {
                assert!(ended.err.contains(part), "{}", ended.err);
            }
        }
        fs::write(images.join(file), old).unwrap();
    }
    place.landscape(&["run", "one", "--resume"]).expect(0, &[]);
    let summary = summary(&place.path("runs/one"));
    assert!(summary["data"]["crc32c"]["training"].is_u64());
    let labels = images.join("train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).unwrap();
    bytes[8..].fill(1);
    fs::write(&labels, bytes).unwrap();
    place
        .landscape(&["run", "one", "--resume"])
        .expect(1, &["have changed since runs/one was begun"]);
    // A run on the changed data is another experiment.
    place
        .landscape(&["run", "one", "--output", "changed"])
        .expect(0, &[]);
    place
        .landscape(&["compare", "runs/one", "changed"])
        .expect(2, &["cannot be compared", "examples"]);
}

#[test]
fn more_than_ten_classes_are_trained_and_measured() {
    let place = workplace_of_idx("classes = 26\n");
    write_idx(&place.path("images"), 520, 26);
    place
        .landscape(&[
            "run",
            "one",
            "--epochs",
            "30",
            "--batch-size",
            "16",
            "--probe-surface",
            "end",
        ])
        .expect(0, &[]);
    let found = summary(&place.path("runs/one"));
    // 64 pixels, 16 hidden units, 26 classes.
    assert_eq!(found["parameters"], 65 * 16 + 17 * 26);
    assert!(found["figures"]["test_accuracy"].as_f64().unwrap() > 0.9);
    let narrow = workplace_of_idx("");
    write_idx(&narrow.path("images"), 520, 26);
    narrow.landscape(&["run", "one"]).expect(
        1,
        &[
            "train-labels-idx1-ubyte",
            "the label 10",
            "classes are 0 to 9",
        ],
    );
}

#[test]
fn changed_digit_of_a_summary_is_noticed() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let path = place.path("runs/one/summary.json");
    let sound = fs::read(&path).unwrap();
    let mut tried = 0;
    // Every letter and digit in turn would take too long.
    for at in (0..sound.len()).step_by(61) {
        if !sound[at].is_ascii_alphanumeric() {
            continue;
        }
        let mut changed = sound.clone();
        changed[at] ^= 1;
        // The last of seventeen digits may be another one of the same number.
        let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
        if read(&changed) == read(&sound) {
            continue;
        }
        fs::write(&path, &changed).unwrap();
        let ended = place.landscape(&["compare", "runs/one"]);
        assert_eq!(ended.code, Some(1), "byte {at}: {}", ended.err);
        let ended = place.landscape(&["run", "one", "--resume"]);
        let ended = ended.expect(1, &["summary.json is damaged", "remove it"]);
        assert!(ended.out.is_empty());
        tried += 1;
    }
    assert!(tried > 20);
    fs::remove_file(&path).unwrap();
    place.landscape(&["run", "one", "--resume"]).expect(0, &[]);
    place.landscape(&["compare", "runs/one"]).expect(0, &[]);
}

#[test]
fn setting_that_only_one_side_has_is_named() {
    let place = Workplace::new();
    unfinished(&place);
    let ended = place.landscape(&[
        "run",
        "one",
        "--resume",
        "--checkpoint-every",
        "5",
        "--probe-budget",
        "0.5",
    ]);
    ended.expect(2, &["checkpoint_every was not set and is now 5"]);
    let ended = place.landscape(&[
        "run",
        "one",
        "--resume",
        "--method",
        "gsam",
        "--sam-alpha",
        "0.3",
    ]);
    ended.expect(2, &["method was \"plain\" and is now \"gsam\""]);
}

#[test]
fn signal_inside_a_probe_stops_the_run_there() {
    let place = Workplace::new();
    // Some seconds of measuring before the first update, and as much after the last.
    let arguments = [
        "run",
        "one",
        "--curvature-examples",
        "1079",
        "--probe-surface",
        "start + end",
        "--probe-grid",
        "150",
    ];
    place
        .landscape(&with(&arguments, &["--output", "whole"]))
        .expect(0, &[]);
    for (name, step) in [("first", 0), ("last", 34)] {
        let output = ["--output", name];
        let mut child = place
            .command(&with(&arguments, &output))
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        while !place
            .path(name)
            .join(format!("checkpoints/step-{step:08}"))
            .exists()
        {
            assert!(child.try_wait().unwrap().is_none());
        }
        signal(&child, "-TERM");
        let ended = crate::program::Ended::from(child.wait_with_output().unwrap());
        ended.expect(130, &[&format!("stopped at step {step};")]);
        // The surface was not finished, and nothing of its step was recorded.
        let files = event_files(&place.path(name));
        let of_run = |tag: &str| tag == "run/settings" || tag.starts_with("_hparams_");
        let at = |point: &&tensorboard::Point| point.step == step && !of_run(&point.tag);
        assert_eq!(files[0].points.iter().filter(at).count(), 0);
        place
            .landscape(&with(&with(&arguments, &output), &["--resume"]))
            .expect(0, &[&format!("resuming at step {step}")]);
        assert_eq!(summary(&place.path(name)), summary(&place.path("whole")));
    }
}
