//! The result of a pass, and the mean of several.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::error::Pass;
use crate::gradient::{Norms, Question, combined};

/// The result of one pass: a loss and its gradient, both finite.
pub(crate) struct Evaluated {
    pub(crate) loss: f64,
    pub(crate) gradients: GradientsParams,
    pub(crate) norms: Norms,
}

impl Evaluated {
    /// Asks for the norm of another gradient, and for its angle with this one.
    pub(crate) fn beside(&self) -> Question<'_> {
        Question::beside(&self.gradients, self.norms.gradient)
    }
}

/// The place where a gradient is taken.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// At the weights.
    Weights,
    /// Between the steps of an ascent.
    Climbing,
    /// At the peak; with the gradient at the weights, if the angle between the two is wanted.
    Peak(Option<&'a Evaluated>),
}

impl At<'_> {
    /// Returns the pass as errors name it.
    pub(crate) const fn pass(self) -> Pass {
        match self {
            Self::Weights => Pass::Weights,
            Self::Climbing | Self::Peak(_) => Pass::Peak,
        }
    }
}

/// The mean of the gradients of micro-batches, as far as it has been added up.
#[derive(Default)]
pub(crate) struct Mean {
    loss: f64,
    gradients: GradientsParams,
}

impl Mean {
    /// Adds the share of the batch that one micro-batch is.
    pub(crate) fn add<M: Module>(&mut self, model: &M, share: f64, part: &Evaluated) {
        self.loss += share * part.loss;
        let (sum, part) = ((1.0, &self.gradients), (share, &part.gradients));
        self.gradients = combined(model, sum, part);
    }

    /// Returns the mean with its norms.
    pub(crate) fn evaluated<M: Module>(self, model: &M, question: &Question<'_>) -> Evaluated {
        Evaluated {
            norms: Norms::of(model, &self.gradients, question),
            loss: self.loss,
            gradients: self.gradients,
        }
    }
}
