//! Slices, trajectories and profiles for other programs.
//!
//! | function | for |
//! |---|---|
//! | [`csv()`] | spreadsheets, R, pandas |
//! | [`json()`] | anything, with all that is known |
//! | [`npz`], [`npy()`] | NumPy, bit for bit |
//! | [`vtk()`] | ParaView, VisIt, PyVista: the surface in space |
//!
//! Each takes [`Samples`], which a [store](crate::store), a surface and a line turn into, and gives
//! bytes; [`write()`] chooses by the ending of a file's name. Values that are not finite are kept,
//! or left out and counted where a format cannot show them; what was not measured is marked.

mod csv;
mod format;
mod json;
mod npy;
mod samples;
pub(crate) mod table;
mod vtk;

pub use csv::csv;
pub use format::{Format, write};
pub use json::json;
pub use npy::{npy, npz};
pub(crate) use samples::combine;
pub use samples::{Column, Points, Samples};
pub use vtk::vtk;
