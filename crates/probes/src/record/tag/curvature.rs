//! The tags of the Hessian: its eigenvalues, trace and density, and how good these numbers are.

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
/// Before the path of a layer, with `/` for its dots: the trace of its diagonal block.
pub const LAYER_TRACE: &str = "curvature/trace/";
/// Before the path of a layer, with `/` for its dots: the largest eigenvalue of its diagonal block.
pub const LAYER_LAMBDA: &str = "curvature/lambda_1/";
/// The spectral densities of all steps so far, as a picture.
pub const DENSITY_OVER_TIME: &str = "curvature/density_over_time";
/// Their numbers.
pub const DENSITY_OVER_TIME_DATA: &str = "curvature/density_over_time_data";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
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
        DENSITY_OVER_TIME => {
            "How the distribution of the Hessian's eigenvalues changed: log density against step."
        }
        _ => return of_a_layer_or_error(tag),
    };
    Some(fixed.to_owned())
}

/// Returns a sentence about a quantity of one layer or eigenvalue, or about its error.
fn of_a_layer_or_error(tag: &str) -> Option<String> {
    if let Some(path) = tag.strip_prefix(LAYER_TRACE) {
        return Some(format!(
            "Trace of the Hessian's diagonal block of {} (Hutchinson's estimate; standard error under curvature_check).",
            path.replace('/', ".")
        ));
    }
    if let Some(path) = tag.strip_prefix(LAYER_LAMBDA) {
        return Some(format!(
            "Largest eigenvalue of the Hessian's diagonal block of {}: the sharpest curvature if only this layer moves.",
            path.replace('/', ".")
        ));
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
    if let Some(name) = tag
        .strip_prefix(CHECK)
        .and_then(|rest| rest.strip_suffix("_standard_error"))
    {
        return Some(format!("Standard error of {name}."));
    }
    None
}
