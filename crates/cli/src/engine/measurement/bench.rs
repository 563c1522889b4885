//! The measurements of one checkpoint, one after the other: what they share, and what each hands
//! on.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Instant;

use burn::tensor::Device;
use landscape::LinearOperator;
use landscape::operator::Observed;
use pictures::Picture;
use probes::sink::Folder;
use serde_json::Value;

use super::Request;
use crate::engine::data::Data;
use crate::interrupt::Interrupt;
use crate::report::number::Number;
use crate::report::progress::Progress;

/// A file to be written: its name and its content.
pub(crate) type NamedFile = (String, Vec<u8>);

/// The result of one measurement.
pub(crate) struct Finding {
    /// Its key in the document.
    pub(crate) key: &'static str,
    /// Its value there.
    pub(crate) value: Value,
    /// Its rows in the table.
    pub(crate) rows: Vec<Row>,
    /// Remarks for the reader of the table.
    pub(crate) remarks: Vec<String>,
    /// Pictures and numbers.
    pub(crate) files: Vec<NamedFile>,
}

/// A row of the table.
pub(crate) struct Row {
    /// The name of the quantity.
    pub(crate) what: String,
    /// Its value.
    pub(crate) value: String,
    /// Its error.
    pub(crate) error: String,
    /// Its cost: products, points.
    pub(crate) work: String,
    /// Seconds; none where those of another row are its own.
    pub(crate) seconds: Option<f64>,
}

impl Row {
    /// Returns a row of a value and how well it is known.
    pub(super) fn new(
        what: impl Into<String>,
        value: impl Into<String>,
        error: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
            error: error.into(),
            work: String::new(),
            seconds: None,
        }
    }

    /// Returns the row with what it took.
    pub(super) fn after(self, count: usize, what: &str, seconds: f64) -> Self {
        Self {
            work: format!("{count} {what}"),
            seconds: Some(seconds),
            ..self
        }
    }
}

/// A measurement with its name.
pub(super) type Measurement<'a> = (
    &'static str,
    Box<dyn FnOnce() -> anyhow::Result<Finding> + 'a>,
);

/// The results of all of them.
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
    pub(super) failures: Vec<String>,
    pub(super) interrupted: bool,
}

/// The inputs that all measurements share.
pub(super) struct Bench<'a, W> {
    pub(super) request: &'a Request,
    pub(super) data: &'a Data<W>,
    /// The device without autodiff.
    pub(super) device: Device,
    pub(super) step: u64,
    pub(super) progress: Progress,
    pub(super) interrupt: Interrupt,
    /// Whether the network has running statistics of BatchNorm.
    pub(super) has_statistics: bool,
    /// Products of the operator that is watched.
    pub(super) products: Cell<usize>,
}

impl<W> Bench<'_, W> {
    /// Carries the tasks out. One that fails does not take the others with it; an interrupt ends
    /// them.
    pub(super) fn carry_out(&self, tasks: Vec<Measurement<'_>>) -> Found {
        let mut found = Found {
            findings: Vec::new(),
            failures: Vec::new(),
            interrupted: false,
        };
        let count = tasks.len();
        for (index, (name, task)) in tasks.into_iter().enumerate() {
            if self.interrupt.requested() {
                found.interrupted = true;
                break;
            }
            self.progress.probe(name, index + 1, count);
            match task() {
                Ok(finding) => found.findings.push(finding),
                Err(_) if self.interrupt.requested() => {
                    found.interrupted = true;
                    break;
                }
                Err(error) => found.failures.push(format!("{name}: {error:#}")),
            }
        }
        found
    }

    /// Returns the files of numbers and of the picture that shows them, each under its tag.
    pub(super) fn files(
        &self,
        (data_tag, data): (&str, Value),
        (picture_tag, picture): (&str, Picture),
    ) -> anyhow::Result<Vec<NamedFile>> {
        let mut files = Folder::files(data_tag, self.step, &probes::Value::Data(data))?;
        let picture = probes::Value::Picture(picture);
        files.extend(Folder::files(picture_tag, self.step, &picture)?);
        Ok(files)
    }

    /// Returns an operator that tells the progress of each product, and stops when somebody asks.
    pub(super) fn watched<'o, A: LinearOperator>(
        &'o self,
        operator: &'o A,
        of: Option<usize>,
    ) -> Observed<&'o A, impl FnMut(usize) -> ControlFlow<()> + 'o> {
        self.products.set(0);
        Observed::new(operator, move |done| {
            self.products.set(done);
            self.goes_on(done, of, "products")
        })
    }

    /// Tells the progress, and whether to go on.
    pub(super) fn goes_on(
        &self,
        done: usize,
        of: Option<usize>,
        what: &'static str,
    ) -> ControlFlow<()> {
        self.progress.work(done, of, what);
        if self.interrupt.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Returns the value of `work`, and the seconds that it took.
pub(super) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let value = work();
    (value, began.elapsed().as_secs_f64())
}

/// Returns a number in the document, which may not be finite.
pub(super) fn number(value: f64) -> Value {
    serde_json::to_value(Number(value)).expect("a number or a text is JSON")
}
