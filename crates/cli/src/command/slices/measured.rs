//! Slices, as they are asked for and as they were measured.

use super::flags::Shown;
use super::sampled::Sampled;
use crate::command::points::{Gathered, Named};
use crate::engine::measure_dir::Kind;
use crate::engine::slices::SliceSettings;
use crate::interrupt::Interrupt;

/// The end of the names of stores.
pub(crate) const STORE: &str = ".slice";

/// Slices of some models.
pub(crate) struct Course<'a> {
    /// The document.
    pub(crate) kind: Kind,
    /// The models.
    pub(crate) gathered: &'a Gathered,
    /// The settings.
    pub(crate) settings: &'a SliceSettings,
    /// The form of pictures and numbers.
    pub(crate) shown: &'a Shown,
    /// Permission to replace what was found earlier.
    pub(crate) overwrite: bool,
    /// The choice of one JSON document on standard output, instead of tables.
    pub(crate) json: bool,
    /// The flag with which somebody asks to stop.
    pub(crate) interrupt: &'a Interrupt,
}

/// A slice to be measured: the model that it goes through, or the models.
pub(crate) struct Target<'a> {
    /// Its name in tables and pictures.
    pub(crate) name: String,
    /// The models.
    pub(crate) models: Vec<&'a Named>,
}

/// A slice that was measured.
pub(crate) struct Measured<'a, const D: usize> {
    /// The slice.
    pub(crate) target: Target<'a>,
    /// Its values; none where it failed.
    pub(crate) sampled: Option<Sampled<D>>,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
}
