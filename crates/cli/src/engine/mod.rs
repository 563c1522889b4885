//! Training: the loop, its checkpoints, what it measures and where it writes.

pub(crate) mod checkpoint;
pub(crate) mod checkpoints;
pub(crate) mod data;
pub(crate) mod device;
mod figures;
pub(crate) mod files;
mod history;
mod instruments;
mod learning_rate;
mod loss;
pub(crate) mod manifest;
mod network;
mod numbers;
mod observer;
mod optimiser;
mod origin;
mod pictures;
mod recorder;
pub(crate) mod run_dir;
pub(crate) mod seeds;
pub(crate) mod session;
mod step;
mod training;
mod weights;
