//! The curves of the runs: which tags share a chart, and in which section it stands.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{COLOURS, Chart, Curve};
use super::run::Run;
use crate::record::tag;

/// The sections in their order: the area of the tags, and the heading.
const AREAS: [(&str, &str); 14] = [
    ("loss", TRAINING),
    ("accuracy", TRAINING),
    ("training", TRAINING),
    ("sam", TRAINING),
    ("gradient", CURVATURE),
    ("curvature", CURVATURE),
    ("stability", CURVATURE),
    ("sharpness", CURVATURE),
    ("landscape", LANDSCAPE),
    ("trajectory", LANDSCAPE),
    ("parameters", LAYERS_AND_UNITS),
    ("weights", LAYERS_AND_UNITS),
    ("activation", LAYERS_AND_UNITS),
    ("batch_norm", LAYERS_AND_UNITS),
];
const TRAINING: &str = "Training";
pub(super) const CURVATURE: &str = "Gradient and curvature";
pub(super) const LANDSCAPE: &str = "Landscape";
const LAYERS_AND_UNITS: &str = "Weights and units";
/// Areas whose charts stand folded at the end: how good the numbers are, and what they took.
const FOLDED: [(&str, &str); 2] = [
    ("curvature_check", "Checks of the curvature"),
    ("cost", "Cost of measuring"),
];
/// Single values after the last step; the table of figures has them.
const AT_END: &str = "end";
/// The most runs of which several eigenvalues, or several layers, share a chart.
const FEW_RUNS: usize = 3;
/// The most layers in one chart.
const LAYERS: usize = 2 * COLOURS;

/// A section of charts.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: String,
    /// Whether the page shows it folded.
    pub(super) folded: bool,
    pub(super) charts: Vec<Chart>,
    /// Sentences about what is left out.
    pub(super) remarks: Vec<String>,
}

/// Returns the charts of all runs, each with all runs that have the tag.
pub(super) fn sections(runs: &[Run]) -> Vec<Section> {
    let tags: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.scalars.keys().map(String::as_str))
        .collect();
    let mut groups: BTreeMap<(usize, &str), Vec<Group<'_>>> = BTreeMap::new();
    let mut left: BTreeSet<&str> = tags.clone();
    for group in combined(&tags, runs.len()) {
        for (tag, _) in &group.members {
            left.remove(tag);
        }
        groups.entry(place(group.area)).or_default().push(group);
    }
    for tag in left {
        let area = area(tag);
        // A single value is in the table.
        let is_curve = runs
            .iter()
            .any(|run| run.scalars.get(tag).is_some_and(|points| points.len() > 1));
        if area != AT_END && is_curve {
            groups
                .entry(place(area))
                .or_default()
                .push(Group::single(tag));
        }
    }
    let mut sections: Vec<Section> = Vec::new();
    for ((number, _), groups) in groups {
        let area = groups[0].area;
        let (title, folded) = heading(number, area);
        let mut section = match sections.pop() {
            Some(last) if last.title == title => last,
            other => {
                sections.extend(other);
                Section {
                    title,
                    folded,
                    charts: Vec::new(),
                    remarks: Vec::new(),
                }
            }
        };
        for group in &groups {
            add(&mut section, group, runs);
        }
        sections.push(section);
    }
    sections
}

fn area(tag: &str) -> &str {
    tag.split_once('/').map_or("", |(area, _)| area)
}

/// Returns the place of an area: known ones first, then others by name, then the folded ones.
fn place(area: &str) -> (usize, &str) {
    if let Some(place) = AREAS.iter().position(|(known, _)| *known == area) {
        return (place, "");
    }
    match FOLDED.iter().position(|(known, _)| *known == area) {
        Some(place) => (AREAS.len() + 1 + place, ""),
        None => (AREAS.len(), area),
    }
}

fn heading(place: usize, area: &str) -> (String, bool) {
    if let Some((_, title)) = AREAS.get(place) {
        return ((*title).to_owned(), false);
    }
    match place.checked_sub(AREAS.len() + 1) {
        Some(number) => (FOLDED[number].1.to_owned(), true),
        None if area.is_empty() => ("Other".to_owned(), false),
        None => (words(area), false),
    }
}

