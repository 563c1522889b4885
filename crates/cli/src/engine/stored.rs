//! A run that is on the disk: where it lies, its checkpoints, its settings and its data. It is read
//! only, also while it goes on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};

use super::checkpoint::Checkpoint;
use super::checkpoints;
use super::origin::same_checksums;
use crate::config::Plan;
use crate::failure::usage;
use crate::results::summary::{self, DataChecksums};

/// Which checkpoint of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The latest that is whole.
    Latest,
    /// The checkpoint of the smallest validation loss, of a run with `--keep best`.
    Best,
    /// The checkpoint of a step.
    Step(usize),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "latest" => Ok(Self::Latest),
            "best" => Ok(Self::Best),
            step => step
                .parse()
                .map(Self::Step)
                .map_err(|_| "expected a step, `latest` or `best`".to_owned()),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Best => f.write_str("best"),
            Self::Step(step) => write!(f, "{step}"),
        }
    }
}

/// A run and one of its checkpoints.
pub(crate) struct Stored {
    /// The run's directory.
    pub(crate) directory: PathBuf,
    /// The checkpoint.
    pub(crate) checkpoint: Checkpoint,
    /// Remarks for the reader: newer checkpoints that are damaged.
    pub(crate) notes: Vec<String>,
    /// Whether the run has come to its end.
    pub(crate) finished: bool,
}

impl Stored {
    /// Finds a run and reads one of its checkpoints. A bare name is looked up in runs/ too.
    ///
    /// # Errors
    /// A usage error when there is no such run, or no such checkpoint, which lists those that are
    /// there; a failure when it is damaged.
    pub(crate) fn open(run: &Path, which: Which) -> anyhow::Result<Self> {
        let directory = find(run)?;
        let shown = directory.display();
        let steps = checkpoints::steps(&directory)?;
        let missing = |what: &str| {
            let list: Vec<String> = steps.iter().map(ToString::to_string).collect();
            usage(format!(
                "{shown} has no checkpoint {what}; it has those of the steps {}",
                list.join(", ")
            ))
        };
        if steps.is_empty() {
            return Err(usage(format!(
                "{shown} has no checkpoint to measure; a run writes its first one before its first step"
            )));
        }
        let mut notes = Vec::new();
        let checkpoint = match which {
            Which::Latest => {
                let (found, damaged) = checkpoints::latest(&directory)?;
                notes = damaged;
                found
                    .with_context(|| format!("the checkpoints of {shown} were removed meanwhile"))?
            }
            Which::Best => {
                let (step, _) = checkpoints::best(&directory)?.ok_or_else(|| {
                    usage(format!(
                        "no checkpoint of {shown} knows its validation loss; those of a run with --keep best do"
                    ))
                })?;
                checkpoints::at(&directory, step)?.ok_or_else(|| missing("that is the best"))?
            }
            Which::Step(step) => checkpoints::at(&directory, step)?
                .ok_or_else(|| missing(&format!("of step {step}")))?,
        };
        Ok(Self {
            finished: directory.join(summary::FILE).is_file(),
            directory,
            checkpoint,
            notes,
        })
    }

    /// Returns the settings of the run.
    pub(crate) const fn plan(&self) -> &Plan {
        &self.checkpoint.state.plan
    }

    /// Returns the steps done at the checkpoint.
    pub(crate) const fn step(&self) -> usize {
        self.checkpoint.state.step
    }

    /// Returns the steps of the whole run, of so many training examples.
    pub(crate) fn steps_in_all(&self, examples: usize) -> u64 {
        let plan = self.plan();
        (examples.div_ceil(plan.batch_size.get()) * plan.epochs.get()) as u64
    }

    /// Checks that the data are those of the run.
    ///
    /// # Errors
    /// When the examples have changed since.
    pub(crate) fn check_data(&self, now: DataChecksums) -> anyhow::Result<()> {
        if let Some(difference) = same_checksums(self.checkpoint.state.data, now) {
            bail!(
                "the data set `{}` is not that of {}: {difference}; put the old examples back",
                self.plan().subject.data_name(),
                self.directory.display()
            );
        }
        Ok(())
    }
}

/// Returns the directory of a run.
fn find(run: &Path) -> anyhow::Result<PathBuf> {
    let in_runs = Path::new("runs").join(run);
    let found = [run.to_owned(), in_runs]
        .into_iter()
        .find(|path| path.is_dir());
    let Some(directory) = found else {
        return Err(usage(format!(
            "there is no run {}; give a directory such as runs/quickstart/sgd",
            run.display()
        )));
    };
    if directory.join(checkpoints::FOLDER).is_dir() {
        return Ok(directory);
    }
    let cannot = || format!("{} cannot be read", directory.display());
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(&directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.join(checkpoints::FOLDER).is_dir() {
            runs.push(path.display().to_string());
        }
    }
    runs.sort();
    let shown = directory.display();
    Err(usage(if runs.is_empty() {
        format!(
            "{shown} holds no checkpoints; give the directory of a run, such as runs/quickstart/sgd"
        )
    } else {
        format!("{shown} holds several runs; name one: {}", runs.join(", "))
    }))
}
