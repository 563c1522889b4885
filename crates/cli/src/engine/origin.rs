//! The settings and data of a stored run, compared with those that are asked for now.

use std::collections::BTreeSet;

use anyhow::bail;
use serde_json::{Map, Value};

use super::job::Job;
use crate::config::Plan;
use crate::failure::usage;
use crate::results::summary::DataChecksums;

/// Checks that the examples are those that the run was begun with; only so it goes on to the same
/// end.
///
/// # Errors
/// When the checksums differ; it names the part of the data and both.
pub(super) fn same_data(
    stored: DataChecksums,
    now: DataChecksums,
    job: &Job,
) -> anyhow::Result<()> {
    let Some((part, was, is)) = differing(stored, now) else {
        return Ok(());
    };
    bail!(
        "the {part} examples of `{}` have changed since {} was begun (their CRC-32C was {was} and is now {is}); put the old ones \
         back, or begin again with --overwrite",
        job.training.plan.subject.data_name(),
        job.training.output.display()
    )
}

/// Returns what differs between the data of two moments or of two runs, in words; none where
/// nothing does.
pub(crate) fn same_checksums(stored: DataChecksums, now: DataChecksums) -> Option<String> {
    differing(stored, now)
        .map(|(part, was, is)| format!("the CRC-32C of the {part} examples was {was} and is {is}"))
}

/// Returns the first part of the data whose checksums differ, with both.
fn differing(stored: DataChecksums, now: DataChecksums) -> Option<(&'static str, u32, u32)> {
    let parts = [
        ("training", stored.training, now.training),
        ("validation", stored.validation, now.validation),
        ("test", stored.test, now.test),
    ];
    parts.into_iter().find(|(_, was, is)| was != is)
}

/// Checks that the settings are those that the run was begun with; only so it goes on to the same
/// end.
///
/// # Errors
/// A usage error that names the first setting that differs, with both values.
pub(super) fn same_plan(stored: &Plan, wanted: &Plan, job: &Job) -> anyhow::Result<()> {
    // Which checkpoints are kept does not change what they hold.
    let stored = &Plan {
        keep: wanted.keep,
        ..stored.clone()
    };
    if stored == wanted {
        return Ok(());
    }
    let (stored, wanted) = (serde_json::to_value(stored)?, serde_json::to_value(wanted)?);
    let differs = difference("", &stored, &wanted);
    Err(usage(format!(
        "{} was begun with other settings ({}); take those, or begin again with --overwrite",
        job.training.output.display(),
        differs.expect("plans that differ are written differently")
    )))
}

/// Returns the first setting that differs, with both values.
fn difference(name: &str, was: &Value, is: &Value) -> Option<String> {
    if was == is {
        return None;
    }
    if let (Value::Object(was), Value::Object(is)) = (was, is) {
        // A setting may be on one side only, for example when another version of the program has
        // one more.
        let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        return keys.into_iter().find_map(|key| {
            let name = if name.is_empty() {
                key.clone()
            } else {
                format!("{name}.{key}")
            };
            let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
            difference(&name, &value(was), &value(is))
        });
    }
    let shown = |value: &Value| match value {
        Value::Null => "not set".to_owned(),
        value => value.to_string(),
    };
    Some(format!(
        "{name} was {} and is now {}",
        shown(was),
        shown(is)
    ))
}
