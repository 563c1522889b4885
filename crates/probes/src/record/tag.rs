//! The tags of what probes record, and a sentence for each.
//!
//! A tag is `area/quantity`. Curves of the model stand in `loss`, `accuracy`, `gradient`,
//! `curvature`, `sharpness`, `stability`; what tells how good a number is in `curvature_check`;
//! what measuring takes in `cost`.

/// The norm of the gradient.
pub const GRADIENT_NORM: &str = "gradient/norm";
/// Before the path of a parameter: the entries of its gradient.
pub const GRADIENT_VALUES: &str = "gradient/values/";
/// Before the number of a largest eigenvalue, from 1.
pub const LAMBDA: &str = "curvature/lambda_";
/// The largest eigenvalue.
pub const LAMBDA_1: &str = "curvature/lambda_1";
/// The smallest eigenvalue.
pub const LAMBDA_MIN: &str = "curvature/lambda_min";
/// The trace of the Hessian.
pub const TRACE: &str = "curvature/trace";
/// The picture of the spectral density.
pub const DENSITY_PICTURE: &str = "curvature/density_picture";
/// The numbers of the spectral density.
pub const DENSITY_DATA: &str = "curvature/density_data";
/// Before the name of an eigenvalue and `_residual`.
pub const CHECK: &str = "curvature_check/";
/// The standard error of the trace.
pub const TRACE_STANDARD_ERROR: &str = "curvature_check/trace_standard_error";
/// The largest eigenvalue less its residual, and the largest eigenvalue plus its residual.
pub const LAMBDA_1_BAND: [&str; 2] = [
    "curvature_check/lambda_1_lower",
    "curvature_check/lambda_1_upper",
];
/// The trace less two standard errors, and the trace plus two standard errors.
pub const TRACE_BAND: [&str; 2] = ["curvature_check/trace_lower", "curvature_check/trace_upper"];
/// Products with the Hessian at a step.
pub const PRODUCTS: &str = "curvature_check/products";
/// Products that may be wrong.
pub const UNRESOLVED: &str = "curvature_check/unresolved_products";
/// The way in which products are made.
pub const METHOD: &str = "curvature_check/method";
/// Examples that are measured, where they are fewer than were given.
pub const EXAMPLES: &str = "curvature_check/examples";
/// SAM's sharpness.
pub const SAM_SHARPNESS: &str = "sharpness/sam";
/// The curvature at which the optimiser loses its stability.
pub const STABILITY_THRESHOLD: &str = "stability/threshold";
/// The largest eigenvalue over that threshold.
pub const SHARPNESS_RATIO: &str = "stability/sharpness_ratio";
/// The picture of the loss along a line.
pub const LINE: &str = "landscape/line";
/// Its numbers.
pub const LINE_DATA: &str = "landscape/line_data";
/// The picture of the loss on a plane.
pub const SURFACE: &str = "landscape/surface";
/// Its numbers.
pub const SURFACE_DATA: &str = "landscape/surface_data";
/// The same surface in space.
pub const SURFACE_MESH: &str = "landscape/surface_mesh";
/// Seconds spent in probes so far.
pub const PROBE_SECONDS: &str = "cost/probe_seconds";
/// The share of probes in the time so far.
pub const PROBE_FRACTION: &str = "cost/probe_fraction";
/// The account of each probe, at the end.
pub const ACCOUNT: &str = "cost/probes";
/// Probes that failed, were skipped or shortened, and warnings.
pub const NOTES: &str = "diagnosis/probes";

