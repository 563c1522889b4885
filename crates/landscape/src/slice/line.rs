//! The loss along one direction.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Evaluation, Quantity, Slice, extent};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;

/// The loss along a line: `loss[i] = L(θ + a[i] d)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Coordinates, multiples of the direction.
    pub a: Vec<f64>,
    /// Losses; a value that is not finite is kept as it is.
    pub loss: Vec<f64>,
    /// The way in which they were obtained.
    pub evaluation: Evaluation,
}

impl Line {
    /// Returns which losses are finite.
    #[must_use]
    pub fn valid(&self) -> Vec<bool> {
        self.loss.iter().map(|loss| loss.is_finite()).collect()
    }
}

/// Returns `L(θ + a d)` for each `a`, d of shape `[P]`. Cost: at most one forward pass over the
/// data for each; see [`plane()`](super::plane()), which is done in the same way.
///
/// # Errors
/// A direction of another length or with entries that are not finite, no coordinate, or a risk
/// that cannot be evaluated.
pub fn line<M: Module + 'static, B: Batch + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    direction: &Tensor<1>,
    a: &[f64],
) -> Result<Line, Error> {
    line_observed(model, risk, direction, a, |_, _| ControlFlow::Continue(()))
}

/// Returns the same as [`line()`], handing each finished point (its index and its loss) to `each`,
/// which may cancel.
///
/// # Errors
/// As [`line()`], and [`Error::Cancelled`].
pub fn line_observed<M: Module + 'static, B: Batch + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    direction: &Tensor<1>,
    a: &[f64],
    each: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Line, Error> {
    let points: Vec<[f64; 1]> = a.iter().map(|&a| [a]).collect();
    let extent = extent::of_points(&points)?;
    let slice = Slice::along(model, [direction], [Quantity::of("loss", risk)])?.within(extent)?;
    slice.line(a, each)
}

impl<M: Module + 'static> Slice<M, 1> {
    /// Returns the first quantity at each coordinate.
    pub(super) fn line(
        &self,
        a: &[f64],
        mut each: impl FnMut(usize, f64) -> ControlFlow<()>,
    ) -> Result<Line, Error> {
        let points: Vec<[f64; 1]> = a.iter().map(|&a| [a]).collect();
        let values = self.values(&points, |index, values| each(index, values[0]))?;
        Ok(Line {
            a: a.to_vec(),
            loss: values.into_iter().map(|values| values[0]).collect(),
            evaluation: self.evaluations().swap_remove(0),
        })
    }
}
