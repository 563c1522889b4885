//! The legend, and the signs that it explains.

use super::label::fitted;
use crate::color::{BLACK, Color, Style, WHITE, viridis};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Align, Drawing, Ends, Lettering, Path, font};

/// A sign in the picture that the legend explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mark {
    /// A curve.
    Line(Style),
    /// A dashed straight line.
    Dashes(Color),
    /// A short upright stroke.
    Stroke(Color),
    /// The centre: a white plus with a dark border.
    Center,
    /// The smallest value: a disc with a white ring.
    Minimum(Color),
    /// Values that are not finite.
    Hatching,
    /// The height at which a surface is cut: a bowl without its top.
    Cut,
    /// The path of a training over a surface, its first and its last point.
    Track(Color),
    Begin(Color),
    End(Color),
    /// A point with a name.
    Point,
    /// A filled area.
    Area(Color),
}

/// A line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) mark: Mark,
    pub(crate) text: String,
}

impl Entry {
    pub(crate) fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self {
            mark,
            text: text.into(),
        }
    }

    /// Returns the entry that counts which of `values` are not finite, when there are any.
    pub(crate) fn not_finite<'a>(values: impl IntoIterator<Item = &'a f64>) -> Option<Self> {
        let (mut count, mut total) = (0, 0);
        for value in values {
            count += usize::from(!value.is_finite());
            total += 1;
        }
        (count > 0).then(|| {
            Self::new(
                Mark::Hatching,
                format!("not finite: {count} of {total} points"),
            )
        })
    }
}

/// The largest number of rows; entries beyond are counted.
const LEGEND_ROWS: usize = 6;
/// The size of the letters, in units of the picture.
const SIZE: f64 = 32.0;
/// The height of a row, the room for a sign and the gap between entries, in units of the picture.
const ROW: f64 = 42.0;
const SIGN: f64 = 62.0;
const GAP: f64 = 26.0;

/// A legend above the plot: entries in rows, with the size and the width of each in pixels.
pub(crate) struct Legend {
    rows: Vec<Vec<(Entry, f64, f64)>>,
    /// The number of entries that had no room.
    left_out: usize,
    unit: f64,
}

impl Legend {
    /// Arranges `entries` in rows that are at most `room` pixels wide.
    pub(crate) fn arrange(entries: &[Entry], room: f64, unit: f64) -> Self {
        let (sign, gap) = (SIGN * unit, GAP * unit);
        let mut rows: Vec<Vec<(Entry, f64, f64)>> = Vec::new();
        let mut used = f64::INFINITY;
        for (index, entry) in entries.iter().enumerate() {
            let (text, size) = fitted(&entry.text, SIZE * unit, room - sign);
            let width = sign + font::width(&text, size);
            if used + gap + width > room {
                if rows.len() == LEGEND_ROWS {
                    let left_out = entries.len() - index;
                    return Self {
                        rows,
                        left_out,
                        unit,
                    };
                }
                rows.push(Vec::new());
                used = -gap;
            }
            used += gap + width;
            let row = rows.last_mut().expect("the first entry begins a row");
            row.push((Entry::new(entry.mark, text), size, width));
        }
        Self {
            rows,
            left_out: 0,
            unit,
        }
    }

    /// Returns a legend without entries.
    pub(crate) fn empty(unit: f64) -> Self {
        Self {
            rows: Vec::new(),
            left_out: 0,
            unit,
        }
    }

    /// Counts the rows.
    pub(crate) fn count(&self) -> usize {
        self.rows.len() + usize::from(self.left_out > 0)
    }

    /// Returns the height in pixels.
    pub(crate) fn height(&self) -> f64 {
        ROW * self.unit * self.count() as f64
    }

