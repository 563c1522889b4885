//! One training of a command.

use std::path::PathBuf;

use super::plan::Plan;
use super::settings::Settings;

/// One training to carry out.
#[derive(Debug, Clone)]
pub(crate) struct Training {
    /// Its name: that of the run, or of the member of a group.
    pub(crate) name: String,
    /// The directory of its files.
    pub(crate) output: PathBuf,
    /// The member of a group that it is.
    pub(crate) member: Option<String>,
    /// The folder that it shares with the other trainings of the command, if there are others.
    pub(crate) group: Option<PathBuf>,
    /// The decided settings.
    pub(crate) plan: Plan,
    /// The places of its settings, most specific first.
    pub(super) sources: Vec<Vec<String>>,
    /// The flags, which are more specific than all of these.
    pub(super) flags: Settings,
}

impl Training {
    /// Returns a training of settings that are decided already, as those of an earlier one.
    pub(crate) fn of_plan(name: String, output: PathBuf, plan: Plan) -> Self {
        Self {
            name,
            output,
            member: None,
            group: None,
            plan,
            sources: Vec::new(),
            flags: Settings::default(),
        }
    }
}
