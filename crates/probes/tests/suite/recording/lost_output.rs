//! Disks that fill up, and directories that cannot be written to or are removed in mid-run:
//! training comes to the weights that it comes to without a sink, with one warning and an error at
//! the end.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use probes::sink::{Folder, JsonLines, Sink, TensorBoard};
use probes::{Error, Message, Moment, Probe, Probes, Records, Schedule, Summary};

const STEPS: u64 = 400;

/// A probe with something of each kind that takes room.
struct Weight;

impl Probe<f64> for Weight {
    fn name(&self) -> String {
        "weight".into()
    }

    fn measure(&mut self, moment: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
        records.scalar("weight/value", *moment.model);
        records.text("weight/text", "a sentence ".repeat(20));
        records.data(
            "weight/numbers_data",
            serde_json::json!({"a": [*moment.model]}),
        );
        Ok(())
    }
}

/// Gradient descent on ¼ (w² − 2)² from w = 3; the weight after the last step.
fn train(mut observe: impl FnMut(u64, f64)) -> f64 {
    let mut weight = 3.0_f64;
    for step in 0..STEPS {
        observe(step, weight);
        weight -= 0.01 * weight * (weight * weight - 2.0);
    }
    weight
}

/// Trains with a sink, calling `between` before each step: weight, warnings, and the end.
fn train_with(sink: impl Sink + 'static, between: impl Fn(u64)) -> (f64, Vec<String>, Summary) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&warnings);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Weight)
        .without_cost_records()
        .with_sink(sink)
        .with_handler(move |message| {
            if let Message::Warning { text, .. } = message {
                told.lock().unwrap().push((*text).to_owned());
            }
        });
    let weight = train(|step, weight| {
        between(step);
        probes.log("loss/train", step, weight);
        probes.observe(step, &weight).unwrap();
    });
    let summary = probes.finish();
    let warnings = warnings.lock().unwrap().clone();
    (weight, warnings, summary)
}

/// Checks what is promised of a sink that loses records.
fn loses(sink: impl Sink + 'static, between: impl Fn(u64), part: &str) -> String {
    let (weight, warnings, summary) = train_with(sink, between);
    assert_eq!(weight.to_bits(), train(|_, _| ()).to_bits());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains(part), "{warnings:?}");
    assert_eq!(summary.undelivered.len(), 1, "{:?}", summary.undelivered);
    assert_eq!(summary.failed, 0);
    summary.delivered().unwrap_err().to_string()
}

#[test]
fn directory_that_is_removed_in_mid_run_costs_the_records_alone() {
    let removed = |run: &Path| {
        let run = run.to_owned();
        move |step| {
            if step == STEPS / 2 {
                fs::remove_dir_all(&run).unwrap();
            }
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let told = loses(TensorBoard::create(&run).unwrap(), removed(&run), "removed");
    assert!(
        told.contains(".writer.lock") || told.contains("tfevents"),
        "{told}"
    );
    let lines = JsonLines::create(run.join("records.jsonl")).unwrap();
    let told = loses(lines, removed(&run), "records.jsonl");
    assert!(told.contains("JSON lines"), "{told}");
    let told = loses(
        Folder::create(&run).unwrap(),
        removed(&run),
        "weight-numbers",
    );
    assert!(told.contains("the folder"), "{told}");
    assert!(!run.exists(), "nothing makes it again");
}

/// A folder in which nobody, root neither, can make a file.
#[cfg(target_os = "linux")]
#[test]
fn directory_that_is_read_only_is_told_before_training() {
    let run = Path::new("/proc/self/run");
    let error = TensorBoard::create(run).unwrap_err().to_string();
    assert!(error.contains("/proc/self/run"), "{error}");
    let error = JsonLines::create(run.join("records.jsonl"))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("/proc/self/run"), "{error}");
    let error = Folder::create(run).err().unwrap().to_string();
    assert!(error.contains("/proc/self/run"), "{error}");
    // One that exists, which a program finds out at its first file.
    let folder = Folder::create("/proc/self").unwrap();
    let told = loses(folder, |_| (), "weight-numbers");
    assert!(told.contains("the folder"), "{told}");
}

/// With a folder in the environment, what the child of the next test does; on its own, the plain
/// case.
#[test]
fn sink_with_room_takes_everything() {
    let given = std::env::var_os("PROBES_TEST_SINK_FOLDER");
    let own = tempfile::tempdir().unwrap();
    let folder = given.as_deref().map_or(own.path(), Path::new);
    let events = TensorBoard::create(folder.join("run")).unwrap();
    let lines = JsonLines::create(folder.join("records.jsonl")).unwrap();
    if given.is_some() {
        println!("\n{}", loses(events, |_| (), "cannot write to"));
        println!("{}", loses(lines, |_| (), "cannot write to"));
        return;
    }
    for summary in [train_with(events, |_| ()).2, train_with(lines, |_| ()).2] {
        summary.delivered().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_costs_the_records_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -f 40; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "recording::lost_output::sink_with_room_takes_everything",
        ])
        .arg("--nocapture")
        .env("PROBES_TEST_SINK_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{:?} {said}", output.status);
    // The count of what is lost, with the file, for TensorBoard; the sink's name for the lines.
    assert!(said.contains("value(s) are missing from"), "{said}");
    assert!(said.contains("JSON lines"), "{said}");
    let files = tensorboard::existing_event_files(folder.path().join("run")).unwrap();
    let read = tensorboard::read_events(&files[0]).unwrap();
    assert!(!read.truncated);
    // Each step has two scalars and a text; what was written has no gap.
    let losses = read.scalars("loss/train");
    assert!(
        (11..STEPS).contains(&(losses.len() as u64)),
        "{}",
        losses.len()
    );
    assert!(
        losses
            .iter()
            .zip(0..)
            .all(|((found, _), step)| *found == step)
    );
}
