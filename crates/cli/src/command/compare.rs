//! `landscape compare RUN RUN..`: finished runs side by side.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::context::Context;
use crate::comparison::{self, Comparison};
use crate::failure::{SUCCESS, usage};
use crate::report::output::{print, printable};
use crate::report::width;

pub(super) const EXAMPLE: &str = "Example:\n  landscape compare runs/quickstart/sgd runs/quickstart/sam\n  landscape compare runs/quickstart --pictures\n  landscape compare runs/quickstart --format csv > quickstart.csv\n\nRuns that differ in nothing but the seed are one column: mean ± standard deviation. --json has all of it, too.";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directories with a summary.json, or with finished runs below them; a bare NAME is looked up
    /// in runs/ too
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Draw lines, densities and surfaces of the runs on one scale, as PNG files and for
    /// TensorBoard, into DIR or `comparison` beside the runs
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pictures: Option<Option<PathBuf>>,
}

/// The form in which a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for the terminal
    Table,
    /// A line for each run, numbers as they are
    Csv,
    /// Tables for a page
    Markdown,
}

/// Prints the comparison.
///
/// # Errors
/// When a summary cannot be read, or two runs did not train on the same data.
pub(super) fn carry_out(arguments: &Arguments, context: &Context) -> anyhow::Result<u8> {
    if context.json && arguments.format != Format::Table {
        return Err(usage("--json and --format are two formats; give one"));
    }
    let comparison = Comparison::of(comparison::find(&arguments.runs)?);
    if let Some(obstacle) = comparison.obstacle() {
        let advice = match comparison.runs.len() > arguments.runs.len() {
            true => format!(
                "; name those that belong together: {}",
                comparison.commands()
            ),
            false => String::new(),
        };
        return Err(usage(format!("{obstacle}{advice}")));
    }
    let drawn = match &arguments.pictures {
        Some(folder) => {
            let usual = || comparison::usual_folder(&comparison);
            let folder = folder.clone().unwrap_or_else(usual);
            Some(comparison::draw(&comparison, &folder)?)
        }
        None => None,
    };
    if context.json {
        print(&format!("{:#}", comparison.json(drawn.as_ref())))?;
        return Ok(SUCCESS);
    }
    match arguments.format {
        Format::Table => print(&printable(&comparison.text(width::columns())))?,
        Format::Markdown => print(comparison.markdown().trim_end())?,
        Format::Csv => print(comparison::csv(&comparison)?.trim_end())?,
    }
    if let (Some(drawn), Format::Table) = (drawn, arguments.format) {
        print(&printable(&drawn.text(width::columns())))?;
    }
    Ok(SUCCESS)
}
