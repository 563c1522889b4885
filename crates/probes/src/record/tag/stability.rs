//! The tags of the stability of the optimiser's steps.

/// The curvature at which the optimiser loses its stability.
pub const STABILITY_THRESHOLD: &str = "stability/threshold";
/// The largest eigenvalue over that threshold.
pub const SHARPNESS_RATIO: &str = "stability/sharpness_ratio";
/// The error of that ratio.
pub const SHARPNESS_RATIO_ERROR: &str = "curvature_check/sharpness_ratio_error";
/// The largest eigenvalue as the optimiser meets it: preconditioned, with the L2 penalty.
pub const STABILITY_LAMBDA: &str = "stability/lambda_1";
/// The component of the gradient along that eigenvector.
pub const STABILITY_COMPONENT: &str = "stability/component";
/// The warning before a training diverges.
pub const STABILITY_WARNING: &str = "stability/warning";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        STABILITY_THRESHOLD => {
            "Largest curvature at which the optimiser is stable at the present learning rate; it grows as the rate falls."
        }
        SHARPNESS_RATIO => {
            "lambda_1 over the stability threshold: near 1 is the edge of stability, above it steps along the sharpest direction grow."
        }
        SHARPNESS_RATIO_ERROR => {
            "Error of stability/sharpness_ratio: some eigenvalue's ratio lies at most this far from it."
        }
        STABILITY_LAMBDA => {
            "Largest curvature as the optimiser meets it: in the units of its preconditioner for Adam, AdamW and RMSprop, with an L2 penalty added."
        }
        STABILITY_COMPONENT => {
            "Size of the gradient along the sharpest direction: it grows from step to step where the ratio stays above 1."
        }
        STABILITY_WARNING => "A warning that the training is about to diverge, with its evidence.",
        _ => return None,
    };
    Some(fixed.to_owned())
}
