//! The passes of one step, and what the optimiser gets of them.

use std::collections::HashSet;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::backward;
use super::evaluated::{At, Evaluated, Mean};
use super::hardest::hardest;
use super::loss::{Forward, Loss, Rows};
use super::measures::{Cost, Descent, Measures, Peak};
use crate::ascent::{Ascent, Climb};
use crate::gradient::{Carried, Norm, Norms, Question};
use crate::module::{BatchNormStatistics, check_weights, first_of, peak_of, tied};
use crate::random::mix;
use crate::rule::{Angle, BatchUse, Pair, Rule, StepContext};
use crate::{Error, Pass};

/// A method at the beginning of a step.
pub(crate) struct Start<'a, R> {
    pub(crate) rule: &'a R,
    pub(crate) ascent: &'a Ascent,
    /// The number of the step.
    pub(crate) step: u64,
    /// The radius of the step.
    pub(crate) rho: f64,
    /// The vector that the rule carries, to be changed by the step.
    pub(crate) carried: Carried,
}

/// The part of a step that its caller decides.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    /// Whether some parameter stands in several places, as
    /// [`check_places`](crate::module::check_places) says.
    pub(crate) is_tied: bool,
    /// Whether the caller steps the weights, and so can recompute statistics for them.
    pub(crate) recomputes: bool,
}

/// Runs the passes of a step at `model`. Returns the descent and what is carried after it.
///
/// # Errors
/// What [`SharpnessAware::step`](crate::SharpnessAware::step) refuses.
pub(crate) fn descent<M: Module, R: Rule, L: Loss<M>>(
    start: Start<'_, R>,
    model: &M,
    loss: &mut L,
    caller: Caller,
) -> Result<(Descent, Carried), Error> {
    let first = if caller.recomputes {
        first_of(model, start.ascent.batch_norm)
    } else {
        None
    };
    let weights = first.as_ref().unwrap_or(model);
    let mut passes = Passes::new(start, model, weights, caller)?;
    let descent = match passes.rule.batches() {
        BatchUse::Whole => passes.whole(loss),
        BatchUse::Micro(size) => passes.micro(loss, size),
        BatchUse::Hardest(share) => passes.hardest(loss, share),
    };
    match descent {
        Ok(descent) => Ok((descent, passes.carried)),
        Err(reason) => {
            if let Error::Loss {
                pass: Pass::Weights,
                ..
            } = reason
            {
                check_weights(model)?;
            }
            Err(reason)
        }
    }
}

/// The passes of one step, as far as they have come.
pub(crate) struct Passes<'a, M, R> {
    rule: &'a R,
    ascent: &'a Ascent,
    batch_norm: BatchNormStatistics,
    chosen: Option<HashSet<ParamId>>,
    /// The model that the caller has.
    live: &'a M,
    /// The model of the first pass.
    weights: &'a M,
    /// Whether some parameter stands in several places.
    is_tied: bool,
    step: u64,
    rho: f64,
    carried: Carried,
    /// The devices that are seeded before each pass.
    devices: Vec<Device>,
    seed: Option<u64>,
    cost: Cost,
}

impl<'a, M: Module, R: Rule> Passes<'a, M, R> {
    /// Prepares the passes; none has been made yet.
    ///
    /// # Errors
    /// [`Error::ChoosesNothing`].
    pub(crate) fn new(
        start: Start<'a, R>,
        live: &'a M,
        weights: &'a M,
        caller: Caller,
    ) -> Result<Self, Error> {
        let Start {
            rule,
            ascent,
            step,
            rho,
            carried,
        } = start;
        let batch_norm = match ascent.batch_norm {
            BatchNormStatistics::Recomputed if !caller.recomputes => BatchNormStatistics::FirstPass,
            statistics => statistics,
        };
        Ok(Self {
            rule,
            ascent,
            batch_norm,
            chosen: ascent.perturbed.of(live)?,
            live,
            weights,
            is_tied: caller.is_tied,
            step,
            rho,
            carried,
            devices: ascent.same_masks.map_or_else(Vec::new, |_| live.devices()),
            seed: ascent.same_masks.map(|seed| mix(seed, step)),
            cost: Cost::default(),
        })
    }

    /// Returns what the rule carries after the passes.
    pub(crate) fn into_carried(self) -> Carried {
        self.carried
    }

    /// Refuses gradients that have nothing for the parameters that the ascent moves.
    ///
    /// # Errors
    /// [`Error::NoGradient`] or [`Error::ChosenWithoutGradient`].
    pub(crate) fn check_gradients(
        &self,
        gradients: &GradientsParams,
        pass: Pass,
    ) -> Result<(), Error> {
        let perturbed = &self.ascent.perturbed;
        perturbed.check_gradients(self.live, self.chosen.as_ref(), gradients, pass)
    }

