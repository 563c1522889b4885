//! The document of paths.

use serde_json::{Value, json};

use super::barriers::{matrix, names};
use super::connected::{Average, Connected, Course};
use crate::command::points::Named;
use crate::engine::measure_dir::{FINISHED, INTERRUPTED};
use crate::engine::measurement::number;

/// Returns the document.
pub(super) fn document(
    course: &Course<'_>,
    found: &[Connected<'_>],
    average: Option<&Average>,
    interrupted: bool,
) -> Value {
    let gathered = course.gathered;
    let models = gathered.points.iter().map(Named::document);
    let pairs = found.iter().map(|connected| {
        json!({
            "from": connected.ends[0].name,
            "to": connected.ends[1].name,
            "paths": connected.paths.iter().map(|path| path.document()).collect::<Vec<_>>(),
            "plane": connected.plane.as_ref().map(|plane| json!({
                "models": plane.models,
                "curve": plane.curve,
                "directions": plane.sampled.directions,
                "evaluation": plane.sampled.evaluation,
                "points": plane.sampled.evaluated,
                "seconds": plane.sampled.seconds,
            })),
            "failures": connected.failures,
        })
    });
    let average = average.map(|average| {
        let values = average.iter();
        let values = values.map(|(column, value)| (column.name(), number(*value)));
        Value::Object(values.collect())
    });
    let matrices = names(found).into_iter().map(|name| {
        let rows = matrix(found, name, gathered.points.len());
        let row = |row: &Vec<Option<f64>>| -> Value {
            let cells = row.iter();
            cells.map(|cell| cell.map_or(Value::Null, number)).collect()
        };
        json!({"path": name, "barrier": rows.iter().map(row).collect::<Vec<_>>()})
    });
    json!({
        "schema": course.kind.schema,
        // What failed can be begun again, and goes on from the store of the plane.
        "status": if interrupted || found.iter().any(|connected| !connected.failures.is_empty()) {
            INTERRUPTED
        } else {
            FINISHED
        },
        "settings": course.settings,
        "data": gathered.data,
        "examples": gathered.examples(),
        "models": models.collect::<Vec<_>>(),
        "pairs": pairs.collect::<Vec<_>>(),
        "average_of_the_weights": average,
        "barriers": matrices.collect::<Vec<_>>(),
    })
}
