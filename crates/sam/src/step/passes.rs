//! The passes of one step: gradients, the ascent between them, and what the optimiser gets.

use std::collections::HashSet;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Device;

use super::backward;
use super::evaluated::{At, Evaluated};
use super::loss::Forward;
use super::measures::{Cost, Descent, Measures, Peak};
use crate::ascent::{Ascent, Climb};
use crate::error::{Error, Pass};
use crate::gradient::{Carried, Norm, Norms, Question};
use crate::module::{BatchNormStatistics, peak_of, tied};
use crate::random::mix;
use crate::rule::{Angle, Pair, Rule, StepContext};

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

/// The passes of one step, as far as they have come.
pub(crate) struct Passes<'a, M, R> {
    pub(super) rule: &'a R,
    ascent: &'a Ascent,
    batch_norm: BatchNormStatistics,
    chosen: Option<HashSet<ParamId>>,
    /// The model that the caller has.
    live: &'a M,
    /// The model of the first pass.
    pub(super) weights: &'a M,
    /// Whether some parameter stands in several places.
    is_tied: bool,
    pub(super) step: u64,
    pub(super) rho: f64,
    carried: Carried,
    /// The devices that are seeded before each pass.
    devices: Vec<Device>,
    pub(super) seed: Option<u64>,
    pub(super) cost: Cost,
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

    /// Goes from w to the peak, in one step or several.
    pub(super) fn climb(
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

    /// Seeds the devices, for the same dropout masks in every pass.
    pub(super) fn seed_device(&self) {
        if let Some(seed) = self.seed {
            for device in &self.devices {
                device.seed(seed);
            }
        }
    }

    /// Makes a forward and a backward pass over a share of the batch.
    pub(super) fn gradient(
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
    pub(super) fn descend(&mut self, first: &Evaluated, second: Evaluated) -> Descent {
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
