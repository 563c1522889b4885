//! Slices of the loss: lines and planes through models with given weights, without their types, so
//! that runs of several networks come into one table and one picture.

mod column;
mod curve_plane;
mod path;
mod point;
mod settings;
mod sliced;
mod trajectory;

use std::ops::{ControlFlow, RangeInclusive};

use probes::store::Identity;
use serde_json::Value;

pub(crate) use self::column::{Column, Figure};
pub(crate) use self::curve_plane::CurvePlane;
pub(crate) use self::path::{ALIGNED, Connecting, MeasuredPath, PathSettings};
pub(crate) use self::point::SlicePoint;
pub(crate) use self::settings::{Place, SliceSettings};
pub(crate) use self::trajectory::{Tracing, Trajectory};

use super::watch::Watch;
use crate::config::reach::Reach;

/// Takes the index of a finished point and its values, and says whether to go on.
pub(crate) type Each<'a> = dyn FnMut(usize, &[f64]) -> ControlFlow<()> + 'a;

/// A slice that is ready to be evaluated: its directions are made.
pub(crate) trait Sliced<const D: usize> {
    /// Returns the quantities, in the order of the values.
    fn columns(&self) -> &[Column];

    /// Returns what the directions are, for the document.
    fn directions(&self) -> Value;

    /// Returns how the values are obtained, in words.
    fn evaluation(&self) -> String;

    /// States the ranges within which the coordinates lie.
    ///
    /// # Errors
    /// When there are no such ranges.
    fn within(&mut self, extent: [RangeInclusive<f64>; D]) -> anyhow::Result<()>;

    /// Returns what tells a store of these points from that of another slice.
    fn identity(&self, axes: &[Vec<f64>; D]) -> Identity<D>;

    /// Evaluates points, and hands each finished one to `each`. A value depends on the slice, its
    /// ranges and the point alone.
    ///
    /// # Errors
    /// When a point cannot be evaluated, and when `each` asks to stop.
    fn values(&self, points: &[[f64; D]], each: &mut Each<'_>) -> Result<(), landscape::Error>;
}

/// A slice that can find out how far it reaches.
pub(crate) trait Adaptive<const D: usize>: Sliced<D> {
    /// Narrows the ranges to the coordinates along each direction up to where the first loss has
    /// risen to `factor` times that of the centre. Returns them.
    ///
    /// # Errors
    /// When it rises so far in no direction, or cannot be evaluated.
    fn adapt(&mut self, factor: f64, watch: &Watch) -> anyhow::Result<[Reach; D]>;
}
