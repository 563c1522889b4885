//! Why a disagreement is none of what is measured, or is known.

use super::case::{Case, Feature};
use super::finding::{Finding, Outcome};

/// The reason for a disagreement, if there is one.
pub(super) fn explanation(case: &Case, finding: &Finding) -> Option<&'static str> {
    let wrong = matches!(
        finding.outcome,
        Outcome::Differs { .. } | Outcome::Panicked(_)
    );
    if wrong { pending(case, finding) } else { None }
}

/// Faults that are being mended. Each line goes when its fault does.
fn pending(case: &Case, finding: &Finding) -> Option<&'static str> {
    let sam = finding.what.starts_with("sam");
    let curved = finding.what.starts_with("product")
        || matches!(finding.what, "quadratic form" | "gauss-newton");
    let examples = finding.what.starts_with("examples");
    let sliced = matches!(finding.what, "line" | "plane");
    let panicked =
        |words: &str| matches!(&finding.outcome, Outcome::Panicked(text) if text.contains(words));
    let has = |feature| case.has(feature);
    Some(match () {
        () if has(Feature::Torn) => "equal ids with different values",
        () if has(Feature::FrozenCopy) => {
            "one parameter that is frozen in one place and trains in another"
        }
        () if has(Feature::InnerDerivative) => "a derivative inside the loss",
        () if has(Feature::TimeFirstUncounted) => "a batch that counts its time steps",
        () if has(Feature::BatchNormOnData) && has(Feature::BatchStatistics) => {
            "BatchNorm on the data itself uses running statistics"
        }
        () if finding.what == "examples" && has(Feature::TimeFirst) => {
            "single examples of a batch whose first axis is time"
        }
        () if curved && finding.way.is_some() && has(Feature::SinglePrecision) => {
            "differences shorter than the rounding of a part in f32"
        }
        () if sam && has(Feature::EqualIds) => "SAM with one parameter in two places",
        () if sam && panicked("requires a tracked autodiff tensor") => {
            "SAM of a loss without a gradient"
        }
        () if finding.what == "gradient" && panicked("tape has already been consumed") => {
            "several backward passes on one copy of the parameters"
        }
        () if (curved || examples) && has(Feature::Detached) => "a detached tensor",
        () if curved && has(Feature::ReadsActivation) => "an activation that is read",
        () if (curved || sliced) && has(Feature::SwallowedRead) => {
            "a read whose failure is swallowed"
        }
        () if (curved || sliced) && has(Feature::ReadsParameter) => "a parameter that is read",
        () => return None,
    })
}
