//! The largest curvature at which an optimiser is stable.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// An optimiser, as far as the stability of its steps on a quadratic depends on it.
///
/// On a quadratic loss with largest curvature `λ₁` the iteration is stable while `λ₁` is below a
/// threshold. Training with a fixed learning rate `η` often drives `λ₁` up to it and keeps it there
/// (the edge of stability); the ratio of both then hovers near 1.
///
/// # References
/// Cohen et al. (2021, 2022) for gradient descent, momentum and Adam; Long and Bartlett (2024) for
/// SAM.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimiser {
    /// Gradient descent: `2 / η`.
    GradientDescent,
    /// Heavy-ball momentum `β` with dampening `τ` (0.1 is the default of Burn's momentum):
    /// `2 (1 + β) / ((1 − τ) η)`.
    HeavyBall {
        /// The momentum `β`.
        momentum: f64,
        /// The dampening `τ`.
        dampening: f64,
    },
    /// Nesterov momentum `β` with dampening `τ`: `2 (1 + β) / ((1 + 2β − βτ) η)`.
    Nesterov {
        /// The momentum `β`.
        momentum: f64,
        /// The dampening `τ`.
        dampening: f64,
    },
    /// SAM over heavy-ball momentum `β` with dampening `τ` (both 0 for gradient descent), which
    /// depends on the gradient `g`.
    ///
    /// SAM multiplies a curvature `λ` by `1 + λρ / ‖g‖`. With `T` the threshold of the base
    /// optimiser it is therefore
    ///
    /// ```text
    /// ‖g‖ / (2ρ) · (√(1 + 4ρT / ‖g‖) − 1)
    /// ```
    Sam {
        /// The radius `ρ`.
        rho: f64,
        /// The momentum `β`.
        momentum: f64,
        /// The dampening `τ`.
        dampening: f64,
    },
    /// Adam, `2 (1 + β₁) / ((1 − β₁) η)`: the threshold of the spectrum of `P^(−1/2) H P^(−1/2)`
    /// with Adam's own [`Preconditioner`](super::Preconditioner).
    Adam {
        /// The decay `β₁` of the mean gradient; Burn's default is 0.9.
        beta_1: f64,
    },
    /// AdamW with decoupled decay w, `(2 − η w) (1 + β₁) / ((1 − β₁) η)`: of the preconditioned
    /// spectrum, as Adam.
    AdamW {
        /// The decay `β₁` of the mean gradient; Burn's default is 0.9.
        beta_1: f64,
        /// The decoupled weight decay w; Burn's default is 1e-4.
        weight_decay: f64,
    },
    /// RMSprop with momentum `β`, `2 (1 + β) / η`: of the preconditioned spectrum, as Adam.
    RmsProp {
        /// The momentum `β`; Burn's default is 0.9, other programs' is 0.
        momentum: f64,
    },
}

