//! How far to step when a product is a difference of gradients.

use burn::config::Config;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::vector::{norm, relative_change};

/// The length of the step, relative to $1 + \lVert\theta\rVert$.
///
/// With u the unit roundoff, a gradient carries a relative rounding error of some u. A step of
/// length h has a truncation error of order $h^2$ (the third derivative of the gradient) and a
/// rounding error of order $u / h$.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// $h = u^{1/3}$, which balances both errors: relative error near $u^{2/3}$, 2e-11 in f64 and
    /// 2e-5 in f32, for a loss with three derivatives.
    Smooth,
    /// $h = u^{1/2}$, and less where the differences to both sides disagree: a shorter step crosses
    /// fewer kinks of ReLU and max pooling. The price is a rounding error near $u^{1/2}$, 1e-8 in
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
    #[config(default = "Step::Kinks")]
    pub step: Step,
    /// Float type of the gradients.
    #[config(default = "Precision::Double")]
    pub precision: Precision,
}

impl DifferenceConfig {
    /// The step's length relative to `1 + ‖θ‖`, where gradients carry a relative `rounding`.
    ///
    /// # Errors
    /// A relative step that is not positive and finite.
    pub(super) fn relative_step(&self, rounding: f64) -> Result<f64, Error> {
        match self.step {
            Step::Smooth => Ok(rounding.cbrt()),
            Step::Kinks => Ok(rounding.sqrt()),
            Step::Relative(step) if step.is_finite() && step > 0.0 => Ok(step),
            Step::Relative(step) => Err(Error::Setting {
                name: "difference step",
                value: step.to_string(),
                allowed: "positive and finite",
            }),
        }
    }
}

/// A product and how far the differences to both sides are apart.
pub(super) struct Difference {
    pub(super) product: Vec<f64>,
    pub(super) disagreement: f64,
    pub(super) h: f64,
    scale: f64,
}

impl Difference {
    /// Whether no kink lies between: for a smooth loss both sides differ by h times a third
    /// derivative and by rounding, some 1e-8 each; across a kink by the jump over h.
    pub(super) fn agrees(&self) -> bool {
        self.disagreement <= 1e-5 * self.scale
    }

    /// The one of both whose sides agree better.
    pub(super) fn better(self, other: Self) -> Self {
        if other.disagreement < self.disagreement {
            other
        } else {
            self
        }
    }

    /// How far another product of the same vector is from this one, relatively.
    pub(super) fn change(&self, other: &Self) -> f64 {
        relative_change(&self.product, &other.product)
    }

    /// Whether the product is at least roughly right; along directions of no curvature, where
    /// rounding is all there is, both sides disagree at any step and it does not matter.
    pub(super) fn is_usable(&self) -> bool {
        self.disagreement <= 1e-2 * self.scale
    }
}

/// The central difference of the gradients `ahead` and `behind`, a step of `h` to each side.
pub(super) fn central(ahead: &[f64], behind: &[f64], h: f64) -> Vec<f64> {
    ahead
        .iter()
        .zip(behind)
        .map(|(a, b)| (a - b) / (2.0 * h))
        .collect()
}

/// The central difference, and how far the one ahead and the one behind are apart.
pub(super) fn one_sided(ahead: &[f64], here: &[f64], behind: &[f64], h: f64) -> Difference {
    let forward: Vec<f64> = ahead.iter().zip(here).map(|(a, g)| (a - g) / h).collect();
    let backward: Vec<f64> = here.iter().zip(behind).map(|(g, b)| (g - b) / h).collect();
    let apart: Vec<f64> = forward.iter().zip(&backward).map(|(f, b)| f - b).collect();
    Difference {
        product: central(ahead, behind, h),
        disagreement: norm(&apart),
        h,
        scale: norm(&forward).max(norm(&backward)),
    }
}
