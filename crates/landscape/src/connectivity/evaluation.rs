//! The loss of a whole curve in the course of its training.

use burn::module::Module;

use super::bend::PointLosses;
use super::{Curve, CurveConfig};
use crate::batch::Batch;
use crate::error::Error;

/// The loss of a whole curve in the course of its training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveLoss {
    /// Number of steps before.
    pub step: usize,
    /// `∫₀¹ L(θ(t)) dt` by the midpoint rule with the evaluation's points, over all the data, with
    /// BatchNorm as in the training.
    pub mean: f64,
    /// The largest loss at these points.
    pub max: f64,
}

/// Returns the loss over all the data at equally spaced points of a curve.
#[expect(clippy::cast_precision_loss, reason = "an evaluation has few points")]
pub(super) fn evaluate<M: Module, B: Batch>(
    losses: &PointLosses<'_, M, B>,
    curve: &Curve<M>,
    config: &CurveConfig,
    step: usize,
) -> Result<CurveLoss, Error> {
    let count = config.evaluation_points;
    let (mut sum, mut max) = (0.0, f64::NEG_INFINITY);
    for point in 0..count {
        let t = (point as f64 + 0.5) / count as f64;
        let theta = curve.theta(t)?;
        let loss = losses.with(curve, t, |objective| objective.value(&theta))?;
        sum += loss;
        // NaN stays.
        max = if loss.is_nan() || loss > max {
            loss
        } else {
            max
        };
    }
    Ok(CurveLoss {
        step,
        mean: sum / count as f64,
        max,
    })
}
