//! The ends of the spectrum.

use landscape::spectrum::{EigenPair, Which};
use landscape::{LinearOperator, top_eigenpairs};
use serde_json::{Value, json};

use super::SpectrumSettings;
use crate::engine::analysis::{Finding, Line};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, timed};
use crate::report::number::{plain_number, with_error};
use crate::report::sheet::Part;

/// Finds the largest and the smallest eigenvalues that are asked for.
pub(super) fn eigenvalues(
    operator: &dyn LinearOperator,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let watched = watch.watched(operator, None);
    let (found, seconds) = timed(|| {
        let pairs = |count, which| match count {
            0 => Ok(Vec::new()),
            count => top_eigenpairs(&watched, count, &settings.lanczos(which)),
        };
        let top = pairs(settings.top, Which::LargestAlgebraic)?;
        let bottom = pairs(settings.bottom, Which::SmallestAlgebraic)?;
        Ok::<_, landscape::Error>((top, bottom))
    });
    let (top, bottom) = found?;
    let names = (1..=top.len()).map(|index| format!("lambda_{index}"));
    let names: Vec<String> = names.chain((1..=bottom.len()).map(smallest)).collect();
    let pairs = || names.iter().zip(top.iter().chain(&bottom));
    let products = watch.products();
    Ok(Finding {
        key: "eigenvalues",
        value: json!({
            "top": top.iter().map(document).collect::<Vec<_>>(),
            "bottom": bottom.iter().map(document).collect::<Vec<_>>(),
            "products": products,
            "seconds": seconds,
        }),
        lines: pairs()
            .map(|(name, pair)| {
                let value = with_error(pair.value, pair.residual);
                let mark = if pair.converged { "" } else { " *" };
                Line::new(Part::Curvature, name.as_str(), format!("{value}{mark}"))
            })
            .collect(),
        remarks: remarks(pairs(), settings.tolerance),
        ..Finding::default()
    })
}

/// Returns the name of the smallest eigenvalue but so many.
pub(super) fn smallest(index: usize) -> String {
    match index {
        1 => "lambda_min".to_owned(),
        index => format!("lambda_min,{index}"),
    }
}

/// Returns what the reader of a table should know of eigenvalues.
fn remarks<'p>(
    pairs: impl Iterator<Item = (&'p String, &'p EigenPair)> + Clone,
    tolerance: f64,
) -> Vec<String> {
    let names = |which: fn(&EigenPair) -> bool| {
        let names = pairs.clone().filter(|(_, pair)| which(pair));
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let mut remarks = Vec::new();
    let unresolved = names(|pair| pair.below_resolution);
    if !unresolved.is_empty() {
        remarks.push(format!(
            "Not told from 0, because below the residual or the error of the products: {}.",
            unresolved.join(", ")
        ));
    }
    let open = names(|pair| !pair.converged && !pair.below_resolution);
    if !open.is_empty() {
        let steps = pairs.map(|(_, pair)| pair.steps).max().unwrap_or(0);
        remarks.push(format!(
            "* not converged: the residual is above {} of the largest after {steps} steps ({}); a larger --tolerance takes fewer.",
            plain_number(tolerance),
            open.join(", ")
        ));
    }
    remarks
}

fn document(pair: &EigenPair) -> Value {
    json!({
        "value": number(pair.value),
        "residual": number(pair.residual),
        "converged": pair.converged,
        "below_resolution": pair.below_resolution,
        "lanczos_steps": pair.steps,
    })
}
