//! The settings of the runs as a table, those that differ first, and the figures at their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::html::{escape, number};
use super::run::Run;

/// The most runs that have a column each; more have a row each, with what differs.
const COLUMNS: usize = 6;

/// Returns the table of the settings that differ, and that of the others.
pub(super) fn html(runs: &[Run]) -> (String, String) {
    let names: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.settings.keys().map(String::as_str))
        .collect();
    let differs = |name: &&str| {
        let mut values = runs.iter().map(|run| run.settings.get(*name));
        let first = values.next().flatten();
        values.any(|value| value != first)
    };
    let (different, same): (Vec<&str>, Vec<&str>) = names.into_iter().partition(differs);
    let differing = match (different.is_empty(), runs.len()) {
        (true, _) => String::new(),
        (_, ..=COLUMNS) => columns(runs, &different),
        _ => rows(runs, &different),
    };
    let differing = match differing.is_empty() {
        true => differing,
        false => format!("<div><h3>What differs</h3>{differing}</div>"),
    };
    if same.is_empty() {
        return (differing, String::new());
    }
    let title = match runs.len() {
        1 => "All settings".to_owned(),
        2 => "The same in both runs".to_owned(),
        count => format!("The same in all {count} runs"),
    };
    let table = columns(&runs[..1], &same);
    let open = if same.len() <= 12 { " open" } else { "" };
    let count = same.len();
    let same = format!("<details{open}><summary>{title} ({count})</summary>{table}</details>");
    (differing, same)
}

/// Returns the table of the figures at the end, and of the last values of the curves that matter.
pub(super) fn figures(runs: &[Run]) -> String {
    let mut table: BTreeMap<usize, (String, Vec<Option<String>>)> = BTreeMap::new();
    let mut add = |title: String, of: &dyn Fn(&Run) -> Option<String>| {
        let values: Vec<Option<String>> = runs.iter().map(of).collect();
        if values.iter().any(Option::is_some) {
            table.insert(table.len(), (title, values));
        }
    };
    let names: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.figures.keys().map(String::as_str))
        .collect();
    let is_error = |name: &str| name.ends_with("_standard_error") || name.ends_with("_residual");
    let mut figures: Vec<&str> = names.into_iter().filter(|name| !is_error(name)).collect();
    // Losses and accuracies first.
    figures.sort_by_key(|name| {
        (
            !(name.ends_with("loss") || name.ends_with("accuracy")),
            *name,
        )
    });
    for name in &figures {
        let title = match *name {
            "lambda_1" => "λ 1 of the Hessian".to_owned(),
            "trace" => "Trace of the Hessian".to_owned(),
            "sam_sharpness" => "SAM sharpness".to_owned(),
            other => super::curves::words(other),
        };
        add(title, &|run: &Run| {
            let value = number(*run.figures.get(*name)?);
            let error = run.figures.get(&format!("{name}_standard_error"));
            Some(match error {
                Some(error) => format!("{value} ± {}", number(*error)),
                None => value,
            })
        });
    }
    if figures.is_empty() {
        for (tag, title) in LAST {
            add((*title).to_owned(), &|run: &Run| {
                Some(number(run.last(tag)?.1))
            });
        }
    }
    for tag in single_values(runs) {
        let name = tag.split_once('/').map_or(tag, |(_, name)| name);
        let is_there = LAST
            .iter()
            .any(|(known, _)| figures.is_empty() && *known == tag)
            || figures.contains(&name)
            || tag.starts_with("end/") && !figures.is_empty()
            || tag.starts_with("curvature_check/");
        if !is_there {
            add(super::curves::title(tag), &|run: &Run| {
                Some(number(run.last(tag)?.1))
            });
        }
    }
    add("Last step".to_owned(), &|run: &Run| {
        Some(run.last_step()?.to_string())
    });
    let table: Vec<(String, Vec<Option<String>>)> = table.into_values().collect();
    if table.is_empty() {
        return String::new();
    }
    let cell = |value: &Option<String>| {
        format!(
            "<td class=\"n\">{}</td>",
            value.as_deref().map_or("–".to_owned(), escape)
        )
    };
    // Only the table of many runs is so long that it scrolls by itself.
    let tall = if runs.len() > COLUMNS { " tall" } else { "" };
    let mut html = format!(
        "<div><h3>At the end</h3><div class=\"wide{tall}\"><table class=\"figures\"><thead><tr>"
    );
    if runs.len() <= COLUMNS {
        html += "<th></th>";
        for (index, run) in runs.iter().enumerate() {
            let _ = write!(html, "<th class=\"n\">{}</th>", run_name(index, run));
        }
        html += "</tr></thead><tbody>";
        for (title, values) in &table {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(title));
            html.extend(values.iter().map(cell));
            html += "</tr>";
        }
    } else {
        html += "<th>run</th>";
        for (title, _) in &table {
            let _ = write!(html, "<th class=\"n\">{}</th>", escape(title));
        }
        html += "</tr></thead><tbody>";
        for (index, run) in runs.iter().enumerate() {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", run_name(index, run));
            html.extend(table.iter().map(|(_, values)| cell(&values[index])));
            html += "</tr>";
        }
    }
    html + "</tbody></table></div></div>"
}