/// Returns one sentence about what stands under `tag`, for whoever looks at it; `None` for a tag
/// that is not of this crate.
#[must_use]
pub fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        GRADIENT_NORM => {
            "Euclidean norm of the gradient of the mean loss over the measured examples, all parameters together."
        }
        LAMBDA_1 => {
            "Largest eigenvalue of the Hessian of the loss: the sharpest curvature. Its error is at most the residual under curvature_check."
        }
        LAMBDA_MIN => {
            "Smallest eigenvalue of the Hessian: clearly below zero, the loss falls in some direction."
        }
        TRACE => {
            "Sum of all eigenvalues of the Hessian (Hutchinson's estimate; standard error under curvature_check)."
        }
        DENSITY_PICTURE => {
            "How the eigenvalues of the Hessian are distributed (stochastic Lanczos quadrature)."
        }
        TRACE_STANDARD_ERROR => {
            "Standard error of the trace: the true value lies within twice of it, 19 times in 20."
        }
        PRODUCTS => {
            "Products with the Hessian that were made at this step: what the curvature cost."
        }
        UNRESOLVED => {
            "Products that may be wrong, because a kink of the loss lies too close. Zero where products are exact."
        }
        METHOD => {
            "How products with the Hessian are made: exact differentiation, or differences of gradients and why."
        }
        EXAMPLES => {
            "Examples over which curvature is measured: fewer than were given, to keep to the budget."
        }
        SAM_SHARPNESS => {
            "Rise of the loss one step of length rho up the gradient. Not invariant to rescaling of ReLU layers."
        }
        STABILITY_THRESHOLD => {
            "Largest curvature at which the optimiser is stable at the present learning rate; it grows as the rate falls."
        }
        SHARPNESS_RATIO => {
            "lambda_1 over the stability threshold: near 1 is the edge of stability, above it steps along the sharpest direction grow."
        }
        LINE => "Loss along one direction through the weights.",
        SURFACE => {
            "Loss on the plane of two random, filter-normalised directions through the weights, which are at the centre."
        }
        SURFACE_MESH => {
            "The surface of landscape/surface in space: height and colour are the loss, on a logarithmic scale where it spans two decades. The contour picture has its numbers."
        }
        PROBE_SECONDS => "Seconds spent measuring so far.",
        PROBE_FRACTION => "Share of measuring in the time of the run so far, 0 to 1.",
        ACCOUNT => "What each probe measured, how often, and what it took.",
        NOTES => "Probes that failed, were shortened or left out, and warnings.",
        "loss/train" => {
            "Training loss as the program logs it: of the batch of this step, before the update, unless it says otherwise."
        }
        "loss/valid" => "Mean loss over all validation examples.",
        "accuracy/valid" => "Share of validation examples whose largest output is their label.",
        "training/learning_rate" => "Learning rate of this step.",
        "sam/ascent_gain" => {
            "Rise of the batch loss from the weights to SAM's peak: the sharpness that SAM descends."
        }
        "sam/cosine" => {
            "Cosine between the gradient at the weights and at SAM's peak: 1 where SAM changes nothing."
        }
        "sam/gradient_norm" => "Norm of the batch's gradient at the weights.",
        "sam/rho" => "Radius of SAM's ascent at this step.",
        _ => "",
    };
    if !fixed.is_empty() {
        return Some(fixed.to_owned());
    }
    if let Some(end) = LAMBDA_1_BAND.iter().position(|end| *end == tag) {
        let end = ["Lower", "Upper"][end];
        return Some(format!(
            "{end} end of lambda_1's error band: the value and its residual."
        ));
    }
    if let Some(end) = TRACE_BAND.iter().position(|end| *end == tag) {
        let end = ["Lower", "Upper"][end];
        return Some(format!(
            "{end} end of the trace's error band: the estimate and two standard errors."
        ));
    }
    if let Some(number) = tag.strip_prefix(LAMBDA) {
        return Some(format!(
            "Eigenvalue number {number} of the Hessian, by size."
        ));
    }
    if let Some(name) = tag
        .strip_prefix(CHECK)
        .and_then(|rest| rest.strip_suffix("_residual"))
    {
        return Some(format!(
            "Residual of {name}: some eigenvalue lies at most this far from the value shown under curvature."
        ));
    }
    let path = tag.strip_prefix(GRADIENT_VALUES)?;
    Some(format!(
        "Entries of the gradient of {}.",
        path.replace('/', ".")
    ))
}
