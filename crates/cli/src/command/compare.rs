//! `landscape compare RUN RUN..`: finished runs side by side.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::Context;
use crate::failure::{SUCCESS, usage};
use crate::report::output::{print, printable};
use crate::report::summary::{self, DIVERGED, Summary};
use crate::report::table::side_by_side;

pub(super) const EXAMPLE: &str = "Example:\n  landscape compare runs/quickstart/sgd runs/quickstart/sam\n  landscape compare runs/quickstart";

/// What the command takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directories with a summary.json, or with folders that have one; a bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
}

/// Prints the table.
///
/// # Errors
///
/// When a summary cannot be read, or two runs did not train on the same data.
pub(super) fn carry_out(arguments: &Arguments, context: &Context) -> anyhow::Result<u8> {
    let mut found: Vec<(PathBuf, Summary)> = Vec::new();
    for run in &arguments.runs {
        for directory in with_summary(run)? {
            if found.iter().all(|(other, _)| *other != directory) {
                let summary = Summary::read(&directory)?;
                found.push((directory, summary));
            }
        }
    }
    let Some(((first, reference), others)) = found.split_first() else {
        return Err(usage("nothing to compare"));
    };
    for (directory, summary) in others {
        comparable(reference, summary).map_err(|difference| {
            usage(format!(
                "{} and {} cannot be compared: {difference}",
                first.display(),
                directory.display()
            ))
        })?;
    }
    if context.json {
        let runs: Vec<_> = found
            .iter()
            .map(|(directory, summary)| json!({"directory": directory, "summary": summary}))
            .collect();
        print(&format!("{:#}", json!({"runs": runs})))?;
        return Ok(SUCCESS);
    }
    let columns: Vec<_> = found
        .iter()
        .map(|(directory, summary)| (directory.display().to_string(), summary))
        .collect();
    print(&side_by_side(&columns))?;
    for note in remarks(reference, others) {
        print(&printable(&note))?;
    }
    Ok(SUCCESS)
}

/// The directory itself if it has a summary, otherwise its folders that have one.
fn with_summary(run: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let in_runs = Path::new("runs").join(run);
    let Some(directory) = [run.to_owned(), in_runs]
        .into_iter()
        .find(|path| path.is_dir())
    else {
        return Err(usage(format!(
            "there is no run {}; give a directory such as runs/quickstart/sgd",
            run.display()
        )));
    };
    if directory.join(summary::FILE).is_file() {
        return Ok(vec![directory]);
    }
    let (finished, others): (Vec<_>, Vec<_>) = folders(&directory)?
        .into_iter()
        .partition(|folder| folder.join(summary::FILE).is_file());
    if finished.is_empty() {
        let has_finished = |group: &PathBuf| {
            let inside = folders(group).unwrap_or_default();
            inside.iter().any(|run| run.join(summary::FILE).is_file())
        };
        let groups: Vec<String> = others
            .iter()
            .filter(|group| has_finished(group))
            .map(|group| format!("landscape compare {}", group.display()))
            .collect();
        let advice = if groups.is_empty() {
            "landscape run NAME --resume finishes one".to_owned()
        } else {
            format!("there are some below: {}", groups.join(", or "))
        };
        return Err(usage(format!(
            "{} holds no finished run; {advice}",
            directory.display()
        )));
    }
    Ok(finished)
}

/// The folders in a directory, by name.
fn folders(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("{} cannot be read", directory.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Losses and curvature are comparable on the same examples only.
fn comparable(a: &Summary, b: &Summary) -> Result<(), String> {
    let differs = |what: &str, a: String, b: String| {
        Err(format!(
            "they have different {what} ({a} and {b}), so their losses mean different things"
        ))
    };
    if a.config.dataset != b.config.dataset {
        return differs(
            "data sets",
            a.config.dataset.clone(),
            b.config.dataset.clone(),
        );
    }
    if a.config.data == b.config.data && a.data.crc32c != b.data.crc32c {
        let describe =
            |s: &Summary| format!("CRC-32C {} of the training part", s.data.crc32c.training);
        return differs("examples in their files", describe(a), describe(b));
    }
    if a.config.data != b.config.data || a.data != b.data {
        let describe = |s: &Summary| {
            let data = &s.config.data;
            format!(
                "{} training examples, split seed {}",
                s.data.training, data.split_seed
            )
        };
        return differs("divisions of the data", describe(a), describe(b));
    }
    if a.hessian.examples != b.hessian.examples {
        return differs(
            "numbers of examples for curvature",
            a.hessian.examples.to_string(),
            b.hessian.examples.to_string(),
        );
    }
    Ok(())
}

/// What a reader of the table should know.
fn remarks(reference: &Summary, others: &[(PathBuf, Summary)]) -> Vec<String> {
    let mut remarks = Vec::new();
    let all = std::iter::once(reference).chain(others.iter().map(|(_, summary)| summary));
    for diverged in all.filter(|summary| summary.status == DIVERGED) {
        remarks.push(format!("{} diverged at its last step.", diverged.name));
    }
    let rho = |s: &Summary| s.figures.sam_sharpness.map(|sharpness| sharpness.rho);
    if others
        .iter()
        .any(|(_, s)| rho(s).is_some() && rho(reference).is_some() && rho(s) != rho(reference))
    {
        remarks.push(
            "The SAM sharpness is measured with different radii and cannot be compared.".to_owned(),
        );
    }
    // The step of a difference follows the weights; only the kind of product matters here.
    let kind = |summary: &Summary| summary.hessian.method.split(',').next().map(str::to_owned);
    let measured = |s: &Summary| s.hessian.method != summary::NOT_MEASURED;
    if others
        .iter()
        .any(|(_, s)| measured(s) && measured(reference) && kind(s) != kind(reference))
    {
        remarks.push("Hessian products were made by different methods.".to_owned());
    }
    if others.iter().any(|(_, s)| {
        s.config.model != reference.config.model || s.config.hidden != reference.config.hidden
    }) {
        remarks.push(
            "The networks differ; curvature depends on how a network is parameterised.".to_owned(),
        );
    }
    remarks
}