/// Returns a name with a capital and with spaces.
pub(super) fn words(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Returns the title of a tag's chart.
pub(super) fn title(tag: &str) -> String {
    let known = match tag {
        "loss/train" => "Training loss",
        "loss/valid" => "Validation loss",
        "accuracy/train" => "Training accuracy",
        "accuracy/valid" => "Validation accuracy",
        tag::GRADIENT_NORM => "Gradient norm",
        tag::TRACE => "Trace of the Hessian",
        tag::SHARPNESS_RATIO => "λ 1 over the stability threshold",
        tag::SAM_SHARPNESS => "SAM sharpness",
        "sam/ascent_gain" => "SAM: ascent gain",
        "sam/cosine" => "SAM: cosine of the two gradients",
        "sam/gradient_norm" => "SAM: gradient norm of the batch",
        "sam/rho" => "SAM: radius ρ",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    if let Some(number) = tag.strip_prefix(tag::LAMBDA) {
        return format!("λ {}", number.replace('/', " "));
    }
    let (area, name) = tag.split_once('/').unwrap_or(("", tag));
    let name = name.replace('/', " / ");
    match area {
        "sharpness" => words(&format!("{name} sharpness")),
        "gradient" | "accuracy" | "loss" | "stability" => words(&format!("{area}: {name}")),
        _ => words(&name),
    }
}

/// Tags that share a chart.
#[derive(Debug)]
struct Group<'a> {
    area: &'a str,
    title: String,
    about: String,
    /// The tags, each with its short name.
    members: Vec<(&'a str, String)>,
    /// A tag of the group that may leave the frame.
    aside: Option<&'a str>,
    /// Whether the members are layers, which have a colour each and every run a chart.
    layers: bool,
}

impl<'a> Group<'a> {
    fn single(tag: &'a str) -> Self {
        let name = tag.split_once('/').map_or(tag, |(_, name)| name);
        Self {
            area: area(tag),
            title: title(tag),
            about: tag::description(tag).unwrap_or_default(),
            members: vec![(tag, name.to_owned())],
            aside: None,
            layers: false,
        }
    }
}

fn combined<'a>(tags: &BTreeSet<&'a str>, runs: usize) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for (area, title) in [("loss", "Loss"), ("accuracy", "Accuracy")] {
        let start = format!("{area}/");
        let members: Vec<(&str, String)> = tags
            .iter()
            .filter_map(|tag| Some((*tag, tag.strip_prefix(&start)?.replace('_', " "))))
            .collect();
        // Two curves a run: which is which can still be told from the dashes.
        if members.len() == 2 {
            groups.push(Group {
                area: self::area(members[0].0),
                title: title.to_owned(),
                about: String::new(),
                members,
                aside: None,
                layers: false,
            });
        }
    }
    groups.extend(eigenvalues(tags, runs));
    groups.extend(families(tags));
    groups
}

/// Returns the eigenvalues with the threshold of stability: all of few runs, the outer ones of
/// many.
fn eigenvalues<'a>(tags: &BTreeSet<&'a str>, runs: usize) -> Option<Group<'a>> {
    let is_wanted = |name: &str| {
        name == "min"
            || name
                .parse::<usize>()
                .is_ok_and(|number| number <= if runs > FEW_RUNS { 1 } else { 9 })
    };
    let mut members: Vec<(&str, String)> = tags
        .iter()
        .filter_map(|tag| {
            let name = tag.strip_prefix(tag::LAMBDA)?;
            is_wanted(name).then(|| (*tag, format!("λ {name}")))
        })
        .collect();
    if members.is_empty() {
        return None;
    }
    // Four kinds of dashes are told apart.
    while members.len() > 3 && runs > 1 {
        let inner = members
            .iter()
            .rposition(|(tag, _)| *tag != tag::LAMBDA_MIN)?;
        members.remove(inner);
    }
    let aside = tags.get(tag::STABILITY_THRESHOLD).copied();
    members.extend(aside.map(|tag| (tag, "stability threshold".to_owned())));
    Some(Group {
        area: "curvature",
        title: "Eigenvalues of the Hessian".to_owned(),
        about: match aside {
            Some(_) => "Above the threshold, steps along the sharpest direction grow; a threshold \
                        outside the frame is cut off."
                .to_owned(),
            None => String::new(),
        },
        members,
        aside,
        layers: false,
    })
}

