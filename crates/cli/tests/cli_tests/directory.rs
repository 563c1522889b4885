//! The output directory belongs to one run at a time, and what is not the run's own is never
//! touched.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::program::{Workplace, checkpoints, event_files, summary, wait_for_checkpoint};

/// A run long enough to lose its directory in the middle.
const LONG: &[&str] = &["run", "one", "--epochs", "200", "--batch-size", "8"];

fn long_run(place: &Workplace) -> Child {
    let mut child = place
        .command(LONG)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_checkpoint(&place.path("runs/one"), &mut child);
    child
}

#[track_caller]
fn ended(child: Child) -> crate::program::Ended {
    crate::program::Ended::from(child.wait_with_output().unwrap())
}

#[test]
fn directory_that_is_removed_in_mid_run_stops_the_run_with_an_error() {
    let place = Workplace::new();
    let child = long_run(&place);
    // A checkpoint may be written while the folder is being removed.
    while fs::remove_dir_all(place.path("runs/one")).is_err() {}
    ended(child).expect(1, &["runs/one", "was removed, moved or replaced"]);
    assert!(!place.path("runs/one").exists());
}

#[test]
fn event_file_that_is_removed_in_mid_run_stops_the_run_and_resuming_says_so() {
    let place = Workplace::new();
    let child = long_run(&place);
    for file in tensorboard::existing_event_files(place.path("runs/one")).unwrap() {
        fs::remove_file(file).unwrap();
    }
    ended(child).expect(
        1,
        &[
            "events.out.tfevents",
            "was removed",
            "can be resumed from step",
        ],
    );
    assert!(!place.path("runs/one/summary.json").exists());
    let resumed = place.landscape(&[LONG, &["--resume"]].concat());
    resumed.expect(0, &["events.out.tfevents", "is gone"]);
}

#[test]
fn run_that_takes_the_place_of_another_is_not_touched_by_it() {
    let place = Workplace::new();
    let child = long_run(&place);
    fs::rename(place.path("runs/one"), place.path("moved")).unwrap();
    // Another run begins where the first one still believes to be.
    place
        .landscape(&["run", "one", "--seed", "7"])
        .expect(0, &[]);
    let second = summary(&place.path("runs/one"));
    let files = names(&place.path("runs/one"));
    ended(child).expect(1, &["was removed, moved or replaced"]);
    assert_eq!(summary(&place.path("runs/one")), second);
    assert_eq!(names(&place.path("runs/one")), files);
    assert_eq!(event_files(&place.path("runs/one")).len(), 1);
}

