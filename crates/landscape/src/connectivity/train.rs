//! Training the bends of a curve.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;
use derivatives::Statistics;

use super::bend::{PointLosses, Sum, stratified};
use super::evaluation::evaluate;
use super::{Curve, CurveConfig, CurveLoss};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Batches, Objective, Risk};
use crate::vector::random::{Purpose, uniform};
use crate::vector::{checked, download};

/// A step of [`train_curve`], for its observer.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveStep {
    /// Number of steps done.
    pub step: usize,
    /// Number of steps in all.
    pub steps: usize,
    /// The points of the curve that were taken.
    pub t: Vec<f64>,
    /// Mean loss of the batch at these points, before the step.
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// The evaluation of the whole curve after this step, if there was one.
    pub evaluation: Option<CurveLoss>,
}

/// A trained curve.
#[derive(Debug, Clone)]
pub struct TrainedCurve<M> {
    /// The curve with the best bends: those whose evaluation has the lowest mean loss.
    pub curve: Curve<M>,
    /// The evaluation of these bends.
    pub best: CurveLoss,
    /// All evaluations, from the start on.
    pub evaluations: Vec<CurveLoss>,
    /// Number of steps done: fewer than asked for after divergence, or where the observer stopped.
    pub steps: usize,
    /// Whether the training diverged: a loss, a gradient or a bend became NaN or infinite, where
    /// it ended, or the last evaluation is worse than that of the start. Lower the learning
    /// rate.
    pub diverged: bool,
    /// Gradients of a batch that were taken.
    pub gradients: usize,
}

/// Trains the bends of a curve so that the mean loss along it falls; its ends stay.
///
/// Minimises `E_t[L(θ(t))]` over the bends, t uniform in [0, 1), those of a chain kept equally
/// spaced unless [`CurveConfig::equal_spacing`] is off. A step takes a batch and a t, and
/// gives the optimiser `cₖ(t) ∇ℓ(θ(t))` for bend k: exact gradients of the closure by Burn's
/// autodiff. Batches come in a random order from the seed, anew in each pass, each with its weight
/// in the risk, so that the expectation of a step is the gradient; a data loader gives its own
/// order. `optimiser` is any of Burn's, with weight decay, clipping and parameter groups as it has
/// them; its state is that of the bends afterwards, so that training can go on.
///
/// Dropout is off. The data are those of the risk: measure on others by
/// [`profile`](super::profile()).
///
/// `each` is called after each step, and may stop: what was trained until then is returned.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::optim::AdamConfig;
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::connectivity::{Curve, CurveConfig, Shape, train_curve};
/// use std::ops::ControlFlow;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
/// // L(x, y) = (x² + y² − 1)²: the ends stand opposite each other on a circle of minima.
/// let device = Device::flex();
/// let point = |x: f32, y: f32| Point {
///     at: Param::from_tensor(Tensor::from_floats([x, y], &device)),
/// };
/// let risk = Risk::mean(Tensor::<1>::zeros([1], &device), |point: &Point, _: &Tensor<1>| {
///     (point.at.val().square().sum() - 1.0).square()
/// });
/// let line = Curve::between(&point(-1.0, 0.1), &point(1.0, 0.1), Shape::Chain { bends: 3 })?;
/// let config = CurveConfig::new(0.05).with_steps(300);
/// let trained = train_curve(line, &risk, &mut AdamConfig::new().init(), &config, |_| {
///     ControlFlow::Continue(())
/// })?;
/// assert!(trained.evaluations[0].mean > 0.4 && trained.best.mean < 0.02);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: `points` gradients of a batch for each step, and `evaluation_points` forward passes over
/// the data for each evaluation and the start; a streamed risk is read twice more to count it.
/// Memory: the curve's twice (the best bends are kept), and 3 vectors of P; what the optimiser
/// keeps is for each bend as for a model.
///
/// # Errors
/// [`Error::Setting`] for settings out of range and for a curve without a bend; a model or data
/// that cannot be measured. A loss that is not finite at the start is [`Error::NonFiniteLoss`];
/// later it is divergence, and no error.
///
/// # References
/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs",
/// section 3, equation 2, and appendix A.1; Draxler et al. 2018, "Essentially No Barriers in Neural
/// Network Energy Landscape", section 3, for the chain.
pub fn train_curve<M: Module, B: Batch>(
    curve: Curve<M>,
    risk: &Risk<M, B>,
    optimiser: &mut ModuleOptimizer,
    config: &CurveConfig,
    mut each: impl FnMut(&CurveStep) -> ControlFlow<()>,
) -> Result<TrainedCurve<M>, Error> {
    config.check()?;
    if curve.bends().is_empty() {
        return Err(Error::Setting {
            name: "the shape of the curve",
            value: "a line".to_owned(),
            allowed: "a Bezier curve or a chain: a line has nothing to train",
        });
    }
    let risk = if config.batch_statistics {
        risk.clone().with_statistics(Statistics::Batch)
    } else {
        risk.clone()
    };
    let mut training = Training::new(curve, &risk, config)?;
    for pass in 0_u64.. {
        let at_start = training.steps;
        training.pass(pass, optimiser, &mut each)?;
        // A loader that gives nothing the second time would go on for ever.
        if training.ended || training.steps == at_start {
            break;
        }
    }
    Ok(training.finished())
}

