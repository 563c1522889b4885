//! What the passes of a step give and what they measure.

use burn::optim::GradientsParams;

/// What the optimiser gets, and what was measured on the way, which cost nothing beside it.
#[derive(Debug)]
pub struct Descent {
    /// The gradient for the optimiser, by the identifiers of the parameters.
    pub gradients: GradientsParams,
    /// L(w).
    pub loss: f64,
    /// ||g||, the Euclidean norm of the gradient at w over all parameters.
    pub gradient_norm: f64,
    /// The radius of this step.
    pub rho: f64,
    /// What was found at the peak; `None` in a step that looked for none.
    pub peak: Option<Peak>,
    /// What the step cost.
    pub cost: Cost,
}

/// What was found at the peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// L(w + e). Less L(w) it is the ascent gain, the sharpness that the method descends beside the
    /// loss.
    pub loss: f64,
    /// The norm of the gradient at the peak over all parameters.
    pub gradient_norm: f64,
    /// Its cosine with the gradient at w; 0 where one of them is zero.
    pub cosine: f64,
}

/// Passes over the whole batch: a gradient is one of each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Forward passes.
    pub forward: f64,
    /// Backward passes.
    pub backward: f64,
}

/// The figures of a step by tag, those that are numbers.
pub(crate) fn scalars(
    loss: f64,
    gradient_norm: f64,
    rho: f64,
    peak: Option<Peak>,
) -> impl Iterator<Item = (&'static str, f64)> {
    let always = [("sam/gradient_norm", gradient_norm), ("sam/rho", rho)];
    let at_peak = peak.map(|peak| {
        [
            ("sam/ascent_gain", peak.loss - loss),
            ("sam/cosine", peak.cosine),
        ]
    });
    let all = always.into_iter().chain(at_peak.into_iter().flatten());
    all.filter(|(_, value)| value.is_finite())
}
