//! Pictures of what was measured, drawn from plain slices.
//!
//! [`contour`] draws a surface, [`line()`] a slice along one direction, [`density`] a spectrum, and [`curves`] anything against anything.
//! Runs are compared in one picture on one scale: [`contours`] draws surfaces side by side, [`densities`] spectra over each other, and
//! [`line()`] takes the slices of many runs.
//! Each is a function from numbers and a config to a [`Picture`]: no file, no clock and no randomness, so that the same numbers
//! give the same bytes. Pictures are drawn for TensorBoard, which shows thumbnails some 300 pixels wide and the whole picture at a click: the default
//! is 640 x 480 with lettering that survives halving.
//!
//! A value that is not finite is never replaced: its place is hatched in grey and the legend counts how many there are.

mod axis;
mod canvas;
mod color;
mod color_bar;
mod contour;
mod contours;
mod curves;
mod densities;
mod density;
mod field;
mod font;
mod frame;
mod geometry;
mod isoline;
mod label;
mod legend;
mod number;
mod picture;
mod sheet;
mod surface;

pub use axis::Scale;
pub use color::viridis;
pub use contour::{ContourConfig, contour};
pub use contours::{ContoursConfig, NamedField, contours};
pub use curves::{CurvesConfig, Series, curves, line};
pub use densities::{NamedSpectrum, densities};
pub use density::{DensityConfig, Spectrum, density};
pub use field::Field;
pub use picture::Picture;

/// The smallest width or height of a picture, in pixels.
pub const SMALLEST_SIDE: u32 = 300;
/// The largest width or height of a picture, in pixels.
pub const LARGEST_SIDE: u32 = 8192;
