//! Paths between models, as they are asked for and as they were found.

use crate::command::points::{Gathered, Named};
use crate::command::slices::{Sampled, Shown};
use crate::engine::measure_dir::Kind;
use crate::engine::slices::{Column, MeasuredPath, PathSettings};
use crate::interrupt::Interrupt;

/// Paths between some models.
pub(crate) struct Course<'a> {
    /// The document.
    pub(crate) kind: Kind,
    /// The models.
    pub(crate) gathered: &'a Gathered,
    /// The settings.
    pub(crate) settings: &'a PathSettings,
    /// The form of pictures and numbers.
    pub(crate) shown: &'a Shown,
    /// Points along each side of the plane of a curve, if it is drawn.
    pub(crate) plane: Option<usize>,
    /// Permission to replace what was found earlier.
    pub(crate) overwrite: bool,
    /// The choice of one JSON document on standard output, instead of tables.
    pub(crate) json: bool,
    /// The flag with which somebody asks to stop.
    pub(crate) interrupt: &'a Interrupt,
}

/// Two models, and the paths between them.
pub(crate) struct Connected<'a> {
    /// The places of the models.
    pub(crate) places: [usize; 2],
    /// The models.
    pub(crate) ends: [&'a Named; 2],
    /// The paths.
    pub(crate) paths: Vec<MeasuredPath>,
    /// The plane of the Bezier curve, where it is drawn.
    pub(crate) plane: Option<Plane>,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
}

/// The loss on the plane through both models and the bend of a Bezier curve.
pub(crate) struct Plane {
    /// The values, in distances of parameter space.
    pub(crate) sampled: Sampled<2>,
    /// The place of the first model, of the second, and of the bend.
    pub(crate) models: [[f64; 2]; 3],
    /// Points of the curve.
    pub(crate) curve: Vec<[f64; 2]>,
}

/// The quantities at the average of all weights.
pub(crate) type Average = Vec<(Column, f64)>;

impl Connected<'_> {
    /// Returns the names of both models.
    pub(crate) fn name(&self) -> String {
        self.ends.map(|named| &*named.name).join(" to ")
    }
}
