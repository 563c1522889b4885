//! `landscape report RUN..`: runs as one page of HTML.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use probes::report::{Page, Run};
use serde_json::json;

use super::context::Context;
use crate::comparison::{begun, common_folder, short_names};
use crate::failure::{SUCCESS, usage};
use crate::report::output::{print, printable};
use crate::report::program;

pub(super) const EXAMPLE: &str = "Example:\n  landscape report runs/quickstart\n  landscape report runs/quickstart/sgd runs/quickstart/sam --output sgd-and-sam.html\n\nThe page is one file: curves, spectra, contours, surfaces that one can turn, findings and settings, all runs on one scale. It can be sent, printed and read on a phone, and asks for nothing from a network. A run that is unfinished or damaged is shown as far as it goes.";

/// The name of the page where none is given.
const FILE: &str = "report.html";

/// The mark of a page of this program: a page without it is somebody else's and not written over.
const OWN: &str = "<main data-report=\"probes\">";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directories of runs, finished or not, or with runs below them; also any directory with an
    /// event file or JSON lines. A bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The page; by default report.html in the directory of the run, or in the one that all runs
    /// lie in
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the page and says where it is.
///
/// # Errors
/// When a directory holds no run, or the page cannot be written.
pub(super) fn carry_out(arguments: &Arguments, context: &Context) -> anyhow::Result<u8> {
    let begin = Instant::now();
    let directories = directories(&arguments.runs)?;
    let paths: Vec<&Path> = directories.iter().map(PathBuf::as_path).collect();
    let output = match &arguments.output {
        Some(output) if output.is_dir() => output.join(FILE),
        Some(output) => output.clone(),
        None => usual(&paths, &arguments.runs).join(FILE),
    };
    check(&output)?;
    let mut page = Page::new();
    for (directory, name) in directories.iter().zip(names(&paths)) {
        let run = Run::read(directory)?;
        page = page.with(run.named(name));
    }
    let bytes = page.write(&output)?;
    let seconds = begin.elapsed().as_secs_f64();
    let missing: usize = page.runs().iter().map(|run| run.missing().len()).sum();
    if context.json {
        let runs = page.runs().iter().zip(&directories).map(|(run, directory)| {
            json!({ "name": run.name(), "directory": directory, "missing": run.missing() })
        });
        let document = json!({
            "page": output, "bytes": bytes, "seconds": seconds,
            "runs": runs.collect::<Vec<_>>(),
        });
        print(&format!("{document:#}"))?;
        return Ok(SUCCESS);
    }
    let count = match directories.len() {
        1 => "one run".to_owned(),
        count => format!("{count} runs"),
    };
    if missing > 0 {
        print(&printable(&format!(
            "Not everything could be read; the page's last section says what is missing ({missing})."
        )))?;
    }
    print(&printable(&format!(
        "The report about {count} is {} ({}); open it with any browser: {}",
        output.display(),
        size(bytes),
        address(&output)
    )))?;
    Ok(SUCCESS)
}

/// Returns the directories of runs, in their order and each once.
fn directories(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in given {
        let in_runs = Path::new("runs").join(path);
        let Some(directory) = [path.clone(), in_runs]
            .into_iter()
            .find(|path| path.is_dir())
        else {
            return Err(usage(format!(
                "there is no run {}; give a directory such as runs/quickstart/sgd",
                path.display()
            )));
        };
        let mut runs = begun(&directory)?;
        if runs.is_empty() {
            // A run of a library user: no summary and no checkpoints.
            runs = others(&directory)?;
        }
        if runs.is_empty() {
            return Err(usage(format!(
                "{} holds no run: neither one of {} nor an event file or JSON lines",
                directory.display(),
                program::name()
            )));
        }
        for run in runs {
            if !found.contains(&run) {
                found.push(run);
            }
        }
    }
    Ok(found)
}

/// Returns the directory, or those in it, that hold event files or JSON lines.
fn others(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if Run::read(directory).is_ok() {
        return Ok(vec![directory.to_owned()]);
    }
    let cannot = || format!("{} cannot be read", directory.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() && Run::read(&path).is_ok() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Returns the folder of the page where none is given.
fn usual(directories: &[&Path], given: &[PathBuf]) -> PathBuf {
    match (directories, given) {
        ([only], _) => (*only).to_owned(),
        // The folder that was named, in which all of them lie.
        (_, [given]) if directories.iter().all(|run| run.starts_with(given)) => given.clone(),
        _ => common_folder(directories),
    }
}

fn names(directories: &[&Path]) -> Vec<String> {
    match directories {
        [only] => {
            let name = only
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            vec![name.unwrap_or_else(|| only.display().to_string())]
        }
        _ => short_names(directories),
    }
}

/// Refuses a file that is not a report, and a folder that is not there.
fn check(output: &Path) -> anyhow::Result<()> {
    let shown = output.display();
    if output.is_file() {
        let content = std::fs::read(output).with_context(|| format!("{shown} cannot be read"))?;
        let is_own = content
            .windows(OWN.len())
            .any(|part| part == OWN.as_bytes());
        if !is_own {
            return Err(usage(format!(
                "{shown} is there and is no report; choose another file with --output"
            )));
        }
    }
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(usage(format!(
            "{} is no directory; make it first, or choose another file with --output",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// Returns the address that a browser takes.
fn address(output: &Path) -> String {
    let whole = std::fs::canonicalize(output).unwrap_or_else(|_| output.to_owned());
    let mut address = "file://".to_owned();
    for character in whole.display().to_string().chars() {
        match character {
            ' ' | '#' | '?' | '%' => {
                address += &format!("%{:02X}", u32::from(character));
            }
            other => address.push(other),
        }
    }
    address
}

#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^53")]
fn size(bytes: usize) -> String {
    match bytes {
        ..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