impl Optimiser {
    /// Returns the threshold of `λ₁` at `learning_rate`, which for SAM depends on the norm of the
    /// gradient; other optimisers ignore that.
    ///
    /// For Adam, AdamW and RMSprop it is the threshold of the PRECONDITIONED spectrum
    /// ([`is_preconditioned`](Self::is_preconditioned)).
    ///
    /// # Errors
    /// [`Error::Setting`] when the learning rate is not positive and finite or a setting lies
    /// outside its range.
    ///
    /// # Examples
    /// ```
    /// use landscape::stability::Optimiser;
    ///
    /// assert_eq!(Optimiser::GradientDescent.threshold(0.1, 1.0)?, 20.0);
    /// let adam = Optimiser::Adam { beta_1: 0.9 };
    /// assert!((adam.threshold(0.1, 1.0)? - 380.0).abs() < 1e-10);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn threshold(&self, learning_rate: f64, gradient_norm: f64) -> Result<f64, Error> {
        check(
            "the learning rate",
            learning_rate,
            learning_rate > 0.0 && learning_rate.is_finite(),
            "positive and finite",
        )?;
        let share = |name, value: f64| {
            check(
                name,
                value,
                (0.0..1.0).contains(&value),
                "from 0 to below 1",
            )
        };
        let not_negative = |name, value: f64| {
            check(
                name,
                value,
                value >= 0.0 && value.is_finite(),
                "finite and not negative",
            )
        };
        Ok(match *self {
            Self::GradientDescent => 2.0 / learning_rate,
            Self::HeavyBall {
                momentum,
                dampening,
            } => {
                share("the momentum", momentum)?;
                share("the dampening", dampening)?;
                2.0 * (1.0 + momentum) / ((1.0 - dampening) * learning_rate)
            }
            Self::Nesterov {
                momentum,
                dampening,
            } => {
                share("the momentum", momentum)?;
                share("the dampening", dampening)?;
                let denominator = 1.0 + 2.0 * momentum - momentum * dampening;
                2.0 * (1.0 + momentum) / (denominator * learning_rate)
            }
            Self::Sam {
                rho,
                momentum,
                dampening,
            } => {
                let base = Self::HeavyBall {
                    momentum,
                    dampening,
                }
                .threshold(learning_rate, gradient_norm)?;
                not_negative("rho", rho)?;
                not_negative("the norm of the gradient", gradient_norm)?;
                // The formula of the documentation times its conjugate: nothing cancels for a small
                // rho, and rho = 0 gives gradient descent.
                let x = if rho == 0.0 {
                    0.0
                } else {
                    4.0 * rho * base / gradient_norm
                };
                2.0 * base / ((1.0 + x).sqrt() + 1.0)
            }
            Self::Adam { beta_1 } => {
                share("beta_1", beta_1)?;
                2.0 * (1.0 + beta_1) / ((1.0 - beta_1) * learning_rate)
            }
            Self::AdamW {
                beta_1,
                weight_decay,
            } => {
                share("beta_1", beta_1)?;
                check(
                    "the weight decay times the learning rate",
                    weight_decay * learning_rate,
                    (0.0..2.0).contains(&(weight_decay * learning_rate)),
                    "from 0 to below 2, where the decay alone is stable",
                )?;
                let rest = 2.0 - learning_rate * weight_decay;
                rest * (1.0 + beta_1) / ((1.0 - beta_1) * learning_rate)
            }
            Self::RmsProp { momentum } => {
                share("the momentum", momentum)?;
                2.0 * (1.0 + momentum) / learning_rate
            }
        })
    }

    /// Returns whether the threshold is that of the preconditioned spectrum.
    #[must_use]
    pub const fn is_preconditioned(&self) -> bool {
        match self {
            Self::Adam { .. } | Self::AdamW { .. } | Self::RmsProp { .. } => true,
            Self::GradientDescent
            | Self::HeavyBall { .. }
            | Self::Nesterov { .. }
            | Self::Sam { .. } => false,
        }
    }
}

