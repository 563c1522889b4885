//! Settings of the classification and of the step down from a saddle.

use burn::config::Config;

use crate::error::Error;

/// Settings of [`critical_point`](super::critical_point) and [`classify`](super::classify).
#[derive(Config, Debug, PartialEq)]
pub struct CriticalConfig {
    /// Seed of the start vectors.
    #[config(default = 0)]
    pub seed: u64,
    /// Coordinates up to which every eigenvalue is computed, by P products and `O(P³)` operations:
    /// 1,000 take about as many products as the estimates for more.
    #[config(default = 1000)]
    pub dense_limit: usize,
    /// The gradient is small where `‖g‖ ≤ gradient_tolerance · ‖H‖ · length`: where a critical
    /// point may lie, to first order, within that share of the length. 1e-6 is reached by full
    /// batches in f32.
    #[config(default = 1e-6)]
    pub gradient_tolerance: f64,
    /// The length in the space of parameters with which the way to a critical point is compared.
    /// Where none is given: `1 + ‖θ‖` of a model, 1 of an operator.
    pub length: Option<f64>,
    /// Eigenvalues up to this share of the largest magnitude count as zero. Never less than the
    /// error of the eigenvalues.
    #[config(default = 1e-8)]
    pub zero_tolerance: f64,
    /// Above `dense_limit`: most Lanczos steps for the two ends of the spectrum, and those from
    /// the gradient.
    #[config(default = 100)]
    pub max_steps: usize,
    /// Above `dense_limit`: tolerance of both ends, as of
    /// [`LanczosConfig`](crate::LanczosConfig).
    #[config(default = 1e-5)]
    pub tolerance: f64,
    /// Above `dense_limit`: random start vectors for the index; 0 leaves estimate and floor out.
    #[config(default = 10)]
    pub starts: usize,
    /// Above `dense_limit`: Lanczos steps from each start vector.
    #[config(default = 50)]
    pub steps: usize,
    /// Above `dense_limit`: probability with which a local minimum or maximum is one.
    #[config(default = 0.999)]
    pub confidence: f64,
}

impl CriticalConfig {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        let length = self.length.unwrap_or(1.0);
        share("gradient_tolerance", self.gradient_tolerance)?;
        share("zero_tolerance", self.zero_tolerance)?;
        positive("length", length)?;
        positive("tolerance", self.tolerance)?;
        if self.max_steps < 2 {
            return setting("max_steps", self.max_steps.to_string(), "at least 2");
        }
        if self.starts > 0 && self.steps == 0 {
            return setting("steps", "0".into(), "at least 1");
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return setting("confidence", self.confidence.to_string(), "between 0 and 1");
        }
        Ok(())
    }
}

/// Settings of [`follow_escape`](super::follow_escape).
#[derive(Config, Debug, PartialEq)]
pub struct EscapeConfig {
    /// Length of the first step to be tried. Where none is given: the length at which the
    /// quadratic model has used up the loss, `√(2 |L| / |κ|)` with the curvature κ, at most `1
    /// + ‖θ‖`.
    pub first_length: Option<f64>,
    /// Share of the decrease predicted by the quadratic model that a step must reach.
    #[config(default = 0.5)]
    pub share: f64,
    /// Most halvings of the first length, and most doublings.
    #[config(default = 40)]
    pub max_halvings: usize,
}

impl EscapeConfig {
    pub(super) fn check(&self) -> Result<(), Error> {
        positive("first_length", self.first_length.unwrap_or(1.0))?;
        if !(self.share > 0.0 && self.share < 1.0) {
            return setting("share", self.share.to_string(), "between 0 and 1");
        }
        Ok(())
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        setting(name, value.to_string(), "positive and finite")
    }
}

fn share(name: &'static str, value: f64) -> Result<(), Error> {
    if (0.0..1.0).contains(&value) {
        Ok(())
    } else {
        setting(name, value.to_string(), "from 0 to below 1")
    }
}

pub(super) fn setting<T>(
    name: &'static str,
    value: String,
    allowed: &'static str,
) -> Result<T, Error> {
    Err(Error::Setting {
        name,
        value,
        allowed,
    })
}
