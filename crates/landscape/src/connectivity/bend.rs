//! Gradients with respect to the bends of a curve.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::Curve;
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, gradient_of_params};
use crate::risk::{Objective, Risk};
use crate::vector::random::{Purpose, uniform};

/// The mean loss over some points of a curve, and its gradient with respect to the bends.
#[derive(Debug, Clone)]
pub struct BendGradient {
    /// `1/T Σᵢ L(θ(tᵢ))`.
    pub loss: f64,
    /// For each bend `1/T Σᵢ cₖ(tᵢ) ∇L(θ(tᵢ))`, `[P]`.
    pub gradients: Vec<Tensor<1>>,
}

/// Returns the plain mean of the loss over the points at `t`, and its exact gradient with respect
/// to each bend.
///
/// Since `θ(t) = Σₖ cₖ(t) θₖ`, the gradient of `L(θ(t))` with respect to bend k is
/// `cₖ(t) ∇L(θ(t))`: one gradient of the model for each t, whatever the number of bends.
///
/// Tensors that are no coordinates are interpolated between the ends; dropout is off, and BatchNorm
/// takes the statistics that the risk says.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::{Curve, Shape, bend_gradient};
///
/// let device = Device::flex();
/// let config = LinearConfig::new(1, 1).with_bias(false);
/// let (a, b) = (config.init(&device), config.init(&device));
/// let curve = Curve::between(&a, &b, Shape::Bezier)?;
/// // L(w) = w: its gradient is one everywhere, and the coefficient at the middle is a half.
/// let x = Tensor::<2>::ones([1, 1], &device);
/// let risk = Risk::mean(x, |model: &burn::nn::Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).mean()
/// });
/// let found = bend_gradient(&curve, &risk, &[0.5])?;
/// assert_eq!(landscape::download(&found.gradients[0]), [0.5]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: a gradient over the data for each t. Memory: n + 3 vectors of P beside the curve's.
///
/// # Errors
/// [`Error::Setting`] for no t or one outside 0 to 1, and all errors of
/// [`Risk::gradient`].
pub fn bend_gradient<M: Module, B: Batch>(
    curve: &Curve<M>,
    risk: &Risk<M, B>,
    t: &[f64],
) -> Result<BendGradient, Error> {
    check_any(t)?;
    let losses = PointLosses::new(curve, risk)?;
    let mut sum = Sum::new(curve);
    for &t in t {
        let theta = curve.theta(t)?;
        let (loss, gradient) = losses.with(curve, t, |objective| objective.gradient(&theta))?;
        sum.add(curve, t, loss, &gradient)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a list of few points")]
    let factor = (t.len() as f64).recip();
    Ok(sum.scaled(factor))
}

/// Checks that there is a point.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_any(t: &[f64]) -> Result<(), Error> {
    if t.is_empty() {
        return Err(Error::Setting {
            name: "the number of points on the curve",
            value: "0".to_owned(),
            allowed: "at least 1",
        });
    }
    Ok(())
}

/// Returns endless independent t, uniform in [0, 1), the same for a seed on every machine: those
/// that [`train_curve`](super::train_curve) takes at its steps, with one t a step.
///
/// ```
/// use landscape::connectivity::times;
///
/// let first: Vec<f64> = times(7).take(2).collect();
/// assert!(first.iter().all(|t| (0.0..1.0).contains(t)));
/// assert_eq!(times(7).next(), Some(first[0]));
/// ```
pub fn times(seed: u64) -> impl Iterator<Item = f64> {
    (0..).map(move |step| stratified(seed, step, 1)[0])
}

/// Returns `count` numbers for a step, one uniform in each of as many equal parts of [0, 1): each
/// of them is uniform on average, and their mean varies less than that of independent ones.
#[expect(clippy::cast_precision_loss, reason = "a step has few points")]
pub(super) fn stratified(seed: u64, step: u64, count: usize) -> Vec<f64> {
    let uniforms = uniform(seed, Purpose::CurveTime.stream(step), count);
    let place = |(part, u): (usize, f64)| (part as f64 + f64::midpoint(u, 1.0)) / count as f64;
    uniforms.into_iter().enumerate().map(place).collect()
}

/// The losses at the points of a curve: one objective for all of them where only the coordinates
/// move, and one for each where other tensors do.
pub(super) struct PointLosses<'r, M, B> {
    shared: Option<Objective<M, B>>,
    risk: &'r Risk<M, B>,
}

impl<'r, M: Module, B: Batch> PointLosses<'r, M, B> {
    pub(super) fn new(curve: &Curve<M>, risk: &'r Risk<M, B>) -> Result<Self, Error> {
        let shared = match curve.rest_differs() {
            None => Some(Objective::at(&curve.ends[0], risk)?),
            // Fails here where the others cannot be interpolated.
            Some(_) => curve.at(0.5).map(|_| None)?,
        };
        Ok(Self { shared, risk })
    }

