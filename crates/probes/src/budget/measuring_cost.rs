//! What a measurement takes, before it is made.

/// What one measurement of a probe takes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeasuringCost {
    /// With the least effort that still says something.
    pub least: f64,
    /// With the effort that the probe was asked for.
    pub full: f64,
}

impl MeasuringCost {
    /// A measurement that cannot be shortened.
    #[must_use]
    pub const fn fixed(seconds: f64) -> Self {
        Self {
            least: seconds,
            full: seconds,
        }
    }
}
