//! The spectral density.

use landscape::{DensityConfig, LinearOperator, spectral_density};
use serde_json::json;

use super::{SpectrumSettings, estimated};
use crate::engine::analysis::{Finding, Line};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, timed};
use crate::report::number::{significant, with_error};
use crate::report::sheet::Part;

/// Measures the density from so many start vectors.
pub(super) fn density(
    operator: &dyn LinearOperator,
    starts: usize,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let config = DensityConfig::new()
        .with_seed(settings.seed)
        .with_starts(starts)
        .with_steps(settings.steps);
    let steps = settings.steps.min(operator.dim());
    let watched = watch.watched(operator, Some(starts * steps + 1));
    let (found, seconds) = timed(|| spectral_density(&watched, &config));
    let found = found?;
    let products = watch.products();
    // The first moment is the trace over the number of parameters.
    let (mean, negative) = (found.moment(1), found.mass_below(-found.sigma));
    let ends = found.nodes.first().zip(found.nodes.last());
    let (low, high) = ends.unwrap_or((&f64::NAN, &f64::NAN));
    Ok(Finding {
        key: "density",
        value: json!({
            "smallest_node": number(*low),
            "largest_node": number(*high),
            "mean_eigenvalue": estimated(&mean),
            "share_below_minus_sigma": estimated(&negative),
            "sigma": number(found.sigma),
            "products": products,
            "seconds": seconds,
        }),
        lines: vec![
            Line::new(
                Part::Curvature,
                "mean eigenvalue",
                with_error(mean.mean, mean.standard_error),
            ),
            Line::new(
                Part::Curvature,
                "smoothing sigma",
                significant(found.sigma, 2),
            ),
            Line::new(
                Part::Curvature,
                "share below -sigma",
                with_error(negative.mean, negative.standard_error),
            ),
        ],
        density: Some(found),
        ..Finding::default()
    })
}
