//! The course of `spectrum`, `sharpness` and `critical`: each model in its turn, one
//! document, one table, pictures on one scale.

use landscape::sharpness::Rescaling;
use landscape::spectrum::Density;
use pictures::{NamedSpectrum, Spectrum, SpectrumConfig, densities_with, density_with};
use probes::show;
use probes::sink::Folder;
use serde_json::{Value, json};

use super::ending::{self, COMPLETE};
use super::points::{Gathered, Named, watch};
use super::slices::file_name;
use crate::comparison::wrapped;
use crate::engine::analysis::{Analysed, Analysis, LayerTrace};
use crate::engine::measure_dir::{FINISHED, INTERRUPTED, Kind, MeasureDir, inspect};
use crate::engine::measurement::NamedFile;
use crate::interrupt::Interrupt;
use crate::report::number::{significant, with_error};
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::sheet::{Item, Part, Sheet};
use crate::report::width;

/// Curves in one picture, at most; more would not be told apart.
const CURVES: usize = 12;

/// An analysis of some models.
pub(super) struct Task<'a> {
    /// The models.
    pub(super) gathered: &'a Gathered,
    /// The quantities that are looked for.
    pub(super) analysis: &'a Analysis,
    /// The document.
    pub(super) kind: Kind,
    /// The title of the table.
    pub(super) title: String,
    /// The matrix whose eigenvalues are drawn.
    pub(super) matrix: &'static str,
    /// Remarks that the table needs.
    pub(super) legend: &'a [&'a str],
    /// Permission to replace what was found earlier.
    pub(super) overwrite: bool,
    /// The choice of one JSON document on standard output, instead of tables.
    pub(super) json: bool,
    /// The flag with which somebody asks to stop.
    pub(super) interrupt: &'a Interrupt,
}

impl Task<'_> {
    /// Measures, prints, and writes document, pictures and numbers.
    ///
    /// # Errors
    /// A usage error for settings that do not fit, before anything is measured or written; a
    /// failure of the disk.
    pub(super) fn carry_out(&self) -> anyhow::Result<u8> {
        let gathered = self.gathered;
        gathered.check(self.analysis)?;
        inspect(&gathered.folder, self.kind, self.overwrite)?;
        let mut folder = MeasureDir::take(&gathered.folder, self.kind, self.overwrite)?;
        let mut found: Vec<(&Named, Analysed)> = Vec::new();
        let mut interrupted = false;
        for (number, named) in (1..).zip(&gathered.points) {
            let place = [number, gathered.points.len()];
            let watch = watch(&named.name, place, [named], self.interrupt);
            let analysed = named.point.analyse(self.analysis, &watch);
            interrupted = analysed.interrupted;
            found.push((named, analysed));
            if interrupted {
                break;
            }
        }
        let (files, mut remarks) = files(&found, &self.title, self.matrix)?;
        for (name, bytes) in files {
            folder.write(&name, &bytes)?;
        }
        let document = folder.conclude(self.document(&found, interrupted))?;
        if self.json {
            print(&format!("{document:#}"))?;
        } else {
            remarks.extend(remarks_of(&found));
            self.print(&found, &remarks)?;
        }
        gathered.tell_lost_devices();
        let failures = found
            .iter()
            .flat_map(|(named, analysed)| ending::of(&named.name, &analysed.failures));
        Ok(ending::end(failures, interrupted.then_some(COMPLETE)))
    }

    fn document(&self, found: &[(&Named, Analysed)], interrupted: bool) -> Value {
        let gathered = self.gathered;
        let points = found.iter().map(|(named, analysed)| {
            let mut document = named.document();
            document["results"] = analysed.results();
            document["failures"] = json!(analysed.failures);
            document
        });
        json!({
            "schema": self.kind.schema,
            "status": if interrupted { INTERRUPTED } else { FINISHED },
            "settings": self.analysis,
            "data": gathered.data,
            "examples": gathered.examples(),
            "models": points.collect::<Vec<_>>(),
        })
    }

    fn print(&self, found: &[(&Named, Analysed)], remarks: &[String]) -> anyhow::Result<()> {
        let (gathered, columns) = (self.gathered, width::columns());
        let heading = format!(
            "{}, over {} training examples of `{}`",
            self.title,
            gathered.examples(),
            gathered.data_name
        );
        let heading = wrapped(&heading, columns);
        print(&Paint::stdout().strong(&printable(&heading)))?;
        print(&printable(&sheet(found).fit(columns)))?;
        if let Some(layers) = layers(found) {
            print(&format!(
                "\n{}",
                Paint::stdout().strong("Trace of each layer")
            ))?;
            print(&printable(&layers.fit(columns)))?;
        }
        print("")?;
        let legend = self.legend.iter().map(|line| (*line).to_owned());
        for remark in legend.chain(remarks.iter().cloned()) {
            print(&printable(&wrapped(&remark, columns)))?;
        }
        let folder = gathered.folder.display().to_string();
        print(&format!("Numbers and pictures: {}", printable(&folder)))
    }
}

