//! The checkpoints that a learner has left.

use std::path::Path;

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;

/// Returns the last epoch whose checkpoint in a learner's directory is whole; `None` if there is
/// none.
///
/// The directory is that of `SupervisedTraining::new`, with the files of
/// `with_default_checkpointers`. A run that is killed while it writes leaves a file cut short: each
/// of the three of an epoch is read before that epoch is named.
#[must_use]
pub fn last_checkpoint(directory: impl AsRef<Path>) -> Option<usize> {
    let folder = directory.as_ref().join("checkpoint");
    let names = std::fs::read_dir(&folder).ok()?;
    let epoch = |name: &str| -> Option<usize> {
        let number = name.strip_prefix("model-")?.strip_suffix(".bpk")?;
        number.parse().ok()
    };
    let mut epochs: Vec<usize> = names
        .filter_map(|entry| epoch(entry.ok()?.file_name().to_str()?))
        .collect();
    epochs.sort_unstable();
    let is_whole = |epoch: &usize| {
        let path = |name: &str| folder.join(format!("{name}-{epoch}.bpk"));
        ModuleRecord::load(path("model")).is_ok()
            && OptimizerRecord::load(path("optim")).is_ok()
            && LrSchedulerRecord::load(path("scheduler")).is_ok()
    };
    epochs.into_iter().rev().find(is_whole)
}
