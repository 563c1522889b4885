//! Training: the loop, its checkpoints, what it measures and where it writes.

mod accuracy;
pub(crate) mod checkpoint;
pub(crate) mod checkpoints;
pub(crate) mod data;
pub(crate) mod device;
pub(crate) mod dry_run;
mod figures;
pub(crate) mod files;
mod history;
pub(crate) mod instruments;
pub(crate) mod job;
mod learning_rate;
pub(crate) mod manifest;
mod measure_dir;
pub(crate) mod measurement;
mod observer;
mod optimiser;
mod origin;
mod recorder;
mod rows;
pub(crate) mod run_dir;
mod step;
pub(crate) mod stored;
pub(crate) mod subject;
pub(crate) mod training;
mod weights;
