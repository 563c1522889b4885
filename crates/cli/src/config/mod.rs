//! workspace.toml: the table of data sets and runs, read, checked and merged with the flags.

pub(crate) mod bounded;
pub(crate) mod choice;
mod document;
mod flags;
pub(crate) mod folder;
pub(crate) mod keep;
pub(crate) mod limits;
pub(crate) mod moment;
pub(crate) mod plan;
pub(crate) mod sam;
pub(crate) mod settings;
mod suggestion;
pub(crate) mod widths;
mod workspace;

pub(crate) use plan::Plan;
pub(crate) use settings::Settings;
pub(crate) use workspace::{Training, Workspace};
