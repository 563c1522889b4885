//! The trace by random probes.

use landscape::spectrum::{Estimate, hutchinson_trace_by_block};
use serde_json::{Value, json};

use super::{SpectrumSettings, estimated};
use crate::engine::analysis::layers::{self, LayerTrace};
use crate::engine::analysis::matrix::Chosen;
use crate::engine::analysis::{Finding, Line};
use crate::engine::watch::{Watch, timed};
use crate::report::number::{plain_number, with_error};
use crate::report::sheet::Part;

/// Estimates the trace, in all and of each layer, by random probes.
pub(super) fn trace(
    chosen: &Chosen<'_>,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let layers = &chosen.layers;
    let ranges: Vec<_> = layers.iter().map(|layer| layer.range.clone()).collect();
    let config = settings.trace();
    let watched = watch.watched(&*chosen.operator, None);
    let (found, seconds) = timed(|| hutchinson_trace_by_block(&watched, &ranges, &config));
    let found = found?;
    let products = watch.products();
    let layers = layers::named(layers, &found.blocks);
    let mut value = estimated(&found.estimate);
    value["exact"] = json!(false);
    value["converged"] = json!(found.converged);
    value["below_resolution"] = json!(found.below_resolution);
    let squared = found.squared_frobenius;
    value["squared_frobenius"] = squared.as_ref().map_or(Value::Null, estimated);
    value["products"] = json!(products);
    value["seconds"] = json!(seconds);
    value["layers"] = layers.iter().map(of_layer).collect();
    let mark = if found.converged { "" } else { " *" };
    let Estimate {
        mean,
        standard_error,
        ..
    } = found.estimate;
    Ok(Finding {
        key: "trace",
        value,
        lines: [
            Some((
                "trace",
                format!("{}{mark}", with_error(mean, standard_error)),
            )),
            squared.map(|squared| {
                let cell = with_error(squared.mean, squared.standard_error);
                ("squared Frobenius norm", cell)
            }),
        ]
        .into_iter()
        .flatten()
        .map(|(label, cell)| Line::new(Part::Curvature, label, cell))
        .collect(),
        remarks: remarks(found.converged, settings, products),
        layers,
        ..Finding::default()
    })
}

/// Returns the remark on a trace that is not as exact as it was asked for.
pub(super) fn remarks(
    converged: bool,
    settings: &SpectrumSettings,
    products: usize,
) -> Vec<String> {
    if converged {
        return Vec::new();
    }
    vec![format!(
        "* The trace has not reached its error, {} of it, after {products} products.",
        plain_number(settings.trace_error)
    )]
}

/// Returns the trace of a layer in a document.
pub(super) fn of_layer(trace: &LayerTrace) -> Value {
    let mut value = estimated(&trace.estimate);
    value["layer"] = json!(trace.layer);
    value["parameters"] = json!(trace.parameters);
    value["exact"] = json!(trace.exact);
    value
}
