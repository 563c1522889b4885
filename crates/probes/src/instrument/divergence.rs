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
/// 2. The ratio is above 1, by more than its error, at four observations in a row, and the loss is
///    larger at each than at the one before, by a tenth in all, while the ratio has not fallen: at
///    the edge of stability a rising loss and a falling ratio come together. This is the case of a
///    model that cannot flatten itself, such as one that is linear in its parameters.
///
/// A training that diverges within one observation's time is seen too late: observe each few
/// steps where that matters.
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
    /// The observations in a row of the second case, at least 3: 4 by default.
    pub observations: usize,
    /// The share by which the loss has to rise over these: 0.1 by default.
    pub rise: f64,
    seen: VecDeque<StabilitySeen>,
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
            rise: 0.1,
            seen: VecDeque::new(),
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

    /// Sets the observations in a row of the second case, at least 3.
    #[must_use]
    pub fn with_observations(self, observations: usize) -> Self {
        Self {
            observations: observations.max(3),
            ..self
        }
    }

    /// Takes note of an observation; returns a warning at the first of a row for which the rule
    /// holds.
    pub fn see(&mut self, seen: StabilitySeen) -> Option<DivergenceWarning> {
        self.seen.push_back(seen);
        while self.seen.len() > self.observations.max(3) {
            self.seen.pop_front();
        }
        let evidence = self.evidence();
        let is_first = !self.warned;
        self.warned = evidence.is_some();
        evidence
            .filter(|_| is_first)
            .map(|count| self.warning(count))
    }

    /// Returns the number of the last observations that a warning rests on, if there is one.
    fn evidence(&self) -> Option<usize> {
        let last = |count: usize| {
            let from = self.seen.len().checked_sub(count)?;
            Some(self.seen.range(from..))
        };
        let above = |seen: &StabilitySeen, limit: f64| seen.ratio - seen.ratio_error > limit;
        if let Some(mut two) = last(2)
            && two.clone().all(|seen| above(seen, self.beyond))
            && let (Some(before), Some(after)) = (two.next(), two.next())
            && (after.loss > before.loss || after.component > before.component)
        {
            return Some(2);
        }
        let count = self.observations.max(3);
        let row = last(count)?;
        let rises = row
            .clone()
            .zip(row.clone().skip(1))
            .all(|(a, b)| b.loss > a.loss);
        let (first, now) = (row.clone().next()?, row.clone().last()?);
        let holds = row.clone().all(|seen| above(seen, 1.0))
            && rises
            && now.loss - first.loss >= self.rise * first.loss.abs()
            && now.ratio >= (1.0 - SAME) * first.ratio;
        holds.then_some(count)
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    fn warning(&self, count: usize) -> DivergenceWarning {
        let row = self.seen.range(self.seen.len() - count..);
        let (first, last) = (
            self.seen[self.seen.len() - count],
            self.seen[self.seen.len() - 1],
        );
        let updates = (last.step - first.step).max(1) as f64;
        let growth = (last.component / first.component).powf(updates.recip());
        let ratios = || row.clone().map(|seen| seen.ratio);
        let growing = if growth.is_finite() {
            format!("the gradient along it grew by a factor of {growth:.3} an update, and ")
        } else {
            String::new()
        };
        let text = format!(
            "the training is about to diverge: at each of the {count} observations since step {} the largest curvature was {:.2} to {:.2} times what the optimiser is stable at, {growing}the loss went from {:.4} to {:.4}; lower the learning rate by more than that ratio",
            first.step,
            ratios().fold(f64::INFINITY, f64::min),
            ratios().fold(0.0, f64::max),
            first.loss,
            last.loss,
        );
        DivergenceWarning { text, growth }
    }
}
