//! The loss on a plane spanned by two directions.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Evaluation, Grid, Quantity, Slice, extent};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;

/// The loss on a plane: `loss[i * b.len() + j] = L(θ + a[i] d₁ + b[j] d₂)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Multiples of the first direction.
    pub a: Vec<f64>,
    /// Multiples of the second direction.
    pub b: Vec<f64>,
    /// Losses, row-major `[a.len(), b.len()]`; a value that is not finite is kept as it is.
    pub loss: Vec<f64>,
    /// The way in which they were obtained.
    pub evaluation: Evaluation,
}

impl Surface {
    /// Returns the loss at `a[i]`, `b[j]`.
    ///
    /// # Panics
    /// If an index is out of range.
    #[must_use]
    pub fn at(&self, i: usize, j: usize) -> f64 {
        assert!(
            i < self.a.len() && j < self.b.len(),
            "point ({i}, {j}) of a {} x {} surface",
            self.a.len(),
            self.b.len()
        );
        self.loss[i * self.b.len() + j]
    }

    /// Returns which losses are finite, in the order of `loss`.
    #[must_use]
    pub fn valid(&self) -> Vec<bool> {
        self.loss.iter().map(|loss| loss.is_finite()).collect()
    }
}

/// Returns `L(θ + a d₁ + b d₂)` on a grid, which need not be square. Cost: at most one forward pass
/// over the data for each point.
///
/// Where the loss can be captured and the batches are held in memory, each batch becomes a program
/// of (a, b): products of the first layer are made three times in all, a value on the plane costs
/// their sum and the layers after it, and points and batches are spread over the cores. What of it
/// is kept between points is three times the first layer's outputs, up to half a gibibyte; larger
/// data is done in turns. Otherwise each point is a forward pass of the model at the moved
/// parameters; the result's `evaluation` says which. Both agree up to rounding, and the number of
/// cores changes nothing.
///
/// Batches that fit the cache are fastest: some 512 rows for dense layers, 16 images for
/// convolutions.
///
/// # Errors
/// Directions of another length or with entries that are not finite, an empty grid, or a risk that
/// cannot be evaluated.
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 3.
pub fn plane<M: Module + 'static, B: Batch + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    directions: [&Tensor<1>; 2],
    grid: &Grid,
) -> Result<Surface, Error> {
    plane_observed(model, risk, directions, grid, |_, _| {
        ControlFlow::Continue(())
    })
}

/// Returns the same as [`plane`], handing each finished point (`[i, j]` and its loss) to `each`,
/// which may cancel.
///
/// # Errors
/// As [`plane`], and [`Error::Cancelled`].
pub fn plane_observed<M: Module + 'static, B: Batch + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    directions: [&Tensor<1>; 2],
    grid: &Grid,
    each: impl FnMut([usize; 2], f64) -> ControlFlow<()>,
) -> Result<Surface, Error> {
    let extent = extent::of_points(&grid.points())?;
    let slice = Slice::along(model, directions, [Quantity::of("loss", risk)])?.within(extent)?;
    slice.surface(grid, each)
}

impl<M: Module + 'static> Slice<M, 2> {
    /// Returns the first quantity on a grid.
    pub(super) fn surface(
        &self,
        grid: &Grid,
        mut each: impl FnMut([usize; 2], f64) -> ControlFlow<()>,
    ) -> Result<Surface, Error> {
        let columns = grid.b.len();
        let values = self.values(&grid.points(), |index, values| {
            each([index / columns, index % columns], values[0])
        })?;
        Ok(Surface {
            a: grid.a.clone(),
            b: grid.b.clone(),
            loss: values.into_iter().map(|values| values[0]).collect(),
            evaluation: self.evaluations().swap_remove(0),
        })
    }
}
