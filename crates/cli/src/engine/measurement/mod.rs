//! Measures a checkpoint of a run, with other settings than the run had: curvature, sharpness,
//! landscapes, losses.
//!
//! With the settings, the seed and the sample of the run, the numbers are the run's own.

mod bench;
mod between;
mod curvature;
mod losses;
mod request;
mod slices;

use std::cell::OnceCell;

use anyhow::Context as _;
use burn::tensor::Device;
use landscape::Devices;
use serde_json::{Map, Value, json};

pub(crate) use bench::{NamedFile, Row, number};
pub(crate) use request::{Parts, Request};

use self::bench::{Bench, Measurement};
use self::curvature::Made;
use super::data::Data;
use super::measure_dir::{self, FINISHED, INTERRUPTED, MEASUREMENT, MeasureDir};
use super::run_dir;
use super::stored::Stored;
use super::watch::Watch;
use super::weights::{has_batch_norm, trained_parameters, weights_crc32c};
use crate::failure::usage;
use crate::interrupt::Interrupt;
use crate::report::progress::Progress;
use crate::workload::Workload;

/// The outcome of a measurement.
pub(crate) struct Measured {
    /// The content of the document.
    pub(crate) document: Value,
    /// The rows of the table.
    pub(crate) rows: Vec<Row>,
    /// Remarks for the reader of the table.
    pub(crate) remarks: Vec<String>,
    /// Whether somebody stopped it; what was measured until then is in the document.
    pub(crate) interrupted: bool,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
}

/// The quantities to measure, the checkpoints, and the place of the results.
pub(crate) struct Task<'a> {
    /// The checkpoint.
    pub(crate) run: &'a Stored,
    /// The checkpoint at the other end of a line.
    pub(crate) other: Option<&'a Stored>,
    /// The quantities to measure.
    pub(crate) request: &'a Request,
    /// The autodiff device.
    pub(crate) device: Device,
    /// Those over which the measurements are spread.
    pub(crate) devices: Option<&'a Devices>,
    /// Permission to replace an earlier measurement in the folder.
    pub(crate) overwrite: bool,
    /// The flag with which somebody asks to stop.
    pub(crate) interrupt: &'a Interrupt,
}

/// Measures a checkpoint, or the line from it to another one, into a folder.
///
/// # Errors
/// A usage error for settings that do not fit the network, and a failure of data or disk. A
/// measurement that fails is no error but a failure in what is returned: the others stand.
pub(crate) fn measure<W: Workload>(task: &Task<'_>, data: &Data<W>) -> anyhow::Result<Measured> {
    let Task { run, request, .. } = *task;
    let data = &data.on(task.devices);
    run.check_data(data.checksums())?;
    if let Some(other) = task.other {
        between::comparable(run, other)?;
    }
    measure_dir::inspect(&request.output, MEASUREMENT, task.overwrite)?;
    let initial = data.model(run.plan().seed, &task.device);
    let restored = |stored: &Stored| {
        let fresh = initial.clone();
        let restored = stored.checkpoint.restore_model(fresh);
        restored.with_context(|| stored.directory.display().to_string())
    };
    let model = restored(run)?;
    let other = task.other.map(restored).transpose()?;
    let parameters = trained_parameters(&model);
    if let Some(count) = request.eigenvalues.filter(|count| *count > parameters) {
        return Err(usage(format!(
            "--eigenvalues: {count} is more than the {parameters} parameters of the network have"
        )));
    }
    let mut folder = MeasureDir::take(&request.output, MEASUREMENT, task.overwrite)?;
    let progress = Progress::of_measurements(&run.directory.display().to_string());
    for note in &run.notes {
        progress.warn(note);
    }
    let bench = Bench {
        request,
        data,
        device: task.device.clone().inner(),
        step: run.step() as u64,
        watch: Watch::new(progress, task.interrupt.clone()),
        has_statistics: has_batch_norm(&model),
    };
    let hessian = OnceCell::new();
    let names = [Some(run), task.other].map(|stored| {
        let path = stored.map_or(run.directory.as_path(), |stored| &stored.directory);
        run_dir::name_of(path)
    });
    let mut found = bench.watch.carry_out(match &other {
        Some(other) => vec![(
            "line between the runs",
            Box::new(|| bench.between([&model, other], [&names[0], &names[1]])),
        )],
        None => tasks(&bench, &model, &hessian),
    });
    found.findings.extend(hessian.get().map(Made::finding));
    let mut document = json!({
        "schema": MEASUREMENT.schema,
        "status": if found.interrupted { INTERRUPTED } else { FINISHED },
        "run": described(run, weights_crc32c(&model)),
        "settings": request,
        "data": run.plan().subject.network().map(|network| &network.data),
        "examples": data.curvature_examples(),
        "parameters": parameters,
    });
    if let (Some(stored), Some(other)) = (task.other, &other) {
        document["to"] = described(stored, weights_crc32c(other));
    }
    let (mut rows, mut remarks) = (Vec::new(), Vec::new());
    let mut results = Map::new();
    for finding in &mut found.findings {
        for (name, bytes) in std::mem::take(&mut finding.files) {
            folder.write(&name, &bytes)?;
        }
        rows.append(&mut finding.rows);
        remarks.append(&mut finding.remarks);
        results.insert(finding.key.to_owned(), finding.value.take());
    }
    document["results"] = Value::Object(results);
    document["failures"] = json!(found.failures);
    Ok(Measured {
        document: folder.conclude(document)?,
        rows,
        remarks,
        interrupted: found.interrupted,
        failures: found.failures,
    })
}

/// Returns what is asked for, in the order of the table.
fn tasks<'b, W: Workload>(
    bench: &'b Bench<'_, W>,
    model: &'b W::Model,
    hessian: &'b OnceCell<Made<W>>,
) -> Vec<Measurement<'b>> {
    let request = bench.request;
    let mut tasks: Vec<Measurement<'b>> = Vec::new();
    if let Some(parts) = request.losses {
        tasks.push((
            "losses and accuracies",
            Box::new(move || bench.losses(model, parts)),
        ));
    }
    if request.eigenvalues.is_some() || request.smallest {
        tasks.push((
            "eigenvalues",
            Box::new(move || bench.eigenvalues(bench.hessian(model, hessian)?)),
        ));
    }
    if request.trace {
        tasks.push((
            "trace",
            Box::new(move || bench.trace(bench.hessian(model, hessian)?)),
        ));
    }
    if let Some(starts) = request.density {
        tasks.push((
            "spectral density",
            Box::new(move || bench.density(bench.hessian(model, hessian)?, starts)),
        ));
    }
    if let Some(rho) = request.sharpness {
        tasks.push((
            "SAM sharpness",
            Box::new(move || bench.sharpness(model, rho)),
        ));
    }
    if let Some(points) = request.line {
        tasks.push((
            "loss along a line",
            Box::new(move || bench.line(model, points)),
        ));
    }
    if let Some(points) = request.surface {
        tasks.push((
            "loss surface",
            Box::new(move || bench.surface(model, points)),
        ));
    }
    tasks
}

/// Returns a run and its checkpoint in a document.
fn described(run: &Stored, weights_crc32c: u32) -> Value {
    json!({
        "directory": run.directory,
        "step": run.step(),
        "finished": run.finished,
        "weights_crc32c": weights_crc32c,
    })
}
