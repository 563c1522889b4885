//! Contour lines by marching squares.
//!
//! Each square of four neighbouring values is cut where its bilinear interpolant crosses the level, edge by edge, with linear interpolation along
//! the edge. The two squares that allow two ways of cutting (opposite corners above) are decided by the mean of the corners.
//!
//! References: Lorensen and Cline (1987) in two dimensions.

use super::field::UnitField;
use super::geometry::Point;

/// The segments on which `field` equals `level`, in shares of the axes. Squares with a corner that is not finite have none.
pub(crate) fn isolines(field: &UnitField, level: f64) -> Vec<[Point; 2]> {
    let mut segments = Vec::new();
    for i in 1..field.a.len() {
        for j in 1..field.b.len() {
            // Corners in turn: south-west, south-east, north-east, north-west.
            let corners = [(i - 1, j - 1), (i, j - 1), (i, j), (i - 1, j)];
            let values = corners.map(|(i, j)| field.value(i, j));
            if values.iter().any(|v| v.is_nan()) {
                continue;
            }
            let crossing = |edge: usize| {
                let (from, to) = (edge, (edge + 1) % 4);
                let t = (level - values[from]) / (values[to] - values[from]);
                let place = |k: usize| (field.a[corners[k].0], field.b[corners[k].1]);
                let (p, q) = (place(from), place(to));
                (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
            };
            let above = values.map(|v| v >= level);
            let crossed: Vec<usize> = (0..4).filter(|k| above[*k] != above[(k + 1) % 4]).collect();
            match crossed[..] {
                [p, q] => segments.push([crossing(p), crossing(q)]),
                [..] if crossed.len() == 4 => {
                    let middle_above = values.iter().sum::<f64>() / 4.0 >= level;
                    // When the middle belongs with the south-west corner, the south-east and the north-west corners are cut off.
                    let pairs = if middle_above == above[0] {
                        [[0, 1], [2, 3]]
                    } else {
                        [[3, 0], [1, 2]]
                    };
                    segments.extend(pairs.map(|pair| pair.map(crossing)));
                }
                _ => {}
            }
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(n: usize, m: usize, f: impl Fn(f64, f64) -> f64) -> UnitField {
        let at = |k: usize, n: usize| k as f64 / (n - 1) as f64;
        UnitField {
            a: (0..n).map(|i| at(i, n)).collect(),
            b: (0..m).map(|j| at(j, m)).collect(),
            values: (0..n)
                .flat_map(|i| (0..m).map(move |j| (i, j)))
                .map(|(i, j)| f(at(i, n), at(j, m)))
                .collect(),
        }
    }

    #[test]
    fn isoline_of_a_paraboloid_is_the_circle() {
        let field = field(41, 33, |x, y| (x - 0.5).powi(2) + (y - 0.5).powi(2));
        let segments = isolines(&field, 0.16);
        // The chord of x^2 over an interval of length h lies at most h^2/4 above it, so the squared radius is off by at most that.
        let h: f64 = 1.0 / 32.0;
        for point in segments.iter().flatten() {
            let squared = (point.0 - 0.5).powi(2) + (point.1 - 0.5).powi(2);
            assert!((squared - 0.16).abs() <= h * h / 4.0 + 1e-12, "{point:?}");
        }
        let length: f64 = segments
            .iter()
            .map(|[p, q]| (p.0 - q.0).hypot(p.1 - q.1))
            .sum();
        assert!(
            (length - 0.8 * std::f64::consts::PI).abs() < 0.01,
            "{length}"
        );
    }

    #[test]
    fn isoline_of_a_plane_is_exact_and_not_transposed() {
        let field = field(3, 5, |x, _| x);
        let segments = isolines(&field, 0.3);
        assert_eq!(segments.len(), 4);
        assert!(segments.iter().flatten().all(|p| (p.0 - 0.3).abs() < 1e-15));
    }

    #[test]
    fn saddle_is_cut_into_two_lines_that_do_not_cross() {
        let field = field(2, 2, |x, y| if x == y { 1.0 } else { 0.0 });
        for (level, south_west_joined) in [(0.4, true), (0.6, false)] {
            let segments = isolines(&field, level);
            assert_eq!(segments.len(), 2);
            // Joined corners leave the middle of the square uncut: both lines keep to the other two corners.
            let near_other_corners = segments.iter().all(|[p, q]| {
                let middle = (f64::midpoint(p.0, q.0), f64::midpoint(p.1, q.1));
                (middle.0 < 0.5) != (middle.1 < 0.5)
            });
            assert_eq!(near_other_corners, south_west_joined, "{segments:?}");
        }
    }

    #[test]
    fn squares_with_a_missing_corner_and_constant_fields_have_no_lines() {
        assert!(isolines(&field(4, 4, |_, _| 0.5), 0.5).is_empty());
        assert!(
            isolines(
                &field(2, 2, |x, y| if x + y > 1.5 { f64::NAN } else { x }),
                0.5
            )
            .is_empty()
        );
    }
}
