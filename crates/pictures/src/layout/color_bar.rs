//! The colour bar beside filled contours.

use super::label::{as_labelled, fitted, ticks_that_fit, widest};
use super::{MARGIN, NAME, SMALL};
use crate::axis::{Axis, Ticks};
use crate::color::{Color, viridis};
use crate::drawing::geometry::Rect;
use crate::drawing::{Align, Drawing, Ends, Lettering, Path};

/// A colour bar.
pub(crate) struct Bar {
    pub(crate) axis: Axis,
    pub(crate) ticks: Ticks,
    /// The width it needs at the right of the plot, in pixels.
    pub(crate) room: f64,
    /// The width of its labels.
    labels: f64,
}

impl Bar {
    /// Lays out a bar of about `height` pixels.
    pub(crate) fn new(height: f64, unit: f64, axis: Axis, levels: usize) -> Self {
        let fit = ticks_that_fit(height, 56.0 * unit);
        let ticks = axis.ticks(levels.clamp(2, 2 * fit));
        let labels = widest(&ticks, SMALL * unit);
        Self {
            axis,
            ticks,
            room: (20.0 + 30.0 + 10.0 + 8.0 + NAME + MARGIN) * unit + labels,
            labels,
        }
    }

    /// Draws the bar at the right of `plot`, as high as that.
    pub(crate) fn draw(&self, drawing: &mut Drawing, plot: Rect, unit: f64, name: &str) {
        let left = (plot.right + 20.0 * unit).round();
        let bar = Rect {
            left,
            right: left + 30.0 * unit,
            ..plot
        };
        if self.axis.high > self.axis.low {
            drawing.fill_with_map(bar);
        } else {
            drawing.fill(bar, viridis(0.5));
        }
        let mut free = f64::INFINITY;
        for (value, label) in self.ticks.at.iter().zip(&self.ticks.labels) {
            let level = self.axis.unit(*value);
            let at = bar.bottom - level * bar.height();
            let mut tick = Path::new();
            tick.line(&[(bar.left, at), (bar.right, at)]);
            drawing.stroke(tick, 3.0 * unit, line_color(level), Ends::Cut);
            // Labels closer than a line would overlap: the lower one stays.
            if at + 16.0 * unit < free {
                let style = Lettering::new(SMALL * unit, Align::Start, Align::Middle);
                drawing.text(label, (bar.right + 10.0 * unit, at), style);
                free = at - 16.0 * unit;
            }
        }
        drawing.outline(bar, (3.2 * unit).ceil(), drawing.theme().palette().ink);
        let scale = if self.axis.log {
            "log scale"
        } else {
            "linear scale"
        };
        let name = format!("{} ({scale})", as_labelled(name, &self.ticks));
        let (name, size) = fitted(&name, NAME * unit, plot.height() + 14.0 * unit);
        let at = (
            bar.right + 10.0 * unit + self.labels + 8.0 * unit,
            f64::midpoint(plot.top, plot.bottom),
        );
        let style = Lettering::new(size, Align::Middle, Align::Start);
        drawing.text(&name, at, style.upwards());
    }
}

/// Returns the colour of a contour line: light on the dark half of the map, dark on the light half.
pub(crate) fn line_color(level: f64) -> Color {
    if level < 0.55 {
        [235, 235, 235]
    } else {
        [60, 60, 60]
    }
}
