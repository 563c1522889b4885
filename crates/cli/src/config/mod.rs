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
mod probe_settings;
pub(crate) mod reach;
pub(crate) mod remedy;
pub(crate) mod sam;
pub(crate) mod settings;
pub(crate) mod slice_choice;
pub(crate) mod subject;
mod suggestion;
mod tables;
mod training;
pub(crate) mod variation;
pub(crate) mod widths;
mod workspace;

pub(crate) use plan::Plan;
pub(crate) use settings::Settings;
pub(crate) use training::Training;
pub(crate) use workspace::Workspace;
