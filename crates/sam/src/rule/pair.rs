//! The two gradients of a step.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::gradient::{Norms, Question, combined};

/// The two gradients of a step.
#[derive(Debug)]
pub struct Pair<'a> {
    /// The gradient `g` at the weights.
    pub at_weights: &'a GradientsParams,
    /// The gradient `g(w + e)` at the peak.
    pub at_peak: GradientsParams,
    /// The angle between them, where it has been measured already.
    pub(crate) angle: Option<Angle>,
}

/// The sizes of the two gradients of a step and the angle between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Angle {
    /// The norm `‖g‖` of the gradient at the weights.
    pub norm: f64,
    /// The norm `‖g(w + e)‖` of the gradient at the peak.
    pub peak_norm: f64,
    /// The cosine between the two; 0 where one of them is zero.
    pub cosine: f64,
}

impl Pair<'_> {
    /// Returns the norms of the two gradients and the cosine between them, over all parameters of
    /// the model.
    ///
    /// In a step it has been measured already. In a loop that calls
    /// [`descend`](crate::SharpnessAware::descend) it costs two passes over the parameters.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the question asks for the cosine"
    )]
    pub fn angle<M: Module>(&self, model: &M) -> Angle {
        if let Some(angle) = self.angle {
            return angle;
        }
        let norm = Norms::of(model, self.at_weights, &Question::NORM).gradient;
        let question = Question::beside(self.at_weights, norm);
        let of_peak = Norms::of(model, &self.at_peak, &question);
        Angle {
            norm: norm.value(),
            peak_norm: of_peak.gradient.value(),
            cosine: of_peak.cosine.expect("the question asks for the cosine"),
        }
    }

    /// Returns `a g + b g(w + e)` for the parameters of the model. A gradient that one of the two
    /// lacks is zero there.
    pub fn combined<M: Module>(&self, model: &M, a: f64, b: f64) -> GradientsParams {
        combined(model, (b, &self.at_peak), (a, self.at_weights))
    }
}
