//! The rule that warns before a training diverges.

use std::collections::VecDeque;

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
    /// The size of the gradient's component along the sharpest direction, in the units of the
    /// optimiser's preconditioner.
    pub component: f64,
}

/// A warning that a training is about to diverge, or does.
#[derive(Debug, Clone, PartialEq)]
pub struct DivergenceWarning {
    /// The sentence.
    pub text: String,
    /// The factor by which the component along the sharpest direction grew in each update, over
    /// the observations that the warning rests on.
    pub growth: f64,
}

/// The rule that tells a training that diverges from one at the edge of stability.
///
/// Above a ratio of 1 each step along the sharpest direction is longer than the one before, by
/// `2 ratio − 1` for gradient descent on a quadratic. That alone is no harm: trainings with a
/// fixed learning rate live there. Progressive sharpening drives the ratio to 1, the component
/// along the sharpest direction grows a little, and the growth itself lowers the curvature, so
/// that the ratio hovers just above 1 and the loss falls over long times (Cohen et al. 2021,
/// section 3; the mechanism is Damian et al. 2023, section 4: the curvature falls once the
/// component is large). A training that diverges has lost this: the component grows and the ratio
/// does not come back.
///
/// It warns when, at each of the last [`observations`](Self::observations),
///
/// 1. the ratio is above `1 + margin` by more than its error,
/// 2. the loss, or the component along the sharpest direction, is larger than at the observation
///    before, and
/// 3. the ratio is no smaller than at the first of them, but for its error: nothing takes the
///    curvature back.
///
/// What it does not say: a short transient at the start, in which a rate between one and two
/// thresholds throws the weights to a flatter place (the catapult of Lewkowycz et al. 2020), is
/// taken for a divergence where it lasts for so many observations. A training that diverges
/// between two observations is not seen.
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
/// // The edge: a ratio of 1.03 with a component that grows.
/// for (step, component) in [(0, 0.1), (1, 0.11), (2, 0.12), (3, 0.13)] {
///     assert_eq!(rule.see(seen(step, 1.03, 1.0, component)), None);
/// }
/// // Twice the threshold: the component triples in each step, before the loss shows anything.
/// assert_eq!(rule.see(seen(4, 2.0, 1.0, 0.2)), None);
/// assert_eq!(rule.see(seen(5, 2.0, 1.0, 0.6)), None);
/// let warning = rule.see(seen(6, 2.0, 1.0, 1.8)).expect("it diverges");
/// assert!((warning.growth - 3.0).abs() < 1e-12);
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
    /// The observations in a row that a warning needs, at least 2.
    pub observations: usize,
    /// The part above 1 in which a ratio counts as hovering at the edge.
    pub margin: f64,
    seen: VecDeque<StabilitySeen>,
    /// Whether the last observation was warned of.
    warned: bool,
}

impl Default for DivergenceRule {
    fn default() -> Self {
        Self::new(3, 0.1)
    }
}

impl DivergenceRule {
    /// Returns the rule that needs so many observations, at least 2, with ratios above
    /// `1 + margin`. The default is 3 and 0.1.
    #[must_use]
    pub fn new(observations: usize, margin: f64) -> Self {
        Self {
            observations: observations.max(2),
            margin,
            seen: VecDeque::new(),
            warned: false,
        }
    }

    /// Takes note of an observation; returns a warning at the first of a row for which the rule
    /// holds.
    pub fn see(&mut self, seen: StabilitySeen) -> Option<DivergenceWarning> {
        self.seen.push_back(seen);
        while self.seen.len() > self.observations {
            self.seen.pop_front();
        }
        let holds = self.holds();
        let is_first = holds && !self.warned;
        self.warned = holds;
        is_first.then(|| self.warning())
    }

    fn holds(&self) -> bool {
        if self.seen.len() < self.observations {
            return false;
        }
        let above = |seen: &StabilitySeen| seen.ratio - seen.ratio_error > 1.0 + self.margin;
        let pairs = || self.seen.iter().zip(self.seen.iter().skip(1));
        let rises =
            |of: fn(&StabilitySeen) -> f64| pairs().all(|(before, after)| of(after) > of(before));
        let (first, last) = (self.seen[0], self.seen[self.observations - 1]);
        let error = first.ratio_error + last.ratio_error;
        self.seen.iter().all(above)
            && (rises(|seen| seen.loss) || rises(|seen| seen.component))
            && last.ratio + error >= first.ratio
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    fn warning(&self) -> DivergenceWarning {
        let (first, last) = (self.seen[0], self.seen[self.seen.len() - 1]);
        let updates = (last.step - first.step).max(1) as f64;
        let growth = (last.component / first.component).powf(updates.recip());
        let text = format!(
            "the training is about to diverge: the largest curvature has been {:.2} to {:.2} times what the optimiser is stable at, at each of the {} observations since step {}, the component of the gradient along it grew by a factor of {growth:.3} an update, and the loss went from {:.4} to {:.4}; lower the learning rate by more than that ratio",
            self.seen
                .iter()
                .map(|s| s.ratio)
                .fold(f64::INFINITY, f64::min),
            self.seen.iter().map(|s| s.ratio).fold(0.0, f64::max),
            self.seen.len(),
            first.step,
            first.loss,
            last.loss,
        );
        DivergenceWarning { text, growth }
    }
}
