//! The program under test, a folder of its own for each test, and a small workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A workspace whose runs take a fraction of a second: no probes while training, curvature of 32
/// images.
pub(crate) const SMALL: &str = r#"
[defaults]
dataset = "digits"
hidden = [16]
epochs = 2
batch_size = 64
curvature_examples = 32
log_every = 1

[defaults.probes]
loss = "every 10 + end"
gradient = "never"
eigenvalues = "end"
trace = "end"
sharpness = "end"
density = "never"
line = "never"
surface = "never"

[datasets.digits]
source = "digits"

[datasets.other-split]
source = "digits"
split_seed = 1

[runs.one]
description = "one training"

[runs.pair]
[runs.pair.members.sgd]
method = "plain"
[runs.pair.members.sam]
method = "sam"
rho = 0.1
"#;

/// A folder with a workspace.toml, removed when the test ends.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// A workplace with the small workspace.
    pub(crate) fn new() -> Self {
        Self::with(SMALL)
    }

    /// A workplace with another workspace.toml.
    pub(crate) fn with(workspace: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("workspace.toml"), workspace).unwrap();
        Self { folder }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with arguments, ready to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_landscape"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("NO_COLOR");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn landscape(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; none after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// It must have ended with this code, said all these words on standard error, and not panicked.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, words: &[&str]) -> Self {
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {}", self.err);
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }
}

/// summary.json of a run without its times.
#[track_caller]
pub(crate) fn summary(directory: &Path) -> Value {
    let text = fs::read_to_string(directory.join("summary.json")).unwrap();
    let mut summary: Value = serde_json::from_str(&text).unwrap();
    summary.as_object_mut().unwrap().remove("times").unwrap();
    summary
}

/// The names of the checkpoints, the oldest first.
#[track_caller]
pub(crate) fn checkpoints(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("checkpoints")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until a run has some checkpoints behind it.
#[track_caller]
pub(crate) fn wait_for_checkpoint(directory: &Path, child: &mut Child) {
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

/// The event files, in reading order; each must be readable to its end or to a cut.
#[track_caller]
pub(crate) fn event_files(directory: &Path) -> Vec<tensorboard::EventFile> {
    let files = tensorboard::existing_event_files(directory).unwrap();
    files
        .iter()
        .map(|file| tensorboard::read_events(file).unwrap())
        .collect()
}
