//! A surface inside its frame: filled contours, contour lines and marks.

use super::level_label::place;
use super::track::{MarkedPoint, Track, draw_over};
use crate::axis::{Axis, Ticks};
use crate::color::{Color, viridis};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Align, Drawing, Ends, Lettering, Path};
use crate::field::level::{areas, isolines};
use crate::field::{Field, UnitField};
use crate::layout::{Frame, Mark, line_color};

/// The colour of the mark at the smallest value.
pub(super) const MINIMUM: Color = [213, 60, 0];

/// The number of colours from the least value to the largest. Neighbours differ by at most six
/// 255ths of a channel, which the eye does not tell apart.
const BANDS: u32 = 128;

/// Lines, tracks and points over a surface.
pub(super) struct Over<'a> {
    /// The values of the contour lines, with their labels.
    pub(super) ticks: &'a Ticks,
    /// Whether the lines carry their labels.
    pub(super) labels: bool,
    /// Whether the centre and the minimum are marked.
    pub(super) marks: bool,
    pub(super) tracks: &'a [Track],
    pub(super) points: &'a [MarkedPoint],
}

/// Draws `field` over the plot of `frame`: colours by `values`, contour lines, the border, the
/// marks of the centre and the minimum, tracks and marked points.
///
/// `values` is `None` when no value is finite.
pub(super) fn draw_surface(
    drawing: &mut Drawing,
    frame: &Frame,
    field: &Field<'_>,
    values: Option<Axis>,
    over: &Over<'_>,
) {
    let axis = values.unwrap_or(Axis::UNIT);
    let units = UnitField::new(field, frame.x, frame.y, axis);
    fill(drawing, frame, &units);

    // What lies over the lines is placed first: labels go where nothing else is.
    let mut marks = Vec::new();
    if over.marks && field.holds_zero() {
        marks.push((Mark::Center, frame.point(0.0, 0.0)));
    }
    if let Some((a, b, _)) = field.minimum().filter(|_| over.marks && field.varies()) {
        marks.push((Mark::Minimum(MINIMUM), frame.point(a, b)));
    }
    let mut taken: Vec<Rect> = marks
        .iter()
        .map(|(_, at)| Rect::of_size(0.0, 0.0).moved(*at).grown(16.0 * frame.unit))
        .collect();
    let mut upper = drawing.beginning_again();
    draw_over(&mut upper, frame, (over.tracks, over.points), &mut taken);

    let (mut labels, mut count) = (Vec::new(), 0);
    for (value, text) in over.ticks.at.iter().zip(&over.ticks.labels) {
        let level = axis.unit(*value);
        let lines = isolines(&units, level);
        let mut lines: Vec<Vec<Point>> = lines.iter().map(|line| placed(frame, line)).collect();
        if over.labels {
            let ground = (frame.plot, frame.unit);
            let (found, left) = place(lines, (text, level), ground, &mut taken, &mut count);
            labels.extend(found);
            lines = left;
        }
        let mut path = Path::new();
        for line in &lines {
            path.line(line);
        }
        drawing.stroke(path, 3.0 * frame.unit, line_color(level), Ends::Round);
    }
    for label in labels {
        let style = Lettering::new(label.size, Align::Middle, Align::Middle);
        let style = style.color(label.color).turned(label.angle);
        drawing.text(&label.text, label.middle, style);
    }
    frame.border(drawing);
    for (mark, at) in marks {
        frame.mark(drawing, mark, at);
    }
    drawing.append(upper);
}

/// Fills the plot with bands of colour.
///
/// Each band is the whole area above its level, drawn over those of lower levels: so no seam shows
/// between two bands, as it would between areas side by side.
fn fill(drawing: &mut Drawing, frame: &Frame, units: &UnitField) {
    if units.values.iter().any(|value| value.is_nan()) {
        drawing.hatch(frame.plot);
    }
    for patch in units.patches() {
        let [p, q] = patch.corners.map(|(u, v)| frame.place(u, v));
        let rect = Rect {
            left: p.0.min(q.0),
            right: p.0.max(q.0),
            top: p.1.min(q.1),
            bottom: p.1.max(q.1),
        };
        drawing.fill(rect, band_color(band(patch.value)));
    }
    let finite = || units.values.iter().copied().filter(|value| !value.is_nan());
    let (Some(low), Some(high)) = (finite().reduce(f64::min), finite().reduce(f64::max)) else {
        return;
    };
    let lowest = band(low);
    let area_above = |level: f64| {
        let mut path = Path::coarse();
        for line in areas(units, level) {
            path.area(&placed(frame, &line));
        }
        path
    };
    drawing.crisp_area(area_above(low), band_color(lowest));
    for band in lowest + 1..=band(high) {
        let level = f64::from(band) / f64::from(BANDS);
        drawing.area(area_above(level), band_color(band));
    }
}

fn placed(frame: &Frame, line: &[Point]) -> Vec<Point> {
    line.iter().map(|(u, v)| frame.place(*u, *v)).collect()
}

/// Returns the number of the band of a value in `0..=1`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the number of bands"
)]
fn band(value: f64) -> u32 {
    let bands = f64::from(BANDS);
    (value * bands).floor().clamp(0.0, bands - 1.0) as u32
}

/// Returns the colour of a band: that of its middle.
fn band_color(band: u32) -> Color {
    viridis((f64::from(band) + 0.5) / f64::from(BANDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_bands_can_hardly_be_told_apart() {
        for band in 1..BANDS {
            let pair = band_color(band - 1).into_iter().zip(band_color(band));
            assert!(pair.into_iter().all(|(x, y)| x.abs_diff(y) <= 6), "{band}");
        }
        assert_eq!((band(0.0), band(1.0), band(-0.1)), (0, BANDS - 1, 0));
    }
}
