//! The tables of a comparison.

use super::difference::{Basis, Unknown, basis, difference};
use super::group::Group;
use super::measure::{Measure, radius, residual, trace_error};
use super::settings::{NONE, OF_THE_METHOD, method, that_differ};
use super::statistics::{mean, standard_deviation};
use super::{Comparison, Run};
use crate::report::number::{plain_number, significant, with_interval, with_spread};
use crate::report::sheet::{Item, Part, Sheet};
use crate::results::summary::{NOT_MEASURED, Summary};

/// The function that makes a cell from the runs of a group.
type Cell = fn(&[&Summary]) -> String;

/// A figure with its name in front of a line and above a column.
struct Row {
    part: Part,
    label: &'static str,
    heading: &'static str,
    cell: Cell,
}

/// The rows beside settings and measures.
const NOTES: &[(Measure, &[Row])] = &[
    (
        Measure::LambdaOne,
        &[
            Row {
                part: Part::Curvature,
                label: "  its residual",
                heading: "its residual",
                cell: |runs| {
                    let largest = largest(runs, |s| residual(&s.figures));
                    let lambda = runs.iter().filter_map(|s| s.figures.lambda_1);
                    let converged = lambda.map(|lambda| lambda.converged);
                    let mark = match converged.min() {
                        Some(false) => " (not converged)",
                        _ => "",
                    };
                    format!("{}{mark}", measured(largest, |value| significant(value, 2)))
                },
            },
            Row {
                part: Part::Curvature,
                label: "  unresolved products",
                heading: "unresolved",
                cell: |runs| {
                    let count = |s: &&Summary| s.hessian.unresolved_products;
                    runs.iter().map(count).sum::<u64>().to_string()
                },
            },
        ],
    ),
    (
        Measure::Trace,
        &[Row {
            part: Part::Curvature,
            label: "  its standard error",
            heading: "its error",
            cell: |runs| {
                let largest = largest(runs, |s| trace_error(&s.figures));
                measured(largest, |value| significant(value, 2))
            },
        }],
    ),
];

/// The rows of the costs of trainings.
const COSTS: &[Row] = &[
    Row {
        part: Part::Cost,
        label: "seconds",
        heading: "seconds",
        cell: |runs| {
            let seconds: Vec<f64> = runs.iter().map(|s| s.times.seconds).collect();
            format!("{:.1}", mean(&seconds))
        },
    },
    Row {
        part: Part::Cost,
        label: "share of time in probes",
        heading: "probe time",
        cell: |runs| {
            let share: Vec<f64> = runs.iter().map(|s| s.times.probe_fraction).collect();
            format!("{:.0} %", 100.0 * mean(&share))
        },
    },
];

/// Returns the figures: a column for each run, or for each group of runs that differ in nothing but
/// the seed.
pub(super) fn figures(comparison: &Comparison) -> Sheet {
    let grouped = comparison.is_grouped();
    let all: Vec<(String, Vec<&Run>)> = if grouped {
        let runs = |group: usize| {
            let positions = &comparison.members[group].runs;
            positions.iter().map(|run| &comparison.runs[*run]).collect()
        };
        let groups = comparison.groups.iter().enumerate();
        groups
            .map(|(i, group)| (group.name.clone(), runs(i)))
            .collect()
    } else {
        let runs = comparison.runs.iter();
        runs.map(|run| (run.name.clone(), vec![run])).collect()
    };
    let summaries: Vec<Vec<&Summary>> = all
        .iter()
        .map(|(_, runs)| runs.iter().map(|run| &run.summary).collect())
        .collect();
    let cells = |cell: &dyn Fn(&[&Summary]) -> String| summaries.iter().map(|s| cell(s)).collect();
    let mut items = settings(&summaries, grouped);
    let radii: Vec<f64> = comparison
        .runs
        .iter()
        .filter_map(|run| radius(&run.summary.figures))
        .collect();
    let one_radius = radii.iter().all(|rho| *rho == radii[0]);
    for measure in comparison.measures() {
        let name = measure.name();
        let (part, label, heading) = match measure {
            Measure::LambdaOne | Measure::Trace => (Part::Curvature, name.to_owned(), name),
            Measure::SamSharpness => {
                let label = match radii.first() {
                    Some(rho) if one_radius => format!("{name}, rho {}", plain_number(*rho)),
                    _ => name.to_owned(),
                };
                (Part::Curvature, label, name)
            }
            _ => (Part::Loss, name.to_owned(), measure.short_name()),
        };
        let cell = |runs: &[&Summary]| {
            let shown = figure(measure, runs);
            match radius(&runs[0].figures) {
                Some(rho) if measure == Measure::SamSharpness && !one_radius => {
                    format!("{shown} (rho {})", plain_number(rho))
                }
                _ => shown,
            }
        };
        items.push(Item::headed(part, &label, heading, cells(&cell)));
        let notes = NOTES.iter().filter(|(of, _)| *of == measure);
        for row in notes.flat_map(|(_, rows)| *rows) {
            items.push(Item::headed(
                row.part,
                row.label,
                row.heading,
                cells(&row.cell),
            ));
        }
    }
    for row in COSTS {
        items.push(Item::headed(
            row.part,
            row.label,
            row.heading,
            cells(&row.cell),
        ));
    }
    Sheet {
        runs: all.into_iter().map(|(name, _)| name).collect(),
        items,
    }
}

