//! Surfaces that one can turn, contours, lines and spectra, from the numbers of the runs.

use std::collections::{BTreeMap, BTreeSet};

use pictures::{
    ContoursConfig, NamedField, NamedSpectrum, PerspectiveConfig, Picture, SpectrumConfig, Theme,
    Track, contours_with, densities_with, perspectives_with,
};
use serde_json::{Value as Json, json};

use super::chart::{self, COLOURS, Chart, Curve, rounded};
use super::curves::words;
use super::html::{attribute, escape, number};
use super::image::Colours;
use super::run::Run;
use super::shapes::{Line, Plane, Shape, Spectrum};

/// The most runs whose surfaces stand side by side, and whose spectra are drawn over each other.
const RUNS: usize = 6;
/// The most steps of a tag that the page holds, and the most numbers of a surface along one side.
const STEPS: usize = 24;
const SIDE: usize = 81;

/// What a page collects beside its text.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) colours: Colours,
    pub(super) charts: Vec<Json>,
    pub(super) surfaces: Vec<Json>,
    /// Drawings so far.
    pub(super) drawings: usize,
    /// Sentences about what is not shown, and why.
    pub(super) missing: Vec<String>,
}

/// The parts of a page that are drawn from numbers.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) surfaces: String,
    pub(super) contours: String,
    pub(super) lines: String,
    pub(super) spectra: String,
}

/// The shapes of one tag: for each run its number, and its steps.
type Found<'a, T> = Vec<(usize, &'a Run, BTreeMap<u64, T>)>;

/// Draws the numbers of all runs.
pub(super) fn parts(runs: &[Run], collected: &mut Collected) -> Parts {
    let tags: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.data.keys().map(String::as_str))
        .collect();
    let mut parts = Parts::default();
    for tag in tags {
        let mut planes: Found<'_, Plane> = Vec::new();
        let mut lines: Found<'_, Line> = Vec::new();
        let mut spectra: Found<'_, Spectrum> = Vec::new();
        for (index, run) in runs.iter().enumerate() {
            let Some(steps) = run.data.get(tag) else {
                continue;
            };
            let (mut of_planes, mut of_lines, mut of_spectra) =
                (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
            for (step, data) in last(steps, STEPS) {
                match Shape::of(data) {
                    Some(Shape::Plane(plane)) => drop(of_planes.insert(step, plane)),
                    Some(Shape::Line(line)) => drop(of_lines.insert(step, line)),
                    Some(Shape::Spectrum(spectrum)) => drop(of_spectra.insert(step, spectrum)),
                    None => {}
                }
            }
            let name = tag.trim_end_matches("_data");
            let has_picture = run.images.contains_key(name);
            let has_shape = !(of_planes.is_empty() && of_lines.is_empty() && of_spectra.is_empty());
            if !has_shape && !has_picture {
                collected.missing.push(format!(
                    "{}: the numbers of {tag} are of a kind that is not drawn here, or incomplete",
                    run.name
                ));
            }
            add(&mut planes, index, run, of_planes);
            add(&mut lines, index, run, of_lines);
            add(&mut spectra, index, run, of_spectra);
        }
        if runs.len() > RUNS && !(planes.is_empty() && spectra.is_empty()) {
            collected.missing.push(format!(
                "{tag}: the first {RUNS} runs that have it are drawn, of {}",
                planes.len().max(spectra.len())
            ));
        }
        planes.truncate(RUNS);
        spectra.truncate(RUNS);
        if !planes.is_empty() {
            parts.surfaces += &surface(tag, &planes, runs.len(), collected);
            parts.contours += &contours(tag, &planes, collected);
        }
        if !lines.is_empty() {
            parts.lines += &line(tag, &lines, runs.len(), collected);
        }
        if !spectra.is_empty() {
            parts.spectra += &density(tag, &spectra, runs.len(), collected);
        }
    }
    parts
}

