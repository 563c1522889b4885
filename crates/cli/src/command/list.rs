//! `landscape list`: the runs and data sets of workspace.toml.

use serde_json::json;

use super::Context;
use crate::config::choice::name;
use crate::config::{Plan, Settings};
use crate::failure::SUCCESS;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::table::{plain, trimmed};

pub(super) const EXAMPLE: &str = "Example:\n  landscape list\n  landscape list --json";

/// Prints the table.
///
/// # Errors
///
/// When workspace.toml is wrong.
pub(super) fn carry_out(context: &Context) -> anyhow::Result<u8> {
    let workspace = context.read_workspace()?;
    let mut runs = Vec::new();
    for run in workspace.run_names()? {
        let trainings = workspace.trainings(&run, &Settings::default())?;
        runs.push((run, trainings));
    }
    if context.json {
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
        let document = json!({"runs": runs, "datasets": workspace.datasets()});
        print(&format!("{document:#}"))?;
        return Ok(SUCCESS);
    }
    let paint = Paint::stdout();
    let mut table = plain();
    table.set_header(["run", "trainings", "data", "what it does"]);
    for (run, trainings) in &runs {
        let methods: Vec<_> = trainings.iter().map(|t| brief(&t.plan)).collect();
        let data = trainings.first().map_or("", |t| t.plan.dataset.as_str());
        let description = workspace.description(run);
        table.add_row([
            printable(run),
            methods.join("\n").into(),
            printable(data),
            printable(description),
        ]);
    }
    print(&trimmed(&table))?;
    print(&paint.strong("data sets"))?;
    for (dataset, plan) in workspace.datasets() {
        let source = json!(plan.source);
        print(&format!(
            "  {}: {}, {:.0} % for validation",
            printable(dataset),
            source.as_str().unwrap_or_default(),
            100.0 * plan.validation.get()
        ))?;
    }
    print(&paint.faint("landscape run NAME begins a run"))?;
    Ok(SUCCESS)
}

fn brief(plan: &Plan) -> String {
    format!(
        "{}, {}, {} epochs",
        name(plan.model),
        plan.method_in_words(),
        plan.epochs.get()
    )
}
