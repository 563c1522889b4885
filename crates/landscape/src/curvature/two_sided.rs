//! Central differences whose two sides are compared.

use crate::vector::{norm, relative_change};

/// A central difference, and how far the differences to both sides are apart.
pub(super) struct TwoSided {
    /// The central difference.
    pub(super) product: Vec<f64>,
    /// Norm of the difference between both sides.
    pub(super) disagreement: f64,
    /// Length of the step to each side.
    pub(super) h: f64,
    scale: f64,
}

impl TwoSided {
    /// Makes the differences of the gradients `ahead`, `here` and `behind`, a step of `h` apart.
    pub(super) fn of(ahead: &[f64], here: &[f64], behind: &[f64], h: f64) -> Self {
        let forward: Vec<f64> = ahead.iter().zip(here).map(|(a, g)| (a - g) / h).collect();
        let backward: Vec<f64> = here.iter().zip(behind).map(|(g, b)| (g - b) / h).collect();
        let apart: Vec<f64> = forward.iter().zip(&backward).map(|(f, b)| f - b).collect();
        Self {
            product: central(ahead, behind, h),
            disagreement: norm(&apart),
            h,
            scale: norm(&forward).max(norm(&backward)),
        }
    }

    /// Returns whether no kink lies between: for a smooth loss both sides differ by h times a third
    /// derivative and by rounding, some 1e-8 each; across a kink by the jump over h.
    pub(super) fn agrees(&self) -> bool {
        self.disagreement <= 1e-5 * self.scale
    }

    /// Returns the one of both whose sides agree better.
    pub(super) fn better(self, other: Self) -> Self {
        if other.disagreement < self.disagreement {
            other
        } else {
            self
        }
    }

    /// Returns how far another product of the same vector is from this one, relatively.
    pub(super) fn change(&self, other: &Self) -> f64 {
        relative_change(&self.product, &other.product)
    }

    /// Returns whether the product is at least roughly right; along directions of no curvature,
    /// where rounding is all there is, both sides disagree at any step and it does not matter.
    pub(super) fn is_usable(&self) -> bool {
        self.disagreement <= 1e-2 * self.scale
    }
}

/// Returns the central difference of the gradients `ahead` and `behind`, a step of `h` to each
/// side.
pub(super) fn central(ahead: &[f64], behind: &[f64], h: f64) -> Vec<f64> {
    ahead
        .iter()
        .zip(behind)
        .map(|(a, b)| (a - b) / (2.0 * h))
        .collect()
}