/// A training in progress.
struct Training<'r, M, B> {
    risk: &'r Risk<M, B>,
    config: &'r CurveConfig,
    losses: PointLosses<'r, M, B>,
    curve: Curve<M>,
    best: Curve<M>,
    best_loss: CurveLoss,
    evaluations: Vec<CurveLoss>,
    /// For each batch the factor by which its mean loss is that of all on average.
    weights: Vec<f64>,
    steps: usize,
    gradients: usize,
    ended: bool,
    broken: bool,
}

impl<'r, M: Module, B: Batch> Training<'r, M, B> {
    fn new(curve: Curve<M>, risk: &'r Risk<M, B>, config: &'r CurveConfig) -> Result<Self, Error> {
        let losses = PointLosses::new(&curve, risk)?;
        let start = evaluate(&losses, &curve, config, 0)?;
        if !start.mean.is_finite() {
            return Err(Error::NonFiniteLoss {
                value: start.mean,
                place: "in the mean along the curve before training".to_owned(),
            });
        }
        let weights = losses.with(&curve, 0.5, |objective| {
            objective.check_inside()?;
            relative_weights(objective)
        })?;
        Ok(Self {
            risk,
            config,
            losses,
            best: curve.clone(),
            curve,
            best_loss: start,
            evaluations: vec![start],
            weights,
            steps: 0,
            gradients: 0,
            ended: false,
            broken: false,
        })
    }

