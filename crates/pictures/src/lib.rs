//! Plots of numbers: surfaces, curves and spectra, written once as SVG and rasterised to PNG.
//!
//! | function | draws |
//! |---|---|
//! | [`contour()`] | a surface as filled contours with labels, tracks and marked points |
//! | [`contours`] | several surfaces side by side, on one scale |
//! | [`perspective()`] | a surface in perspective, shaded, in a box with axes |
//! | [`perspectives`] | several of them, on one scale and from one side |
//! | [`curves()`] | anything against anything |
//! | [`loss_line`] | the loss along one direction, of one run or of many |
//! | [`loss_and_accuracy`] | the same on several splits, above the accuracy |
//! | [`stacked`] | plots above each other with one axis, and bands |
//! | [`path_profiles`] | the loss along paths between two models, with barriers |
//! | [`matrix()`] | a small matrix, such as the barriers of pairs, with its numbers |
//! | [`density()`] | the density of a spectrum |
//! | [`densities`] | several densities over each other |
//! | [`log_density`] | densities over decades of the magnitude, for both signs |
//! | [`sheet()`] | finished pictures side by side, each with its own scale |
//!
//! Each is a function from numbers and a title to a [`Picture`]; the same name with `_with` takes
//! a configuration in place of the title. There is no file, no clock and no randomness, so that
//! the same numbers give the same bytes. The default is 640 x 480 pixels, with lettering that
//! survives TensorBoard's thumbnails of some 300 pixels, dark on white; [`Theme::Dark`] is light
//! on near black. Colours are told apart with every form of colour blindness.
//!
//! A value that is not finite is never replaced: its place is hatched in grey, and the legend
//! counts how many there are.
//!
//! ```
//! use pictures::contour;
//!
//! let (a, b) = ([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0, 4.0]);
//! let loss: Vec<f64> = a
//!     .iter()
//!     .flat_map(|x: &f64| b.iter().map(move |y: &f64| x * x + y * y))
//!     .collect();
//! let picture = contour((&a[..], &b[..], &loss[..]), "A bowl")?;
//! assert!(picture.svg().starts_with("<svg"));
//! assert!(picture.png()?.starts_with(b"\x89PNG"));
//! # Ok::<(), pictures::Error>(())
//! ```

mod axis;
mod color;
mod contour;
mod curves;
mod density;
mod drawing;
mod error;
mod field;
mod layout;
mod matrix;
mod number;
mod perspective;
mod picture;
mod sheet;
mod stack;
mod theme;

pub use axis::AxisScale;
pub use color::viridis;
pub use contour::{
    ContourConfig, ContoursConfig, MarkedPoint, NamedField, Track, contour, contour_with, contours,
    contours_with,
};
pub use curves::{CurvesConfig, Series, curves, curves_with, loss_line};
pub use density::{
    LogSpectrum, NamedSpectrum, Spectrum, SpectrumConfig, densities, densities_with, density,
    density_with, log_density, log_density_with,
};
pub use error::{Error, LARGEST_SIDE, SMALLEST_SIDE};
pub use field::Field;
pub use matrix::{MatrixConfig, matrix, matrix_with};
pub use number::significant;
pub use perspective::{
    Camera, PerspectiveConfig, perspective, perspective_with, perspectives, perspectives_with,
};
pub use picture::Picture;
pub use sheet::{SheetConfig, sheet, sheet_with};
pub use stack::{
    Band, Panel, PathProfile, StackedConfig, loss_and_accuracy, path_profiles, path_profiles_with,
    stacked, stacked_with,
};
pub use theme::Theme;
