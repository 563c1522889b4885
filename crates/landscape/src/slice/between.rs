//! The loss between models: on the line through two, on the plane through three.

use std::ops::ControlFlow;

use burn::module::Module;

use super::{Grid, Line, Quantity, Slice, Surface, extent};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;

/// The fate of the tensors that are no coordinates, between models that differ in them: the running
/// statistics of BatchNorm, frozen parameters.
#[derive(Debug, Clone)]
pub enum Buffers<M, B> {
    /// Interpolated as the parameters are, so that the ends are the models as they are.
    /// Beyond the models a variance may become negative, and the loss is NaN there.
    Interpolate,
    /// Interpolated, and the running statistics of BatchNorm then recomputed at each point
    /// from the batches of this risk, usually the training data: [`Risk::recompute_statistics`]. It
    /// is done at the ends too, so that these have the loss of the models with recomputed
    /// statistics.
    ///
    /// Between two trained networks interpolated statistics fit neither the weights nor the data,
    /// and show a barrier that is none of the weights (Garipov et al. 2018).
    Recompute(Risk<M, B>),
    /// Those of the first model at all points. The other ends are then not the other models; this
    /// is right where the risk does not use them, as with
    /// [`Statistics::Batch`](crate::Statistics::Batch).
    Keep,
}

/// Returns the loss on the line through two models, at `(1 − a) from + a to` for each `a`.
///
/// The models have one architecture, whether one was trained on from the other or both were made or
/// loaded separately. Where they differ in parameters only, this is [`line()`](super::line()) along
/// [`between`](crate::direction::between); otherwise `buffers` says what becomes of the rest, and
/// each point is a forward pass over the data, or with [`Buffers::Recompute`] two.
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{BatchNorm, BatchNormConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{
///     Risk,
///     slice::{Buffers, line_between},
/// };
///
/// let device = Device::flex().autodiff();
/// let model = || -> BatchNorm { BatchNormConfig::new(1).init(&device) };
/// let (a, b) = (model(), model());
/// let x = Tensor::<2>::from_floats([[1.0], [3.0]], &device);
/// b.forward(x.clone()); // moves the running statistics of b
/// let risk = Risk::mean(x, |model: &BatchNorm, x: &Tensor<2>| {
///     model.forward(x.clone()).square().mean()
/// });
/// let line = line_between(&a, &b, &risk, &Buffers::Interpolate, &[0.0, 1.0])?;
/// assert_eq!(line.loss, [risk.value(&a)?, risk.value(&b)?]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: at most one forward pass for each `a`, and three more to see that both ends are the
/// models.
///
/// # Errors
/// Models of different architecture ([`Error::AnotherModule`], [`Error::RestDiffers`],
/// [`Error::OtherFunction`]), models that are equal, no coordinate or one that is not finite, and a
/// risk that cannot be evaluated.
///
/// # References
/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs".
pub fn line_between<M: Module + 'static, B: Batch + 'static>(
    from: &M,
    to: &M,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    a: &[f64],
) -> Result<Line, Error> {
    line_between_observed(from, to, risk, buffers, a, |_, _| ControlFlow::Continue(()))
}

/// Returns the same as [`line_between`], handing each finished point (its index and its loss) to
/// `each`, which may cancel.
///
/// # Errors
/// As [`line_between`], and [`Error::Cancelled`].
pub fn line_between_observed<M: Module + 'static, B: Batch + 'static>(
    from: &M,
    to: &M,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    a: &[f64],
    each: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Line, Error> {
    let points: Vec<[f64; 1]> = a.iter().map(|&a| [a]).collect();
    let extent = extent::of_points(&points)?;
    let quantity = Quantity::of("loss", risk);
    Slice::<M, 1>::between(&[from, to], buffers, [quantity])?
        .within(extent)?
        .line(a, each)
}

/// Returns the loss on the plane through three models, at `(1 − a − b) m₀ + a m₁ + b m₂`.
///
/// (0, 0), (1, 0) and (0, 1) are the models. See [`line_between`].
///
/// # Errors
/// As [`line_between`].
pub fn plane_between<M: Module + 'static, B: Batch + 'static>(
    models: [&M; 3],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    grid: &Grid,
) -> Result<Surface, Error> {
    plane_between_observed(
        models,
        risk,
        buffers,
        grid,
        |_, _| ControlFlow::Continue(()),
    )
}

/// Returns the same as [`plane_between`], handing each finished point (`[i, j]` and its loss) to
/// `each`, which may cancel.
///
/// # Errors
/// As [`plane_between`], and [`Error::Cancelled`].
pub fn plane_between_observed<M: Module + 'static, B: Batch + 'static>(
    models: [&M; 3],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    grid: &Grid,
    each: impl FnMut([usize; 2], f64) -> ControlFlow<()>,
) -> Result<Surface, Error> {
    let extent = extent::of_points(&grid.points())?;
    let quantity = Quantity::of("loss", risk);
    Slice::<M, 2>::between(&models, buffers, [quantity])?
        .within(extent)?
        .surface(grid, each)
}
