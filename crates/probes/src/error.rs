//! The errors of this crate.

/// What can go wrong while measuring, drawing or writing.
///
/// Nothing here stops a training run by itself: [`Probes::observe`](crate::Probes::observe) returns an error only for a
/// mistake in the set-up, and reports a probe that failed in its [`Observation`](crate::Observation).
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
    /// There is nothing to draw or to bin.
    #[error("{what} is empty: give at least one value")]
    Empty {
        /// What is empty.
        what: String,
    },
    /// Coordinates have to be finite and strictly increasing.
    #[error("{what} must be finite and strictly increasing, but value {index} is {value}: sort the coordinates first")]
    NotIncreasing {
        /// The coordinates.
        what: String,
        /// The index of the first offending value.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// A logarithmic scale was asked for, and a value does not have a logarithm.
    #[error("a logarithmic scale needs positive values, but {what} contains {value}: choose the linear scale")]
    NotPositive {
        /// What contains the value.
        what: String,
        /// The value.
        value: f64,
    },
    /// The picture asked for is too small to hold its labels, or too large to hold in memory.
    #[error("a picture of {width} x {height} pixels cannot be drawn: choose between {} and {} pixels a side", crate::render::SMALLEST_SIDE, crate::render::LARGEST_SIDE)]
    PictureSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The drawing library refused.
    #[error("drawing failed: {0}")]
    Drawing(String),
    /// Encoding a PNG failed.
    #[error("encoding a PNG failed: {0}")]
    Png(#[from] png::EncodingError),
}