/// Returns the table of all models: what is known of any has a row.
fn sheet(found: &[(&Named, Analysed)]) -> Sheet {
    let mut rows: Vec<(Part, String)> = Vec::new();
    for (_, analysed) in found {
        let mut place = 0;
        for line in analysed.findings.iter().flat_map(|finding| &finding.lines) {
            let row = (line.part, line.label.clone());
            match rows.iter().position(|known| *known == row) {
                Some(known) => place = known + 1,
                None => {
                    rows.insert(place, row);
                    place += 1;
                }
            }
        }
    }
    let cell = |analysed: &Analysed, part: Part, label: &str| {
        let lines = analysed.findings.iter().flat_map(|finding| &finding.lines);
        let mut lines = lines.filter(|line| line.part == part && line.label == label);
        lines
            .next()
            .map_or_else(|| "-".to_owned(), |line| line.cell.clone())
    };
    let each = |of: &dyn Fn(&Named) -> String| found.iter().map(|(named, _)| of(named)).collect();
    let mut items = vec![
        Item::new(
            Part::Settings,
            "network",
            each(&|named| named.network.clone()),
        ),
        Item::new(
            Part::Settings,
            "step",
            each(&|named| {
                named
                    .step
                    .map_or_else(|| "-".to_owned(), |step| step.to_string())
            }),
        ),
        Item::new(
            Part::Settings,
            "parameters",
            each(&|named| named.point.parameters().to_string()),
        ),
    ];
    items.extend(rows.iter().map(|(part, label)| {
        let cells = found
            .iter()
            .map(|(_, analysed)| cell(analysed, *part, label));
        Item::new(*part, label, cells.collect())
    }));
    let sheet = Sheet {
        runs: found.iter().map(|(named, _)| named.name.clone()).collect(),
        items,
    };
    with_invariance(sheet, found)
}

/// Returns the sheet with what the rescaling of ReLU layers does to each number beside it, where
/// that is said: the least that holds for any of the models.
fn with_invariance(mut sheet: Sheet, found: &[(&Named, Analysed)]) -> Sheet {
    let lines = || {
        let findings = found.iter().flat_map(|(_, analysed)| &analysed.findings);
        findings.flat_map(|finding| &finding.lines)
    };
    if lines().all(|line| line.rescaling.is_none()) {
        return sheet;
    }
    let order = [
        Rescaling::NotInvariant,
        Rescaling::InvariantByLayer,
        Rescaling::Invariant,
    ];
    for item in &mut sheet.items {
        let said: Vec<Rescaling> = lines()
            .filter(|line| line.part == item.part && line.label == item.label)
            .filter_map(|line| line.rescaling)
            .collect();
        let least = order.into_iter().find(|which| said.contains(which));
        let flag = least.map_or_else(String::new, |which| which.to_string());
        item.cells.insert(0, flag);
    }
    sheet.runs.insert(0, "inv.".to_owned());
    sheet
}

