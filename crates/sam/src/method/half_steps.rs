//! The two halves of a step, for loops of another shape.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::SharpnessAware;
use crate::error::{Error, Pass};
use crate::gradient::{Norms, Question, copy};
use crate::module::{check_leaves, check_places};
use crate::rule::Rule;
use crate::step::{Caller, Passes, Start};

impl<R: Rule> SharpnessAware<R> {
    /// Returns the peak: `model` with weights `w + e`, where `e = ρ T² d / ‖T d‖` along the
    /// [`direction`](Rule::direction) d. The norm is over all parameters that move and have a
    /// gradient.
    ///
    /// The peak has the parameter identifiers of `model`, its gradient flags, checkpointing
    /// strategies, reparameterisations and buffers: a gradient taken at it can be given to the
    /// optimiser together with `model`. A parameter without a gradient, or outside
    /// [`Perturbed`](crate::Perturbed), stays where it is. With `ρ = 0` or a zero gradient e is 0
    /// exactly. `model` is not changed. A gradient with an entry that is not finite gives a peak
    /// that is not finite, and the method stays as before; [`step`](Self::step) refuses it.
    ///
    /// With several ascent steps this is the first of them, of length ρ over their number; for
    /// methods that climb along the gradient the next is `ascend(&peak, &gradients_there)`. Where
    /// gradients are accumulated over micro-batches, one ascent along the accumulated gradient, and
    /// the second passes accumulated at that peak, are SAM on the whole batch; an ascent for each
    /// micro-batch is m-SAM ([`MicroBatchSam`](crate::MicroBatchSam)).
    ///
    /// A parameter that stands in several places counts once and is one leaf of the peak. After the
    /// optimiser's step such a model needs [`tie`](crate::tie).
    ///
    /// Costs a few elementwise passes over the parameters and one read from the device, far less
    /// than a gradient.
    ///
    /// # Errors
    /// Gradients that have nothing for the parameters to be moved; a model without trained
    /// parameters, or on a device without autodiff; places of one parameter that differ or are
    /// different leaves; a [`Perturbed`](crate::Perturbed) that chooses nothing; a radius that is
    /// negative or not finite. The method is then as before.
    pub fn ascend<M: Module>(
        &mut self,
        model: &M,
        gradients: &GradientsParams,
    ) -> Result<M, Error> {
        let is_tied = check_places(model)?;
        if is_tied {
            check_leaves(model)?;
        }
        let mut passes = Passes::new(self.start()?, model, model, apart(is_tied))?;
        passes.check_gradients(gradients, Pass::Weights)?;
        let (peak, norm) = passes.ascend(gradients, None);
        let carried = passes.into_carried();
        if norm.is_finite() {
            self.state.carried = carried;
        }
        Ok(peak)
    }

    /// Returns what the optimiser gets, in a loop that calls [`ascend`](Self::ascend), and counts
    /// the step.
    ///
    /// For SAM and ASAM that is the gradient at the peak as it is. `at_peak` is none in a step that
    /// does not [`look`](Self::looks) for a peak.
    ///
    /// # Errors
    /// Gradients that have nothing for the model, or at the peak nothing for the parameters that
    /// moved: their loss was that of another model. What [`ascend`](Self::ascend) refuses of the
    /// model. The method is then as before.
    pub fn descend<M: Module>(
        &mut self,
        model: &M,
        at_weights: &GradientsParams,
        at_peak: Option<GradientsParams>,
    ) -> Result<GradientsParams, Error> {
        let is_tied = check_places(model)?;
        let perturbed = &self.ascent.perturbed;
        perturbed.check_gradients(model, None, at_weights, Pass::Weights)?;
        let mut passes = Passes::new(self.start()?, model, model, apart(is_tied))?;
        let gradients = match at_peak {
            Some(at_peak) => {
                passes.check_gradients(&at_peak, Pass::Peak)?;
                passes.combine(at_weights, at_peak, None)
            }
            None => {
                let norm = Norms::of(model, at_weights, &Question::NORM).gradient;
                passes.between(copy(model, at_weights), norm)
            }
        };
        self.state.carried = passes.into_carried();
        self.state.steps += 1;
        Ok(gradients)
    }

    /// Begins a step.
    ///
    /// # Errors
    /// [`Error::Radius`].
    pub(super) fn start(&self) -> Result<Start<'_, R>, Error> {
        let rho = self.rho();
        if !(rho.is_finite() && rho >= 0.0) {
            let rate = self.state.learning_rate;
            let rate = rate.expect("only a learning rate can bring a radius out of its range");
            return Err(Error::Radius { rho, rate });
        }
        Ok(Start {
            rule: &self.rule,
            ascent: &self.ascent,
            step: self.state.steps,
            rho,
            carried: self.state.carried.clone(),
        })
    }
}

/// A caller that does not step the weights.
const fn apart(is_tied: bool) -> Caller {
    Caller {
        is_tied,
        recomputes: false,
    }
}
