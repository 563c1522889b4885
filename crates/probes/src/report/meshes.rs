//! Losses from a surface in space, as [`show::surface_mesh`](crate::show::surface_mesh) makes it.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::folder::number;
use crate::record::Mesh;
use crate::{json_number, json_numbers};

/// Returns the numbers of the surface, as its instrument records them; `None` for another mesh.
///
/// The mesh has single precision, and so have the losses: off by some 10⁻⁷ of the range of the
/// surface, or of that of its logarithm.
pub(super) fn losses(mesh: &Mesh) -> Option<Json> {
    let config: Json = serde_json::from_str(&mesh.config).ok()?;
    let values = config.get("values")?;
    let end = |axis: &str, k: usize| number(values.get(axis)?.get(k)?);
    let (low, high) = (number(values.get("low")?)?, number(values.get("high")?)?);
    let logarithmic = values.get("logarithmic")?.as_bool()?;

    // Rows follow each other, and in a row x is the same.
    let first = mesh.vertices.first()?[0];
    let columns = mesh.vertices.iter().take_while(|at| at[0] == first).count();
    if columns < 2 || !mesh.vertices.len().is_multiple_of(columns) {
        return None;
    }
    let spread = |places: Vec<f64>, low: f64, high: f64| -> Option<Vec<f64>> {
        let (from, to) = (*places.first()?, *places.last()?);
        let share = places.iter().map(|place| (place - from) / (to - from));
        Some(share.map(|share| low + share * (high - low)).collect())
    };
    let rows = mesh.vertices.iter().step_by(columns);
    let a = rows.map(|at| f64::from(at[0])).collect();
    let b = mesh.vertices[..columns].iter().map(|at| f64::from(at[2]));
    let a = spread(a, end("a", 0)?, end("a", 1)?)?;
    let b = spread(b.collect(), end("b", 0)?, end("b", 1)?)?;

    // A vertex without a face: its loss is not finite, or every face there touches one that is not.
    let drawn: BTreeSet<u32> = mesh.faces.iter().flatten().copied().collect();
    let heights = || mesh.vertices.iter().map(|at| f64::from(at[1]));
    let (bottom, top) = heights().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| {
        (low.min(at), high.max(at))
    });
    let loss = (0_u32..).zip(heights()).map(|(number, height)| {
        if !drawn.contains(&number) {
            return json_number(f64::NAN);
        }
        // A flat surface has one height.
        let share = if top > bottom {
            (height - bottom) / (top - bottom)
        } else {
            0.0
        };
        json_number(match logarithmic {
            true => low * (high / low).powf(share),
            false => low + share * (high - low),
        })
    });
    Some(json!({
        "directions": "two random directions, filter-normalised",
        "a": json_numbers(&a), "b": json_numbers(&b), "loss": loss.collect::<Json>(),
    }))
}

#[cfg(test)]
mod tests {
    use landscape::{Surface, slice::Evaluation};

    use super::super::shapes::Shape;
    use super::*;
    use crate::show::surface_mesh;

    fn back(loss: Vec<f64>) -> Vec<f64> {
        let surface = Surface {
            a: vec![-1.0, 0.0, 3.0],
            b: vec![0.0, 0.5],
            loss,
            evaluation: Evaluation::Captured,
        };
        let data = losses(&surface_mesh(&surface, None).unwrap()).unwrap();
        let Some(Shape::Plane(plane)) = Shape::of(&data) else {
            panic!("a plane: {data}");
        };
        for (found, expected) in plane.a.iter().zip(&surface.a) {
            assert!((found - expected).abs() < 1e-6, "{:?}", plane.a);
        }
        assert_eq!(plane.b, surface.b);
        plane.loss
    }

    #[test]
    fn losses_come_back_to_single_precision() {
        let linear = vec![1.0, 2.0, 3.0, 4.0, 5.0, 9.5];
        let logarithmic = vec![1e-3, 2.0, 3e-2, 4.0, 500.0, 0.25];
        for loss in [linear, logarithmic] {
            for (found, expected) in back(loss.clone()).iter().zip(&loss) {
                // The height has 24 bits, and the logarithm's range is 13.
                assert!(
                    (found / expected - 1.0).abs() < 13.0 / 2_f64.powi(23),
                    "{found} {expected}"
                );
            }
        }
        assert_eq!(back(vec![2.0; 6]), [2.0; 6]);
    }

    #[test]
    fn a_loss_that_is_not_finite_stays_so() {
        let found = back(vec![1.0, 2.0, 3.0, 4.0, f64::NAN, 9.5]);
        assert!(found[4].is_nan() && found[0].is_finite());
    }

    #[test]
    fn another_mesh_has_no_losses() {
        let mesh = Mesh {
            vertices: vec![[0.0; 3]; 4],
            ..Mesh::default()
        };
        assert_eq!(losses(&mesh), None);
    }
}