    /// Goes the first step of an ascent. Returns the peak, and the norm that the direction was
    /// divided by; `norm` is that of the gradients, where it is known.
    pub(crate) fn ascend(&mut self, gradients: &GradientsParams, norm: Option<Norm>) -> (M, Norm) {
        let rule = self.rule;
        let direction = rule.direction(self.context(), gradients);
        let (along, measure) = direction.vectors(gradients);
        let norm = match (measure, norm) {
            (None, Some(norm)) => norm,
            _ => {
                let measure = measure.unwrap_or(gradients);
                Norms::of(self.weights, measure, &self.question()).ascent
            }
        };
        let peak = self.climbed(peak_of(self.weights, self.batch_norm), along, norm);
        (peak, norm)
    }

    /// Returns what the optimiser gets of the two gradients.
    pub(crate) fn combine(
        &mut self,
        at_weights: &GradientsParams,
        at_peak: GradientsParams,
        angle: Option<Angle>,
    ) -> GradientsParams {
        // Without a perturbation the two gradients are one, up to what the device's sums make of
        // it.
        if self.rho == 0.0 {
            return at_peak;
        }
        let pair = Pair {
            at_weights,
            at_peak,
            angle,
        };
        let rule = self.rule;
        rule.combine(self.context(), pair)
    }

    /// Returns what the optimiser gets of a step without a peak.
    pub(crate) fn between(&mut self, gradients: GradientsParams, norm: Norm) -> GradientsParams {
        let rule = self.rule;
        rule.between(self.context(), gradients, norm.value())
    }

    fn whole<L: Loss<M>>(&mut self, loss: &mut L) -> Result<Descent, Error> {
        let weights = self.weights;
        let first = self.gradient(At::Weights, weights, 1.0, |m| loss.mean(m))?;
        if !self.rule.looks(self.step) {
            let norm = first.norms.gradient;
            return Ok(Descent {
                gradients: self.between(first.gradients, norm),
                measured: Measures {
                    loss: first.loss,
                    gradient_norm: norm.value(),
                    rho: self.rho,
                    peak: None,
                    cost: self.cost,
                },
            });
        }
        let peak = self.climb(&first, 1.0, |m| loss.mean(m))?;
        let second = self.gradient(At::Peak(Some(&first)), &peak, 1.0, |m| loss.mean(m))?;
        Ok(self.descend(&first, second))
    }

    /// Makes the mean of the descents of micro-batches (Foret et al. 2021, section 4.1).
    fn micro<L: Loss<M>>(&mut self, loss: &mut L, size: usize) -> Result<Descent, Error> {
        let examples = loss.examples().ok_or(Error::ExamplesNotApart)?;
        if size >= examples {
            return self.whole(loss);
        }
        let indices: Vec<usize> = (0..examples).collect();
        let weights = self.weights;
        let seed = self.seed;
        let mut at_weights = Mean::default();
        let mut at_peak = Mean::default();
        for (number, rows) in indices.chunks(size.max(1)).enumerate() {
            self.seed = seed.map(|seed| mix(seed, number as u64));
            let share = share(rows.len(), examples);
            let mut mean = |m: &M| mean_of(loss, m, Rows::some(rows));
            let first = self.gradient(At::Weights, weights, share, &mut mean)?;
            let peak = self.climb(&first, share, &mut mean)?;
            let second = self.gradient(At::Peak(None), &peak, share, &mut mean)?;
            at_weights.add(weights, share, &first);
            at_peak.add(weights, share, &second);
        }
        let first = at_weights.evaluated(weights, &Question::NORM);
        let second = at_peak.evaluated(weights, &first.beside());
        Ok(self.descend(&first, second))
    }

    /// Descends on the examples whose loss rose most (Du et al. 2022, algorithm 1).
    fn hardest<L: Loss<M>>(&mut self, loss: &mut L, part: f64) -> Result<Descent, Error> {
        let examples = match loss.examples() {
            None if part < 1.0 => return Err(Error::ExamplesNotApart),
            // Where nothing is perturbed no loss rises, and there is nothing to select by.
            Some(examples) if part < 1.0 && self.rho > 0.0 => examples,
            _ => return self.whole(loss),
        };
        let weights = self.weights;
        let mut before = Vec::new();
        let first = self.gradient(At::Weights, weights, 1.0, |m| {
            match loss.terms(m, Rows::ALL)? {
                Some(terms) => {
                    before = values(&terms);
                    Ok(Forward::Loss(terms.mean()))
                }
                None => loss.mean(m),
            }
        })?;
        let peak = self.climb(&first, 1.0, |m| loss.mean(m))?;
        self.seed_device();
        self.cost.forward += 1.0;
        let after = match loss.terms(&peak, Rows::ALL)? {
            Some(terms) => values(&terms),
            None => return Err(Error::ExamplesNotApart),
        };
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 examples")]
        let value = after.iter().sum::<f64>() / after.len() as f64;
        if !value.is_finite() {
            let pass = Pass::Peak;
            return Err(Error::Loss { pass, value });
        }
        let rises: Vec<f64> = after.iter().zip(&before).map(|(b, a)| b - a).collect();
        let rows = hardest(&rises, part);
        let mean = |m: &M| mean_of(loss, m, Rows::some(&rows));
        let share = share(rows.len(), examples);
        let mut second = self.gradient(At::Peak(Some(&first)), &peak, share, mean)?;
        second.loss = value;
        Ok(self.descend(&first, second))
    }

