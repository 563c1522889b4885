//! The area between two curves.

use super::Frame;
use crate::color::Color;
use crate::drawing::geometry::Point;
use crate::drawing::{Drawing, Path};

/// Fills the area between the curves `low` and `high` over the coordinates `x`, all of one length,
/// cut at the bottom of the plot. It is interrupted where a value is not finite.
pub(crate) fn fill_band(
    drawing: &mut Drawing,
    frame: &Frame,
    x: &[f64],
    [low, high]: [&[f64]; 2],
    color: Color,
) {
    let at = |k: usize, y: f64| -> Point { frame.point(x[k], y.max(frame.y.low)) };
    let is_known = |k: &usize| low[*k].is_finite() && high[*k].is_finite();
    let mut path = Path::new();
    let mut first = 0;
    while first < x.len() {
        let end = first + (first..x.len()).take_while(is_known).count();
        if end > first + 1 {
            let upper = (first..end).map(|k| at(k, high[k]));
            let lower = (first..end).rev().map(|k| at(k, low[k]));
            path.area(&upper.chain(lower).collect::<Vec<Point>>());
        }
        first = end + 1;
    }
    drawing.area(path, color);
}
