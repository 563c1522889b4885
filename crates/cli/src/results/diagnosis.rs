//! diagnosis.json: the findings of a training with their evidence, and what was not looked at; and
//! facts.json: what they rest on, for a diagnosis of several seeds.
//!
//! A finished run has its findings in summary.json too; these files are there also where a run
//! diverged and has no summary.

use std::path::Path;

use probes::diagnosis::Facts;
use serde::Serialize;

/// The name of the file of the findings in a run's directory.
pub(crate) const FILE: &str = "diagnosis.json";

/// The name of the file of the facts.
pub(crate) const FACTS: &str = "facts.json";

/// Returns the content of one of the files.
///
/// # Errors
/// When it cannot be encoded.
pub(crate) fn to_bytes(content: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_string(content)?;
    text.push('\n');
    Ok(text.into_bytes())
}

/// Returns the facts of a run, if it has kept them whole.
pub(crate) fn read_facts(directory: &Path) -> Option<Facts> {
    let text = std::fs::read(directory.join(FACTS)).ok()?;
    serde_json::from_slice(&text).ok()
}
