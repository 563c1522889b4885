//! What the program `landscape` writes into the folder of a run: its summary at the end, and before
//! that its checkpoints.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::run::Run;

/// The summary, which is written last.
const SUMMARY: &str = "summary.json";
/// The folder of checkpoints, and the description of each.
const CHECKPOINTS: &str = "checkpoints";
const MANIFEST: &str = "manifest.json";
/// What begins the schema of a summary.
const SCHEMA: &str = "landscape-summary/";

/// Reads the settings, the figures and the findings; tells whether the folder is the program's.
pub(super) fn read(run: &mut Run, folder: &Path) -> bool {
    let path = folder.join(SUMMARY);
    if path.is_file() {
        return match json(&path) {
            Ok(summary) if has_schema(&summary) => {
                add_summary(run, &summary);
                true
            }
            // Another program's file of that name.
            Ok(_) => false,
            Err(error) => {
                run.missing.push(format!("{SUMMARY} was not read: {error}"));
                true
            }
        };
    }
    let checkpoints = folder.join(CHECKPOINTS);
    if !checkpoints.is_dir() {
        return false;
    }
    run.missing.push(match run.last_step() {
        Some(step) => format!(
            "the run is not finished: there is no {SUMMARY} yet, and its last record is of step {step}"
        ),
        None => format!("the run is not finished: there is no {SUMMARY} yet"),
    });
    if let Some(state) = latest_manifest(&checkpoints)
        .and_then(|mut found| found.get_mut("state").map(std::mem::take))
    {
        add_config(run, &state);
    }
    true
}

fn json(path: &Path) -> Result<Json, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

fn has_schema(summary: &Json) -> bool {
    let schema = summary.get("schema").and_then(Json::as_str);
    schema.is_some_and(|schema| schema.starts_with(SCHEMA))
}

fn latest_manifest(checkpoints: &Path) -> Option<Json> {
    let mut folders: Vec<_> = fs::read_dir(checkpoints)
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    let manifests = folders.iter().rev();
    manifests
        .filter_map(|folder| json(&folder.join(MANIFEST)).ok())
        .next()
}

fn add_summary(run: &mut Run, summary: &Json) {
    add_config(run, summary);
    for name in ["steps", "parameters"] {
        if let Some(count) = summary.get(name).and_then(Json::as_u64) {
            run.settings.insert(name.to_owned(), count.to_string());
        }
    }
    match summary.get("status").and_then(Json::as_str) {
        None | Some("finished") => {}
        Some(status) => run.missing.push(format!("the run {status}")),
    }
    let figures = summary.get("figures").and_then(Json::as_object);
    for (name, figure) in figures.into_iter().flatten() {
        let value = figure.get("value").unwrap_or(figure);
        if let Some(value) = super::folder::number(value) {
            run.figures.insert(name.clone(), value);
        }
        if let Some(error) = figure.get("standard_error").and_then(super::folder::number) {
            run.figures.insert(format!("{name}_standard_error"), error);
        }
        if let Some(error) = figure.get("residual").and_then(super::folder::number) {
            run.figures.insert(format!("{name}_residual"), error);
        }
    }
}

/// Adds every setting under its name in workspace.toml, and the data.
fn add_config(run: &mut Run, document: &Json) {
    let Some(config) = document.get("config").or_else(|| document.get("plan")) else {
        return;
    };
    add_settings(run, "", config);
    // A method without a radius stays at the weights.
    if run.settings.get("method").is_some_and(|it| it == "plain") {
        run.settings.remove("rho");
    }
    let name = |key: &str| config.get(key).and_then(Json::as_str);
    run.workload = name("workload")
        .or_else(|| name("dataset"))
        .map(str::to_owned);
}

fn add_settings(run: &mut Run, name: &str, value: &Json) {
    let text = match value {
        Json::Object(inner) => {
            for (key, value) in inner {
                let whole = match name {
                    "" => key.clone(),
                    _ => format!("{name}.{key}"),
                };
                add_settings(run, &whole, value);
            }
            return;
        }
        Json::Null => return,
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    run.settings.insert(name.to_owned(), text);
}
