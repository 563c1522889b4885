//! The quantities that are measured in a step.

use burn::optim::GradientsParams;

/// The gradient for the optimiser, and what was measured on the way.
#[derive(Debug)]
pub struct Descent {
    /// The gradient for the optimiser, by the identifiers of the parameters.
    pub gradients: GradientsParams,
    /// The quantities that were measured on the way.
    pub measured: Measures,
}

/// The quantities that are measured in a step. The step needs them itself, so that they cost
/// nothing more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// The loss `L(w)`, before the step.
    pub loss: f64,
    /// The Euclidean norm `‖g‖` of the gradient at `w` over all parameters.
    pub gradient_norm: f64,
    /// The radius of the step.
    pub rho: f64,
    /// The quantities at the peak; `None` in a step that looked for none.
    pub peak: Option<Peak>,
    /// The cost of the step without the optimiser.
    pub cost: Cost,
}

/// The quantities at the peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The loss `L(w + e)`.
    pub loss: f64,
    /// The norm of the gradient at the peak over all parameters.
    pub gradient_norm: f64,
    /// The cosine between the gradient at the peak and that at `w`; 0 where one of them is zero.
    pub cosine: f64,
}

/// A number of passes over the whole batch. A gradient is one of each.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Forward passes.
    pub forward: f64,
    /// Backward passes.
    pub backward: f64,
}

impl Measures {
    /// Returns `L(w + e) − L(w)`, the sharpness that the method descends beside the loss; `None` in
    /// a step that looked for no peak.
    #[must_use]
    pub fn ascent_gain(&self) -> Option<f64> {
        self.peak.map(|peak| peak.loss - self.loss)
    }

    /// Returns tags and values for a log: the norm of the gradient and the radius, and of a step
    /// that looked for a peak the ascent gain and the cosine of the two gradients. Values that are
    /// not finite are left out.
    pub fn scalars(&self) -> impl Iterator<Item = (&'static str, f64)> + use<> {
        let always = [
            ("sam/gradient_norm", self.gradient_norm),
            ("sam/rho", self.rho),
        ];
        let loss = self.loss;
        let at_peak = self.peak.map(|peak| {
            [
                ("sam/ascent_gain", peak.loss - loss),
                ("sam/cosine", peak.cosine),
            ]
        });
        let all = always.into_iter().chain(at_peak.into_iter().flatten());
        all.filter(|(_, value)| value.is_finite())
    }
}
