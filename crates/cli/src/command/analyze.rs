//! `landscape analyze RUN..`: everything that there is time to find out about checkpoints.

use std::path::PathBuf;

use clap::Args;
use probes::report::Page;
use probes::sink::Folder;
use probes::{Analysis, AnalyzeConfig, Depth};
use serde_json::{Value, json};

use super::context::Context;
use super::ending::{self, COMPLETE};
use super::points::{Gathered, Named, Points, watch};
use super::slices::file_name;
use crate::config::bounded::{Bounded, Positive};
use crate::engine::measure_dir::{FINISHED, INTERRUPTED, Kind, MeasureDir, inspect};
use crate::engine::source::Source;
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;

pub(super) const EXAMPLE: &str = "Example:
  landscape analyze runs/quickstart/sgd
  landscape analyze runs/quickstart --depth quick --report report.html
  landscape analyze runs/quickstart/sgd --depth thorough --seconds 120

Ten lines for each checkpoint: loss and gradient, eigenvalues at both ends, trace,
spectrum, kind of the point, sharpness, slices, findings, and what was left out. After
± is the error: of an eigenvalue its residual, of an estimate one standard error.";

const KIND: Kind = Kind {
    file: "analysis.json",
    schema: "landscape-analysis/1",
    name: "an analysis",
};

const WHAT: &str = "Depth";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points: Points,

    /// How much is measured: quick (some seconds), standard (half a minute at most), thorough
    /// (some minutes)
    #[arg(long, value_name = "DEPTH", default_value = "standard", help_heading = WHAT)]
    depth: Depth,
    /// Time limit for each checkpoint, seconds (otherwise 5, 30 or 300, by the depth)
    #[arg(long, value_name = "X", help_heading = WHAT)]
    seconds: Option<Bounded<Positive>>,
    /// Write one page of HTML with all checkpoints side by side, too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Analyses, prints the summaries, and writes document and pictures.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let gathered = arguments.points.gather("analyze", context, source)?;
    let overwrite = arguments.points.overwrite;
    inspect(&gathered.folder, KIND, overwrite)?;
    let mut folder = MeasureDir::take(&gathered.folder, KIND, overwrite)?;
    let mut config = AnalyzeConfig::of(arguments.depth).with_seed(gathered.seed);
    if let Some(seconds) = arguments.seconds {
        config = config.with_seconds(seconds.get());
    }
    let (mut documents, mut failures, mut interrupted) = (Vec::new(), Vec::new(), false);
    let mut page = Page::new();
    for (number, named) in (1..).zip(&gathered.points) {
        let place = [number, gathered.points.len()];
        let watch = watch(&named.name, place, [named], interrupt);
        let config = config
            .clone()
            .with_step(named.step.unwrap_or_default() as u64);
        let found = named.point.explain(&config, &watch);
        drop(watch);
        let mut document = named.document();
        match found {
            Ok(analysis) => {
                for (name, bytes) in pictures(named, place, &analysis)? {
                    folder.write(&name, &bytes)?;
                }
                document["results"] = analysis.to_json();
                page = page.with(analysis.run(&*named.name)?);
                if !context.json {
                    show(named, &analysis)?;
                }
                interrupted = analysis.interrupted;
            }
            Err(error) => {
                document["failures"] = json!([format!("{error:#}")]);
                failures.push(format!("{}: {error:#}", named.name));
            }
        }
        documents.push(document);
        if interrupted || interrupt.requested() {
            interrupted = true;
            break;
        }
    }
    let document = folder.conclude(document(&gathered, &config, documents, interrupted))?;
    if let Some(report) = arguments
        .report
        .as_ref()
        .filter(|_| !page.runs().is_empty())
    {
        page.write(report)?;
    }
    if context.json {
        print(&format!("{document:#}"))?;
    } else {
        if let Some(report) = &arguments.report {
            print(&format!(
                "Report: {}",
                printable(&report.display().to_string())
            ))?;
        }
        let folder = gathered.folder.display().to_string();
        print(&format!("Numbers and pictures: {}", printable(&folder)))?;
    }
    gathered.tell_lost_devices();
    Ok(ending::end(failures, interrupted.then_some(COMPLETE)))
}

/// Prints the ten lines, and the findings in full.
fn show(named: &Named, analysis: &Analysis) -> anyhow::Result<()> {
    print(&Paint::stdout().strong(&printable(&named.name)))?;
    print(&printable(&analysis.to_string()))?;
    if let Some(diagnosis) = &analysis.diagnosis
        && !diagnosis.findings.is_empty()
    {
        print("")?;
        print(&printable(&diagnosis.to_string()))?;
    }
    print("")
}

/// Returns the pictures and the numbers behind them, with the name of the model where there are
/// several.
fn pictures(
    named: &Named,
    [number, count]: [usize; 2],
    analysis: &Analysis,
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for record in analysis.records()? {
        let tag = match count {
            1 => record.tag,
            _ => format!("{}-{number}-{}", record.tag, file_name(&named.name)),
        };
        files.extend(Folder::files(&tag, record.step, &record.value)?);
    }
    Ok(files)
}

fn document(
    gathered: &Gathered,
    config: &AnalyzeConfig,
    models: Vec<Value>,
    interrupted: bool,
) -> Value {
    json!({
        "schema": KIND.schema,
        "status": if interrupted { INTERRUPTED } else { FINISHED },
        "depth": config.depth,
        "seconds": config.seconds,
        "seed": gathered.seed,
        "data": gathered.data,
        "examples": gathered.examples(),
        "models": models,
    })
}
