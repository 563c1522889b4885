//! The pictures of a comparison: what the runs have stored, in one frame each and on one scale, as
//! PNG files and for TensorBoard.
//!
//! One run is drawn of those that differ in the seed alone: that of the first seed that all have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::pictures::{
    ContoursConfig, CurvesConfig, NamedField, NamedSpectrum, Picture, Series, contours_with,
    curves_with, densities,
};
use anyhow::Context as _;
use serde::Deserialize;
use tensorboard::Png;

use super::chosen::{Chosen, DENSITY, LINE, SURFACE, chosen, directions};
use super::{Comparison, found, wrapped};
use crate::config::folder::PICTURES;
use crate::engine::checkpoints;
use crate::engine::manifest;
use crate::engine::run_dir::{Existing, RunDir};
use crate::failure::usage;
use crate::report::number::Number;
use crate::results::summary;

/// The largest number of runs whose minima are marked; more would hide the curves.
const FEW: usize = 4;

// What is drawn of the numbers of a run.
#[derive(Deserialize)]
struct Surface {
    seed: u64,
    a: Vec<Number>,
    b: Vec<Number>,
    loss: Vec<Number>,
}

#[derive(Deserialize)]
struct Line {
    direction: String,
    seed: u64,
    a: Vec<Number>,
    curves: Vec<Curve>,
}

#[derive(Deserialize)]
struct Curve {
    name: String,
    loss: Vec<Number>,
}

#[derive(Deserialize)]
struct Density {
    grid: Vec<Number>,
    density: Vec<Number>,
    nodes: Vec<Number>,
    #[serde(default)]
    standard_error: Vec<Number>,
}

/// The pictures that were drawn.
pub(crate) struct Drawn {
    /// The folder of the files.
    pub(crate) folder: PathBuf,
    /// Their names.
    pub(crate) files: Vec<String>,
    /// Remarks for the reader.
    pub(crate) remarks: Vec<String>,
}

impl Drawn {
    /// Returns the files with their folder.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.files
            .iter()
            .map(|file| self.folder.join(file))
            .collect()
    }

    /// Returns where the pictures are and what they show, in lines of so many columns.
    pub(crate) fn text(&self, columns: usize) -> String {
        let mut text = String::new();
        if !self.files.is_empty() {
            text = format!("On one scale: {}", self.folder.join("*.png").display());
        }
        for remark in &self.remarks {
            if !text.is_empty() {
                text.push('\n');
            }
            text += &wrapped(remark, columns);
        }
        text
    }
}

/// Returns the folder for pictures of runs where none is given: beside the runs, in the folder that
/// all lie in.
pub(crate) fn usual_folder(comparison: &Comparison) -> PathBuf {
    let runs = comparison.runs.iter();
    let directories: Vec<&Path> = runs.map(|run| run.directory.as_path()).collect();
    found::common_folder(&directories).join(PICTURES)
}

/// Refuses a folder in which something else lies.
///
/// # Errors
/// A usage error that names what lies there.
pub(crate) fn check_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    if folder.is_file() {
        return Err(usage(format!(
            "{shown} is a file; choose another directory for the pictures"
        )));
    }
    let is_run = folder.join(summary::FILE).exists() || folder.join(checkpoints::FOLDER).exists();
    if is_run {
        return Err(usage(format!(
            "{shown} holds a run; choose another directory for the pictures"
        )));
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    let foreign = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        !name.starts_with('.') && !name.ends_with(".partial")
    };
    if !folder.join(manifest::FILE).exists() && names.any(|name| foreign(&name)) {
        return Err(usage(format!(
            "{shown} holds files that are not a comparison's; choose another directory for the pictures"
        )));
    }
    Ok(())
}

/// Draws what at least two runs have stored, into a folder that then holds nothing else of an
/// earlier comparison.
///
/// # Errors
/// When numbers of a run cannot be read, or the folder cannot be written or holds something else.
pub(crate) fn draw(comparison: &Comparison, folder: &Path) -> anyhow::Result<Drawn> {
    check_folder(folder)?;
    let (runs, mut remarks) = chosen(comparison);
    for run in &runs {
        remarks.extend(run.stale()?);
    }
    let mut pictures = lines(&runs)?;
    pictures.extend(density(&runs)?.map(|picture| ("density".to_owned(), picture)));
    pictures.extend(surfaces(&runs)?.map(|picture| ("surface".to_owned(), picture)));
    let mut drawn = Drawn {
        folder: folder.to_owned(),
        files: Vec::new(),
        remarks,
    };
    if pictures.is_empty() {
        let nothing = "No pictures: at least two runs need the numbers of a line, a surface or a density (--probe-line end, say).";
        drawn.remarks.push(nothing.to_owned());
        return Ok(drawn);
    }
    let mut directory = RunDir::take(folder, Existing::Overwrite)?;
    let mut events = directory.begin_events(0)?;
    events.describe(
        "comparison/figures",
        "The runs side by side, and what can be said of their differences.",
    )?;
    events.text("comparison/figures", 0, &comparison.markdown())?;
    for (stem, picture) in pictures {
        let png = picture.png()?;
        let tag = format!("comparison/{stem}");
        events.describe(
            &tag,
            "The runs of this comparison in one frame, on one scale.",
        )?;
        events.image(&tag, 0, &[Png::from_bytes(png.clone())?])?;
        let file = format!("{stem}.png");
        directory.write(&file, &png)?;
        drawn.files.push(file);
    }
    events.finish()?;
    Ok(drawn)
}

