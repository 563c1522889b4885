//! The loss between models: on the line through two, on the plane through three.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;

use super::points::check_points;
use super::{Evaluation, Grid, Line, Surface, line_observed, plane_observed};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, put};
use crate::risk::Risk;
use crate::vector::download;

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
/// [`Error::OtherFunction`]), no coordinate or one that is not finite, and a risk that cannot be
/// evaluated.
///
/// # References
/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs".
pub fn line_between<M: Module, B: Batch>(
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
pub fn line_between_observed<M: Module, B: Batch>(
    from: &M,
    to: &M,
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    a: &[f64],
    mut each: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Line, Error> {
    let models = Models::new([from, to], risk, buffers)?;
    let Some(because) = models.moving() else {
        let [direction] = models.directions()?;
        return line_observed(from, risk, &direction, a, each);
    };
    let points: Vec<[f64; 1]> = a.iter().map(|&a| [a]).collect();
    let loss = models.losses(&points, &mut each)?;
    Ok(Line {
        a: a.to_vec(),
        loss,
        evaluation: Evaluation::Model { because },
    })
}

/// Returns the loss on the plane through three models, at `(1 − a − b) m₀ + a m₁ + b m₂`.
///
/// (0, 0), (1, 0) and (0, 1) are the models. See [`line_between`].
///
/// # Errors
/// As [`line_between`].
pub fn plane_between<M: Module, B: Batch>(
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
pub fn plane_between_observed<M: Module, B: Batch>(
    models: [&M; 3],
    risk: &Risk<M, B>,
    buffers: &Buffers<M, B>,
    grid: &Grid,
    mut each: impl FnMut([usize; 2], f64) -> ControlFlow<()>,
) -> Result<Surface, Error> {
    let origin = models[0];
    let models = Models::new(models, risk, buffers)?;
    let Some(because) = models.moving() else {
        let [first, second] = models.directions()?;
        return plane_observed(origin, risk, [&first, &second], grid, each);
    };
    let points = grid.points();
    let columns = grid.b.len();
    let loss = models.losses(&points, &mut |index, value| {
        each([index / columns, index % columns], value)
    })?;
    Ok(Surface {
        a: grid.a.clone(),
        b: grid.b.clone(),
        loss,
        evaluation: Evaluation::Model { because },
    })
}

/// Models of one architecture, and everything between them.
struct Models<'m, M, B> {
    space: ParameterSpace,
    risk: &'m Risk<M, B>,
    buffers: &'m Buffers<M, B>,
    first: &'m M,
    thetas: Vec<Vec<f64>>,
    rests: Vec<Rest>,
}

impl<'m, M: Module, B: Batch> Models<'m, M, B> {
    fn new<const N: usize>(
        models: [&'m M; N],
        risk: &'m Risk<M, B>,
        buffers: &'m Buffers<M, B>,
    ) -> Result<Self, Error> {
        let first = models[0];
        let space = ParameterSpace::of(first)?;
        let theta = |model: &&M| space.flatten(*model).map(|theta| download(&theta));
        let thetas = models.iter().map(theta).collect::<Result<_, Error>>()?;
        let rest = |model: &&M| Rest::of(&space, *model);
        let rests = models.iter().map(rest).collect::<Result<_, Error>>()?;
        let found = Self {
            space,
            risk,
            buffers,
            first,
            thetas,
            rests,
        };
        if !matches!(buffers, Buffers::Keep) {
            for (number, model) in models.iter().enumerate().skip(1) {
                found.reaches(number, model)?;
            }
        }
        Ok(found)
    }

    /// Checks that the first model with all tensors of another is that model: a setting that is no
    /// tensor, such as an activation, does not move.
    fn reaches(&self, number: usize, model: &M) -> Result<(), Error> {
        let mut weights = vec![0.0; self.thetas.len()];
        weights[number] = 1.0;
        let moved = self.interpolated(&weights)?;
        let expected = self.risk.value(model)?;
        let found = self.risk.value(&moved)?;
        // The same operations on the same numbers, up to the order of sums on some devices.
        let allowed = self.space.domain.unit_roundoff().sqrt() * expected.abs();
        if expected.is_finite() && found.is_finite() && (found - expected).abs() > allowed {
            return Err(Error::OtherFunction {
                number,
                expected,
                found,
            });
        }
        Ok(())
    }

    /// Returns why points are models of their own, and not the first one moved by a direction;
    /// `None` where they are the latter.
    fn moving(&self) -> Option<String> {
        match self.buffers {
            Buffers::Keep => None,
            Buffers::Recompute(_) => {
                Some("the statistics of BatchNorm are recomputed at each point".to_owned())
            }
            Buffers::Interpolate => {
                let (first, others) = self.rests.split_first()?;
                let path = others.iter().find_map(|rest| first.differs(rest))?;
                Some(format!("`{path}` moves too and is no trainable parameter"))
            }
        }
    }

    /// Returns the directions from the first model to each of the others.
    fn directions<const N: usize>(&self) -> Result<[Tensor<1>; N], Error> {
        let mut directions = Vec::with_capacity(N);
        for theta in &self.thetas[1..] {
            let difference: Vec<f64> = theta
                .iter()
                .zip(&self.thetas[0])
                .map(|(to, from)| to - from)
                .collect();
            directions.push(self.space.domain.upload(&difference)?);
        }
        Ok(directions
            .try_into()
            .expect("a direction for each model after the first"))
    }

    /// Returns the weighted sum of all models, parameters and buffers.
    fn interpolated(&self, weights: &[f64]) -> Result<M, Error> {
        let mut theta = vec![0.0; self.space.dim()];
        for (of_model, &weight) in self.thetas.iter().zip(weights) {
            if weight != 0.0 {
                for (sum, entry) in theta.iter_mut().zip(of_model) {
                    *sum += weight * entry;
                }
            }
        }
        let theta = self.space.domain.upload(&theta)?;
        let model = self.space.unflatten(self.first, &theta)?;
        Ok(put(model, &Rest::combine(&self.rests, weights)?))
    }

    fn losses<const N: usize>(
        &self,
        points: &[[f64; N]],
        each: &mut impl FnMut(usize, f64) -> ControlFlow<()>,
    ) -> Result<Vec<f64>, Error> {
        check_points(points)?;
        let mut losses = Vec::with_capacity(points.len());
        for point in points {
            // Weights of both ends, so that these are met exactly.
            let mut weights = vec![1.0 - point.iter().sum::<f64>()];
            weights.extend(point);
            let model = self.interpolated(&weights)?;
            let value = match self.buffers {
                Buffers::Recompute(data) => self.risk.value(&data.recompute_statistics(&model)?)?,
                Buffers::Interpolate | Buffers::Keep => self.risk.value(&model)?,
            };
            losses.push(value);
            if each(losses.len() - 1, value).is_break() {
                return Err(Error::Cancelled { done: losses.len() });
            }
        }
        Ok(losses)
    }
}