    /// Writes the rows, each in the middle of the picture, from `top` down.
    pub(crate) fn draw(&self, drawing: &mut Drawing, top: f64) {
        let (bounds, unit) = (drawing.bounds(), self.unit);
        let mut y = top + ROW * unit / 2.0;
        for row in &self.rows {
            let gaps = GAP * unit * (row.len() as f64 - 1.0);
            let width = row.iter().map(|(.., width)| width).sum::<f64>() + gaps;
            let mut x = (bounds.width() - width) / 2.0;
            for (entry, size, width) in row {
                let at = (x + 24.0 * unit, y);
                draw_mark(drawing, entry.mark, at, unit);
                let style = Lettering::new(*size, Align::Start, Align::Middle);
                drawing.text(&entry.text, (x + SIGN * unit, y), style);
                x += width + GAP * unit;
            }
            y += ROW * unit;
        }
        if self.left_out > 0 {
            let style = Lettering::new(SIZE * unit, Align::Middle, Align::Middle)
                .color(drawing.theme().palette().muted);
            let rest = format!("… and {} more", self.left_out);
            drawing.text(&rest, (bounds.width() / 2.0, y), style);
        }
    }
}

/// Rounds a number of rows down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a handful"
)]
fn whole(rows: f64) -> usize {
    rows.clamp(0.0, 1000.0) as usize
}

/// A legend beside the plot: entries one below the other.
pub(crate) struct Column {
    entries: Vec<(Entry, f64)>,
    /// The number of entries that had no room.
    left_out: usize,
    /// The height of a row in pixels.
    row: f64,
    width: f64,
    unit: f64,
}

/// The height of the lowest row that can be read, in units of the picture.
const SMALLEST_ROW: f64 = 22.0;

impl Column {
    /// Arranges `entries` in a column at most `room` wide and `height` high, in pixels.
    pub(crate) fn arrange(entries: &[Entry], room: f64, height: f64, unit: f64) -> Self {
        let row = (height / entries.len() as f64).clamp(SMALLEST_ROW * unit, ROW * unit);
        // A sliver less keeps rounding from taking a row away that was measured to fit.
        let rows = whole(height / row + 1e-6);
        let shown = if entries.len() > rows {
            rows.max(1) - 1
        } else {
            entries.len()
        };
        let size = row * SIZE / ROW;
        let mut width = 0.0_f64;
        let mut fitting = Vec::new();
        for entry in &entries[..shown] {
            let (text, size) = fitted(&entry.text, size, room - SIGN * unit);
            width = width.max(SIGN * unit + font::width(&text, size));
            fitting.push((Entry::new(entry.mark, text), size));
        }
        Self {
            entries: fitting,
            left_out: entries.len() - shown,
            row,
            width: width.max(0.25 * room),
            unit,
        }
    }

    /// Returns the width in pixels.
    pub(crate) fn width(&self) -> f64 {
        self.width
    }

    /// Writes the column from a top left corner down.
    pub(crate) fn draw(&self, drawing: &mut Drawing, (left, top): Point) {
        let unit = self.unit;
        let mut y = top + self.row / 2.0;
        for (entry, size) in &self.entries {
            draw_mark(drawing, entry.mark, (left + 24.0 * unit, y), unit);
            let style = Lettering::new(*size, Align::Start, Align::Middle);
            drawing.text(&entry.text, (left + SIGN * unit, y), style);
            y += self.row;
        }
        if self.left_out > 0 {
            let style = Lettering::new(self.row * SIZE / ROW, Align::Start, Align::Middle);
            let rest = format!("… {} more", self.left_out);
            drawing.text(
                &rest,
                (left, y),
                style.color(drawing.theme().palette().muted),
            );
        }
    }
}

