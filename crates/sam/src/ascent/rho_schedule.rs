//! The radius as a function of the step or the learning rate.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::error::{Error, check_not_negative, setting};

/// The radius as a function of the step, or of the learning rate `lr`.
///
/// The method counts its steps itself, from 0; rejected ones are left out. The count is part of its
/// record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RhoSchedule {
    /// The radius rho in every step.
    Constant,
    /// A straight line from rho at the first step to `end` at step `steps`, and `end` after it.
    Linear {
        /// The last radius.
        end: f64,
        /// The number of steps to the last radius.
        steps: usize,
    },
    /// Half a cosine from rho at the first step to `end` at step `steps`, and `end` after it.
    Cosine {
        /// The last radius.
        end: f64,
        /// The number of steps to the last radius.
        steps: usize,
    },
    /// The radius `rho · lr / lr_max`, proportional to the learning rate of the step.
    Proportional {
        /// The learning rate at which the radius is rho.
        lr_max: f64,
    },
    /// The radius `rho_min + (rho − rho_min) · (lr − lr_min) / (lr_max − lr_min)`, not below zero:
    /// GSAM's rule (Zhuang et al. 2022, algorithm 1).
    Between {
        /// The radius at `lr_min`.
        rho_min: f64,
        /// The smallest learning rate.
        lr_min: f64,
        /// The learning rate at which the radius is rho.
        lr_max: f64,
    },
}

impl RhoSchedule {
    /// Returns the radius at a step. Without a learning rate the schedules that follow it give rho.
    pub(crate) fn at(self, rho: f64, step: u64, lr: Option<f64>) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 steps")]
        let part = |steps: usize| {
            if step >= steps as u64 {
                1.0
            } else {
                step as f64 / steps as f64
            }
        };
        match (self, lr) {
            (Self::Constant, _) | (Self::Proportional { .. } | Self::Between { .. }, None) => rho,
            (Self::Linear { end, steps }, _) => rho + (end - rho) * part(steps),
            (Self::Cosine { end, steps }, _) => {
                end + (rho - end) * f64::midpoint(1.0, (PI * part(steps)).cos())
            }
            (Self::Proportional { lr_max }, Some(lr)) => rho * (lr / lr_max),
            (
                Self::Between {
                    rho_min,
                    lr_min,
                    lr_max,
                },
                Some(lr),
            ) => (rho_min + (rho - rho_min) * (lr - lr_min) / (lr_max - lr_min)).max(0.0),
        }
    }

    /// Refuses a number that is negative or not finite, and an empty range of learning rates.
    ///
    /// # Errors
    /// [`Error::Setting`], with the name of the number and its value.
    pub(crate) fn check(self) -> Result<(), Error> {
        match self {
            Self::Constant => Ok(()),
            Self::Linear { end, .. } | Self::Cosine { end, .. } => {
                check_not_negative("schedule.end", end)
            }
            Self::Proportional { lr_max } => {
                check_not_negative("schedule.lr_max", lr_max)?;
                if lr_max > 0.0 {
                    Ok(())
                } else {
                    Err(setting("schedule.lr_max", lr_max, "positive"))
                }
            }
            Self::Between {
                rho_min,
                lr_min,
                lr_max,
            } => {
                check_not_negative("schedule.rho_min", rho_min)?;
                check_not_negative("schedule.lr_min", lr_min)?;
                check_not_negative("schedule.lr_max", lr_max)?;
                if lr_max > lr_min {
                    Ok(())
                } else {
                    Err(setting("schedule.lr_max", lr_max, "above lr_min"))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_pass_through_their_ends_and_middles() {
        let linear = RhoSchedule::Linear { end: 0.0, steps: 4 };
        let cosine = RhoSchedule::Cosine { end: 0.2, steps: 4 };
        for (step, on_line, on_cosine) in
            [(0, 0.4, 0.4), (2, 0.2, 0.3), (4, 0.0, 0.2), (9, 0.0, 0.2)]
        {
            assert!((linear.at(0.4, step, None) - on_line).abs() < 1e-15);
            assert!((cosine.at(0.4, step, None) - on_cosine).abs() < 1e-15);
        }
        let proportional = RhoSchedule::Proportional { lr_max: 0.1 };
        assert!((proportional.at(0.4, 7, Some(0.025)) - 0.1).abs() < 1e-15);
        let between = RhoSchedule::Between {
            rho_min: 0.1,
            lr_min: 0.0,
            lr_max: 0.2,
        };
        for (lr, rho) in [(0.0, 0.1), (0.1, 0.25), (0.2, 0.4)] {
            assert!((between.at(0.4, 0, Some(lr)) - rho).abs() < 1e-15);
        }
        assert!((between.at(0.4, 0, None) - 0.4).abs() < 1e-15);
    }
}
