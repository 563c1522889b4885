//! The scale in which a surface is drawn.

use serde::{Deserialize, Serialize};

/// The scale in which a surface is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// The values themselves.
    Linear,
    /// Their decimal logarithms; values that are not positive cannot be drawn.
    Log10,
}

impl Scale {
    /// Returns a value in the scale, if it can be drawn.
    pub(super) fn drawn(self, value: f64) -> Option<f64> {
        let drawn = match self {
            Self::Linear => value,
            Self::Log10 => value.log10(),
        };
        drawn.is_finite().then_some(drawn)
    }

    /// Returns the value that is drawn so.
    pub(super) fn value(self, drawn: f64) -> f64 {
        match self {
            Self::Linear => drawn,
            Self::Log10 => 10.0_f64.powf(drawn),
        }
    }
}