/// Draws a sign in the middle of a point.
pub(crate) fn draw_mark(drawing: &mut Drawing, mark: Mark, (x, y): Point, unit: f64) {
    let half = 21.0 * unit;
    let level = [(x - half, y), (x + half, y)];
    let swatch = Rect {
        left: x - half,
        right: x + half,
        top: y - 10.0 * unit,
        bottom: y + 10.0 * unit,
    };
    match mark {
        Mark::Line(style) => drawing.line(&level, style, 6.0 * unit, unit),
        Mark::Dashes(color) => {
            let dashes = &[9.0, 7.0];
            drawing.line(&level, Style { color, dashes }, 4.0 * unit, unit);
        }
        Mark::Stroke(color) => {
            let mut path = Path::new();
            path.line(&[(x, y - 9.0 * unit), (x, y + 9.0 * unit)]);
            drawing.stroke(path, 4.0 * unit, color, Ends::Round);
        }
        Mark::Center => {
            let arm = 14.0 * unit;
            for (width, color) in [(9.0, BLACK), (4.0, WHITE)] {
                let mut plus = Path::new();
                plus.line(&[(x - arm, y), (x + arm, y)]);
                plus.line(&[(x, y - arm), (x, y + arm)]);
                drawing.stroke(plus, width * unit, color, Ends::Round);
            }
        }
        Mark::Minimum(color) => {
            for (radius, color) in [(10.5, BLACK), (9.0, WHITE), (6.5, color)] {
                drawing.disc((x, y), radius * unit, color);
            }
        }
        Mark::Hatching => {
            drawing.hatch(swatch);
            drawing.outline(swatch, 1.0, drawing.theme().palette().muted);
        }
        Mark::Track(color) => {
            for (width, color) in [(8.5, BLACK), (5.0, color)] {
                let mut path = Path::new();
                path.line(&level);
                drawing.stroke(path, width * unit, color, Ends::Round);
            }
        }
        Mark::Begin(color) => {
            for (radius, color) in [(12.0, BLACK), (9.5, color), (5.0, BLACK)] {
                drawing.disc((x, y), radius * unit, color);
            }
        }
        Mark::End(color) => {
            for (half, color) in [(12.0, BLACK), (8.5, color)] {
                let square = Rect::of_size(0.0, 0.0).moved((x, y)).grown(half * unit);
                drawing.fill(square, color);
            }
        }
        Mark::Point => {
            for (half, color) in [(16.0, BLACK), (11.0, WHITE), (6.0, BLACK)] {
                let half = half * unit;
                let mut path = Path::new();
                path.area(&[(x - half, y), (x, y - half), (x + half, y), (x, y + half)]);
                drawing.area(path, color);
            }
        }
        Mark::Cut => {
            let ink = drawing.theme().palette().ink;
            let mut path = Path::new();
            path.line(&[(x - half, y), (x + half, y)]);
            drawing.stroke(path, 4.0 * unit, ink, Ends::Round);
            let mut path = Path::new();
            path.area(&[
                (x - 0.7 * half, y + 4.0 * unit),
                (x + 0.7 * half, y + 4.0 * unit),
                (x, y + 15.0 * unit),
            ]);
            drawing.area(path, viridis(0.6));
        }
        Mark::Area(color) => {
            let Rect {
                left,
                right,
                top,
                bottom,
            } = swatch;
            let mut path = Path::new();
            path.area(&[(left, top), (right, top), (right, bottom), (left, bottom)]);
            drawing.area(path, color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn a_column_holds_twelve_names_and_counts_what_has_no_room() {
        let entries = |count: usize| -> Vec<Entry> {
            (0..count)
                .map(|k| {
                    Entry::new(
                        Mark::Line(Theme::Light.series(k)),
                        format!("quickstart/seed-{k}/sam"),
                    )
                })
                .collect()
        };
        let column = Column::arrange(&entries(12), 360.0, 480.0, 1.0);
        let names: Vec<&str> = column
            .entries
            .iter()
            .map(|(e, _)| e.text.as_str())
            .collect();
        assert_eq!((names.len(), column.left_out), (12, 0));
        // Where a name has no room its ends stay, which tell the runs apart.
        assert!(names[11].starts_with("quick") && names[11].ends_with("11/sam"));
        assert!(column.width() <= 360.0);
        let many = Column::arrange(&entries(100), 360.0, 480.0, 1.0);
        assert_eq!(many.entries.len() + many.left_out, 100);
        // One row of the column is for the count.
        assert!(many.left_out > 0 && (many.entries.len() as f64 + 1.0) * many.row <= 480.0);
    }
}
