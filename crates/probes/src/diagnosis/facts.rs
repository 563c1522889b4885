//! The facts about a run on which a diagnosis rests: its records, and its settings.

use std::collections::BTreeMap;

use landscape::stability::Optimiser;
use serde::{Deserialize, Serialize};

use super::Diagnosis;
use super::judge::judge;
use super::series::Series;
use super::slices::Slice;
use crate::Error;
use crate::record::{Record, Value};
use crate::sink::Sink;
use crate::tag;

/// Scalars that are kept, at most: a network of some thousand layers has more, and what is dropped
/// is counted.
const KEPT: usize = 8192;

/// The areas of tags that rules look at.
const AREAS: [&str; 13] = [
    "loss/",
    "accuracy/",
    "end/",
    "gradient/",
    "curvature/",
    "curvature_check/",
    "sharpness/",
    "stability/",
    "activation/",
    "batch_norm/",
    "parameters/",
    "training/",
    "weights/",
];

/// What is known of a run: the scalars that it recorded, thinned to at most 256 points each, and
/// what the program says of its settings. Numbers that are not finite are kept: they are evidence.
///
/// Records come one by one through [`observe`](Self::observe), in the order of their steps; a step
/// that was there before says that the run was resumed from it. `Facts` is a
/// [`Sink`] too, but [`Probes::with_diagnosis`](crate::Probes::with_diagnosis) is simpler: it also
/// writes the report.
///
/// # Examples
/// ```
/// use probes::diagnosis::{Facts, Severity, Symptom};
/// use probes::{Record, Value};
///
/// let mut facts = Facts::new().with_classes(10).with_learning_rate(100.0);
/// for (step, loss) in [(0, 2.3), (1, 50.0), (2, f64::NAN)] {
///     let (tag, value) = ("loss/train".to_owned(), Value::Scalar(loss));
///     facts.observe(&Record { tag, step, value });
/// }
/// let first = &facts.diagnose().findings[0];
/// assert_eq!(first.symptom, Symptom::LearningRateTooHigh);
/// assert_eq!(first.severity, Severity::Problem);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub(crate) series: BTreeMap<String, Series>,
    /// The latest slice of each tag.
    pub(crate) slices: BTreeMap<String, Slice>,
    /// The latest warning of the stability monitor.
    pub(crate) stability_warning: Option<(u64, String)>,
    /// Scalars that were dropped, because there are too many.
    pub(crate) dropped: u64,
    /// The latest step.
    pub(crate) step: Option<u64>,
    pub(crate) known: Known,
}

/// The settings of a run, as far as the program told them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    pub(crate) learning_rate: Option<f64>,
    pub(crate) classes: Option<usize>,
    pub(crate) optimiser: Option<Optimiser>,
    pub(crate) total_steps: Option<u64>,
    pub(crate) depth: Option<usize>,
    pub(crate) batch_size: Option<usize>,
    pub(crate) examples: Option<usize>,
    pub(crate) validation_examples: Option<usize>,
    pub(crate) sharpness_rho: Option<f64>,
    pub(crate) batch_norm: Option<bool>,
    pub(crate) training_loss: Option<String>,
    pub(crate) validation_loss: Option<String>,
    pub(crate) validation_accuracy: Option<String>,
}

