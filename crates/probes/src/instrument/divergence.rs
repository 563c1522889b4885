//! The rule that warns before a training diverges.

/// One observation of a training, as the [`DivergenceRule`] looks at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StabilitySeen {
    /// The number of updates made so far.
    pub step: u64,
    /// The largest curvature over the threshold of stability.
    pub ratio: f64,
    /// Error of the ratio: the residual over the threshold.
    pub ratio_error: f64,
    /// The loss over the examples that are measured.
    pub loss: f64,
    /// The size of the gradient's component along the sharpest direction; NaN where it cannot be
    /// compared between steps, as in the units of a preconditioner that changes.
    pub component: f64,
}

/// A warning that a training is about to diverge, or does.
#[derive(Debug, Clone, PartialEq)]
pub struct DivergenceWarning {
    /// The sentence.
    pub text: String,
    /// The factor by which the component along the sharpest direction grew in each update, over
    /// the observations that the warning rests on; NaN where it is not known.
    pub growth: f64,
}

/// The rule that tells a training that diverges from one at the edge of stability.
///
/// Above a ratio of 1 each step along the sharpest direction is longer than the one before, by
/// `2 ratio − 1` for gradient descent on a quadratic. That alone is no harm: trainings with a
/// fixed learning rate live there. Progressive sharpening drives the ratio to 1 and somewhat
/// above; the component along the sharpest direction grows from next to nothing, until its growth
/// lowers the curvature: the ratio falls, the component shrinks, and the loss falls over long
/// times (Cohen et al. 2021, section 3; Damian et al. 2023, section 4). A ratio that stays above 1
/// with a component that grows is therefore seen in every such cycle. What tells a divergence is
/// either of:
///
/// 1. The ratio is above 2, by more than its error, at two observations in a row, and the loss or
///    the component is larger at the second. Up to a ratio of 2 (a rate of `4 / λ`) a network can
///    throw itself to a flatter place, beyond it the steps grow faster than the curvature falls
///    (Lewkowycz et al. 2020, for wide networks and the squared loss; networks of ReLU units bear
///    more, up to some 12 / λ, and then the warning is early).
/// 2. The loss has risen at each of the last four observations or more, by half in all, with ratios
///    above 1 by more than their errors, and the ratio has not fallen meanwhile: at the edge of
///    stability a rising loss and a falling ratio come together. This is the case of a model that
///    cannot flatten itself, such as one that is linear in its parameters.
///
/// In the units of a preconditioner that changes from step to step components do not compare: for
/// adaptive optimisers the loss alone counts. A training that diverges within one observation's
/// time is seen too late: observe each few steps where that matters.
///
/// It is a warning and no proof. Of seven settings at the edge of stability, five gave none in
/// three seeds; one that was observed every 3 steps gave a false one, and so did a network of ReLU
/// units with ratios up to 16, which never diverged.
///
/// # Examples
/// ```
/// use probes::instrument::{DivergenceRule, StabilitySeen};
///
/// let seen = |step, ratio, loss, component| StabilitySeen {
///     step,
///     ratio,
///     ratio_error: 0.0,
///     loss,
///     component,
/// };
/// let mut rule = DivergenceRule::default();
/// // The edge: a ratio of 1.2 with a component that grows, and a loss that falls.
/// for (step, component) in [(0, 0.1), (1, 0.11), (2, 0.12), (3, 0.13)] {
///     let loss = 1.0 - 0.01 * step as f64;
///     assert_eq!(rule.see(seen(step, 1.2, loss, component)), None);
/// }
/// // Three times the threshold: a component that grows by five in each step, before the loss
/// // shows anything.
/// assert_eq!(rule.see(seen(4, 3.0, 0.96, 0.2)), None);
/// let warning = rule.see(seen(5, 3.0, 0.95, 1.0)).expect("it diverges");
/// assert_eq!(warning.growth, 5.0);
/// ```
///
/// # References
/// Cohen, Kaur, Li, Kolter and Talwalkar (2021), *Gradient Descent on Neural Networks Typically
/// Occurs at the Edge of Stability*; Damian, Nichani and Lee (2023), *Self-Stabilization: The
/// Implicit Bias of Gradient Descent at the Edge of Stability*; Lewkowycz, Bahri, Dyer,
/// Sohl-Dickstein and Gur-Ari (2020), *The large learning rate phase of deep learning: the
/// catapult mechanism*.
#[derive(Debug, Clone, PartialEq)]
pub struct DivergenceRule {
    /// The ratio above which two observations are enough: 2 by default.
    pub beyond: f64,
    /// The observations of a rising loss in the second case, the lowest one included: 4 by
    /// default.
    pub observations: usize,
    /// The share by which the loss has to rise over these: 0.5 by default.
    pub rise: f64,
    last: Option<StabilitySeen>,
    /// The observation from which on the loss has risen, and how many there are from it on.
    foot: Option<(StabilitySeen, usize)>,
    /// Whether the last observation was warned of.
    warned: bool,
}

