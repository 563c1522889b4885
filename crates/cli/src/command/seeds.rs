//! Seeds that end differently: the finding about trainings that differ in their seeds alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use probes::diagnosis::{Diagnosis, Facts};
use serde_json::{Value, json};

use crate::config::folder;
use crate::results::diagnosis;

/// The diagnosis of the seeds of each training that has several, by its folder.
pub(super) struct Seeds(Vec<(PathBuf, Diagnosis)>);

impl Seeds {
    /// Looks at the trainings in these directories; one whose facts cannot be read is left out.
    pub(super) fn of<'a>(directories: impl Iterator<Item = &'a Path>) -> Self {
        let mut groups: BTreeMap<PathBuf, Vec<Facts>> = BTreeMap::new();
        for directory in directories {
            let name = directory.file_name().and_then(|name| name.to_str());
            let is_seed = name.is_some_and(folder::is_of_seed);
            if let (true, Some(parent)) = (is_seed, directory.parent())
                && let Some(facts) = diagnosis::read_facts(directory)
            {
                groups.entry(parent.to_owned()).or_default().push(facts);
            }
        }
        let several = groups.into_iter().filter(|(_, runs)| runs.len() > 1);
        Self(
            several
                .map(|(folder, runs)| (folder, Diagnosis::of_runs(&runs)))
                .collect(),
        )
    }

    /// Returns what is found, for the terminal; nothing where the seeds agree.
    pub(super) fn text(&self) -> Option<String> {
        let found = self
            .0
            .iter()
            .filter(|(_, found)| !found.findings.is_empty());
        let lines: Vec<String> = found
            .map(|(folder, found)| format!("Seeds of {}:\n{found}", folder.display()))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Returns what is found, by folder.
    pub(super) fn json(&self) -> Value {
        let of = |(folder, found): &(PathBuf, Diagnosis)| json!({"directory": folder, "findings": found.findings});
        self.0.iter().map(of).collect()
    }
}
