//! What surrounds the data: title, legend, ticks, axis titles and border.

use super::axis::{Axis, Ticks};
use super::canvas::{Align, Canvas, Lettering};
use super::color::{Color, GRID, INK};
use super::font;
use super::geometry::{Point, Rect, dashed};
use super::legend::{Entry, Mark, draw_mark, write_legend};
use super::number::power_of_ten;
use crate::Error;

/// The names on a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// The plot and its axes.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The rectangle of the data.
    pub(crate) plot: Rect,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// One unit of all sizes: a pixel in a picture of 900 x 750.
    pub(crate) unit: f64,
    x_ticks: Ticks,
    y_ticks: Ticks,
}

impl Frame {
    /// Writes everything around the data and returns where the data go. `right` is the room kept free at the right, in pixels.
    pub(crate) fn lay_out(
        canvas: &mut Canvas,
        names: Names<'_>,
        legend: &[Entry],
        x: Axis,
        y: Axis,
        right: f64,
    ) -> Result<Self, Error> {
        let bounds = canvas.bounds();
        let unit = unit(bounds);
        let (small, large) = (26.0 * unit, 34.0 * unit);
        let margin = 14.0 * unit;

        let (title, size) = fitted(names.title, large, bounds.width() - 2.0 * margin)?;
        let mut top = margin;
        if !title.is_empty() {
            let style = Lettering::new(size, Align::Middle, Align::Start);
            canvas.text(&title, (bounds.width() / 2.0, top + 4.0 * unit), style)?;
            top += large;
        }
        top = write_legend(canvas, legend, top, unit)? + 12.0 * unit;

        let title_room = 30.0 * unit;
        let bottom = bounds.bottom - margin - title_room - (font::CAPITAL * small + 24.0 * unit);
        let y_ticks = y.ticks(ticks_that_fit(bottom - top, 2.6 * small));
        let widest = widest(&y_ticks, small)?;
        let left = margin + title_room + 8.0 * unit + widest + 14.0 * unit;

        // Fewer ticks along x until their labels stand apart.
        let mut plot = Rect {
            left,
            top,
            right: bounds.right - right.max(margin),
            bottom,
        };
        let mut x_ticks = Ticks::default();
        for wanted in (2..=7).rev() {
            x_ticks = x.ticks(wanted);
            let last = x_ticks
                .labels
                .last()
                .map_or(Ok(0.0), |label| font::width(label, small))?;
            let overhang = last / 2.0 + 4.0 * unit
                - (1.0 - x_ticks.at.last().map_or(0.0, |v| x.unit(*v))) * plot.width();
            plot.right = bounds.right - right.max(margin).max(overhang.min(bounds.width() / 5.0));
            if stand_apart(&x_ticks, x, plot.width(), small)? {
                break;
            }
        }
        if !stand_apart(&x_ticks, x, plot.width(), small)? {
            x_ticks.at.truncate(1);
            x_ticks.labels.truncate(1);
        }

        let frame = Self {
            plot,
            x,
            y,
            unit,
            x_ticks,
            y_ticks,
        };
        frame.write_axes(canvas, names, small, margin)?;
        Ok(frame)
    }

    fn write_axes(
        &self,
        canvas: &mut Canvas,
        names: Names<'_>,
        small: f64,
        margin: f64,
    ) -> Result<(), Error> {
        let (bounds, plot, unit) = (canvas.bounds(), self.plot, self.unit);
        for (value, label) in self.x_ticks.at.iter().zip(&self.x_ticks.labels) {
            let at = self.point(*value, self.y.low).0;
            canvas.fill(
                Rect {
                    left: at - unit,
                    right: at + unit,
                    top: plot.bottom,
                    bottom: plot.bottom + 9.0 * unit,
                },
                INK,
            );
            canvas.text(
                label,
                (at, plot.bottom + 16.0 * unit),
                Lettering::new(small, Align::Middle, Align::Start),
            )?;
        }
        for (value, label) in self.y_ticks.at.iter().zip(&self.y_ticks.labels) {
            let at = self.point(self.x.low, *value).1;
            canvas.fill(
                Rect {
                    left: plot.left - 9.0 * unit,
                    right: plot.left,
                    top: at - unit,
                    bottom: at + unit,
                },
                INK,
            );
            canvas.text(
                label,
                (plot.left - 14.0 * unit, at),
                Lettering::new(small, Align::End, Align::Middle),
            )?;
        }
        let size = 29.0 * unit;
        let (name, size_x) = fitted(
            &as_labelled(names.x, &self.x_ticks),
            size,
            plot.width() + margin,
        )?;
        let at = (
            (plot.left + plot.right) / 2.0,
            bounds.bottom - margin - font::DESCENT * size,
        );
        canvas.text(&name, at, Lettering::new(size_x, Align::Middle, Align::End))?;
        let (name, size_y) = fitted(
            &as_labelled(names.y, &self.y_ticks),
            size,
            plot.height() + margin,
        )?;
        let at = (margin, (plot.top + plot.bottom) / 2.0);
        canvas.text(
            &name,
            at,
            Lettering::new(size_y, Align::Middle, Align::Start).upwards(),
        )
    }

