//! `landscape list`: the runs and data sets of workspace.toml, and the runs that lie in runs/.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::{Value, json};

use super::context::Context;
use crate::comparison;
use crate::config::choice;
use crate::config::subject::DatasetPlan;
use crate::config::{Plan, Settings, Training, Workspace};
use crate::engine::checkpoints;
use crate::engine::source::Source;
use crate::failure::SUCCESS;
use crate::report::number::{Number, significant};
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::program::named;
use crate::report::table::{plain, trimmed};
use crate::report::width;
use crate::results::summary::{self, FINISHED, Summary};

pub(super) const EXAMPLE: &str = "Example:\n  landscape list\n  landscape list --json";

/// The folder of runs, if no flag names another.
const RUNS: &str = "runs";

/// Prints the tables.
///
/// # Errors
/// When workspace.toml is wrong, or runs/ cannot be read.
pub(super) fn carry_out(context: &Context, source: &dyn Source) -> anyhow::Result<u8> {
    let workspace = match source.own() {
        Some(own) => context.read_workspace_or_built_in(Some(own)),
        None => context.read_workspace(None),
    }?;
    let mut runs = Vec::new();
    for run in workspace.run_names()? {
        let trainings = workspace.trainings(&run, &Settings::default())?;
        runs.push((run, trainings));
    }
    let stored = stored()?;
    if context.json {
        let document = document(&workspace, &runs, &stored);
        print(&format!("{document:#}"))?;
        return Ok(SUCCESS);
    }
    let paint = Paint::stdout();
    print(&fitted(runs_of_the_file(&workspace, &runs)))?;
    if workspace.own().is_none() {
        print(&format!("\n{}", fitted(datasets(&workspace))))?;
    }
    if !stored.is_empty() {
        print(&format!("\n{}", fitted(lying(&stored))))?;
    }
    let next = comparison::wrapped(
        &named("landscape run NAME begins a run, landscape compare NAME shows what came of it"),
        width::columns(),
    );
    print(&format!("\n{}", paint.faint(&next)))?;
    Ok(SUCCESS)
}

fn document(
    workspace: &Workspace,
    runs: &[(String, Vec<Training>)],
    stored: &[(PathBuf, Stored)],
) -> Value {
    let runs: Vec<_> = runs
        .iter()
        .map(|(run, trainings)| {
            let trainings: Vec<_> = trainings
                .iter()
                .map(|t| json!({"name": t.name, "output": t.output, "config": t.plan}))
                .collect();
            json!({"name": run, "description": workspace.description(run), "trainings": trainings})
        })
        .collect();
    let stored: Vec<_> = stored
        .iter()
        .map(|(directory, run)| {
            let since = run
                .written
                .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
            json!({
                "directory": directory,
                "status": run.status(),
                "written": since.map(|since| since.as_secs()),
                "method": run.summary().map(|s| s.config.method_in_words()),
                "test_accuracy": run.summary().map(|s| s.figures.test_accuracy),
                "lambda_1": run.summary().map(|s| Number(comparison::lambda_1(s))),
            })
        })
        .collect();
    let missing: Vec<_> = workspace
        .datasets()
        .iter()
        .filter_map(|(name, plan)| Some(json!({"name": name, "reason": missing(plan)?})))
        .collect();
    json!({"runs": runs, "datasets": workspace.datasets(), "missing": missing, "stored": stored})
}

fn runs_of_the_file(workspace: &Workspace, runs: &[(String, Vec<Training>)]) -> Table {
    let mut table = plain();
    table.set_header(["run", "what it does"]);
    for (run, trainings) in runs {
        let mut lines = Vec::new();
        let description = workspace.description(run);
        if !description.is_empty() {
            lines.push(printable(description).into_owned());
        }
        // Trainings that differ in nothing but the seed are one line.
        let mut seen: Vec<(String, usize)> = Vec::new();
        for training in trainings {
            let mut brief = brief(&training.plan);
            if let Some(member) = &training.member {
                brief = format!("{}: {brief}", printable(member));
            }
            match seen.last_mut() {
                Some((last, count)) if *last == brief => *count += 1,
                _ => seen.push((brief, 1)),
            }
        }
        lines.extend(seen.into_iter().map(|(brief, count)| match count {
            1 => brief,
            seeds => format!("{brief}, {seeds} seeds"),
        }));
        table.add_row([printable(run).into_owned(), lines.join("\n")]);
    }
    table
}

fn brief(plan: &Plan) -> String {
    format!(
        "{}, {}, {} epochs",
        printable(&plan.subject.in_words()),
        plan.method_in_words(),
        plan.epochs.get()
    )
}

fn datasets(workspace: &Workspace) -> Table {
    let mut table = plain();
    table.set_header(["data set", "its data"]);
    for (dataset, plan) in workspace.datasets() {
        let share = format!("{:.0} % for validation", 100.0 * plan.validation.get());
        let state = match (missing(plan), &plan.path) {
            (Some(reason), _) => reason,
            (None, Some(path)) => format!("in {}, {share}", path.display()),
            (None, None) => format!("bundled, {share}"),
        };
        table.add_row([printable(dataset), printable(&state)]);
    }
    table
}