fn check(name: &'static str, value: f64, ok: bool, allowed: &'static str) -> Result<(), Error> {
    if ok {
        Ok(())
    } else {
        Err(Error::Setting {
            name,
            value: value.to_string(),
            allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a linear iteration of the plane, x' = [[a, b], [c, d]] x, keeps every start bounded:
    /// the spectral radius is at most one (Jury's conditions).
    fn is_stable([[a, b], [c, d]]: [[f64; 2]; 2]) -> bool {
        let (trace, determinant) = (a + d, a * d - b * c);
        determinant <= 1.0 && trace.abs() <= 1.0 + determinant
    }

    fn assert_edge(
        optimiser: Optimiser,
        learning_rate: f64,
        iteration: impl Fn(f64) -> [[f64; 2]; 2],
    ) {
        let edge = optimiser.threshold(learning_rate, 1.0).unwrap();
        assert!(
            is_stable(iteration(edge * (1.0 - 1e-9))) && !is_stable(iteration(edge * (1.0 + 1e-9))),
            "{optimiser:?}"
        );
    }

    #[test]
    fn thresholds_are_where_the_iteration_on_a_quadratic_loses_its_stability() {
        let lr = 0.07;
        for (beta, tau) in [(0.0, 0.0), (0.9, 0.0), (0.9, 0.1), (0.5, 0.3)] {
            // v' = beta v + (1 - tau) lambda w, w' = w - lr v'.
            let heavy_ball = |lambda: f64| {
                let gain = (1.0 - tau) * lambda;
                [[beta, gain], [-lr * beta, 1.0 - lr * gain]]
            };
            let (momentum, dampening) = (beta, tau);
            let optimiser = Optimiser::HeavyBall {
                momentum,
                dampening,
            };
            assert_edge(optimiser, lr, heavy_ball);
            // v' = beta v + (1 - tau) lambda w, w' = w - lr (lambda w + beta v').
            let nesterov = |lambda: f64| {
                let gain = (1.0 - tau) * lambda;
                [
                    [beta, gain],
                    [-lr * beta * beta, 1.0 - lr * (lambda + beta * gain)],
                ]
            };
            let optimiser = Optimiser::Nesterov {
                momentum,
                dampening,
            };
            assert_edge(optimiser, lr, nesterov);
        }
    }

    #[test]
    fn preconditioned_thresholds_are_where_the_frozen_iteration_loses_its_stability() {
        let lr = 0.07;
        for (beta, decay) in [(0.0, 0.0), (0.9, 0.0), (0.9, 0.5), (0.5, 3.0)] {
            // m' = beta m + (1 - beta) lambda w, w' = (1 - lr decay) w - lr m', in the units of P.
            let adam = |decay: f64| {
                move |lambda: f64| {
                    let gain = (1.0 - beta) * lambda;
                    [[beta, gain], [-lr * beta, 1.0 - lr * decay - lr * gain]]
                }
            };
            assert_edge(Optimiser::Adam { beta_1: beta }, lr, adam(0.0));
            let optimiser = Optimiser::AdamW {
                beta_1: beta,
                weight_decay: decay,
            };
            assert_edge(optimiser, lr, adam(decay));
            // b' = beta b + lambda w, w' = w - lr b'.
            let rms_prop = |lambda: f64| [[beta, lambda], [-lr * beta, 1.0 - lr * lambda]];
            assert_edge(Optimiser::RmsProp { momentum: beta }, lr, rms_prop);
        }
    }

    #[test]
    fn sam_threshold_is_the_root_of_its_quadratic_and_tends_to_gradient_descent() {
        let (lr, norm, rho) = (0.1, 3.0, 0.05);
        let over = |rho, momentum| Optimiser::Sam {
            rho,
            momentum,
            dampening: 0.0,
        };
        let edge = over(rho, 0.0).threshold(lr, norm).unwrap();
        // The gradient at the peak is (1 + lambda rho / ||g||) lambda w: stability ends at lr
        // lambda (1 + lambda rho / ||g||) = 2.
        assert!((lr * edge * (1.0 + edge * rho / norm) - 2.0).abs() < 1e-12);
        assert!((over(1e-14, 0.0).threshold(lr, norm).unwrap() - 20.0).abs() < 1e-10);
        assert_eq!(over(0.0, 0.0).threshold(lr, 0.0).unwrap(), 20.0);
        assert_eq!(over(rho, 0.0).threshold(lr, 0.0).unwrap(), 0.0);
        // Over momentum 0.9 the same product meets that optimiser's threshold.
        let edge = over(rho, 0.9).threshold(lr, norm).unwrap();
        assert!((edge * (1.0 + edge * rho / norm) - 2.0 * 1.9 / lr).abs() < 1e-11);
    }

    #[test]
    fn what_cannot_be_answered_is_an_error_that_names_the_value() {
        let adam_w = |weight_decay| Optimiser::AdamW {
            beta_1: 0.9,
            weight_decay,
        };
        for (optimiser, learning_rate, value) in [
            (Optimiser::GradientDescent, 0.0, "0"),
            (Optimiser::GradientDescent, f64::NAN, "NaN"),
            (Optimiser::Adam { beta_1: 1.0 }, 0.1, "1"),
            (Optimiser::RmsProp { momentum: -0.5 }, 0.1, "-0.5"),
            (adam_w(20.0), 0.1, "2"),
            (adam_w(f64::INFINITY), 0.1, "inf"),
        ] {
            match optimiser.threshold(learning_rate, 1.0) {
                Err(Error::Setting { value: found, .. }) => assert_eq!(found, value),
                other => panic!("{optimiser:?}: {other:?}"),
            }
        }
    }
}
