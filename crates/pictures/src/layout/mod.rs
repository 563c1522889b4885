//! The parts of a picture around its data: title, legend, axes and colour bar.

mod band;
mod color_bar;
mod frame;
mod label;
mod legend;

pub(crate) use band::fill_band;
pub(crate) use color_bar::{Bar, line_color};
pub(crate) use frame::{Frame, Names, head_height, write_head};
pub(crate) use label::{as_labelled, fitted, pixels, unit};
pub(crate) use legend::{Entry, Legend, Mark};

/// The height of a line beside the ticks, in units of the picture.
pub(crate) const SMALL: f64 = 34.0;
/// The height of a line of an axis' name.
pub(crate) const NAME: f64 = 35.0;
/// The height of the title.
const TITLE: f64 = 40.0;
/// The room left free around everything.
pub(crate) const MARGIN: f64 = 14.0;