impl Facts {
    /// Returns facts about a run of which nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the learning rate, where the run does not record it as `training/learning_rate`: the
    /// largest one of a schedule.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        self.know(|known| known.learning_rate = Some(learning_rate))
    }

    /// Sets the number C of classes of a cross-entropy in nats. Without it nothing is known of the
    /// loss of a model that has learnt nothing, `ln C`, and the first loss stands for it.
    #[must_use]
    pub fn with_classes(self, classes: usize) -> Self {
        self.know(|known| known.classes = Some(classes))
    }

    /// Sets the optimiser, which tells how far its steps go.
    #[must_use]
    pub fn with_optimiser(self, optimiser: Optimiser) -> Self {
        self.know(|known| known.optimiser = Some(optimiser))
    }

    /// Sets the number of steps of the whole run, without which every diagnosis is one of a run
    /// that has ended.
    #[must_use]
    pub fn with_total_steps(self, steps: u64) -> Self {
        self.know(|known| known.total_steps = Some(steps))
    }

    /// Sets the number of layers with weights.
    #[must_use]
    pub fn with_depth(self, layers: usize) -> Self {
        self.know(|known| known.depth = Some(layers))
    }

    /// Sets the number of examples in a batch.
    #[must_use]
    pub fn with_batch_size(self, examples: usize) -> Self {
        self.know(|known| known.batch_size = Some(examples))
    }

    /// Sets the number of examples over which gradients and curvature are measured.
    #[must_use]
    pub fn with_examples(self, examples: usize) -> Self {
        self.know(|known| known.examples = Some(examples))
    }

    /// Sets the number of validation examples, from which follows how far an accuracy at chance
    /// can lie from 1 / C.
    #[must_use]
    pub fn with_validation_examples(self, examples: usize) -> Self {
        self.know(|known| known.validation_examples = Some(examples))
    }

    /// Sets the radius `ρ` of the recorded `sharpness/sam`.
    #[must_use]
    pub fn with_sharpness_rho(self, rho: f64) -> Self {
        self.know(|known| known.sharpness_rho = Some(rho))
    }

    /// Sets whether the network has a BatchNorm layer
    /// ([`normalises_by_batch`](landscape::normalises_by_batch)). Without one there is no gap to
    /// look for.
    #[must_use]
    pub fn with_batch_norm(self, has_batch_norm: bool) -> Self {
        self.know(|known| known.batch_norm = Some(has_batch_norm))
    }

    /// Sets the tag of the training loss: `loss/train` unless it is said.
    #[must_use]
    pub fn with_training_loss(self, tag: impl Into<String>) -> Self {
        self.know(|known| known.training_loss = Some(tag.into()))
    }

    /// Sets the tag of the validation loss: `loss/valid` unless it is said.
    #[must_use]
    pub fn with_validation_loss(self, tag: impl Into<String>) -> Self {
        self.know(|known| known.validation_loss = Some(tag.into()))
    }

    /// Sets the tag of the validation accuracy, from 0 to 1: `accuracy/valid` unless it is said.
    #[must_use]
    pub fn with_validation_accuracy(self, tag: impl Into<String>) -> Self {
        self.know(|known| known.validation_accuracy = Some(tag.into()))
    }

    fn know(mut self, change: impl FnOnce(&mut Known)) -> Self {
        change(&mut self.known);
        self
    }

    /// Takes a record in. Tags of which no rule knows anything are left out.
    pub fn observe(&mut self, record: &Record) {
        match &record.value {
            Value::Scalar(value) => self.scalar(&record.tag, record.step, *value),
            Value::Data(data) => {
                if let Some(slice) = Slice::of(&record.tag, record.step, data) {
                    self.slices.insert(record.tag.clone(), slice);
                }
            }
            Value::Text(text) if record.tag == "stability/warning" => {
                self.stability_warning = Some((record.step, text.clone()));
            }
            _ => {}
        }
    }

    fn scalar(&mut self, tag: &str, step: u64, value: f64) {
        let known = &self.known;
        let told = [
            &known.training_loss,
            &known.validation_loss,
            &known.validation_accuracy,
        ];
        let is_told = told.into_iter().flatten().any(|told| told == tag);
        let read = AREAS.iter().any(|area| tag.starts_with(area));
        if !(read || is_told) || tag.starts_with(tag::GRADIENT_VALUES) {
            return;
        }
        self.step = self.step.max(Some(step));
        if let Some(series) = self.series.get_mut(tag) {
            series.push(step, value);
        } else if self.series.len() < KEPT {
            let series = self.series.entry(tag.to_owned()).or_default();
            series.push(step, value);
        } else {
            self.dropped += 1;
        }
    }

    /// Returns the findings. A run whose total number of steps was not told counts as ended.
    #[must_use]
    pub fn diagnose(&self) -> Diagnosis {
        judge(self, false)
    }

    /// Returns the findings of a run that goes on. Where its total number of steps was not told,
    /// nothing is said of a loss that has not fallen yet.
    #[must_use]
    pub fn diagnose_under_way(&self) -> Diagnosis {
        judge(self, true)
    }
}

impl Sink for Facts {
    fn name(&self) -> &'static str {
        "diagnosis"
    }

    fn write(&mut self, record: &Record) {
        self.observe(record);
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