/// Returns the method, and the settings in which the columns differ.
fn settings(columns: &[Vec<&Summary>], grouped: bool) -> Vec<Item> {
    let plans: Vec<_> = columns.iter().map(|runs| &runs[0].config).collect();
    let item = |label: &str, cells: Vec<String>| Item::new(Part::Settings, label, cells);
    let methods = plans.iter().map(|plan| method(plan)).collect();
    let mut items = vec![item("method", methods)];
    let (of_the_method, others): (Vec<_>, Vec<_>) = that_differ(&plans)
        .into_iter()
        .partition(|(key, _)| key.starts_with(OF_THE_METHOD));
    for (key, values) in others {
        let label = key.replace('_', " ");
        items.push(item(&label, values));
    }
    if !of_the_method.is_empty() {
        let words = plans.iter().map(|plan| match plan.sam.words() {
            words if words.is_empty() => NONE.to_owned(),
            words => words,
        });
        items.insert(2, item("its settings", words.collect()));
    }
    let seeds: Vec<Vec<u32>> = columns
        .iter()
        .map(|runs| runs.iter().map(|run| run.config.seed).collect())
        .collect();
    if grouped {
        items.push(item(
            "seeds",
            seeds.iter().map(|seeds| range(seeds)).collect(),
        ));
    } else if seeds.iter().any(|seed| *seed != seeds[0]) {
        let seeds = seeds.iter().map(|seed| seed[0].to_string());
        items.push(item("seed", seeds.collect()));
    }
    items
}

/// Returns `42..46` of seeds that follow each other, otherwise `1, 7, 42`; of many only how many
/// there are.
fn range(seeds: &[u32]) -> String {
    let follow = seeds
        .windows(2)
        .all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    match seeds {
        [first, .., last] if follow => format!("{first}..{last}"),
        seeds if seeds.len() > 4 => format!("{} of them", seeds.len()),
        seeds => {
            let all: Vec<String> = seeds.iter().map(ToString::to_string).collect();
            all.join(", ")
        }
    }
}

/// Returns a measure of one run, or its mean and standard deviation over the seeds.
fn figure(measure: Measure, runs: &[&Summary]) -> String {
    let values: Vec<f64> = runs.iter().map(|s| measure.of(&s.figures)).collect();
    match values.as_slice() {
        // A figure that nobody asked for is another thing than one that is not finite.
        _ if measure.is_absent(&runs[0].figures) => NOT_MEASURED.to_owned(),
        [value] if measure.is_accuracy() => format!("{value:.4}"),
        [value] => significant(*value, 4),
        values => {
            let finite = values.iter().filter(|value| value.is_finite()).count();
            if finite < values.len() {
                return format!("NaN in {} of {}", values.len() - finite, values.len());
            }
            with_spread(mean(values), standard_deviation(values))
        }
    }
}

/// Returns an error of a figure, if there is one.
fn measured(error: f64, show: impl FnOnce(f64) -> String) -> String {
    if error.is_nan() {
        return NONE.to_owned();
    }
    show(error)
}

/// Returns the largest of what the runs have; NaN if one of them has none.
fn largest(runs: &[&Summary], of: impl Fn(&&Summary) -> f64) -> f64 {
    runs.iter().map(of).fold(0.0, |a: f64, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    })
}

/// Returns the differences to the first group, each kind of interval under its own title. None
/// where no group has several seeds.
pub(super) fn differences(comparison: &Comparison) -> Vec<(String, Sheet)> {
    let Some((first, others)) = comparison.groups.split_first() else {
        return Vec::new();
    };
    if comparison.obstacle().is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for kind in [Basis::Paired, Basis::Welch] {
        let groups: Vec<&Group> = others
            .iter()
            .filter(|group| basis(first, group) == kind)
            .collect();
        if groups.is_empty() {
            continue;
        }
        let title = match kind {
            Basis::Paired => format!(
                "Difference over {} seeds, paired: mean [95 % interval], * where it excludes 0",
                first.seeds.len()
            ),
            _ => "Difference, seeds not paired: [Welch's 95 % interval], * where it excludes 0"
                .to_owned(),
        };
        let item = |measure: Measure| {
            let cells = groups.iter().map(|group| cell(measure, first, group));
            let part = match measure {
                Measure::LambdaOne | Measure::Trace | Measure::SamSharpness => Part::Curvature,
                _ => Part::Loss,
            };
            Item::headed(part, measure.name(), measure.short_name(), cells.collect())
        };
        let names = groups
            .iter()
            .map(|group| format!("{} - {}", group.name, first.name));
        found.push((
            title,
            Sheet {
                runs: names.collect(),
                items: comparison.measures().into_iter().map(item).collect(),
            },
        ));
    }
    found
}

fn cell(measure: Measure, first: &Group, other: &Group) -> String {
    match difference(measure, first, other) {
        Ok(interval) => {
            let mark = if interval.excludes_zero() { "*" } else { " " };
            let text = with_interval(interval.difference, interval.half_width);
            format!("{text} {mark}")
        }
        Err(Unknown::InDoubt) => "in doubt  ".to_owned(),
        Err(Unknown::NotMeasured | Unknown::Radii) => format!("{NONE}  "),
    }
}
