//! The colour bar beside a contour picture.

use super::axis::{Axis, Ticks};
use super::canvas::{Align, Canvas, Lettering};
use super::color::{Color, INK, viridis};
use super::frame::{MARGIN, NAME, SMALL};
use super::geometry::Rect;
use super::label::{as_labelled, fitted, ticks_that_fit, widest};
use crate::Error;

/// The colour bar.
pub(crate) struct Bar {
    pub(crate) axis: Axis,
    pub(crate) ticks: Ticks,
    /// The width it needs at the right of the plot, in pixels.
    pub(crate) room: f64,
    /// The width of its labels.
    labels: f64,
}

impl Bar {
    /// A bar of about `height` pixels.
    pub(crate) fn new(height: f64, unit: f64, axis: Axis, levels: usize) -> Result<Self, Error> {
        let fit = ticks_that_fit(height, 56.0 * unit);
        let ticks = axis.ticks(levels.clamp(2, 2 * fit));
        let labels = widest(&ticks, SMALL * unit)?;
        Ok(Self {
            axis,
            ticks,
            room: (20.0 + 30.0 + 10.0 + 8.0 + NAME + MARGIN) * unit + labels,
            labels,
        })
    }

    /// Draws the bar at the right of `plot`, as high as that.
    pub(crate) fn draw(
        &self,
        canvas: &mut Canvas,
        plot: Rect,
        unit: f64,
        name: &str,
    ) -> Result<(), Error> {
        let left = (plot.right + 20.0 * unit).round();
        let bar = Rect {
            left,
            right: left + 30.0 * unit,
            ..plot
        };
        let constant = self.axis.high <= self.axis.low;
        canvas.shade(bar, |point| {
            viridis(if constant {
                0.5
            } else {
                (bar.bottom - point.1) / bar.height()
            })
        });
        canvas.outline(bar, (3.2 * unit).ceil(), INK);
        let mut free = f64::INFINITY;
        for (value, label) in self.ticks.at.iter().zip(&self.ticks.labels) {
            let level = self.axis.unit(*value);
            let at = bar.bottom - level * bar.height();
            canvas.stroke(
                &[[(bar.left, at), (bar.right, at)]],
                3.0 * unit,
                line_color(level),
                bar,
            );
            // Labels closer than a line would overlap: the lower one stays.
            if at + 16.0 * unit < free {
                canvas.text(
                    label,
                    (bar.right + 10.0 * unit, at),
                    Lettering::new(SMALL * unit, Align::Start, Align::Middle),
                )?;
                free = at - 16.0 * unit;
            }
        }
        let scale = if self.axis.log {
            "log scale"
        } else {
            "linear scale"
        };
        let name = format!("{} ({scale})", as_labelled(name, &self.ticks));
        let (name, size) = fitted(&name, NAME * unit, plot.height() + 14.0 * unit)?;
        let at = (
            bar.right + 10.0 * unit + self.labels + 8.0 * unit,
            f64::midpoint(plot.top, plot.bottom),
        );
        canvas.text(
            &name,
            at,
            Lettering::new(size, Align::Middle, Align::Start).upwards(),
        )
    }
}

/// Light lines on the dark half of the map, dark ones on the light half.
pub(crate) fn line_color(level: f64) -> Color {
    if level < 0.55 {
        [235, 235, 235]
    } else {
        [60, 60, 60]
    }
}
