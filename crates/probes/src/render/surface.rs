//! A surface inside its frame: colours, contour lines and marks.

use super::axis::Axis;
use super::canvas::Canvas;
use super::color::{Color, HATCH, viridis};
use super::color_bar::line_color;
use super::field::{Field, UnitField};
use super::frame::Frame;
use super::geometry::hatched;
use super::isoline::isolines;
use super::legend::Mark;

/// The colour of the mark at the smallest value.
pub(crate) const MINIMUM: Color = [213, 60, 0];

/// Paints `field` over the plot of `frame`: colours by `values`, a line at each of `levels`, the border, and the marks of the centre and the minimum.
///
/// `values` is `None` when no value is finite.
pub(crate) fn paint(
    canvas: &mut Canvas,
    frame: &Frame,
    field: &Field<'_>,
    values: Option<Axis>,
    levels: &[f64],
) {
    let axis = values.unwrap_or(Axis {
        low: 0.0,
        high: 1.0,
        log: false,
    });
    let units = UnitField::new(field, frame.x, frame.y, axis);
    let plot = frame.plot;
    canvas.shade(plot, |point| {
        let value = units.sample(
            (point.0 - plot.left) / plot.width(),
            (plot.bottom - point.1) / plot.height(),
        );
        if value.is_nan() {
            HATCH[usize::from(hatched(point))]
        } else {
            viridis(value)
        }
    });
    for level in levels {
        let level = axis.unit(*level);
        let segments: Vec<_> = isolines(&units, level)
            .into_iter()
            .map(|s| s.map(|(u, v)| frame.place(u, v)))
            .collect();
        canvas.stroke(&segments, 3.0 * frame.unit, line_color(level), plot);
    }
    frame.border(canvas);
    if field.holds_zero() {
        frame.mark(canvas, Mark::Center, frame.point(0.0, 0.0));
    }
    if let Some((a, b, _)) = field.minimum().filter(|_| field.varies()) {
        frame.mark(canvas, Mark::Minimum(MINIMUM), frame.point(a, b));
    }
}
