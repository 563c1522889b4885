//! The tags of an analysis of a model.

/// The mean loss over the examples that an analysis measured.
pub const ANALYSIS_LOSS: &str = "loss/analysis";
/// The summary of an analysis.
pub const ANALYSIS_SUMMARY: &str = "analysis/summary";
/// The verdict of an analysis on the point.
pub const VERDICT: &str = "analysis/verdict";
/// The sharpness suite of an analysis, every measure with its error.
pub const SHARPNESS_SUITE: &str = "analysis/sharpness_data";
/// Certain lower bound of the number of negative eigenvalues.
pub const NEGATIVE_EIGENVALUES: &str = "curvature/negative_at_least";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        ANALYSIS_LOSS => "Mean loss over the examples that the analysis measured, dropout off.",
        ANALYSIS_SUMMARY => "What the analysis found, in ten lines.",
        VERDICT => "The kind of point that the weights stand at, and the evidence.",
        NEGATIVE_EIGENVALUES => {
            "Negative eigenvalues of the Hessian that are certain: a lower bound of the saddle's index."
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}