fn last<T>(steps: &BTreeMap<u64, T>, most: usize) -> impl Iterator<Item = (u64, &T)> {
    let skipped = steps.len().saturating_sub(most);
    steps
        .iter()
        .skip(skipped)
        .map(|(step, value)| (*step, value))
}

fn add<'a, T>(found: &mut Found<'a, T>, index: usize, run: &'a Run, steps: BTreeMap<u64, T>) {
    if !steps.is_empty() {
        found.push((index, run, steps));
    }
}

/// Returns the name of what a tag shows.
fn title(tag: &str) -> String {
    let name = tag.strip_suffix("_data").unwrap_or(tag);
    match name {
        "landscape/surface" => "Loss surface".to_owned(),
        "landscape/line" => "Loss along a direction".to_owned(),
        "curvature/density" => "Spectral density of the Hessian".to_owned(),
        "trajectory/plane" => "Trajectory over the loss".to_owned(),
        other => words(&other.replacen('/', ": ", 1)),
    }
}

fn at_last<T>(steps: &BTreeMap<u64, T>) -> (u64, &T) {
    let (step, value) = steps
        .last_key_value()
        .expect("a run without a step is left out");
    (*step, value)
}

/// Returns the surfaces that the script turns, over a still picture of them.
fn surface(tag: &str, planes: &Found<'_, Plane>, runs: usize, collected: &mut Collected) -> String {
    let values = || {
        planes
            .iter()
            .flat_map(|(_, _, steps)| steps.values().flat_map(|p| &p.loss))
    };
    let finite = values().copied().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let title = title(tag);
    if low > high {
        collected
            .missing
            .push(format!("{tag}: no value of the surface is finite"));
        return String::new();
    }
    // As `pictures` chooses: two decades of positive values.
    let log = low > 0.0 && high / low >= 100.0;
    let mut panels = Vec::new();
    let mut steps_of_all = BTreeSet::new();
    for (index, run, steps) in planes {
        let of_run: Vec<Json> = steps
            .iter()
            .map(|(step, plane)| {
                steps_of_all.insert(*step);
                let plane = coarser(plane);
                let list =
                    |values: &[f64]| -> Json { values.iter().copied().map(rounded).collect() };
                json!({
                    "step": step, "a": list(&plane.a), "b": list(&plane.b), "z": list(&plane.loss),
                    "t": plane.track.iter().map(|(at, _)| list(at)).collect::<Json>(),
                })
            })
            .collect();
        panels.push(json!({ "run": index, "name": run.name, "steps": of_run }));
    }
    let not_finite = values().filter(|value| !value.is_finite()).count();
    let id = collected.surfaces.len();
    collected.surfaces.push(json!({
        "low": low, "high": high, "log": log, "panels": panels,
        "steps": steps_of_all.iter().collect::<Vec<_>>(),
    }));
    let still = still(planes, &title, collected);
    let directions = planes
        .iter()
        .map(|(_, _, steps)| &at_last(steps).1.directions);
    let directions = directions.clone().next().filter(|text| !text.is_empty());
    let about = [
        directions.map(|text| format!("{}.", sentence(text))),
        Some(format!(
            "From {} to {}{}{}.",
            number(low),
            number(high),
            if log {
                ", heights and colours on a logarithmic scale"
            } else {
                ""
            },
            if runs > 1 { ", one scale for all" } else { "" },
        )),
        (not_finite > 0).then(|| format!("{not_finite} points are not finite and left out.")),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    format!(
        "<figure class=\"card surface\" data-surface=\"{id}\"><figcaption><h3>{}</h3></figcaption>\
         <div class=\"still\">{still}</div><p class=\"about\">{}</p></figure>",
        escape(&title),
        escape(&about.join(" "))
    )
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Returns the plane with fewer points along a side that has very many.
fn coarser(plane: &Plane) -> Plane {
    let every = |length: usize| (length - 1).div_ceil(SIDE - 1).max(1);
    let pick = |length: usize| -> Vec<usize> {
        let mut indices: Vec<usize> = (0..length).step_by(every(length)).collect();
        if indices.last() != Some(&(length - 1)) {
            indices.push(length - 1);
        }
        indices
    };
    let (of_a, of_b) = (pick(plane.a.len()), pick(plane.b.len()));
    let width = plane.b.len();
    Plane {
        a: of_a.iter().map(|i| plane.a[*i]).collect(),
        b: of_b.iter().map(|j| plane.b[*j]).collect(),
        loss: of_a
            .iter()
            .flat_map(|i| of_b.iter().map(move |j| i * width + j))
            .map(|index| plane.loss[index])
            .collect(),
        track: plane.track.clone(),
        directions: plane.directions.clone(),
    }
}

fn still(planes: &Found<'_, Plane>, title: &str, collected: &mut Collected) -> String {
    let names = names(planes);
    let panels = panels(planes, &names);
    let draw = |theme| {
        let config = PerspectiveConfig {
            theme,
            ..PerspectiveConfig::several(title)
        };
        perspectives_with(&panels, &config)
    };
    both(draw, title, collected)
}

fn named(run: &Run, step: u64) -> String {
    format!("{}, step {step}", run.name)
}

/// Returns the name of each run with its last step.
fn names(planes: &Found<'_, Plane>) -> Vec<String> {
    let last = planes.iter();
    last.map(|(_, run, steps)| named(run, at_last(steps).0))
        .collect()
}

/// Returns the last plane of each run under its name.
fn panels<'a>(planes: &'a Found<'_, Plane>, names: &'a [String]) -> Vec<NamedField<'a>> {
    let named = planes.iter().zip(names);
    named
        .map(|((_, _, steps), name)| panel(name, at_last(steps).1))
        .collect()
}

