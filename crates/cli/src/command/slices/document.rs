//! The document of slices.

use serde_json::{Value, json};

use super::measured::{Course, Measured};
use super::sampled::{Extreme, Sampled};
use super::table::MULTIPLE;
use crate::engine::measure_dir::{FINISHED, INTERRUPTED};
use crate::engine::measurement::number;
use crate::engine::slices::Figure;

/// Returns the document.
pub(super) fn document<const D: usize>(
    course: &Course<'_>,
    found: &[Measured<'_, D>],
    interrupted: bool,
) -> Value {
    let slices = found.iter().map(|measured| {
        json!({
            "name": measured.target.name,
            "models": measured.target.models.iter().map(|named| named.document()).collect::<Vec<_>>(),
            "results": measured.sampled.as_ref().map(results),
            "failures": measured.failures,
        })
    });
    json!({
        "schema": course.kind.schema,
        // What failed can be begun again, and goes on from its store.
        "status": if interrupted || found.iter().any(|measured| measured.sampled.is_none()) {
            INTERRUPTED
        } else {
            FINISHED
        },
        "settings": course.settings,
        "data": course.gathered.data,
        "examples": course.gathered.examples(),
        "slices": slices.collect::<Vec<_>>(),
    })
}

fn results<const D: usize>(sampled: &Sampled<D>) -> Value {
    let quantities = sampled.columns.iter().enumerate().map(|(place, column)| {
        json!({
            "name": column.name(),
            "split": column.split,
            "quantity": column.figure,
            "centre": extreme(Some(sampled.centre(place))),
            "lowest": extreme(sampled.lowest(place)),
            "highest": extreme(sampled.highest(place)),
            "share_above_twice_the_centre": (column.figure == Figure::Loss)
                .then(|| sampled.share_above(place, MULTIPLE)),
            "not_finite": sampled.not_finite(place),
        })
    });
    let ends = sampled
        .axes
        .iter()
        .map(|axis| [axis.first().copied(), axis.last().copied()]);
    json!({
        "directions": sampled.directions,
        "evaluation": sampled.evaluation,
        "ranges": ends.collect::<Vec<_>>(),
        "grid": sampled.axes.iter().map(Vec::len).collect::<Vec<_>>(),
        "evaluated": sampled.evaluated,
        "evaluated_earlier": sampled.stored,
        "refinement_error": sampled.error,
        "quantities": quantities.collect::<Vec<_>>(),
        "seconds": sampled.seconds,
    })
}

fn extreme<const D: usize>(extreme: Option<Extreme<D>>) -> Value {
    extreme.map_or(
        Value::Null,
        |extreme| json!({"value": number(extreme.value), "at": extreme.at.to_vec()}),
    )
}