/// Returns the tags of which no run has more than one value, so that they have no curve.
fn single_values(runs: &[Run]) -> BTreeSet<&str> {
    let tags = runs
        .iter()
        .flat_map(|run| run.scalars.keys().map(String::as_str));
    let is_single = |tag: &&str| {
        let mut values = runs.iter().filter_map(|run| run.scalars.get(*tag));
        values.all(|points| points.len() < 2)
    };
    tags.filter(is_single).collect()
}

/// The curves whose last values are shown where the program wrote no figures.
const LAST: &[(&str, &str)] = &[
    ("loss/train", "Training loss"),
    ("loss/valid", "Validation loss"),
    ("accuracy/train", "Training accuracy"),
    ("accuracy/valid", "Validation accuracy"),
    ("gradient/norm", "Gradient norm"),
    ("curvature/lambda_1", "λ 1"),
    ("curvature/lambda_min", "λ min"),
    ("curvature/trace", "Trace"),
    ("sharpness/sam", "SAM sharpness"),
    (
        "stability/sharpness_ratio",
        "λ 1 over the stability threshold",
    ),
];

/// Returns a run's name with its colour, on which one can click.
pub(super) fn run_name(index: usize, run: &Run) -> String {
    let colour = index.min(super::chart::COLOURS);
    format!(
        "<span class=\"run\" data-run=\"{index}\"><i class=\"b{colour}\"></i>{}</span>",
        escape(&run.name)
    )
}

fn columns(runs: &[Run], names: &[&str]) -> String {
    let mut html = String::from("<div class=\"wide\"><table class=\"settings\">");
    if runs.len() > 1 {
        html += "<thead><tr><th></th>";
        for (index, run) in runs.iter().enumerate() {
            let _ = write!(html, "<th>{}</th>", run_name(index, run));
        }
        html += "</tr></thead>";
    }
    html += "<tbody>";
    for name in names {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(name));
        for run in runs {
            let value = run
                .settings
                .get(*name)
                .map_or("–".to_owned(), |value| escape(value));
            let _ = write!(html, "<td>{value}</td>");
        }
        html += "</tr>";
    }
    html + "</tbody></table></div>"
}

fn rows(runs: &[Run], names: &[&str]) -> String {
    let mut html =
        String::from("<div class=\"wide tall\"><table class=\"settings\"><thead><tr><th>run</th>");
    for name in names {
        let _ = write!(html, "<th>{}</th>", escape(name));
    }
    html += "</tr></thead><tbody>";
    for (index, run) in runs.iter().enumerate() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", run_name(index, run));
        for name in names {
            let value = run
                .settings
                .get(*name)
                .map_or("–".to_owned(), |value| escape(value));
            let _ = write!(html, "<td>{value}</td>");
        }
        html += "</tr>";
    }
    html + "</tbody></table></div>"
}
