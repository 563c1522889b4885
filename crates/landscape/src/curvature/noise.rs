//! The rounding of a loss, whatever the type of its parameters.
//!
//! A layer of an f64 model may compute in f32 (Burn's `RmsNorm` takes its mean square so, and some
//! activations of its CPU backend do). The loss is then a staircase with steps of a relative 6e-8,
//! and a difference over less than a step sees it flat. The values at equally spaced points tell:
//! of a smooth function the third differences vanish with the cube of the spacing, and what is left
//! of them is rounding (Moré and Wild 2011, "Estimating Computational Noise", section 2).

use burn::module::Module;
use burn::tensor::DType;

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Objective;
use crate::vector::largest_magnitude;
use crate::vector::random::{self, Purpose};

/// Spacing of the points, in typical weights: many steps of the staircase, and so little that third
/// differences of a smooth loss are far below the rounding of f64.
const SPACING: f64 = 1e-6;

/// Points on each line: seven give four third differences.
const POINTS: usize = 7;

/// Relative rounding of a value that f64 does not explain: a sum of 10⁶ terms loses 10⁻¹⁴ or so.
const COARSE: f64 = 1e-12;

/// The unit roundoff of f32.
const SINGLE: f64 = f32::EPSILON as f64 / 2.0;

/// Returns the relative rounding that a gradient of the objective carries: that of its float type,
/// or of f32 where a part of the loss is computed in it.
///
/// Cost: 14 forward passes of the first batch, where the model is in f64.
pub(super) fn rounding<M: Module, B: Batch>(objective: &Objective<M, B>) -> Result<f64, Error> {
    let domain = &objective.space().domain;
    if domain.dtype != DType::F64 {
        return Ok(domain.unit_roundoff());
    }
    let mut noise = f64::INFINITY;
    // On two lines: a kink of the loss is met by one of them only by a rare chance.
    for line in [2, 3] {
        let direction = random::normal(0, Purpose::Comparison.stream(line), domain.dim);
        noise = noise.min(on_line(objective, &direction)?);
    }
    Ok(if noise > COARSE {
        SINGLE
    } else {
        domain.unit_roundoff()
    })
}

/// Returns the relative noise of the value along a direction.
#[expect(clippy::cast_precision_loss, reason = "there are seven points")]
fn on_line<M: Module, B: Batch>(
    objective: &Objective<M, B>,
    direction: &[f64],
) -> Result<f64, Error> {
    let step = objective.space().domain.upload(direction)? * (SPACING * objective.typical_weight());
    let from = objective.beside(0.1)?;
    let mut values = Ok(Vec::with_capacity(POINTS));
    objective.risk().batches().first(|batch| {
        values = (0..POINTS)
            .map(|k| {
                let theta = from.clone() + step.clone() * k as f64;
                objective.batch_value(&theta, &batch, 0)
            })
            .collect();
    })?;
    let mut values: Vec<f64> = values?;
    let size = largest_magnitude(&values);
    if !size.is_finite() || size == 0.0 {
        return Ok(0.0);
    }
    for _ in 0..3 {
        values = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    // The variance of a third difference of independent errors is 20 times theirs.
    let square: f64 = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
    Ok((square / 20.0).sqrt() / size)
}
