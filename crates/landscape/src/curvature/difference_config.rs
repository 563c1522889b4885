//! Settings of products by differences of gradients.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The length of the step, relative to `1 + ‖θ‖`.
///
/// With u the unit roundoff, a gradient carries a relative rounding error of some u. A step of
/// length h has a truncation error of order `h²` (the third derivative of the gradient) and a
/// rounding error of order `u / h`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum DifferenceStep {
    /// `h = ∛u`, which balances both errors: relative error near `∛u²`, 2e-11 in f64 and
    /// 2e-5 in f32, for a loss with three derivatives.
    Smooth,
    /// `h = √u`, and less where the differences to both sides disagree: a shorter step crosses
    /// fewer kinks of ReLU and max pooling. The price is a rounding error near `√u`, 1e-8 in
    /// f64 and 2e-4 in f32.
    Kinks,
    /// A step of one's own.
    Relative(f64),
}

/// The float type in which gradients are taken for a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// Model and batches are cast to f64 for the measurement, where the device has f64; the
    /// model's own type where it has not. The closures must take the float type of what they are
    /// given.
    Double,
    /// The model's own type.
    Model,
}

/// Settings of products by central differences.
///
/// The defaults are right for networks trained in f32 with ReLU or max pooling: measured on such
/// networks, a difference in f32 is off by several per cent whatever its step, one in f64 with the
/// short step by 1e-9 to 1e-6.
#[derive(Config, Debug, PartialEq)]
pub struct DifferenceConfig {
    /// Length of the step.
    #[config(default = "DifferenceStep::Kinks")]
    pub step: DifferenceStep,
    /// Float type of the gradients.
    #[config(default = "Precision::Double")]
    pub precision: Precision,
}

impl DifferenceConfig {
    /// Returns the step's length relative to `1 + ‖θ‖`, where gradients carry a relative
    /// `rounding`.
    ///
    /// # Errors
    /// A relative step that is not positive and finite.
    pub(super) fn relative_step(&self, rounding: f64) -> Result<f64, Error> {
        match self.step {
            DifferenceStep::Smooth => Ok(rounding.cbrt()),
            DifferenceStep::Kinks => Ok(rounding.sqrt()),
            DifferenceStep::Relative(step) if step.is_finite() && step > 0.0 => Ok(step),
            DifferenceStep::Relative(step) => Err(Error::Setting {
                name: "difference step",
                value: step.to_string(),
                allowed: "positive and finite",
            }),
        }
    }
}