/// The part by which a ratio may be smaller and has not fallen: it is measured to some three
/// digits.
const SAME: f64 = 1e-3;

impl Default for DivergenceRule {
    fn default() -> Self {
        Self {
            beyond: 2.0,
            observations: 4,
            rise: 0.5,
            last: None,
            foot: None,
            warned: false,
        }
    }
}

impl DivergenceRule {
    /// Sets the ratio above which two observations are enough.
    #[must_use]
    pub fn with_beyond(self, beyond: f64) -> Self {
        Self { beyond, ..self }
    }

    /// Sets the observations of the second case.
    #[must_use]
    pub fn with_observations(self, observations: usize) -> Self {
        Self {
            observations,
            ..self
        }
    }

    /// Takes note of an observation; returns a warning at the first of a row for which the rule
    /// holds.
    pub fn see(&mut self, now: StabilitySeen) -> Option<DivergenceWarning> {
        let before = self.last.replace(now);
        let is_above = |seen: &StabilitySeen, limit: f64| seen.ratio - seen.ratio_error > limit;
        let climbs = before.is_some_and(|before| {
            is_above(&before, 1.0) && is_above(&now, 1.0) && now.loss > before.loss
        });
        let (foot, count) = match self.foot {
            Some((foot, count)) if climbs => (foot, count + 1),
            _ => (now, 1),
        };
        self.foot = Some((foot, count));
        let is_beyond = before.filter(|before| {
            is_above(before, self.beyond)
                && is_above(&now, self.beyond)
                && (now.loss > before.loss || now.component > before.component)
        });
        let has_climbed = count >= self.observations.max(2)
            && now.loss - foot.loss >= self.rise * foot.loss.abs()
            && now.ratio >= (1.0 - SAME) * foot.ratio;
        let from = is_beyond.or_else(|| has_climbed.then_some(foot));
        let is_first = !self.warned;
        self.warned = from.is_some();
        from.filter(|_| is_first).map(|from| warning(&from, &now))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of steps")]
fn warning(from: &StabilitySeen, now: &StabilitySeen) -> DivergenceWarning {
    let updates = now.step.saturating_sub(from.step).max(1) as f64;
    let growth = (now.component / from.component).powf(updates.recip());
    let growing = if growth.is_finite() {
        format!("the gradient along it grew by a factor of {growth:.3} an update, ")
    } else {
        String::new()
    };
    let text = format!(
        "the training is about to diverge: from step {} to step {} the largest curvature was {:.2} and then {:.2} times what the optimiser is stable at, {growing}and the loss went from {:.4} to {:.4}; lower the learning rate by more than that ratio",
        from.step, now.step, from.ratio, now.ratio, from.loss, now.loss
    );
    DivergenceWarning { text, growth }
}