    /// Takes every batch once, as long as there are steps.
    fn pass(
        &mut self,
        pass: u64,
        optimiser: &mut ModuleOptimizer,
        each: &mut impl FnMut(&CurveStep) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        match self.risk.batches() {
            Batches::Held(batches) => {
                for index in order(self.config.seed, pass, batches.len()) {
                    if self.ended {
                        break;
                    }
                    self.step(index, &batches[index], optimiser, each)?;
                }
            }
            streamed @ Batches::Streamed(_) => {
                let passed = streamed.for_each(|index, batch| {
                    self.step(index, &batch, optimiser, each)?;
                    // No batch after the last step is read.
                    if self.ended {
                        return Err(Error::Cancelled { done: self.steps });
                    }
                    Ok(())
                });
                if !self.ended {
                    passed?;
                }
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        index: usize,
        batch: &B,
        optimiser: &mut ModuleOptimizer,
        each: &mut impl FnMut(&CurveStep) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let t = stratified(self.config.seed, self.steps as u64, self.config.points);
        let learning_rate = self.config.rate(self.steps);
        let Some(loss) = self.moved(index, batch, &t, learning_rate, optimiser)? else {
            self.broken = true;
            self.ended = true;
            return Ok(());
        };
        self.steps += 1;
        let evaluation = if self.config.evaluates(self.steps) {
            Some(self.evaluated()?)
        } else {
            None
        };
        let stops = each(&CurveStep {
            step: self.steps,
            steps: self.config.steps,
            t,
            loss,
            learning_rate,
            evaluation,
        });
        if stops.is_break() && evaluation.is_none() {
            self.evaluated()?;
        }
        self.ended |= stops.is_break() || self.steps == self.config.steps;
        Ok(())
    }

    /// Moves the bends by a step and returns the loss before it; none where something is not
    /// finite, and the bends are then those before.
    fn moved(
        &mut self,
        index: usize,
        batch: &B,
        t: &[f64],
        learning_rate: f64,
        optimiser: &mut ModuleOptimizer,
    ) -> Result<Option<f64>, Error> {
        let mut sum = Sum::new(&self.curve);
        for &t in t {
            self.gradients += 1;
            let theta = self.curve.theta(t)?;
            let found = self.losses.with_batch(&self.curve, t, batch, |objective| {
                objective.batch_loss_and_gradient(&theta, batch, index)
            });
            let (loss, gradient) = match found {
                Err(Error::NonFiniteLoss { .. }) => return Ok(None),
                found => found?,
            };
            sum.add(&self.curve, t, loss, &gradient)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a step has few points")]
        let factor = (t.len() as f64).recip();
        let mean = sum.scaled(factor);
        // Batches that a loader did not have when it was counted have the mean weight.
        let weight = self.weights.get(index).copied().unwrap_or(1.0);
        let mut gradients = Vec::with_capacity(mean.gradients.len());
        for (bend, gradient) in self.curve.bends.iter().zip(mean.gradients) {
            if !is_finite(&gradient) {
                return Ok(None);
            }
            gradients.push(self.curve.under_ids_of(bend, &(gradient * weight))?);
        }
        let before = self.curve.clone();
        self.curve.step(optimiser, learning_rate, gradients)?;
        if self.config.equal_spacing {
            self.curve.space_equally()?;
        }
        if self.curve.bend_nodes().iter().all(is_finite) {
            Ok(Some(mean.loss))
        } else {
            self.curve = before;
            Ok(None)
        }
    }

    fn evaluated(&mut self) -> Result<CurveLoss, Error> {
        let found = evaluate(&self.losses, &self.curve, self.config, self.steps)?;
        self.evaluations.push(found);
        if found.mean < self.best_loss.mean {
            self.best_loss = found;
            self.best = self.curve.clone();
        }
        if !found.mean.is_finite() {
            self.broken = true;
            self.ended = true;
        }
        Ok(found)
    }

    fn finished(self) -> TrainedCurve<M> {
        let first = self.evaluations[0].mean;
        let last = self.evaluations[self.evaluations.len() - 1].mean;
        TrainedCurve {
            curve: self.best,
            best: self.best_loss,
            diverged: self.broken || last > first,
            evaluations: self.evaluations,
            steps: self.steps,
            gradients: self.gradients,
        }
    }
}

/// Returns a random order of `count` batches for a pass: that of as many uniform numbers.
fn order(seed: u64, pass: u64, count: usize) -> Vec<usize> {
    let keys = uniform(seed, Purpose::CurveOrder.stream(pass), count);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order
}

fn is_finite(vector: &Tensor<1>) -> bool {
    checked(download(vector), "vector").is_ok()
}

/// Returns for each batch its share of the risk times the number of batches: one for all where they
/// are of one size, less for a ragged last one.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 batches"
)]
fn relative_weights<M: Module, B: Batch>(objective: &Objective<M, B>) -> Result<Vec<f64>, Error> {
    let mut shares = Vec::new();
    objective.risk().batches().for_each(|_, batch| {
        shares.push(objective.share(&batch)?);
        Ok(())
    })?;
    let count = shares.len() as f64;
    Ok(shares.into_iter().map(|share| share * count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected order comes from SplitMix64 and Xoshiro256++ written in Python from the papers.
    #[test]
    fn orders_of_batches_are_stable() {
        assert_eq!(order(7, 3, 6), [1, 0, 4, 5, 2, 3]);
    }
}
