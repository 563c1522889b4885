//! The largest stable rates that the curvature gives.

use burn::module::Module;
use landscape::stability::{Optimiser, OptimiserSettings};
use landscape::{Batch, Hessian, Risk, download, norm, top_eigenpairs};

use super::LearningRateConfig;
use crate::Error;
use crate::record::Eigenvalue;

/// The largest learning rates at which steps are stable at the weights, from `λ₁` there.
///
/// They hold for small displacements and for gradients over all the data. A training that leaves
/// the place meets another `λ₁`, and a rate just above the limit takes many steps to diverge.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RateLimits {
    /// The largest eigenvalue of the Hessian of the risk.
    pub lambda_1: Eigenvalue,
    /// The limit `2 / λ₁` of gradient descent; none where `λ₁` is not told from zero or negative,
    /// and no rate is too large.
    pub gradient_descent: Option<f64>,
    /// The optimiser that was told.
    pub optimiser: Option<Optimiser>,
    /// Its own limit. None where none was told, and for Adam, AdamW and RMSprop, whose limit is
    /// one of the preconditioned spectrum and needs second moments
    /// ([`landscape::stability::stability`]).
    pub own: Option<f64>,
}

impl RateLimits {
    pub(super) fn at<M: Module, B: Batch>(
        model: &M,
        risk: &Risk<M, B>,
        config: &LearningRateConfig,
    ) -> Result<Option<Self>, Error> {
        let Some(lanczos) = &config.lanczos else {
            return Ok(None);
        };
        let risk = &match config.curvature_examples {
            Some(examples) => risk.limited(examples)?,
            None => risk.clone(),
        };
        let hessian = Hessian::at(model, risk)?;
        let pairs = top_eigenpairs(&hessian, 1, lanczos)?;
        let Some(pair) = pairs.first() else {
            return Ok(None);
        };
        let lambda_1 = Eigenvalue::from(pair);
        let gradient_norm = match config.optimiser {
            Some(OptimiserSettings {
                optimiser: Optimiser::Sam { .. },
                ..
            }) => norm(&download(&risk.gradient(model)?.1)),
            _ => 0.0,
        };
        Self::of(lambda_1, config.optimiser, gradient_norm).map(Some)
    }

    /// Returns the limits for an eigenvalue.
    pub(super) fn of(
        lambda_1: Eigenvalue,
        settings: Option<OptimiserSettings>,
        gradient_norm: f64,
    ) -> Result<Self, Error> {
        let value = lambda_1.value;
        let is_curved = value > 0.0 && !lambda_1.below_resolution;
        let own = match settings {
            Some(settings) if is_curved && !settings.optimiser.is_preconditioned() => {
                let lambda = value + settings.weight_decay;
                Some(largest(&settings.optimiser, lambda, gradient_norm)?)
            }
            _ => None,
        };
        Ok(Self {
            lambda_1,
            gradient_descent: is_curved.then(|| 2.0 / value),
            optimiser: settings.map(|settings| settings.optimiser),
            own,
        })
    }
}

/// Returns the rate whose threshold is `lambda`. Thresholds fall as rates grow; most are a number
/// over the rate, and where one is not, halving an interval of exponents finds it.
fn largest(optimiser: &Optimiser, lambda: f64, gradient_norm: f64) -> Result<f64, Error> {
    let threshold = |rate: f64| optimiser.threshold(rate, gradient_norm);
    let guess = threshold(1.0)? / lambda;
    if !matches!(optimiser, Optimiser::Sam { .. }) {
        return Ok(guess);
    }
    let (mut low, mut high) = ((guess * 1e-12).ln(), (guess * 1e12).ln());
    while high - low > 1e-14 * high.abs().max(1.0) {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if threshold(middle.exp())? >= lambda {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_rate_whose_threshold_is_the_eigenvalue() {
        let gradient_descent = largest(&Optimiser::GradientDescent, 8.0, 1.0).unwrap();
        assert!((gradient_descent - 0.25).abs() < 1e-15);
        let sam = Optimiser::Sam {
            rho: 0.05,
            momentum: 0.9,
            dampening: 0.0,
        };
        let rate = largest(&sam, 8.0, 0.3).unwrap();
        let threshold = sam.threshold(rate, 0.3).unwrap();
        assert!((threshold / 8.0 - 1.0).abs() < 1e-10, "{threshold}");
    }
}
