//! All eigenvalues, for a few thousand parameters.

use landscape::spectrum::{Density, Quadrature, SpectrumStatistics, dense_spectrum};
use landscape::{DensityConfig, LinearOperator};
use serde_json::json;

use super::SpectrumSettings;
use super::eigenvalues::smallest;
use crate::engine::analysis::{Finding, Line};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, timed};
use crate::report::number::significant;
use crate::report::sheet::Part;

/// Computes all eigenvalues, from as many products as there are parameters.
pub(super) fn dense(
    operator: &dyn LinearOperator,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let watched = watch.watched(operator, Some(operator.dim() + 1));
    let (found, seconds) = timed(|| dense_spectrum(&watched));
    let found = found?;
    let statistics = found.statistics;
    let SpectrumStatistics {
        min,
        max,
        mean,
        median,
        std,
        condition,
        fraction_negative,
        trace,
        determinant_sign,
        zero_tolerance,
    } = statistics;
    let all = || found.values.iter();
    let top = all().rev().take(settings.top);
    let names = (1..).map(|index| format!("lambda_{index}"));
    let mut lines: Vec<Line> = names
        .zip(top)
        .map(|(name, value)| Line::new(Part::Curvature, name, significant(*value, 6)))
        .collect();
    let bottom = (1..).map(smallest).zip(all().take(settings.bottom));
    lines.extend(
        bottom.map(|(name, value)| Line::new(Part::Curvature, name, significant(*value, 6))),
    );
    let condition_in_words = if min.abs() > zero_tolerance {
        significant(condition, 4)
    } else {
        // The smallest eigenvalue is not told from zero.
        format!("≥ {}", significant(max / zero_tolerance, 2))
    };
    let share = |share: f64| format!("{} %", significant(100.0 * share, 3));
    lines.extend(
        [
            ("trace", significant(trace, 6)),
            ("mean eigenvalue", significant(mean, 4)),
            ("median", significant(median, 4)),
            ("standard deviation", significant(std, 4)),
            ("negative", share(fraction_negative)),
            ("lambda_max / |lambda_min|", condition_in_words),
            ("zero up to", significant(zero_tolerance, 2)),
        ]
        .map(|(label, cell)| Line::new(Part::Curvature, label, cell)),
    );
    Ok(Finding {
        key: "dense",
        value: json!({
            "eigenvalues": all().map(|value| number(*value)).collect::<Vec<_>>(),
            "min": number(min),
            "max": number(max),
            "mean": number(mean),
            "median": number(median),
            "standard_deviation": number(std),
            "condition": number(condition),
            "fraction_negative": number(fraction_negative),
            "trace": number(trace),
            "determinant_sign": determinant_sign,
            "zero_tolerance": number(zero_tolerance),
            "asymmetry": number(found.asymmetry),
            "products": watch.products(),
            "seconds": seconds,
        }),
        lines,
        remarks: vec![
            "Eigenvalues of the whole matrix: their error is that of its products.".to_owned(),
        ],
        density: Some(smoothed(&found.values, operator.relative_error())?),
        ..Finding::default()
    })
}

/// Returns the density of eigenvalues that are all known.
fn smoothed(values: &[f64], relative_error: f64) -> anyhow::Result<Density> {
    let share = 1.0 / values.len() as f64;
    let all = Quadrature {
        nodes: values.to_vec(),
        weights: vec![share; values.len()],
        relative_error,
    };
    Ok(Density::of(vec![all], values.len(), &DensityConfig::new())?)
}