    /// Calls `take` with an objective whose other tensors are those at t.
    pub(super) fn with<T>(
        &self,
        curve: &Curve<M>,
        t: f64,
        take: impl FnOnce(&Objective<M, B>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.shared {
            Some(objective) => take(objective),
            None => take(&Objective::at(&curve.at(t)?, self.risk)?),
        }
    }

    /// Calls `take` with an objective for one batch of the risk, whose other tensors are those at
    /// t.
    pub(super) fn with_batch<T>(
        &self,
        curve: &Curve<M>,
        t: f64,
        batch: &B,
        take: impl FnOnce(&Objective<M, B>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.shared {
            Some(objective) => take(objective),
            // Over this batch alone, so that no other is read.
            None => {
                let alone = self.risk.over(vec![batch.clone()]);
                take(&Objective::at(&curve.at(t)?, &alone)?)
            }
        }
    }
}

/// A sum over points of a curve.
pub(super) struct Sum {
    pub(super) loss: f64,
    pub(super) gradients: Vec<Option<Tensor<1>>>,
}

impl Sum {
    pub(super) fn new<M>(curve: &Curve<M>) -> Self {
        Self {
            loss: 0.0,
            gradients: vec![None; curve.bends.len()],
        }
    }

    pub(super) fn add<M: Module>(
        &mut self,
        curve: &Curve<M>,
        t: f64,
        loss: f64,
        gradient: &Tensor<1>,
    ) -> Result<(), Error> {
        self.loss += loss;
        let coefficients = curve.shape.coefficients(t)?;
        for (sum, coefficient) in self.gradients.iter_mut().zip(&coefficients[1..]) {
            if *coefficient != 0.0 {
                let term = gradient.clone() * *coefficient;
                *sum = Some(match sum.take() {
                    None => term,
                    Some(sum) => sum + term,
                });
            }
        }
        let zero = || gradient.clone() * 0.0;
        for sum in &mut self.gradients {
            sum.get_or_insert_with(zero);
        }
        Ok(())
    }

    pub(super) fn scaled(self, factor: f64) -> BendGradient {
        let gradients = self.gradients.into_iter().flatten();
        BendGradient {
            loss: self.loss * factor,
            gradients: gradients.map(|sum| sum * factor).collect(),
        }
    }
}

impl<M: Module> Curve<M> {
    /// Returns the gradients of the bends from those of the model at t: for bend k
    /// `cₖ(t) ∇L(θ(t))`, under the ids of that bend, ready for Burn's optimisers.
    ///
    /// `gradients` are of the model that [`at`](Self::at) returned for this t. A parameter without
    /// a gradient has one of zero, so that the momentum of an optimiser goes on.
    ///
    /// Memory: n + 1 vectors of P.
    ///
    /// # Errors
    /// [`Error::Setting`] for a t outside 0 to 1; [`Error::Disconnected`] where there is no
    /// gradient at all.
    pub fn bend_gradients(
        &self,
        t: f64,
        gradients: &GradientsParams,
    ) -> Result<Vec<GradientsParams>, Error> {
        let coefficients = self.shape.coefficients(t)?;
        let flat = gradient_of_params(&self.space, &self.ends[0], gradients)?
            .ok_or(Error::Disconnected { index: 0 })?;
        let bends = self.bends.iter().zip(&coefficients[1..]);
        bends
            .map(|(bend, &coefficient)| self.under_ids_of(bend, &(flat.clone() * coefficient)))
            .collect()
    }

    /// Returns a flat gradient as that of the parameters of a bend.
    pub(super) fn under_ids_of(
        &self,
        bend: &M,
        gradient: &Tensor<1>,
    ) -> Result<GradientsParams, Error> {
        let mut spread = Spread {
            index: self.space.locate(bend)?,
            space: &self.space,
            gradient,
            found: GradientsParams::new(),
        };
        bend.visit(&mut spread);
        Ok(spread.found)
    }

    /// Steps the bends by an optimiser: `gradients` are those of all bends, in order. The ends stay
    /// where they are.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of gradients than bends.
    pub fn step(
        &mut self,
        optimiser: &mut ModuleOptimizer,
        learning_rate: f64,
        gradients: Vec<GradientsParams>,
    ) -> Result<(), Error> {
        if gradients.len() != self.bends.len() {
            return Err(Error::Length {
                what: "list of the bends' gradients",
                expected: self.bends.len(),
                found: gradients.len(),
            });
        }
        for (k, gradients) in gradients.into_iter().enumerate() {
            let bend = optimiser.step(learning_rate, self.bends[k].clone(), gradients);
            self.replace(k, bend)?;
        }
        Ok(())
    }
}

/// From a flat gradient to that of each parameter.
struct Spread<'a> {
    index: HashMap<ParamId, usize>,
    space: &'a ParameterSpace,
    gradient: &'a Tensor<1>,
    found: GradientsParams,
}

impl ModuleVisitor for Spread<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(&block) = self.index.get(&param.id) {
            let range = self.space.blocks[block].range();
            let gradient = self.gradient.clone().slice_dim(0, range);
            let gradient: Tensor<D> = gradient.reshape(param.shape());
            self.found.register(param.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected numbers come from SplitMix64 and Xoshiro256++ written in Python from the papers.
    #[test]
    fn points_of_steps_are_stable_and_one_in_each_part() {
        let expected = [
            0.254_312_591_504_448_5,
            0.102_111_873_727_501_19,
            0.869_909_844_873_520_2,
            0.799_679_240_956_387_8,
        ];
        for (found, expected) in times(7).zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
        let expected = [
            0.289_969_948_291_173_4,
            0.453_284_663_301_687_43,
            0.898_556_258_445_355_6,
        ];
        for (found, expected) in stratified(7, 2, 3).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found}");
        }
    }
}
