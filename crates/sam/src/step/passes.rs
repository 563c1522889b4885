//! The passes of one step, and what the optimiser gets of them.

use std::collections::HashSet;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::ascent::climb::Climb;
use crate::gradient::norm::Norm;
use crate::gradient::norms::Norms;
use crate::gradient::question::Question;
use crate::module::batch_norm::{first_of, peak_of};
use crate::module::places;
use crate::module::weights;
use crate::random::mix;
use crate::step::backward;
use crate::step::evaluated::{At, Evaluated, Mean};
use crate::step::hardest::hardest;
use crate::step::loss::{Forward, Loss, Rows};
use crate::step::measured::{Cost, Descent, Peak};
use crate::{Angle, Ascent, BatchNormStatistics, Batches, Error, Pair, Pass, SharpnessAware};

/// What the caller of [`of`] knows.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    /// Whether some parameter stands in several places, as [`places::check`] says.
    pub(crate) is_tied: bool,
    /// Only who steps the weights can recompute statistics for them.
    pub(crate) recomputes: bool,
}

/// The descent of a method at `model`. The method is as before where there is none.
pub(crate) fn of<M: Module, S: SharpnessAware, L: Loss<M>>(
    method: &mut S,
    model: &M,
    loss: &mut L,
    caller: Caller,
) -> Result<Descent, Error> {
    if loss.examples() == Some(0) {
        return Err(Error::NoExamples);
    }
    let rho = radius(method)?;
    let before = method.state().clone();
    let mut ascent = method.ascent().clone();
    if ascent.batch_norm == BatchNormStatistics::Recomputed && !caller.recomputes {
        ascent.batch_norm = BatchNormStatistics::FirstPass;
    }
    let first = first_of(model, ascent.batch_norm);
    let mut passes = Passes {
        chosen: ascent.perturbed.of(model)?,
        live: model,
        weights: first.as_ref().unwrap_or(model),
        is_tied: caller.is_tied,
        devices: ascent.same_masks.map_or_else(Vec::new, |_| model.devices()),
        rho,
        seed: ascent
            .same_masks
            .map(|seed| mix(seed, method.state().steps())),
        ascent,
        cost: Cost::default(),
    };
    let descent = match method.batches() {
        Batches::Whole => passes.whole(method, loss),
        Batches::Micro(size) => passes.micro(method, loss, size),
        Batches::Hardest(share) => passes.hardest(method, loss, share),
    };
    match descent {
        Ok(_) => method.state_mut().steps += 1,
        Err(_) => *method.state_mut() = before,
    }
    descent.map_err(|reason| match reason {
        Error::Loss {
            pass: Pass::Weights,
            ..
        } => weights::that_are_not_finite(model).unwrap_or(reason),
        _ => reason,
    })
}

/// The radius of the step to come.
pub(crate) fn radius<S: SharpnessAware>(method: &S) -> Result<f64, Error> {
    let rho = method.rho();
    if rho.is_finite() && rho >= 0.0 {
        return Ok(rho);
    }
    let rate = method.state().learning_rate().unwrap_or(f64::NAN);
    Err(Error::Radius { rho, rate })
}

struct Passes<'a, M> {
    ascent: Ascent,
    chosen: Option<HashSet<ParamId>>,
    /// The model that the caller has.
    live: &'a M,
    /// The model of the first pass.
    weights: &'a M,
    /// Whether some parameter stands in several places.
    is_tied: bool,
    rho: f64,
    /// Seeded before each pass.
    devices: Vec<Device>,
    seed: Option<u64>,
    cost: Cost,
}