#[test]
fn run_that_is_going_on_cannot_be_overwritten_or_resumed() {
    let place = Workplace::new();
    let mut child = long_run(&place);
    for flag in ["--overwrite", "--resume"] {
        let second = place.landscape(&[LONG, &[flag]].concat());
        second.expect(1, &["another writer is open", "runs/one"]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let files = event_files(&place.path("runs/one"));
    assert_eq!(files.len(), 1);
    assert!(!checkpoints(&place.path("runs/one")).is_empty());
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Files that look like a run's by their names, and are not.
const FOREIGN: &[&str] = &[
    "checkpoints/mine/weights.pt",
    "checkpoints/step-00000100/weights.pt",
    "landscape-notes.png",
    "gradient-of-a-hill.png",
    "notes.partial",
    ".other.lock",
    "my.tfevents.d/events",
    "thesis.txt",
];

fn put_foreign_files(directory: &Path) {
    for file in FOREIGN {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "years of work").unwrap();
    }
}

#[track_caller]
fn assert_foreign_files(directory: &Path) {
    for file in FOREIGN {
        let text = fs::read_to_string(directory.join(file));
        assert_eq!(text.ok().as_deref(), Some("years of work"), "{file}");
    }
}

#[test]
fn files_that_look_like_a_runs_are_not_taken_for_one() {
    for file in FOREIGN.iter().chain(&[
        "summary.json",
        "landscape-surface.png",
        "events.out.tfevents.1700000000.host.1.0",
        "checkpoints/step-00000017/model.bpk",
    ]) {
        let place = Workplace::new();
        let path = place.path("runs/one").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "years of work").unwrap();
        for flag in [&["--overwrite"][..], &["--resume"], &[]] {
            let ended = place.landscape(&[&["run", "one"], flag].concat());
            ended.expect(2, &["runs/one holds files that are not a run's"]);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "years of work");
    }
}

#[test]
fn overwriting_removes_what_the_run_has_made_and_nothing_else() {
    let place = Workplace::new();
    let pictures = ["--probe-line", "end", "--epochs", "1"];
    place
        .landscape(&[&["run", "one"], &pictures[..]].concat())
        .expect(0, &[]);
    let run = place.path("runs/one");
    put_foreign_files(&run);
    let before = event_files(&run).len();
    assert_eq!(before, 1);
    place
        .landscape(&["run", "one", "--overwrite"])
        .expect(0, &[]);
    assert_foreign_files(&run);
    assert!(!run.join("landscape-line.png").exists());
    assert!(!run.join("landscape-line.csv").exists());
    assert!(!run.join("checkpoints/step-00000000").exists());
    let mut ours = checkpoints(&run);
    ours.retain(|name| name != "mine" && name != "step-00000100");
    assert_eq!(ours, ["step-00000017", "step-00000034"]);
}

#[test]
fn event_files_of_somebody_else_are_not_mixed_with_a_new_run() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let foreign = place.path("runs/one/events.out.tfevents.1700000000.host.1.0");
    fs::write(&foreign, "years of work").unwrap();
    let ended = place.landscape(&["run", "one", "--overwrite"]);
    ended.expect(
        2,
        &["events.out.tfevents.1700000000.host.1.0", "move it away"],
    );
    assert!(foreign.exists());
    assert!(place.path("runs/one/summary.json").exists());
}

#[test]
fn picture_of_somebody_else_is_not_written_over() {
    let place = Workplace::new();
    let line = ["run", "one", "--probe-line", "end"];
    place.landscape(&["run", "one"]).expect(0, &[]);
    fs::write(place.path("runs/one/landscape-line.png"), "mine").unwrap();
    let ended = place.landscape(&[&line[..], &["--overwrite"]].concat());
    ended.expect(1, &["landscape-line.png is there already", "move it away"]);
    let kept = fs::read_to_string(place.path("runs/one/landscape-line.png")).unwrap();
    assert_eq!(kept, "mine");
}

#[test]
fn list_of_files_that_is_lost_is_made_again_from_a_checkpoint() {
    let place = Workplace::new();
    let climbing = "{\"schema\": \"landscape-run/1\", \"files\": [\"../x\"]}";
    for damage in [Some(""), Some(climbing), None] {
        place
            .landscape(&["run", "one", "--overwrite"])
            .expect(0, &[]);
        let whole = summary(&place.path("runs/one"));
        let list = place.path("runs/one/run.json");
        match damage {
            Some(text) => fs::write(list, text).unwrap(),
            None => fs::remove_file(list).unwrap(),
        }
        fs::remove_file(place.path("runs/one/summary.json")).unwrap();
        place
            .landscape(&["run", "one", "--resume"])
            .expect(0, &["resuming at step 34"]);
        assert_eq!(summary(&place.path("runs/one")), whole);
    }
    place
        .landscape(&["run", "one", "--overwrite"])
        .expect(0, &[]);
    assert_eq!(event_files(&place.path("runs/one")).len(), 1);
}

#[test]
fn what_a_kill_leaves_at_the_very_beginning_keeps_nobody_out() {
    for left in [&[".writer.lock"][..], &[".writer.lock", "run.json.partial"]] {
        for flag in [&[][..], &["--resume"], &["--overwrite"]] {
            let place = Workplace::new();
            fs::create_dir_all(place.path("runs/one")).unwrap();
            for file in left {
                fs::write(place.path("runs/one").join(file), "").unwrap();
            }
            place
                .landscape(&[&["run", "one"], flag].concat())
                .expect(0, &[]);
        }
    }
}
