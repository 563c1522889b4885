//! diagnosis.json: the findings of a training with their evidence, and what was not looked at.
//!
//! A finished run has its findings in summary.json too; this file is there also where a run
//! diverged and has no summary.

use probes::diagnosis::Diagnosis;

/// The name of the file in a run's directory.
pub(crate) const FILE: &str = "diagnosis.json";

/// Returns the content of the file.
///
/// # Errors
/// When it cannot be encoded.
pub(crate) fn to_bytes(diagnosis: &Diagnosis) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_string_pretty(diagnosis)?;
    text.push('\n');
    Ok(text.into_bytes())
}
