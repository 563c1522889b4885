//! One run with some of its checkpoints.

use std::path::{Path, PathBuf};

use super::directories_of;
use super::steps::Steps;
use crate::engine::checkpoints;
use crate::engine::stored::{Stored, Which};
use crate::failure::usage;

/// One run and its checkpoints.
pub(in crate::command) struct Run {
    /// The run's directory.
    pub(in crate::command) directory: PathBuf,
    /// The steps of its checkpoints that are wanted, ascending.
    pub(in crate::command) steps: Vec<usize>,
    /// The last of them.
    pub(in crate::command) last: Stored,
}

/// Returns the run in a directory, with three checkpoints at least.
///
/// # Errors
/// A usage error where there is no run or more than one, or too few checkpoints, which says how a
/// run keeps them.
pub(in crate::command) fn the_run(given: &Path, wanted: &Steps) -> anyhow::Result<Run> {
    let directories = directories_of(given)?;
    let [directory] = directories.as_slice() else {
        let names: Vec<String> = directories
            .iter()
            .map(|d| d.display().to_string())
            .collect();
        return Err(usage(format!(
            "{} holds several runs; name one: {}",
            given.display(),
            names.join(", ")
        )));
    };
    let mut steps = match wanted {
        Steps::All => checkpoints::steps(directory)?,
        Steps::Some(some) => {
            let mut steps = Vec::new();
            for &which in some {
                steps.push(match which {
                    Which::Step(step) => step,
                    named => Stored::open(directory, named)?.step(),
                });
            }
            steps
        }
    };
    steps.sort_unstable();
    steps.dedup();
    if steps.len() < 3 {
        let count = match steps.len() {
            1 => "1 checkpoint".to_owned(),
            count => format!("{count} checkpoints"),
        };
        let kept = match wanted {
            Steps::All => format!("{} has {count}", directory.display()),
            Steps::Some(_) => format!("--step names {count}"),
        };
        return Err(usage(format!(
            "{kept}, and a plane takes three; a run keeps its last two unless it is trained with --keep all, and --checkpoint-every N writes one every N steps"
        )));
    }
    let last = steps.last().expect("there are three at least");
    Ok(Run {
        last: Stored::open(directory, Which::Step(*last))?,
        directory: directory.clone(),
        steps,
    })
}
