//! The frame around the data: title, legend, ticks, names of the axes and border.

use super::label::{as_labelled, fitted, stand_apart, ticks_that_fit, unit, widest};
use super::legend::{Column, Entry, Legend, Mark, draw_mark};
use super::{MARGIN, NAME, SMALL, TITLE};
use crate::axis::{Axis, Ticks};
use crate::color::{Color, Style};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Align, Drawing, Lettering, font};

/// The rows of a legend above the plot; more would leave too little height for the data.
const HEAD_ROWS: usize = 3;
/// The dashes of an upright line.
const DASHES: &[f64] = &[10.0, 9.0];

/// The names on a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// The plot and its axes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The rectangle of the data.
    pub(crate) plot: Rect,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// One unit of all sizes: a pixel in a picture of 900 x 675.
    pub(crate) unit: f64,
    x_ticks: Ticks,
    y_ticks: Ticks,
}

impl Frame {
    /// Writes everything around the data and returns the frame. `right` is the room kept free at
    /// the right, in pixels.
    pub(crate) fn lay_out(
        drawing: &mut Drawing,
        names: Names<'_>,
        legend: &[Entry],
        x: Axis,
        y: Axis,
        right: f64,
    ) -> Self {
        let bounds = drawing.bounds();
        let unit = unit(bounds);
        let (small, margin) = (SMALL * unit, MARGIN * unit);

        // A legend of many rows goes to the right of the plot, unless something else stands there.
        let rows = Legend::arrange(legend, bounds.width() - 30.0 * unit, unit);
        let beside = right <= 0.0 && rows.count() > HEAD_ROWS;
        let head = if beside { Legend::empty(unit) } else { rows };
        let top = write_head(drawing, names.title, &head, unit) + 12.0 * unit;

        let title_room = NAME * unit;
        let bottom = bounds.bottom - margin - title_room - (font::CAPITAL * small + 24.0 * unit);
        let column = if beside {
            Some(Column::arrange(
                legend,
                0.4 * bounds.width(),
                bottom - top,
                unit,
            ))
        } else {
            None
        };
        let right = column.as_ref().map_or(right, |c| c.width() + 2.0 * margin);
        let y_ticks = y.ticks(ticks_that_fit(bottom - top, 2.2 * small));
        let widest = widest(&y_ticks, small);
        let left = margin + title_room + 8.0 * unit + widest + 14.0 * unit;

        // Fewer ticks along x until their labels stand apart.
        let mut plot = Rect {
            left,
            top,
            right: bounds.right - right.max(margin),
            bottom,
        };
        let mut x_ticks = Ticks::default();
        for wanted in (2..=6).rev() {
            x_ticks = x.ticks(wanted);
            let last = x_ticks
                .labels
                .last()
                .map_or(0.0, |label| font::width(label, small));
            let overhang = last / 2.0 + 4.0 * unit
                - (1.0 - x_ticks.at.last().map_or(0.0, |v| x.unit(*v))) * plot.width();
            plot.right = bounds.right - right.max(margin).max(overhang.min(bounds.width() / 5.0));
            if stand_apart(&x_ticks, x, plot.width(), small) {
                break;
            }
        }
        if !stand_apart(&x_ticks, x, plot.width(), small) {
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
        frame.write_x_labels(drawing);
        frame.write_y_labels(drawing);
        frame.write_names(drawing, names, plot);
        if let Some(column) = column {
            column.draw(drawing, (plot.right + 1.5 * margin, plot.top));
        }
        frame
    }

    /// Returns the frame around `plot`, of which nothing is written yet.
    pub(crate) fn around(plot: Rect, x: Axis, y: Axis, unit: f64) -> Self {
        let small = SMALL * unit;
        let mut x_ticks = Ticks::default();
        for wanted in (2..=5).rev() {
            x_ticks = x.ticks(wanted);
            if stand_apart(&x_ticks, x, plot.width(), small) {
                break;
            }
        }
        let y_ticks = y.ticks(ticks_that_fit(plot.height(), 2.2 * small).min(5));
        Self {
            plot,
            x,
            y,
            unit,
            x_ticks,
            y_ticks,
        }
    }

    /// Returns the frame around `plot` with given ticks along x.
    pub(crate) fn with_x_ticks(self, x_ticks: Ticks) -> Self {
        Self { x_ticks, ..self }
    }

    /// Returns the widths in pixels of the widest labels of both axes.
    pub(crate) fn widest_labels(&self) -> [f64; 2] {
        let small = SMALL * self.unit;
        [widest(&self.x_ticks, small), widest(&self.y_ticks, small)]
    }

    /// Writes the ticks below the plot, with their labels.
    pub(crate) fn write_x_labels(&self, drawing: &mut Drawing) {
        let (plot, unit) = (self.plot, self.unit);
        let style = Lettering::new(SMALL * unit, Align::Middle, Align::Start);
        for (value, label) in self.x_ticks.at.iter().zip(&self.x_ticks.labels) {
            let at = self.point(*value, self.y.low).0;
            let tick = Rect {
                left: at - 1.5 * unit,
                right: at + 1.5 * unit,
                top: plot.bottom,
                bottom: plot.bottom + 9.0 * unit,
            };
            drawing.fill(tick, drawing.theme().palette().ink);
            drawing.text(label, (at, plot.bottom + 16.0 * unit), style);
        }
    }

    /// Writes the ticks at the left of the plot, with their labels.
    pub(crate) fn write_y_labels(&self, drawing: &mut Drawing) {
        let (plot, unit) = (self.plot, self.unit);
        let style = Lettering::new(SMALL * unit, Align::End, Align::Middle);
        for (value, label) in self.y_ticks.at.iter().zip(&self.y_ticks.labels) {
            let at = self.point(self.x.low, *value).1;
            let tick = Rect {
                left: plot.left - 9.0 * unit,
                right: plot.left,
                top: at - 1.5 * unit,
                bottom: at + 1.5 * unit,
            };
            drawing.fill(tick, drawing.theme().palette().ink);
            drawing.text(label, (plot.left - 14.0 * unit, at), style);
        }
    }

    /// Writes the names of the axes at the edges of the picture, in the middle of `area`.
    pub(crate) fn write_names(&self, drawing: &mut Drawing, names: Names<'_>, area: Rect) {
        let (bounds, unit) = (drawing.bounds(), self.unit);
        let (size, margin) = (NAME * unit, MARGIN * unit);
        let name = as_labelled(names.x, &self.x_ticks);
        let (name, size_x) = fitted(&name, size, area.width() + margin);
        let at = (
            f64::midpoint(area.left, area.right),
            bounds.bottom - margin - font::DESCENT * size,
        );
        drawing.text(&name, at, Lettering::new(size_x, Align::Middle, Align::End));
        let name = as_labelled(names.y, &self.y_ticks);
        let (name, size_y) = fitted(&name, size, area.height() + margin);
        let at = (margin, f64::midpoint(area.top, area.bottom));
        let style = Lettering::new(size_y, Align::Middle, Align::Start).upwards();
        drawing.text(&name, at, style);
    }

    /// Returns the pixel of the values `x` and `y`.
    pub(crate) fn point(&self, x: f64, y: f64) -> Point {
        self.place(self.x.unit(x), self.y.unit(y))
    }

    /// Returns the pixel at the shares `u` and `v` of the axes.
    pub(crate) fn place(&self, u: f64, v: f64) -> Point {
        (
            self.plot.left + u * self.plot.width(),
            self.plot.bottom - v * self.plot.height(),
        )
    }

    /// Draws thin lines at the ticks.
    pub(crate) fn grid(&self, drawing: &mut Drawing) {
        for value in &self.x_ticks.at {
            let at = self.point(*value, self.y.low).0;
            drawing.fill(
                Rect {
                    left: at - 1.5 * self.unit,
                    right: at + 1.5 * self.unit,
                    ..self.plot
                },
                drawing.theme().palette().grid,
            );
        }
        for value in &self.y_ticks.at {
            let at = self.point(self.x.low, *value).1;
            drawing.fill(
                Rect {
                    top: at - 1.5 * self.unit,
                    bottom: at + 1.5 * self.unit,
                    ..self.plot
                },
                drawing.theme().palette().grid,
            );
        }
    }

    /// Draws the border. It is drawn after the data, whose strokes end below it.
    pub(crate) fn border(&self, drawing: &mut Drawing) {
        drawing.outline(
            self.plot,
            (3.2 * self.unit).ceil(),
            drawing.theme().palette().ink,
        );
    }

    /// Draws `mark` at a pixel.
    pub(crate) fn mark(&self, drawing: &mut Drawing, mark: Mark, at: Point) {
        draw_mark(drawing, mark, at, self.unit);
    }

    /// Draws a dashed line from the bottom to the top of the plot at `x`.
    pub(crate) fn upright(&self, drawing: &mut Drawing, x: f64, color: Color) {
        let at = self.point(x, self.y.low).0;
        let line = [(at, self.plot.bottom), (at, self.plot.top)];
        let style = Style {
            color,
            dashes: DASHES,
        };
        drawing.line(&line, style, 3.5 * self.unit, self.unit);
    }
}

/// Writes title and legend at the top of the picture and returns where they end.
pub(crate) fn write_head(drawing: &mut Drawing, title: &str, legend: &Legend, unit: f64) -> f64 {
    let (width, margin) = (drawing.bounds().width(), MARGIN * unit);
    let mut top = margin;
    if !title.is_empty() {
        let (title, size) = fitted(title, TITLE * unit, width - 2.0 * margin);
        let style = Lettering::new(size, Align::Middle, Align::Start);
        drawing.text(&title, (width / 2.0, top + 4.0 * unit), style);
        top += TITLE * unit;
    }
    legend.draw(drawing, top);
    top + legend.height()
}

/// Returns the height in pixels of what [`write_head`] writes.
pub(crate) fn head_height(title: &str, legend: &Legend, unit: f64) -> f64 {
    let title = if title.is_empty() { 0.0 } else { TITLE * unit };
    MARGIN * unit + title + legend.height()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;
    use crate::drawing::tests::Pixels;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the picture")]
    fn letters_and_minus_signs_survive_in_a_thumbnail_of_300_pixels() {
        let mut drawing = Drawing::new(640, 480, Theme::Light).unwrap();
        let axis = Axis {
            low: -1.0,
            high: 1.0,
            log: false,
        };
        let names = Names {
            title: "surface",
            x: "a",
            y: "b",
        };
        let frame = Frame::lay_out(&mut drawing, names, &[], axis, axis, 0.0);
        assert_eq!(frame.x_ticks.labels[0], "−1.0");
        let picture = Pixels::of(&drawing.into_svg(""));
        let size = SMALL * frame.unit;
        // The sign is the first part of the label, which stands in the middle below its tick.
        let left = frame.plot.left - font::width("−1.0", size) / 2.0;
        let sign = font::width("−", size);
        let top = frame.plot.bottom + 16.0 * frame.unit;
        // The Images page is 346 pixels wide in a window of 1440, and leaves rows and columns out.
        for width in 300..=346 {
            let scale = 640.0 / f64::from(width);
            // Capitals of five pixels are about the least that can be read.
            assert!(font::CAPITAL * size / scale > 6.0);
            let column = left + 0.5 * sign;
            let rows = 0..(480.0 / scale) as u32;
            let rows = rows.map(|row| (f64::from(row) + 0.5) * scale);
            let label = rows.filter(|y| (top..top + font::CAPITAL * size).contains(y));
            let grey = label.map(|y| picture.at((column, y)));
            let darkest = grey.map(|color| color[0]).fold(255, u8::min);
            // Half of the way from white to ink.
            assert!(
                u16::from(darkest) < (255 + u16::from(Theme::Light.palette().ink[0])) / 2,
                "{darkest} at {width}"
            );
        }
    }
}