/// Returns the table of the traces of the layers, where they were measured.
fn layers(found: &[(&Named, Analysed)]) -> Option<Sheet> {
    let traces = |analysed: &Analysed| -> Vec<LayerTrace> {
        let findings = analysed.findings.iter();
        findings
            .flat_map(|finding| finding.layers.clone())
            .collect()
    };
    let traces: Vec<Vec<LayerTrace>> = found.iter().map(|(_, of)| traces(of)).collect();
    let mut names: Vec<&str> = Vec::new();
    for trace in traces.iter().flatten() {
        if !names.contains(&trace.layer.as_str()) {
            names.push(&trace.layer);
        }
    }
    if names.is_empty() {
        return None;
    }
    let items = names.iter().map(|name| {
        let cells = traces.iter().map(|of| {
            let found = of.iter().find(|trace| trace.layer == **name);
            found.map_or_else(
                || "-".to_owned(),
                |trace| match trace.exact {
                    true => format!("{} exact", significant(trace.estimate.mean, 6)),
                    false => with_error(trace.estimate.mean, trace.estimate.standard_error),
                },
            )
        });
        Item::new(Part::Curvature, name, cells.collect())
    });
    Some(Sheet {
        runs: found.iter().map(|(named, _)| named.name.clone()).collect(),
        items: items.collect(),
    })
}

/// Returns the remarks on the models, each once with the names of those that it is about.
fn remarks_of(found: &[(&Named, Analysed)]) -> Vec<String> {
    let mut remarks: Vec<(String, Vec<&str>)> = Vec::new();
    for (named, analysed) in found {
        for remark in analysed
            .findings
            .iter()
            .flat_map(|finding| &finding.remarks)
        {
            match remarks.iter_mut().find(|(known, _)| known == remark) {
                Some((_, names)) => names.push(&named.name),
                None => remarks.push((remark.clone(), vec![&named.name])),
            }
        }
    }
    let all = found.len();
    let said = remarks.into_iter().map(|(remark, names)| {
        if names.len() == all {
            remark
        } else {
            format!("{}: {remark}", names.join(", "))
        }
    });
    said.collect()
}

/// Returns pictures and numbers of the densities, and remarks on what is not drawn.
fn files(
    found: &[(&Named, Analysed)],
    title: &str,
    matrix: &str,
) -> anyhow::Result<(Vec<NamedFile>, Vec<String>)> {
    let having: Vec<(&Named, &Density)> = found
        .iter()
        .flat_map(|(named, analysed)| {
            let densities = analysed.findings.iter();
            densities.filter_map(|finding| Some((*named, finding.density.as_ref()?)))
        })
        .collect();
    let (mut files, mut remarks) = (Vec::new(), Vec::new());
    let step = |named: &Named| named.step.unwrap_or_default() as u64;
    for (index, (named, density)) in having.iter().enumerate() {
        let tag = match having.len() {
            1 => "density".to_owned(),
            _ => format!("density-{}-{}", index + 1, file_name(&named.name)),
        };
        let data = probes::Value::Data(show::density_data(density));
        files.extend(Folder::files(&tag, step(named), &data)?);
    }
    let drawn = &having[..having.len().min(CURVES)];
    if drawn.len() < having.len() {
        remarks.push(format!(
            "The picture has the first {CURVES} of {} densities.",
            having.len()
        ));
    }
    let spectra: Vec<NamedSpectrum<'_>> = drawn
        .iter()
        .map(|(named, density)| NamedSpectrum {
            name: &named.name,
            grid: &density.grid,
            density: &density.density,
            nodes: &density.nodes,
            standard_error: &density.standard_error,
        })
        .collect();
    let config = SpectrumConfig {
        x_label: format!("eigenvalue of the {matrix}"),
        ..SpectrumConfig::new(title)
    };
    let picture = match spectra.as_slice() {
        [] => return Ok((files, remarks)),
        [one] => {
            let spectrum = Spectrum {
                grid: one.grid,
                density: one.density,
                nodes: one.nodes,
                standard_error: one.standard_error,
            };
            density_with(&spectrum, &config)?
        }
        several => densities_with(several, &config)?,
    };
    let step = drawn.first().map_or(0, |(named, _)| step(named));
    files.extend(Folder::files(
        "density",
        step,
        &probes::Value::Picture(picture),
    )?);
    Ok((files, remarks))
}