    /// Goes from w to the peak, in one step or several.
    fn climb(
        &mut self,
        first: &Evaluated,
        share: f64,
        mut loss: impl FnMut(&M) -> Result<Forward, Error>,
    ) -> Result<M, Error> {
        let (mut peak, _) = self.ascend(&first.gradients, Some(first.norms.ascent));
        for _ in 1..self.ascent.steps {
            let there = self.gradient(At::Climbing, &peak, share, &mut loss)?;
            peak = self.climbed(peak, &there.gradients, there.norms.ascent);
        }
        Ok(peak)
    }

    /// Goes one step of an ascent along a vector of this norm.
    fn climbed(&self, from: M, along: &GradientsParams, norm: Norm) -> M {
        let climb = Climb {
            along,
            norm,
            length: self.ascent.length(self.rho),
            scale: self.ascent.scale,
            chosen: self.chosen.as_ref(),
        };
        tied(climb.from(from), self.is_tied)
    }

    fn context(&mut self) -> StepContext<'_, M> {
        StepContext {
            model: self.weights,
            step: self.step,
            rho: self.rho,
            carried: &mut self.carried,
        }
    }

    fn question(&self) -> Question<'_> {
        Question::before(self.ascent.scale, self.chosen.as_ref())
    }

    fn seed_device(&self) {
        if let Some(seed) = self.seed {
            for device in &self.devices {
                device.seed(seed);
            }
        }
    }

    /// Makes a forward and a backward pass over a share of the batch.
    fn gradient(
        &mut self,
        at: At<'_>,
        model: &M,
        share: f64,
        loss: impl FnOnce(&M) -> Result<Forward, Error>,
    ) -> Result<Evaluated, Error> {
        let pass = at.pass();
        self.seed_device();
        self.cost.forward += share;
        let loss = loss(model)?;
        let value = match &loss {
            Forward::Loss(loss) => backward::value(loss, pass)?,
            Forward::Gradients(value, _) => *value,
        };
        if !value.is_finite() {
            return Err(Error::Loss { pass, value });
        }
        self.cost.backward += share;
        let gradients = match loss {
            Forward::Loss(loss) => backward::gradients(&loss, model, self.live, pass)?,
            Forward::Gradients(_, gradients) if gradients.is_empty() => {
                return Err(Error::NoGradient { pass });
            }
            Forward::Gradients(_, gradients) => gradients,
        };
        // Without a selection a gradient of any parameter will do, and there is one.
        if self.chosen.is_some() {
            self.check_gradients(&gradients, pass)?;
        }
        let question = match at {
            At::Weights | At::Climbing => self.question(),
            At::Peak(None) => Question::NORM,
            At::Peak(Some(first)) => first.beside(),
        };
        let norms = Norms::of(model, &gradients, &question);
        if !norms.gradient.is_finite() || !norms.ascent.is_finite() {
            return Err(Error::Gradient { pass, loss: value });
        }
        Ok(Evaluated {
            loss: value,
            gradients,
            norms,
        })
    }

    /// Returns the descent that the two gradients give.
    fn descend(&mut self, first: &Evaluated, second: Evaluated) -> Descent {
        let cosine = second.norms.cosine;
        let angle = Angle {
            norm: first.norms.gradient.value(),
            peak_norm: second.norms.gradient.value(),
            cosine: cosine.expect("the second gradient was measured beside the first"),
        };
        Descent {
            gradients: self.combine(&first.gradients, second.gradients, Some(angle)),
            measured: Measures {
                loss: first.loss,
                gradient_norm: angle.norm,
                rho: self.rho,
                peak: Some(Peak {
                    loss: second.loss,
                    gradient_norm: angle.peak_norm,
                    cosine: angle.cosine,
                }),
                cost: self.cost,
            },
        }
    }
}

/// Returns the share of the whole that a part is.
#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 examples")]
fn share(part: usize, whole: usize) -> f64 {
    if part == whole {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// Reads the losses of examples to the host.
fn values(terms: &Tensor<1>) -> Vec<f64> {
    terms.clone().inner().to_data().iter::<f64>().collect()
}

/// Computes the mean loss of some examples, or of all where they cannot be told apart.
fn mean_of<M, L: Loss<M>>(loss: &mut L, model: &M, rows: Rows<'_>) -> Result<Forward, Error> {
    match loss.terms(model, rows)? {
        Some(terms) => Ok(Forward::Loss(terms.mean())),
        None => loss.mean(model),
    }
}