/// Returns the groups of tags that differ in the name of a layer alone.
fn families<'a>(tags: &BTreeSet<&'a str>) -> Vec<Group<'a>> {
    /// What stands before the layer, and after it.
    const FAMILIES: [(&str, &str, &str); 8] = [
        ("gradient/layer/", "", "Gradient norm by layer"),
        ("curvature/trace/", "", "Trace of the Hessian by layer"),
        ("curvature/lambda_1/", "", "Largest eigenvalue by layer"),
        ("activation/", "/dead_share", "Dead units by layer"),
        (
            "activation/",
            "/saturated_share",
            "Saturated units by layer",
        ),
        (
            "weights/",
            "/alpha",
            "Power-law exponent α of the weights by layer",
        ),
        (
            "weights/",
            "/stable_rank",
            "Stable rank of the weights by layer",
        ),
        (
            "batch_norm/",
            "/loss_gap",
            "Batch-normalisation gap by layer",
        ),
    ];
    let family = |(start, end, title): &(&str, &str, &str)| {
        let members: Vec<(&str, String)> = tags
            .iter()
            .filter_map(|tag| {
                let layer = tag.strip_prefix(start)?.strip_suffix(end)?;
                (!layer.is_empty()).then(|| (*tag, layer.replace('/', ".")))
            })
            .collect();
        (members.len() > 1).then(|| Group {
            area: area(members[0].0),
            title: (*title).to_owned(),
            about: String::new(),
            members,
            aside: None,
            layers: true,
        })
    };
    FAMILIES.iter().filter_map(family).collect()
}

fn add(section: &mut Section, group: &Group<'_>, runs: &[Run]) {
    if group.layers {
        return add_layers(section, group, runs);
    }
    let mut chart = Chart {
        title: group.title.clone(),
        about: group.about.clone(),
        x_name: "step".to_owned(),
        dashes: group.members.iter().map(|(_, name)| name.clone()).collect(),
        ..Chart::default()
    };
    if group.members[0].0 == tag::SHARPNESS_RATIO {
        chart.mark = Some((1.0, "edge of stability".to_owned()));
    }
    for (number, run) in runs.iter().enumerate() {
        for (dash, (tag, name)) in group.members.iter().enumerate() {
            let Some(points) = run.scalars.get(*tag) else {
                continue;
            };
            let named = match (runs.len(), group.members.len()) {
                (1, _) => name.clone(),
                (_, 1) => run.name.clone(),
                _ => format!("{}, {name}", run.name),
            };
            chart.curves.push(Curve {
                name: named,
                colour: number.min(COLOURS),
                run: number,
                dash: dash % 4,
                aside: group.aside == Some(*tag),
                points: plotted(points),
            });
        }
    }
    if runs.len() == 1 && group.members.len() > 1 {
        // One run: its curves have colours.
        chart.colours = std::mem::take(&mut chart.dashes);
        for (number, curve) in chart.curves.iter_mut().enumerate() {
            curve.colour = number % COLOURS;
            curve.dash = number / COLOURS % 4;
        }
    }
    section.charts.push(chart);
}

/// Adds a chart of the layers for each of the first runs.
fn add_layers(section: &mut Section, group: &Group<'_>, runs: &[Run]) {
    let with = runs.iter().enumerate().filter(|(_, run)| {
        group
            .members
            .iter()
            .any(|(tag, _)| run.scalars.contains_key(*tag))
    });
    let with: Vec<(usize, &Run)> = with.collect();
    if with.len() > FEW_RUNS {
        section.remarks.push(format!(
            "{}: the first {FEW_RUNS} of {} runs are shown.",
            group.title,
            with.len()
        ));
    }
    for (number, run) in with.into_iter().take(FEW_RUNS) {
        let members: Vec<_> = group
            .members
            .iter()
            .filter(|(tag, _)| run.scalars.contains_key(*tag))
            .collect();
        let shown = members.iter().take(LAYERS);
        let curves = shown.clone().enumerate().map(|(layer, (tag, name))| Curve {
            name: name.clone(),
            colour: layer % COLOURS,
            run: number,
            dash: layer / COLOURS % 4,
            aside: false,
            points: plotted(&run.scalars[*tag]),
        });
        let more = members.len().saturating_sub(LAYERS);
        section.charts.push(Chart {
            title: match runs.len() {
                1 => group.title.clone(),
                _ => format!("{}: {}", group.title, run.name),
            },
            about: match more {
                0 => String::new(),
                more => format!("{more} more layers are not shown."),
            },
            x_name: "step".to_owned(),
            colours: shown.map(|(_, name)| name.clone()).collect(),
            curves: curves.collect(),
            ..Chart::default()
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "steps are below 2^53")]
fn plotted(points: &BTreeMap<u64, f64>) -> Vec<(f64, f64)> {
    points
        .iter()
        .map(|(step, value)| (*step as f64, *value))
        .collect()
}