/// Draws a picture for each loss that was measured along a line.
fn lines(runs: &[Chosen<'_>]) -> anyhow::Result<Vec<(String, Picture)>> {
    let mut found: Vec<(&Chosen<'_>, Line)> = Vec::new();
    for run in runs {
        found.extend(run.read(LINE)?.map(|line| (run, line)));
    }
    let mut names: Vec<&str> = Vec::new();
    for curve in found.iter().flat_map(|(_, line)| &line.curves) {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    let mut pictures = Vec::new();
    for name in names {
        let of = |line: &Line| line.curves.iter().position(|curve| curve.name == name);
        let having: Vec<(&Chosen<'_>, &Line, usize)> = found
            .iter()
            .filter_map(|(run, line)| Some((*run, line, of(line)?)))
            .collect();
        if having.len() < 2 {
            continue;
        }
        let coordinates: Vec<(Vec<f64>, Vec<f64>)> = having
            .iter()
            .map(|(_, line, curve)| (plain(&line.a), plain(&line.curves[*curve].loss)))
            .collect();
        let series: Vec<Series<'_>> = having
            .iter()
            .zip(&coordinates)
            .map(|((run, ..), (x, y))| Series {
                name: &run.name,
                x,
                y,
            })
            .collect();
        let kinds: BTreeSet<&str> = having
            .iter()
            .map(|(_, line, _)| line.direction.as_str())
            .collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let whose: Vec<_> = having
            .iter()
            .map(|(run, line, _)| (*run, line.seed))
            .collect();
        let config = CurvesConfig {
            x_label: format!("multiples of {}", directions(&kinds.join(" or "), &whose)),
            minima: having.len() <= FEW,
            ..CurvesConfig::loss_line(format!("Loss along a line: {name}"))
        };
        let picture = curves_with(&series, &config).context("the lines cannot be drawn")?;
        pictures.push((format!("line-{}", name.replace([' ', '/'], "-")), picture));
    }
    Ok(pictures)
}

/// Draws the densities over each other.
fn density(runs: &[Chosen<'_>]) -> anyhow::Result<Option<Picture>> {
    let mut found = Vec::new();
    for run in runs {
        if let Some(density) = run.read::<Density>(DENSITY)? {
            let (grid, values) = (plain(&density.grid), plain(&density.density));
            // That of a run that diverged.
            let can_be_drawn =
                grid.iter().all(|v| v.is_finite()) && values.iter().any(|v| *v > 0.0);
            if can_be_drawn {
                let errors = plain(&density.standard_error);
                found.push((run, grid, values, plain(&density.nodes), errors));
            }
        }
    }
    if found.len() < 2 {
        return Ok(None);
    }
    let spectra: Vec<NamedSpectrum<'_>> = found
        .iter()
        .map(
            |(run, grid, density, nodes, standard_error)| NamedSpectrum {
                name: &run.name,
                grid,
                density,
                nodes,
                standard_error,
            },
        )
        .collect();
    let title = "Spectral densities of the Hessian";
    let picture = densities(&spectra, title).context("the densities cannot be drawn")?;
    Ok(Some(picture))
}

/// Draws the surfaces side by side.
fn surfaces(runs: &[Chosen<'_>]) -> anyhow::Result<Option<Picture>> {
    let mut found = Vec::new();
    for run in runs {
        if let Some(surface) = run.read::<Surface>(SURFACE)? {
            let (a, b) = (plain(&surface.a), plain(&surface.b));
            found.push((run, surface.seed, a, b, plain(&surface.loss)));
        }
    }
    if found.len() < 2 {
        return Ok(None);
    }
    let panels: Vec<NamedField<'_>> = found
        .iter()
        .map(|(run, _, a, b, values)| NamedField {
            name: &run.name,
            field: (&a[..], &b[..], &values[..]).into(),
        })
        .collect();
    let whose: Vec<_> = found.iter().map(|(run, seed, ..)| (*run, *seed)).collect();
    let config = ContoursConfig {
        a_label: format!("multiples of {}", directions("direction 1", &whose)),
        ..ContoursConfig::new("Loss surfaces on one scale")
    };
    let picture = contours_with(&panels, &config).context("the surfaces cannot be drawn")?;
    Ok(Some(picture))
}

fn plain(numbers: &[Number]) -> Vec<f64> {
    numbers.iter().map(|number| number.0).collect()
}