fn panel<'a>(name: &'a str, plane: &'a Plane) -> NamedField<'a> {
    NamedField {
        name,
        field: (&plane.a[..], &plane.b[..], &plane.loss[..]).into(),
    }
}

/// Draws a picture on both grounds as one drawing.
fn both(
    draw: impl Fn(Theme) -> Result<Picture, pictures::Error>,
    title: &str,
    collected: &mut Collected,
) -> String {
    collected.drawings += 1;
    match (draw(Theme::Light), draw(Theme::Dark)) {
        (Ok(light), Ok(dark)) => {
            let number = collected.drawings;
            let drawing = collected.colours.both(light.svg(), dark.svg(), number);
            format!(
                "<div class=\"drawn\" style=\"max-width:{}px\">{drawing}</div>",
                light.width() * 4 / 5
            )
        }
        (Err(error), _) | (_, Err(error)) => {
            collected
                .missing
                .push(format!("{title} could not be drawn: {error}"));
            String::new()
        }
    }
}

fn contours(tag: &str, planes: &Found<'_, Plane>, collected: &mut Collected) -> String {
    let title = title(tag);
    let names = names(planes);
    let panels = panels(planes, &names);
    let tracks: Vec<Vec<Track>> = planes
        .iter()
        .map(|(_, _, steps)| {
            let track = &at_last(steps).1.track;
            if track.is_empty() {
                return Vec::new();
            }
            vec![Track {
                name: "training".to_owned(),
                points: track.iter().map(|(at, _)| *at).collect(),
                steps: track
                    .iter()
                    .map(|(_, step)| *step)
                    .collect::<Option<_>>()
                    .unwrap_or_default(),
            }]
        })
        .collect();
    let draw = |theme| {
        let config = ContoursConfig {
            theme,
            labels: true,
            tracks: tracks.clone(),
            ..ContoursConfig::new(title.clone())
        };
        contours_with(&panels, &config)
    };
    let drawing = both(draw, &title, collected);
    match drawing.is_empty() {
        true => drawing,
        false => format!("<figure class=\"card drawing wide\">{drawing}</figure>"),
    }
}

