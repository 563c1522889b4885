//! The kinds of numbers behind a picture, told by their keys: a plane, a line, a spectral density.

use serde_json::Value as Json;

use super::folder::number;

/// Losses on a plane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub(super) a: Vec<f64>,
    pub(super) b: Vec<f64>,
    /// `[a.len() · b.len()]`: `loss[i · b.len() + j]` belongs to `a[i]` and `b[j]`.
    pub(super) loss: Vec<f64>,
    /// The coordinates of the training, with the step of each, where it was projected.
    pub(super) track: Vec<([f64; 2], Option<u64>)>,
    /// What spans the plane, in words; empty where the numbers do not say.
    pub(super) directions: String,
}

/// Named curves over the multiples of a direction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) a: Vec<f64>,
    pub(super) curves: Vec<(String, Vec<f64>)>,
    pub(super) direction: String,
}

/// A spectral density.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spectrum {
    pub(super) grid: Vec<f64>,
    pub(super) density: Vec<f64>,
    pub(super) nodes: Vec<f64>,
    pub(super) standard_error: Vec<f64>,
}

/// Numbers of a kind that the report draws.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Plane(Plane),
    Line(Line),
    Spectrum(Spectrum),
}

impl Shape {
    /// Returns the shape of numbers, or `None` where they are of another kind or incomplete.
    pub(super) fn of(data: &Json) -> Option<Self> {
        let list = |key: &str| numbers(data.get(key)?);
        let text = |key: &str| {
            let text = data.get(key).and_then(Json::as_str);
            text.unwrap_or_default().to_owned()
        };
        if let (Some(a), Some(b), Some(loss)) = (list("a"), list("b"), list("loss")) {
            let whole = loss.len() == a.len() * b.len() && a.len() > 1 && b.len() > 1;
            let ordered = increases(&a) && increases(&b);
            return (whole && ordered).then(|| {
                Self::Plane(Plane {
                    a,
                    b,
                    loss,
                    track: track(data),
                    directions: text("directions"),
                })
            });
        }
        if let (Some(a), Some(curves)) = (list("a"), data.get("curves").and_then(Json::as_array)) {
            let curve = |curve: &Json| {
                let name = curve.get("name")?.as_str()?.to_owned();
                let loss = numbers(curve.get("loss")?)?;
                (loss.len() == a.len()).then_some((name, loss))
            };
            let curves: Vec<_> = curves.iter().filter_map(curve).collect();
            return (!curves.is_empty() && !a.is_empty()).then(|| {
                Self::Line(Line {
                    a,
                    curves,
                    direction: text("direction"),
                })
            });
        }
        let (grid, density) = (list("grid")?, list("density")?);
        let whole = grid.len() == density.len() && grid.len() > 1 && increases(&grid);
        whole.then(|| {
            let error = list("standard_error").filter(|error| error.len() == grid.len());
            Self::Spectrum(Spectrum {
                nodes: list("nodes").unwrap_or_default(),
                standard_error: error.unwrap_or_default(),
                grid,
                density,
            })
        })
    }
}

fn numbers(value: &Json) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(number).collect()
}

fn increases(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
}

/// Returns the path of the training in a plane: `[[a, b], ..]` or `[{"a": .., "b": .., "step":
/// ..}]` under `track`, or coordinates under `points` with their `steps`.
fn track(data: &Json) -> Vec<([f64; 2], Option<u64>)> {
    let list = ["track", "path", "trajectory", "points", "checkpoints"]
        .iter()
        .find_map(|key| data.get(key).and_then(Json::as_array));
    let steps = data.get("steps").and_then(Json::as_array);
    let Some(list) = list else {
        return Vec::new();
    };
    let point = |(index, value): (usize, &Json)| {
        let at = if let Some(pair) = value.as_array() {
            [number(pair.first()?)?, number(pair.get(1)?)?]
        } else if let Some(at) = value.get("at").or_else(|| value.get("coordinates")) {
            let pair = at.as_array()?;
            [number(pair.first()?)?, number(pair.get(1)?)?]
        } else {
            [number(value.get("a")?)?, number(value.get("b")?)?]
        };
        let own = value.get("step").and_then(Json::as_u64);
        let step = own.or_else(|| steps?.get(index)?.as_u64());
        Some((at, step))
    };
    list.iter().enumerate().filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shapes_are_told_by_their_keys() {
        let plane = json!({"a": [0, 1], "b": [0, 1, 2], "loss": [1, 2, 3, 4, "NaN", "inf"],
            "track": [[0.5, 1.0], [1.0, 2.0]], "steps": [3, 9]});
        let Some(Shape::Plane(plane)) = Shape::of(&plane) else {
            panic!("a plane");
        };
        assert!(plane.loss[4].is_nan() && plane.loss[5].is_infinite());
        assert_eq!(plane.track[1], ([1.0, 2.0], Some(9)));
        let line = json!({"a": [0, 1], "curves": [{"name": "x", "loss": [1, 2]}, {"name": "y"}]});
        assert!(matches!(Shape::of(&line), Some(Shape::Line(line)) if line.curves.len() == 1));
        let density = json!({"grid": [0, 1], "density": [0.5, 0.5]});
        assert!(matches!(Shape::of(&density), Some(Shape::Spectrum(_))));
    }

    #[test]
    fn incomplete_numbers_have_no_shape() {
        for data in [
            json!({"a": [0, 1], "b": [0, 1], "loss": [1, 2, 3]}),
            json!({"a": [1, 0], "b": [0, 1], "loss": [1, 2, 3, 4]}),
            json!({"a": [0, "NaN"], "b": [0, 1], "loss": [1, 2, 3, 4]}),
            json!({"a": [0], "curves": []}),
            json!({"grid": [0, 1], "density": [1]}),
            json!([1, 2]),
            json!("text"),
        ] {
            assert_eq!(Shape::of(&data), None, "{data}");
        }
    }
}