impl<M: Module> Passes<'_, M> {
    fn whole<S: SharpnessAware, L: Loss<M>>(
        &mut self,
        method: &mut S,
        loss: &mut L,
    ) -> Result<Descent, Error> {
        let weights = self.weights;
        let first = self.gradient(At::Weights, weights, 1.0, |m| loss.mean(m))?;
        if !method.looks() {
            let norm = first.norms.gradient.value();
            return Ok(Descent {
                gradients: method.between(weights, first.gradients, norm),
                loss: first.loss,
                gradient_norm: norm,
                rho: self.rho,
                peak: None,
                cost: self.cost,
            });
        }
        let peak = self.climb(method, &first, 1.0, |m| loss.mean(m))?;
        let second = self.gradient(At::Peak(Some(&first)), &peak, 1.0, |m| loss.mean(m))?;
        Ok(self.descent(method, &first, second))
    }

    /// The mean of the descents of micro-batches (Foret et al. 2021, section 4.1).
    fn micro<S: SharpnessAware, L: Loss<M>>(
        &mut self,
        method: &mut S,
        loss: &mut L,
        size: usize,
    ) -> Result<Descent, Error> {
        let examples = loss.examples().ok_or(Error::ExamplesNotApart)?;
        if size >= examples {
            return self.whole(method, loss);
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
            let peak = self.climb(method, &first, share, &mut mean)?;
            let second = self.gradient(At::Peak(None), &peak, share, &mut mean)?;
            at_weights.add(weights, share, &first);
            at_peak.add(weights, share, &second);
        }
        let first = at_weights.evaluated(weights, &Question::NORM);
        let second = at_peak.evaluated(weights, &first.beside());
        Ok(self.descent(method, &first, second))
    }

    /// ESAM's passes (Du et al. 2022, algorithm 1).
    fn hardest<S: SharpnessAware, L: Loss<M>>(
        &mut self,
        method: &mut S,
        loss: &mut L,
        part: f64,
    ) -> Result<Descent, Error> {
        let examples = match loss.examples() {
            None if part < 1.0 => return Err(Error::ExamplesNotApart),
            // Where nothing is perturbed no loss rises, and there is nothing to select by.
            Some(examples) if part < 1.0 && self.rho > 0.0 => examples,
            _ => return self.whole(method, loss),
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
        let peak = self.climb(method, &first, 1.0, |m| loss.mean(m))?;
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
        Ok(self.descent(method, &first, second))
    }

    /// From w to the peak, in one step or several.
    fn climb<S: SharpnessAware>(
        &mut self,
        method: &mut S,
        first: &Evaluated,
        share: f64,
        mut loss: impl FnMut(&M) -> Result<Forward, Error>,
    ) -> Result<M, Error> {
        let (weights, length) = (self.weights, self.ascent.length(self.rho));
        let start = peak_of(weights, self.ascent.batch_norm);
        let direction = method.direction(weights, &first.gradients);
        let (along, measure) = direction.vectors(&first.gradients);
        let norm = match measure {
            None => first.norms.ascent,
            Some(measure) => Norms::of(weights, measure, &self.question()).ascent,
        };
        let climb = self.along(along, norm, length);
        let mut peak = places::tied(climb.from(start), self.is_tied);
        for _ in 1..self.ascent.steps {
            let there = self.gradient(At::Climbing, &peak, share, &mut loss)?;
            let climb = self.along(&there.gradients, there.norms.ascent, length);
            peak = places::tied(climb.from(peak), self.is_tied);
        }
        Ok(peak)
    }

    fn along<'a>(&'a self, along: &'a GradientsParams, norm: Norm, length: f64) -> Climb<'a> {
        Climb {
            along,
            norm,
            length,
            scale: self.ascent.scale,
            chosen: self.chosen.as_ref(),
        }
    }

    fn question(&self) -> Question<'_> {
        Question::before(&self.ascent, self.chosen.as_ref())
    }

    fn seed_device(&self) {
        if let Some(seed) = self.seed {
            for device in &self.devices {
                device.seed(seed);
            }
        }
    }

    /// A forward and a backward pass over a share of the batch.
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
        if let Some(chosen) = &self.chosen {
            let perturbed = &self.ascent.perturbed;
            perturbed.check(model, Some(chosen), &gradients, pass)?;
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

    fn descent<S: SharpnessAware>(
        &self,
        method: &mut S,
        first: &Evaluated,
        second: Evaluated,
    ) -> Descent {
        let angle = Angle {
            norm: first.norms.gradient.value(),
            peak_norm: second.norms.gradient.value(),
            cosine: second.norms.cosine.unwrap_or(0.0),
        };
        // Without a perturbation the two gradients are one, up to what the device's sums make of it.
        let gradients = if self.rho > 0.0 {
            let pair = Pair {
                at_weights: &first.gradients,
                at_peak: second.gradients,
                angle: Some(angle),
            };
            method.combine(self.weights, pair)
        } else {
            second.gradients
        };
        Descent {
            gradients,
            loss: first.loss,
            gradient_norm: angle.norm,
            rho: self.rho,
            peak: Some(Peak {
                loss: second.loss,
                gradient_norm: angle.peak_norm,
                cosine: angle.cosine,
            }),
            cost: self.cost,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 examples")]
fn share(part: usize, whole: usize) -> f64 {
    if part == whole {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

fn values(terms: &Tensor<1>) -> Vec<f64> {
    terms.clone().inner().to_data().iter::<f64>().collect()
}

fn mean_of<M, L: Loss<M>>(loss: &mut L, model: &M, rows: Rows<'_>) -> Result<Forward, Error> {
    match loss.terms(model, rows)? {
        Some(terms) => Ok(Forward::Loss(terms.mean())),
        None => loss.mean(model),
    }
}