fn line(tag: &str, lines: &Found<'_, Line>, runs: usize, collected: &mut Collected) -> String {
    let steps: BTreeSet<u64> = lines
        .iter()
        .flat_map(|(_, _, steps)| steps.keys().copied())
        .collect();
    let mut figures = Vec::new();
    for step in steps {
        let mut names: Vec<String> = Vec::new();
        let mut curves = Vec::new();
        let mut direction = String::new();
        for (index, run, of_run) in lines {
            // The last line at or before the step, so that runs with other steps stay in view.
            let Some((_, line)) = of_run.range(..=step).next_back() else {
                continue;
            };
            direction.clone_from(&line.direction);
            for (name, loss) in &line.curves {
                let dash = names
                    .iter()
                    .position(|known| known == name)
                    .unwrap_or_else(|| {
                        names.push(name.clone());
                        names.len() - 1
                    });
                let points = line.a.iter().copied().zip(loss.iter().copied());
                curves.push(Curve {
                    name: if runs == 1 {
                        name.clone()
                    } else {
                        format!("{}, {name}", run.name)
                    },
                    colour: (*index).min(COLOURS),
                    run: *index,
                    dash: dash % 4,
                    aside: false,
                    points: points.collect(),
                });
            }
        }
        let chart = Chart {
            title: title(tag),
            about: match direction.is_empty() {
                true => format!("Over multiples of the direction, at step {step}."),
                false => format!("Over multiples of {direction}, at step {step}."),
            },

            dashes: names,
            curves,
            ..Chart::default()
        };
        figures.push((step, chart::html(&chart, &mut collected.charts)));
    }
    stepper(figures)
}

fn density(
    tag: &str,
    spectra: &Found<'_, Spectrum>,
    runs: usize,
    collected: &mut Collected,
) -> String {
    let steps: BTreeSet<u64> = spectra
        .iter()
        .flat_map(|(_, _, steps)| steps.keys().copied())
        .collect();
    let mut figures = Vec::new();
    for step in steps {
        let mut curves = Vec::new();
        for (_, run, of_run) in spectra {
            if let Some((at, found)) = of_run.range(..=step).next_back() {
                let name = if runs == 1 {
                    format!("step {at}")
                } else {
                    named(run, *at)
                };
                curves.push((name, found));
            }
        }
        let named: Vec<NamedSpectrum<'_>> = curves
            .iter()
            .map(|(name, found)| NamedSpectrum {
                name,
                grid: &found.grid,
                density: &found.density,
                nodes: &found.nodes,
                standard_error: &found.standard_error,
            })
            .collect();
        let title = title(tag);
        let draw = |theme| {
            let config = SpectrumConfig {
                theme,
                ..SpectrumConfig::new(title.clone())
            };
            densities_with(&named, &config)
        };
        let drawing = both(draw, &title, collected);
        if !drawing.is_empty() {
            figures.push((
                step,
                format!("<figure class=\"card drawing\">{drawing}</figure>"),
            ));
        }
    }
    stepper(figures)
}

/// Returns figures of several steps, of which the page shows one: the last, until the slider moves.
pub(super) fn stepper(mut figures: Vec<(u64, String)>) -> String {
    if figures.len() < 2 {
        return figures.pop().map(|(_, figure)| figure).unwrap_or_default();
    }
    let steps: Vec<String> = figures.iter().map(|(step, _)| step.to_string()).collect();
    let most = figures.len() - 1;
    let mut html = format!(
        "<div class=\"stepper\" data-steps=\"{}\">",
        attribute(&steps.join(" "))
    );
    for (index, (_, figure)) in figures.iter().enumerate() {
        let hidden = if index == most { "" } else { " hidden" };
        html += &format!("<div class=\"at\"{hidden}>{figure}</div>");
    }
    html + "</div>"
}