    /// The pixel of the values `x` and `y`.
    pub(crate) fn point(&self, x: f64, y: f64) -> Point {
        self.place(self.x.unit(x), self.y.unit(y))
    }

    /// The pixel at the shares `u` and `v` of the axes.
    pub(crate) fn place(&self, u: f64, v: f64) -> Point {
        (
            self.plot.left + u * self.plot.width(),
            self.plot.bottom - v * self.plot.height(),
        )
    }

    /// Thin lines at the ticks.
    pub(crate) fn grid(&self, canvas: &mut Canvas) {
        for value in &self.x_ticks.at {
            let at = self.point(*value, self.y.low).0;
            canvas.fill(
                Rect {
                    left: at - self.unit,
                    right: at + self.unit,
                    ..self.plot
                },
                GRID,
            );
        }
        for value in &self.y_ticks.at {
            let at = self.point(self.x.low, *value).1;
            canvas.fill(
                Rect {
                    top: at - self.unit,
                    bottom: at + self.unit,
                    ..self.plot
                },
                GRID,
            );
        }
    }

    /// The border, drawn after the data.
    pub(crate) fn border(&self, canvas: &mut Canvas) {
        canvas.outline(self.plot, (2.0 * self.unit).max(1.0), INK);
    }

    /// Draws `mark` at a pixel; one on the border is not cut.
    pub(crate) fn mark(&self, canvas: &mut Canvas, mark: Mark, at: Point) {
        draw_mark(
            canvas,
            mark,
            at,
            self.unit,
            self.plot.grown(14.0 * self.unit),
        );
    }

    /// A dashed line from the bottom to the top of the plot at `x`.
    pub(crate) fn upright(&self, canvas: &mut Canvas, x: f64, color: Color) {
        let at = self.point(x, self.y.low).0;
        let dashes = dashed(
            [(at, self.plot.bottom), (at, self.plot.top)],
            10.0 * self.unit,
            9.0 * self.unit,
        );
        canvas.stroke(&dashes, 2.5 * self.unit, color, self.plot);
    }
}

/// The unit of all sizes in a picture with these bounds.
pub(crate) fn unit(bounds: Rect) -> f64 {
    (bounds.width() / 900.0).min(bounds.height() / 750.0)
}

/// `text` at `size`, made smaller or cut with an ellipsis until it is at most `room` pixels wide.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> Result<(String, f64), Error> {
    let width = font::width(text, size)?;
    if width <= room {
        return Ok((text.to_owned(), size));
    }
    let size = size * (room / width).clamp(0.7, 1.0) * 0.99;
    let mut kept: String = text.to_owned();
    if font::width(&kept, size)? > room {
        // A text is cut to what can fit before it is measured letter by letter.
        kept = kept.chars().take(400).collect();
        while !kept.is_empty() && font::width(&format!("{kept}…"), size)? > room {
            kept.pop();
        }
        kept = format!("{}…", kept.trim_end());
    }
    Ok((kept, size))
}

/// The width of the widest label.
pub(crate) fn widest(ticks: &Ticks, size: f64) -> Result<f64, Error> {
    ticks.labels.iter().try_fold(0.0_f64, |widest, label| {
        Ok(widest.max(font::width(label, size)?))
    })
}

/// How many labels `each` pixels high fit into `room`.
#[expect(clippy::cast_possible_truncation, reason = "clamped to a handful")]
pub(crate) fn ticks_that_fit(room: f64, each: f64) -> usize {
    (room / each).clamp(2.0, 8.0) as usize
}

/// `name` with the number that was subtracted from the labels, or the power of ten that they were divided by.
pub(crate) fn as_labelled(name: &str, ticks: &Ticks) -> String {
    match &ticks.offset {
        None if ticks.power.is_some() => {
            format!("{name} / {}", power_of_ten(1, ticks.power.unwrap_or(0)))
        }
        Some(offset) if offset.starts_with('−') => {
            format!("{name} + {}", offset.trim_start_matches('−'))
        }
        Some(offset) => format!("{name} − {offset}"),
        None => name.to_owned(),
    }
}

fn stand_apart(ticks: &Ticks, axis: Axis, room: f64, size: f64) -> Result<bool, Error> {
    let mut end = f64::NEG_INFINITY;
    for (value, label) in ticks.at.iter().zip(&ticks.labels) {
        let (center, half) = (axis.unit(*value) * room, font::width(label, size)? / 2.0);
        if center - half < end + 0.6 * size {
            return Ok(false);
        }
        end = center + half;
    }
    Ok(true)
}
