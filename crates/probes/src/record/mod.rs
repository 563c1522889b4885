//! The results of a probe: tags, steps and typed values.

mod finding;
pub mod show;
pub mod tag;

pub use finding::{Eigenvalue, Eigenvalues, Finding};
pub use tensorboard::{Bin, Histogram, Mesh};

use pictures::Picture;

/// One value of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// `area/quantity`, lower snake case, for example `curvature/lambda_1`.
    pub tag: String,
    /// The number of updates made so far.
    pub step: u64,
    /// The value.
    pub value: Value,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; NaN and infinities are kept.
    Scalar(f64),
    /// Weighted bins.
    Histogram(Histogram),
    /// An RGB picture.
    Picture(Picture),
    /// A surface in space, which TensorBoard can turn.
    Mesh(Mesh),
    /// Markdown.
    Text(String),
    /// The numbers behind a picture, for export. A sink that can only show things leaves it out.
    Data(serde_json::Value),
}

/// Returns a number as JSON: numbers as they are, and `"NaN"`, `"inf"`, `"-inf"` as strings,
/// because JSON has no such numbers.
#[must_use]
pub fn json_number(value: f64) -> serde_json::Value {
    serde_json::Number::from_f64(value).map_or_else(
        || {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            serde_json::Value::String(name.into())
        },
        serde_json::Value::Number,
    )
}

/// Numbers as a JSON array, each as by [`json_number`].
#[must_use]
pub fn json_numbers(values: &[f64]) -> serde_json::Value {
    values.iter().map(|value| json_number(*value)).collect()
}

/// The records of one probe at one step.
#[derive(Debug)]
pub struct Records {
    step: u64,
    records: Vec<Record>,
    findings: Vec<Finding>,
    shortened: Option<String>,
    warnings: Vec<String>,
}

impl Records {
    /// Returns no records yet, at `step`.
    #[must_use]
    pub fn new(step: u64) -> Self {
        Self {
            step,
            records: Vec::new(),
            findings: Vec::new(),
            shortened: None,
            warnings: Vec::new(),
        }
    }

    /// Adds a number.
    pub fn scalar(&mut self, tag: impl Into<String>, value: f64) {
        self.push(tag, Value::Scalar(value));
    }

    /// Adds the histogram of `samples`. Samples that are not finite cannot be binned: they are left
    /// out and counted under the tag with `_not_finite` added.
    #[expect(
        clippy::missing_panics_doc,
        reason = "samples that are finite can always be binned"
    )]
    pub fn histogram(&mut self, tag: impl Into<String>, samples: &[f64]) {
        let tag = tag.into();
        let finite: Vec<f64> = samples.iter().copied().filter(|v| v.is_finite()).collect();
        if finite.len() < samples.len() {
            self.scalar(
                format!("{tag}_not_finite"),
                (samples.len() - finite.len()) as f64,
            );
        }
        let histogram = Histogram::of(&finite).expect("finite samples can be binned");
        self.push(tag, Value::Histogram(histogram));
    }

    /// Adds weighted bins.
    pub fn bins(&mut self, tag: impl Into<String>, histogram: Histogram) {
        self.push(tag, Value::Histogram(histogram));
    }

    /// Adds a picture.
    pub fn picture(&mut self, tag: impl Into<String>, picture: Picture) {
        self.push(tag, Value::Picture(picture));
    }

    /// Adds a surface in space.
    pub fn mesh(&mut self, tag: impl Into<String>, mesh: Mesh) {
        self.push(tag, Value::Mesh(mesh));
    }

    /// Adds markdown.
    pub fn text(&mut self, tag: impl Into<String>, markdown: impl Into<String>) {
        self.push(tag, Value::Text(markdown.into()));
    }

    /// Adds the numbers behind a picture.
    pub fn data(&mut self, tag: impl Into<String>, data: serde_json::Value) {
        self.push(tag, Value::Data(data));
    }

    /// Adds a value of any kind.
    pub fn push(&mut self, tag: impl Into<String>, value: Value) {
        self.records.push(Record {
            tag: tag.into(),
            step: self.step,
            value,
        });
    }

    /// Adds a typed result, for programs that go on with it.
    pub fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Says that the measurement was made with less effort than was asked for, and how much: "8 of
    /// 30 products".
    pub fn shortened(&mut self, how: impl Into<String>) {
        self.shortened = Some(how.into());
    }

    /// Warns of something that should be read while the run goes on: it reaches the
    /// [handler](crate::Probes::with_handler) as a message, and the
    /// [`Observation`](crate::Observation).
    pub fn warn(&mut self, sentence: impl Into<String>) {
        self.warnings.push(sentence.into());
    }

    /// Returns the records in the order in which they were added.
    #[must_use]
    pub fn into_vec(self) -> Vec<Record> {
        self.records
    }

    pub(crate) fn into_parts(self) -> (Vec<Record>, Vec<Finding>, Option<String>, Vec<String>) {
        (self.records, self.findings, self.shortened, self.warnings)
    }
}
