//! The errors of this crate.

/// The smallest width or height of a picture that this crate draws, in pixels.
pub const SMALLEST_SIDE: u32 = 300;
/// The largest width or height of a picture, in pixels.
pub const LARGEST_SIDE: u32 = 8192;

/// The reason why a picture could not be drawn or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice does not have the length that its neighbours imply.
    #[error("{what} has {found} values but {expected} are needed")]
    Length {
        /// The slice.
        what: String,
        /// Its length.
        found: usize,
        /// The length implied by the other arguments.
        expected: usize,
    },
    /// There is nothing to draw.
    #[error("{what} is empty: give at least one value")]
    Empty {
        /// The empty argument.
        what: String,
    },
    /// Coordinates have to be finite and strictly increasing.
    #[error(
        "{what} must be finite and strictly increasing, but value {index} is {value}: sort the coordinates first"
    )]
    NotIncreasing {
        /// The coordinates.
        what: String,
        /// The index of the first offending value.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A logarithmic scale was asked for, and a value does not have a logarithm.
    #[error(
        "a logarithmic scale needs positive values, but {what} contains {value}: choose the linear scale"
    )]
    NotPositive {
        /// The argument that contains the value.
        what: String,
        /// The value.
        value: f64,
    },
    /// The floor of a density is no share of its peak.
    #[error("the floor of a density is a share of its peak between 0 and 1, not {floor}")]
    Floor {
        /// The floor.
        floor: f64,
    },
    /// A part of a picture names something that is not there.
    #[error(
        "{what} belongs to {name:?}, and there is no curve of that name: give it the name of a curve"
    )]
    Name {
        /// The part.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}: {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The value found.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The picture asked for is too small to hold its labels, or too large to hold in memory.
    #[error(
        "a picture of {width} x {height} pixels cannot be drawn: choose between {SMALLEST_SIDE} and {LARGEST_SIDE} pixels a side"
    )]
    PictureSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A text is not an SVG picture.
    #[error("this is not an SVG picture: {reason}")]
    Svg {
        /// The parser's reason.
        reason: String,
    },
    /// A picture could not be rasterised or encoded.
    #[error("the picture cannot be rasterised: {reason}")]
    Raster {
        /// The reason.
        reason: String,
    },
    /// A file's name does not say how to write the picture.
    #[error("`{}` ends neither in .svg nor in .png: choose one of the two", path.display())]
    Suffix {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A file could not be written.
    #[error("cannot write `{}`: check that its folder exists, its permissions and the free space", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
