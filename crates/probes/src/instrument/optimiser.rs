//! The largest curvature at which an optimiser is stable.

use serde::{Deserialize, Serialize};

use crate::Error;

/// An optimiser, as far as the stability of its steps on a quadratic depends on it.
///
/// On a quadratic loss with largest curvature $\lambda_1$ the iteration is stable while $\lambda_1$ is below a threshold; training with a fixed learning rate
/// often drives $\lambda_1$ up to it and keeps it there (the edge of stability). The ratio of both hovers near 1 then.
///
/// # References
///
/// Cohen et al. (2021, 2022) for gradient descent, momentum and Adam; Long and Bartlett (2024) for SAM.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimiser {
    /// Gradient descent: $2 / \eta$.
    GradientDescent,
    /// Heavy-ball momentum $\beta$ with dampening $\tau$ (0.1 is the default of Burn's momentum): $2 (1 + \beta) / ((1 - \tau) \eta)$.
    HeavyBall {
        /// $\beta$.
        momentum: f64,
        /// $\tau$.
        dampening: f64,
    },
    /// Nesterov momentum $\beta$ with dampening $\tau$: $2 (1 + \beta) / ((1 + 2 \beta - \beta \tau) \eta)$.
    Nesterov {
        /// $\beta$.
        momentum: f64,
        /// $\tau$.
        dampening: f64,
    },
    /// SAM over heavy-ball momentum $\beta$ with dampening $\tau$ (both 0 for gradient descent), which depends on the gradient: SAM multiplies a curvature
    /// $\lambda$ by $1 + \lambda \rho / \lVert g \rVert$, so with T the threshold of the base optimiser it is
    /// $\lVert g \rVert / (2 \rho) \cdot (\sqrt{1 + 4 \rho T / \lVert g \rVert} - 1)$.
    Sam {
        /// $\rho$.
        rho: f64,
        /// $\beta$.
        momentum: f64,
        /// $\tau$.
        dampening: f64,
    },
    /// Adam. Its stability is that of the spectrum preconditioned by its second moments, which is not measured yet: asking for the threshold is an error.
    Adam,
    /// RMSprop; as Adam.
    RmsProp,
}

impl Optimiser {
    /// The threshold of $\lambda_1$ at `learning_rate`, which for SAM depends on the norm of the gradient.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when the learning rate is not positive and finite or a setting lies outside its range, [`Error::Preconditioned`] for Adam and RMSprop.
    ///
    /// # Examples
    ///
    /// ```
    /// use probes::instrument::Optimiser;
    ///
    /// assert_eq!(Optimiser::GradientDescent.threshold(0.1, 1.0)?, 20.0);
    /// # Ok::<(), probes::Error>(())
    /// ```
    pub fn threshold(&self, learning_rate: f64, gradient_norm: f64) -> Result<f64, Error> {
        check(
            "the learning rate",
            learning_rate,
            learning_rate > 0.0 && learning_rate.is_finite(),
            "give a positive number",
        )?;
        let share = |name, value: f64| {
            check(
                name,
                value,
                (0.0..1.0).contains(&value),
                "give a number from 0 to below 1",
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
                check(
                    "rho",
                    rho,
                    rho >= 0.0 && rho.is_finite(),
                    "give a number from 0 up",
                )?;
                check(
                    "the norm of the gradient",
                    gradient_norm,
                    gradient_norm >= 0.0,
                    "give a number from 0 up",
                )?;
                // The formula of the documentation times its conjugate: nothing cancels for a small rho, and rho = 0 gives gradient descent.
                let x = if rho == 0.0 {
                    0.0
                } else {
                    4.0 * rho * base / gradient_norm
                };
                2.0 * base / ((1.0 + x).sqrt() + 1.0)
            }
            Self::Adam => return Err(Error::Preconditioned { optimiser: "Adam" }),
            Self::RmsProp => {
                return Err(Error::Preconditioned {
                    optimiser: "RMSprop",
                });
            }
        })
    }
}

fn check(name: &'static str, value: f64, ok: bool, allowed: &'static str) -> Result<(), Error> {
    if ok {
        Ok(())
    } else {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a linear iteration of the plane, x' = [[a, b], [c, d]] x, keeps every start bounded: the spectral radius is at most one (Jury's conditions).
    fn is_stable([[a, b], [c, d]]: [[f64; 2]; 2]) -> bool {
        let (trace, determinant) = (a + d, a * d - b * c);
        determinant <= 1.0 && trace.abs() <= 1.0 + determinant
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
            let edge = Optimiser::HeavyBall {
                momentum: beta,
                dampening: tau,
            }
            .threshold(lr, 1.0)
            .unwrap();
            assert!(
                is_stable(heavy_ball(edge * (1.0 - 1e-9)))
                    && !is_stable(heavy_ball(edge * (1.0 + 1e-9))),
                "heavy ball {beta} {tau}"
            );
            // v' = beta v + (1 - tau) lambda w, w' = w - lr (lambda w + beta v').
            let nesterov = |lambda: f64| {
                let gain = (1.0 - tau) * lambda;
                [
                    [beta, gain],
                    [-lr * beta * beta, 1.0 - lr * (lambda + beta * gain)],
                ]
            };
            let edge = Optimiser::Nesterov {
                momentum: beta,
                dampening: tau,
            }
            .threshold(lr, 1.0)
            .unwrap();
            assert!(
                is_stable(nesterov(edge * (1.0 - 1e-9)))
                    && !is_stable(nesterov(edge * (1.0 + 1e-9))),
                "Nesterov {beta} {tau}"
            );
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
        // The gradient at the peak is (1 + lambda rho / ||g||) lambda w: stability ends at lr lambda (1 + lambda rho / ||g||) = 2.
        assert!((lr * edge * (1.0 + edge * rho / norm) - 2.0).abs() < 1e-12);
        assert!((over(1e-14, 0.0).threshold(lr, norm).unwrap() - 20.0).abs() < 1e-10);
        assert_eq!(over(0.0, 0.0).threshold(lr, 0.0).unwrap(), 20.0);
        assert_eq!(over(rho, 0.0).threshold(lr, 0.0).unwrap(), 0.0);
        // Over momentum 0.9 the same product meets that optimiser's threshold.
        let edge = over(rho, 0.9).threshold(lr, norm).unwrap();
        assert!((edge * (1.0 + edge * rho / norm) - 2.0 * 1.9 / lr).abs() < 1e-11);
    }

    #[test]
    fn what_cannot_be_answered_is_an_error() {
        assert!(matches!(
            Optimiser::Adam.threshold(0.1, 1.0),
            Err(Error::Preconditioned { .. })
        ));
        assert!(matches!(
            Optimiser::GradientDescent.threshold(0.0, 1.0),
            Err(Error::Setting { .. })
        ));
        assert!(matches!(
            Optimiser::Nesterov {
                momentum: 1.0,
                dampening: 0.0
            }
            .threshold(0.1, 1.0),
            Err(Error::Setting { .. })
        ));
    }
}
