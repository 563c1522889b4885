//! The two gradients of a step.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::gradient::norms::Norms;
use crate::gradient::question::Question;

/// The two gradients of a step.
#[derive(Debug)]
pub struct Pair<'a> {
    /// g, at the weights.
    pub at_weights: &'a GradientsParams,
    /// The gradient at the peak.
    pub at_peak: GradientsParams,
    /// Where they have been measured already.
    pub(crate) angle: Option<Angle>,
}

/// The sizes of the two gradients and their angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Angle {
    /// ||g||.
    pub norm: f64,
    /// The norm of the gradient at the peak.
    pub peak_norm: f64,
    /// The cosine between the two; 0 where one of them is zero.
    pub cosine: f64,
}

impl Pair<'_> {
    /// The norms of the two and the cosine between them, over all parameters of the model.
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
            cosine: of_peak.cosine.unwrap_or(0.0),
        }
    }
}
