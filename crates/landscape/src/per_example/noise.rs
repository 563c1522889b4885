//! The gradient beside its noise: noise scale and signal-to-noise ratios.

use super::GradientStatistics;
use crate::vector::dot;

/// The signal-to-noise ratio of each coordinate of the gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalToNoise {
    /// `gᵢ² / σᵢ²` of each coordinate, `[P]`; none where the coordinate is not resolved or has no
    /// variance (see the [module](super)).
    pub values: Vec<Option<f64>>,
    /// The mean of the values there are, over D coordinates; none where there is none.
    pub mean: Option<f64>,
    /// The number D of coordinates with a value.
    pub coordinates: usize,
    /// Coordinates that are the same for all examples, and not zero.
    pub constant: usize,
    /// Coordinates that are zero for all examples (those of dead units) or rounding.
    pub unresolved: usize,
}

impl GradientStatistics {
    /// Returns `tr Σ = Σᵢ σᵢ²`, the expected squared distance of an example's gradient from the
    /// gradient; that of a batch of b is a b-th of it.
    #[must_use]
    pub fn total_variance(&self) -> f64 {
        self.variance.iter().sum()
    }

    /// Returns `‖g‖²` of the examples' own mean g.
    ///
    /// As an estimate of the squared norm of the gradient over the distribution that the examples
    /// come from it is too large by `tr Σ / N` on average:
    /// [`squared_norm_unbiased`](Self::squared_norm_unbiased).
    #[must_use]
    pub fn squared_norm(&self) -> f64 {
        dot(&self.gradient, &self.gradient)
    }

    /// Returns `‖g‖² − tr Σ / N`, whose expectation is the squared norm of the gradient over the
    /// distribution that the examples come from. It is negative where the gradient is not told from
    /// its noise.
    ///
    /// # References
    /// McCandlish, Kaplan, Amodei, OpenAI Dota Team 2018, "An Empirical Model of Large-Batch
    /// Training", appendix A.1, for batches of 1 and of N.
    #[must_use]
    pub fn squared_norm_unbiased(&self) -> f64 {
        self.squared_norm() - self.total_variance() / self.count()
    }

    /// Returns the simple noise scale `tr Σ / ‖g‖²`, in examples: for a batch of so many the
    /// expected squared error of its gradient is the gradient's own squared norm. None where the
    /// gradient is zero.
    ///
    /// Much smaller batches waste steps, much larger ones waste examples. With the gradient of N
    /// examples that are a sample of more, it is too small once it comes near N; see
    /// [`noise_scale_unbiased`](Self::noise_scale_unbiased).
    ///
    /// # References
    /// McCandlish et al. 2018, equation 2.9.
    #[must_use]
    pub fn noise_scale(&self) -> Option<f64> {
        ratio(self.total_variance(), self.squared_norm())
    }

    /// Returns the noise scale from unbiased estimates of numerator and denominator,
    /// `tr Σ / (‖g‖² − tr Σ / N)`. None where the denominator is not positive: N examples are too
    /// few to tell the gradient from its noise.
    ///
    /// The ratio of two unbiased estimates is not unbiased itself.
    ///
    /// # References
    /// McCandlish et al. 2018, appendix A.1.
    #[must_use]
    pub fn noise_scale_unbiased(&self) -> Option<f64> {
        ratio(self.total_variance(), self.squared_norm_unbiased())
    }

    /// Returns the signal-to-noise ratios `gᵢ² / σᵢ²` of the coordinates, and their mean.
    ///
    /// As one number for the gradient, `‖g‖² / tr Σ` is the inverse of the
    /// [noise scale](Self::noise_scale); the mean here counts each coordinate alike, however small
    /// its gradient.
    ///
    /// Cockpit's mean GSNR takes the variance with `1/N` and adds `10⁻⁵` to it, which makes
    /// coordinates with small gradients count for nothing.
    ///
    /// # References
    /// Liu, Jiang, Bai, Chen, Wang 2020, "Understanding Why Neural Networks Generalize Well Through
    /// GSNR of Parameters", section 2.
    #[must_use]
    pub fn signal_to_noise(&self) -> SignalToNoise {
        let rounding = self.rounding();
        let (mut sum, mut coordinates, mut constant, mut unresolved) = (0.0, 0_u32, 0, 0);
        let values = self.second_moment.iter().zip(&self.gradient);
        let values = values.zip(&self.variance);
        let values = values.map(|((mean_square, entry), variance)| {
            if *mean_square <= rounding {
                unresolved += 1;
                return None;
            }
            if *variance <= 0.0 {
                constant += 1;
                return None;
            }
            let value = entry * entry / variance;
            sum += value;
            coordinates += 1;
            Some(value)
        });
        let values = values.collect();
        SignalToNoise {
            values,
            mean: (coordinates > 0).then(|| sum / f64::from(coordinates)),
            coordinates: coordinates as usize,
            constant,
            unresolved,
        }
    }

    /// Returns the mean square of a coordinate that rounding explains.
    pub(super) fn rounding(&self) -> f64 {
        (16.0 * self.unit_roundoff).powi(2) * self.second_moment.iter().sum::<f64>()
    }

    /// Returns N.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 examples")]
    pub(super) const fn count(&self) -> f64 {
        self.examples as f64
    }
}

/// Returns the ratio, if the denominator is positive.
pub(super) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}
