//! The passes of one step, and what the optimiser gets of them.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::batch_norm::{first_of, peak_of};
use crate::gradients::combined;
use crate::hardest::hardest;
use crate::loss::{Loss, Rows};
use crate::measured::{Cost, Descent, Peak};
use crate::method::{Batches, Direction, Pair};
use crate::norm::{Norm, Norms, Question};
use crate::peak::Climb;
use crate::random::mix;
use crate::{Ascent, BatchNormStatistics, Error, Pass, SharpnessAware};

/// The descent of a method at `model`. The method is as before where there is none.
///
/// Only who steps the weights can recompute statistics for them.
pub(crate) fn of<M: Module, S: SharpnessAware, L: Loss<M>>(
    method: &mut S,
    model: &M,
    loss: &mut L,
    recomputes: bool,
) -> Result<Descent, Error> {
    let before = method.state().clone();
    let mut ascent = method.ascent().clone();
    if ascent.batch_norm == BatchNormStatistics::Recomputed && !recomputes {
        ascent.batch_norm = BatchNormStatistics::FirstPass;
    }
    let first = first_of(model, ascent.batch_norm);
    let mut passes = Passes {
        chosen: ascent.perturbed.of(model),
        weights: first.as_ref().unwrap_or(model),
        device: ascent.same_masks.and_then(|_| device(model)),
        rho: method.rho(),
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
    descent
}

/// One pass: a loss and its gradient, both finite.
struct Evaluated {
    loss: f64,
    gradients: GradientsParams,
    norms: Norms,
}

struct Passes<'a, M> {
    ascent: Ascent,
    chosen: Option<HashSet<ParamId>>,
    /// The model of the first pass.
    weights: &'a M,
    rho: f64,
    /// Seeded before each pass.
    device: Option<Device>,
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
        let first = self.gradient(Pass::Weights, weights, 1.0, None, |m| loss.mean(m))?;
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
        let peak = self.climb(method, weights, &first, 1.0, |m| loss.mean(m))?;
        let other = Some((&first.gradients, first.norms.gradient));
        let second = self.gradient(Pass::Peak, &peak, 1.0, other, |m| loss.mean(m))?;
        Ok(self.descent(method, weights, &first, second))
    }

    /// The mean of the descents of micro-batches (Foret et al. 2021, section 4.1).
    fn micro<S: SharpnessAware, L: Loss<M>>(
        &mut self,
        method: &mut S,
        loss: &mut L,
        size: usize,
    ) -> Result<Descent, Error> {
        let examples = loss.examples().ok_or(Error::ExamplesNotApart)?;
        let indices: Vec<usize> = (0..examples).collect();
        let weights = self.weights;
        let seed = self.seed;
        let mut sums: Option<(Evaluated, Evaluated)> = None;
        for (number, rows) in indices.chunks(size.max(1)).enumerate() {
            self.seed = seed.map(|seed| mix(seed, number as u64));
            let share = share(rows.len(), examples);
            let rows = if rows.len() == examples {
                Rows::ALL
            } else {
                Rows::some(rows)
            };
            let mut mean = |m: &M| mean_of(loss, m, rows);
            let first = self.gradient(Pass::Weights, weights, share, None, &mut mean)?;
            let peak = self.climb(method, weights, &first, share, &mut mean)?;
            let other = Some((&first.gradients, first.norms.gradient));
            let second = self.gradient(Pass::Peak, &peak, share, other, &mut mean)?;
            sums = Some(match sums {
                None => (self.share_of(first, share), self.share_of(second, share)),
                Some((a, b)) => (
                    self.plus(a, self.share_of(first, share)),
                    self.plus(b, self.share_of(second, share)),
                ),
            });
        }
        self.seed = seed;
        let Some((mut first, mut second)) = sums else {
            return Err(Error::ExamplesNotApart);
        };
        if examples > size.max(1) {
            first.norms = Norms::of(weights, &first.gradients, &self.question(None));
            let other = Some((&first.gradients, first.norms.gradient));
            second.norms = Norms::of(weights, &second.gradients, &self.question(other));
        }
        Ok(self.descent(method, weights, &first, second))
    }

    /// ESAM's passes (Du et al. 2022, algorithm 1).
    fn hardest<S: SharpnessAware, L: Loss<M>>(
        &mut self,
        method: &mut S,
        loss: &mut L,
        part: f64,
    ) -> Result<Descent, Error> {
        let weights = self.weights;
        let examples = match loss.examples() {
            Some(examples) => examples,
            None if part < 1.0 => return Err(Error::ExamplesNotApart),
            None => return self.whole(method, loss),
        };
        // Where nothing is perturbed no loss rises, and there is nothing to select by.
        let part = if self.rho > 0.0 { part } else { 1.0 };
        let mut before = Vec::new();
        let first = self.gradient(Pass::Weights, weights, 1.0, None, |m| {
            match loss.terms(m, Rows::ALL) {
                Some(terms) => {
                    before = values(&terms);
                    terms.mean()
                }
                None => loss.mean(m),
            }
        })?;
        let peak = self.climb(method, weights, &first, 1.0, |m| loss.mean(m))?;
        let other = Some((&first.gradients, first.norms.gradient));
        if part >= 1.0 {
            let second = self.gradient(Pass::Peak, &peak, 1.0, other, |m| loss.mean(m))?;
            return Ok(self.descent(method, weights, &first, second));
        }
        self.seed_device();
        self.cost.forward += 1.0;
        let after = match loss.terms(&peak, Rows::ALL) {
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
        let mut second = self.gradient(Pass::Peak, &peak, share, other, mean)?;
        second.loss = value;
        Ok(self.descent(method, weights, &first, second))
    }

    /// From w to the peak, in one step or several.
    fn climb<S: SharpnessAware>(
        &mut self,
        method: &mut S,
        weights: &M,
        first: &Evaluated,
        share: f64,
        mut loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<M, Error> {
        #[expect(clippy::cast_precision_loss, reason = "a handful of ascent steps")]
        let length = self.rho / self.ascent.steps as f64;
        let start = peak_of(weights, self.ascent.batch_norm);
        let direction = method.direction(weights, &first.gradients);
        let (along, norm) = match &direction {
            Direction::Gradient => (&first.gradients, first.norms.ascent),
            Direction::PartOf(along) => (along, first.norms.ascent),
            Direction::Along(along) => {
                let norms = Norms::of(weights, along, &self.question(None));
                (along, norms.ascent)
            }
        };
        let mut peak = self.along(along, norm, length).from(start);
        for _ in 1..self.ascent.steps {
            let there = self.gradient(Pass::Peak, &peak, share, None, &mut loss)?;
            let climb = self.along(&there.gradients, there.norms.ascent, length);
            peak = climb.from(peak);
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

    fn question<'a>(&'a self, other: Option<(&'a GradientsParams, Norm)>) -> Question<'a> {
        Question {
            scale: self.ascent.scale,
            chosen: self.chosen.as_ref(),
            other,
        }
    }

    fn seed_device(&self) {
        if let (Some(device), Some(seed)) = (&self.device, self.seed) {
            device.seed(seed);
        }
    }

    /// A forward and a backward pass over a share of the batch.
    fn gradient(
        &mut self,
        pass: Pass,
        model: &M,
        share: f64,
        other: Option<(&GradientsParams, Norm)>,
        loss: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<Evaluated, Error> {
        self.seed_device();
        self.cost.forward += share;
        let loss = loss(model);
        let value: f64 = loss.clone().inner().into_scalar();
        if !value.is_finite() {
            return Err(Error::Loss { pass, value });
        }
        self.cost.backward += share;
        let gradients = GradientsParams::from_grads(loss.backward(), model);
        // The norm at the peak is that of all parameters, and is taken of g alone.
        let question = match pass {
            Pass::Weights => self.question(other),
            Pass::Peak if self.ascent.steps > 1 && other.is_none() => self.question(None),
            Pass::Peak => Question {
                scale: crate::Scale::Unit,
                chosen: None,
                other,
            },
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

    #[expect(clippy::float_cmp, reason = "the whole batch is not scaled, no other")]
    fn share_of(&self, mut evaluated: Evaluated, share: f64) -> Evaluated {
        if share != 1.0 {
            let none = GradientsParams::new();
            let (all, none) = ((share, &evaluated.gradients), (0.0, &none));
            evaluated.gradients = combined(self.weights, all, none);
            evaluated.loss *= share;
        }
        evaluated
    }

    fn plus(&self, mut sum: Evaluated, term: Evaluated) -> Evaluated {
        let terms = ((1.0, &sum.gradients), (1.0, &term.gradients));
        sum.gradients = combined(self.weights, terms.0, terms.1);
        sum.loss += term.loss;
        sum
    }

    fn descent<S: SharpnessAware>(
        &self,
        method: &mut S,
        weights: &M,
        first: &Evaluated,
        second: Evaluated,
    ) -> Descent {
        let peak = Peak {
            loss: second.loss,
            gradient_norm: second.norms.gradient.value(),
            cosine: second.norms.cosine.unwrap_or(0.0),
        };
        let norm = first.norms.gradient.value();
        // Without a perturbation the two gradients are one, up to what the device's sums make of it.
        let gradients = if self.rho > 0.0 {
            let pair = Pair {
                at_weights: &first.gradients,
                at_peak: second.gradients,
                norm,
                peak_norm: peak.gradient_norm,
                cosine: peak.cosine,
            };
            method.combine(weights, pair)
        } else {
            second.gradients
        };
        Descent {
            gradients,
            loss: first.loss,
            gradient_norm: norm,
            rho: self.rho,
            peak: Some(peak),
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

fn mean_of<M, L: Loss<M>>(loss: &mut L, model: &M, rows: Rows<'_>) -> Tensor<1> {
    match loss.terms(model, rows) {
        Some(terms) => terms.mean(),
        None => loss.mean(model),
    }
}

/// The device of the first parameter.
fn device<M: Module>(model: &M) -> Option<Device> {
    struct First(Option<Device>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.get_or_insert_with(|| param.base().device());
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0
}