/// Returns why a data set cannot be read, as far as can be told from names.
fn missing(plan: &DatasetPlan) -> Option<String> {
    let path = plan
        .path
        .as_deref()
        .filter(|_| plan.source == choice::Source::MnistFolder)?;
    let shown = path.display();
    if !path.is_dir() {
        return Some(format!(
            "{shown} is missing: put the four idx files into that folder, or set `path`"
        ));
    }
    let names: Vec<String> = std::fs::read_dir(path)
        .map(|entries| {
            let names = entries.flatten().map(|entry| entry.file_name());
            names
                .map(|name| name.to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    let parts = ["train-images", "train-labels", "t10k-images", "t10k-labels"];
    let lacks = |part: &&str| !names.iter().any(|name| name.starts_with(*part));
    let lacking: Vec<&str> = parts.into_iter().filter(lacks).collect();
    (!lacking.is_empty()).then(|| {
        let files: Vec<String> = lacking
            .iter()
            .map(|part| format!("{part}-idx*-ubyte"))
            .collect();
        format!("{shown} lacks {}", files.join(", "))
    })
}

/// A run that lies in runs/.
struct Stored {
    content: Content,
    /// When its summary, or else its latest checkpoint, was written.
    written: Option<SystemTime>,
}

enum Content {
    Ended(Box<Summary>),
    Damaged,
    Unfinished,
}

impl Stored {
    fn status(&self) -> &str {
        match &self.content {
            Content::Ended(summary) => &summary.status,
            Content::Damaged => "damaged",
            Content::Unfinished => "unfinished",
        }
    }

    /// Returns whether another run ended as this one did and differs from it in the seed and in
    /// nothing else.
    fn differs_in_seed(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.summary(), other.summary()) else {
            return false;
        };
        let mut config = a.config.clone();
        config.seed = b.config.seed;
        a.config.seed != b.config.seed && config == b.config && a.status == b.status
    }

    const fn summary(&self) -> Option<&Summary> {
        match &self.content {
            Content::Ended(summary) => Some(summary),
            _ => None,
        }
    }
}

fn stored() -> anyhow::Result<Vec<(PathBuf, Stored)>> {
    let runs = Path::new(RUNS);
    if !runs.is_dir() {
        return Ok(Vec::new());
    }
    let read = |directory: PathBuf| {
        let file = directory.join(summary::FILE);
        let (content, at) = match (file.is_file(), Summary::read(&directory)) {
            (true, Ok(summary)) => (Content::Ended(Box::new(summary)), file),
            (true, Err(_)) => (Content::Damaged, file),
            (false, _) => (Content::Unfinished, directory.join(checkpoints::FOLDER)),
        };
        let written = std::fs::metadata(at).and_then(|file| file.modified()).ok();
        (directory, Stored { content, written })
    };
    Ok(comparison::begun(runs)?.into_iter().map(read).collect())
}

fn lying(stored: &[(PathBuf, Stored)]) -> Table {
    let mut table = plain();
    let seeds = stored
        .windows(2)
        .any(|pair| pair[0].1.differs_in_seed(&pair[1].1));
    let name = if seeds {
        "in runs/ (×seeds)"
    } else {
        "in runs/"
    };
    table.set_header([name, "method", "finished", "test acc.", "lambda_1"]);
    // Trainings that differ in nothing but the seed are one line.
    for runs in stored
        .chunk_by(|(a, one), (b, other)| a.parent() == b.parent() && one.differs_in_seed(other))
    {
        let Some((directory, first)) = runs.first() else {
            continue;
        };
        let name = directory.strip_prefix(RUNS).unwrap_or(directory);
        let name = match runs.len() {
            1 => name.display().to_string(),
            seeds => format!("{} ×{seeds}", name.parent().unwrap_or(name).display()),
        };
        let summaries: Vec<&Summary> = runs.iter().filter_map(|(_, run)| run.summary()).collect();
        let mean = |of: fn(&Summary) -> f64| {
            let sum: f64 = summaries.iter().map(|summary| of(summary)).sum();
            sum / summaries.len() as f64
        };
        let figure = |text: String| {
            if summaries.is_empty() {
                String::new()
            } else {
                text
            }
        };
        let written = runs.iter().filter_map(|(_, run)| run.written).max();
        table.add_row([
            printable(&name).into_owned(),
            first
                .summary()
                .map_or_else(String::new, |s| comparison::method(&s.config)),
            match (written, first.status()) {
                (Some(written), FINISHED) => ago(written),
                (Some(written), status) => format!("{status}, {}", ago(written)),
                (None, status) => status.to_owned(),
            },
            figure(match first.summary() {
                Some(summary) if summary.figures.test_accuracy.is_none() => "-".to_owned(),
                _ => format!("{:.4}", mean(comparison::test_accuracy)),
            }),
            match first.summary() {
                Some(summary) if summary.figures.lambda_1.is_none() => "-".to_owned(),
                _ => figure(significant(mean(comparison::lambda_1), 4)),
            },
        ]);
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Returns how long ago something was, in the unit that leaves a small number.
fn ago(when: SystemTime) -> String {
    // A clock that was set back.
    let seconds = when.elapsed().map_or(0, |since| since.as_secs());
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Returns a table whose cells wrap where it is wider than the terminal.
fn fitted(mut table: Table) -> String {
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width::columns()).unwrap_or(u16::MAX));
    trimmed(&table)
}
