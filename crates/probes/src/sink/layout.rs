//! The charts in which TensorBoard shows scalars of this crate together.

use tensorboard::{Chart, Layout, Margin};

use crate::tag;

/// Returns the charts of the page Custom Scalars: the largest eigenvalues beside the curvature at
/// which the optimiser loses its stability, and λ₁ and the trace within their errors.
///
/// # Examples
/// ```
/// let layout = probes::sink::layout();
/// let titles: Vec<_> = layout.categories[0]
///     .charts
///     .iter()
///     .map(|chart| chart.title())
///     .collect();
/// assert_eq!(
///     titles[0],
///     "largest eigenvalues and the threshold of stability"
/// );
/// ```
#[must_use]
pub fn layout() -> Layout {
    let eigenvalues = [
        // A regular expression matches from the beginning of a tag; those of layers go on.
        format!("{}[0-9]+$", tag::LAMBDA),
        format!("{}$", tag::STABILITY_THRESHOLD),
    ];
    let band = |value, [lower, upper]: [&str; 2]| [Margin::new(value, lower, upper)];
    let losses = ["loss/train$", "loss/valid$"];
    Layout::new()
        .with(
            "curvature",
            Chart::lines(
                "largest eigenvalues and the threshold of stability",
                eigenvalues,
            ),
        )
        .with(
            "curvature",
            Chart::margins(
                "lambda_1 and its residual",
                band(tag::LAMBDA_1, tag::LAMBDA_1_BAND),
            ),
        )
        .with(
            "curvature",
            Chart::margins(
                "trace and two standard errors",
                band(tag::TRACE, tag::TRACE_BAND),
            ),
        )
        .with("loss", Chart::lines("training and validation loss", losses))
}
