//! A run as a report shows it: everything that was recorded, by tag and step, from memory or from
//! files.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::image::Image;
use super::shapes::Shape;
use crate::record::{Mesh, Record, Value};

/// Values of one kind, by tag and then by step; a step that was written twice has its last value.
pub(super) type ByTag<T> = BTreeMap<String, BTreeMap<u64, T>>;

/// A run: its name, its settings, what was recorded, and what is known to be missing.
///
/// # Examples
/// ```
/// use probes::report::Run;
/// use probes::{Record, Value};
///
/// let record = |step, loss| Record {
///     tag: "loss/train".into(),
///     step,
///     value: Value::Scalar(loss),
/// };
/// let run = Run::from_records("first try", &[record(0, 2.3), record(10, 0.7)])
///     .with_settings([("learning rate", "0.1")]);
/// assert_eq!(run.name(), "first try");
/// assert_eq!(run.last("loss/train"), Some((10, 0.7)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub(super) name: String,
    pub(super) settings: BTreeMap<String, String>,
    /// The figures that the program wrote down at the end, such as the loss over all test
    /// examples.
    pub(super) figures: BTreeMap<String, f64>,
    pub(super) scalars: ByTag<f64>,
    pub(super) texts: ByTag<String>,
    pub(super) data: ByTag<Json>,
    pub(super) images: ByTag<Image>,
    /// The number of steps at which each histogram was recorded.
    pub(super) histograms: BTreeMap<String, usize>,
    /// The data that the run was measured on, where that is known.
    pub(super) workload: Option<String>,
    /// Sentences about what is missing or damaged.
    pub(super) missing: Vec<String>,
}

impl Run {
    /// Returns the run that has these records, as [`sink::Memory`](crate::sink::Memory) keeps them.
    #[must_use]
    pub fn from_records(name: impl Into<String>, records: &[Record]) -> Self {
        let mut run = Self::empty(name);
        for record in records {
            run.add(record);
        }
        run
    }

    pub(super) fn empty(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Returns the run under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds settings, which the report shows in a table; those that differ between runs come first.
    #[must_use]
    pub fn with_settings<N: Into<String>, V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let settings = settings.into_iter();
        self.settings
            .extend(settings.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns step and value of the last point of a curve.
    #[must_use]
    pub fn last(&self, tag: &str) -> Option<(u64, f64)> {
        let (step, value) = self.scalars.get(tag)?.last_key_value()?;
        Some((*step, *value))
    }

    /// Returns the tags of everything that was recorded, in their order.
    #[must_use]
    pub fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = (self.scalars.keys())
            .chain(self.texts.keys())
            .chain(self.data.keys())
            .chain(self.images.keys())
            .chain(self.histograms.keys())
            .map(String::as_str)
            .collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Returns the sentences about what is missing or damaged, as far as reading found it.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    pub(super) fn add(&mut self, record: &Record) {
        let (tag, step) = (record.tag.as_str(), record.step);
        match &record.value {
            Value::Scalar(value) => put(&mut self.scalars, tag, step, *value),
            Value::Text(text) => put(&mut self.texts, tag, step, text.clone()),
            Value::Data(data) => put(&mut self.data, tag, step, data.clone()),
            Value::Picture(picture) => {
                put(&mut self.images, tag, step, Image::Drawn(picture.clone()));
            }
            Value::Mesh(mesh) => self.add_mesh(tag, step, mesh),
            Value::Histogram(_) => *self.histograms.entry(tag.to_owned()).or_default() += 1,
        }
    }

    /// Adds the losses of a surface in space, unless they are known already.
    pub(super) fn add_mesh(&mut self, tag: &str, step: u64, mesh: &Mesh) {
        let tag = format!("{}_data", tag.trim_end_matches("_mesh"));
        let known = self.data.get(&tag);
        if known.is_some_and(|steps| steps.contains_key(&step)) {
            return;
        }
        if let Some(losses) = super::meshes::losses(mesh) {
            put(&mut self.data, &tag, step, losses);
        }
    }

    /// Takes out what a run wrote at `step` or later before it was interrupted and went on there.
    pub(super) fn resume_at(&mut self, step: u64) {
        cut(&mut self.scalars, step);
        cut(&mut self.texts, step);
        cut(&mut self.images, step);
        cut(&mut self.data, step);
    }

    /// Tells whether the numbers behind a picture are of a kind that the report draws itself.
    pub(super) fn is_drawn(&self, picture: &str) -> bool {
        let name = picture.trim_end_matches("_picture");
        let steps = self.data.get(&format!("{name}_data"));
        let last = steps.and_then(BTreeMap::last_key_value);
        last.is_some_and(|(_, data)| Shape::of(data).is_some())
    }

    /// Returns the last step at which anything was recorded.
    pub(super) fn last_step(&self) -> Option<u64> {
        let of_scalars = self.scalars.values().filter_map(last_key);
        let of_images = self.images.values().filter_map(last_key);
        let of_data = self.data.values().filter_map(last_key);
        of_scalars.chain(of_images).chain(of_data).max()
    }
}

fn last_key<T>(points: &BTreeMap<u64, T>) -> Option<u64> {
    points.last_key_value().map(|(step, _)| *step)
}

pub(super) fn put<T>(values: &mut ByTag<T>, tag: &str, step: u64, value: T) {
    let points = values.entry(tag.to_owned()).or_default();
    points.insert(step, value);
}

fn cut<T>(values: &mut ByTag<T>, step: u64) {
    for points in values.values_mut() {
        points.split_off(&step);
    }
    values.retain(|_, points| !points.is_empty());
}
