//! The descent of a step, for each use of its batch.

use burn::module::Module;
use burn::tensor::Tensor;

use super::evaluated::{At, Mean};
use super::hardest::hardest;
use super::loss::{Forward, Loss, Rows};
use super::measures::{Descent, Measures};
use super::passes::{Caller, Passes, Start};
use crate::error::{Error, Pass};
use crate::gradient::{Carried, Question};
use crate::module::{check_weights, first_of};
use crate::random::mix;
use crate::rule::{BatchUse, Rule};

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
        Ok(descent) => Ok((descent, passes.into_carried())),
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

impl<M: Module, R: Rule> Passes<'_, M, R> {
    /// Descends on all examples together.
    pub(super) fn whole<L: Loss<M>>(&mut self, loss: &mut L) -> Result<Descent, Error> {
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
    pub(super) fn micro<L: Loss<M>>(
        &mut self,
        loss: &mut L,
        size: usize,
    ) -> Result<Descent, Error> {
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
    pub(super) fn hardest<L: Loss<M>>(
        &mut self,
        loss: &mut L,
        part: f64,
    ) -> Result<Descent, Error> {
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
