//! The document of a trajectory.

use probes::json_numbers;
use serde_json::{Value, json};

use super::traced::{Course, Traced};
use crate::engine::measure_dir::{FINISHED, INTERRUPTED};
use crate::engine::measurement::number;

/// The facts that document and tables say beside the trajectory.
pub(super) struct About<'a> {
    /// Trained parameters.
    pub(super) parameters: usize,
    /// Training examples of the sample.
    pub(super) examples: usize,
    /// The failures, each in a sentence.
    pub(super) failures: &'a [String],
    /// Whether somebody stopped it.
    pub(super) interrupted: bool,
}

/// Returns the document.
pub(super) fn document(
    course: &Course<'_>,
    traced: Option<&Traced<'_>>,
    about: &About<'_>,
) -> Value {
    let plan = course.run.last.plan();
    json!({
        "schema": course.kind.schema,
        // What failed can be begun again, and goes on from its store.
        "status": if about.interrupted || !about.failures.is_empty() {
            INTERRUPTED
        } else {
            FINISHED
        },
        "run": {
            "directory": course.run.directory,
            "finished": course.run.last.finished,
            "steps": course.run.steps,
        },
        "settings": {
            "centre": course.centre,
            "grid": course.grid,
            "margin": course.margin,
            "splits": course.splits,
        },
        "network": plan.subject.network_in_words(),
        "data": plan.subject.network().map(|network| &network.data),
        "examples": about.examples,
        "parameters": about.parameters,
        "results": traced.map(|traced| results(course, traced)),
        "failures": about.failures,
    })
}

fn results(course: &Course<'_>, traced: &Traced<'_>) -> Value {
    let found = &traced.trajectory;
    let checkpoints = found.checkpoints.iter().zip(&found.values);
    let checkpoints = checkpoints.zip(&course.run.steps);
    let checkpoints = checkpoints.map(|((at, values), step)| {
        let values = found.columns.iter().enumerate().map(|(place, column)| {
            json!({
                "name": column.name(),
                "true": number(values.at_checkpoint[place]),
                "in_plane": number(values.at_projection[place]),
            })
        });
        json!({
            "step": step,
            "coordinates": at.coordinates,
            "in_plane": at.in_plane,
            "out_of_plane": at.out_of_plane,
            "distance": at.distance,
            "quantities": values.collect::<Vec<_>>(),
        })
    });
    let measures = &found.measures;
    let layers = measures.layers.iter().map(|layer| {
        json!({
            "layer": layer.path,
            "norms": json_numbers(&layer.norms),
            "growth": layer.growth,
        })
    });
    json!({
        "explained": found.explained,
        "checkpoints": checkpoints.collect::<Vec<_>>(),
        "length": measures.length,
        "straight": measures.straight,
        "ratio": measures.ratio,
        "cosines": measures.cosines,
        "mean_cosine": measures.mean_cosine,
        "layers": layers.collect::<Vec<_>>(),
        "vectors_held": found.vectors,
        "directions": found.plane.directions(),
        "evaluation": found.plane.evaluation(),
        "points": traced.sampled.as_ref().map(|sampled| sampled.evaluated),
        "seconds": traced.sampled.as_ref().map(|sampled| sampled.seconds),
    })
}
