//! The legend, and the signs that it explains.

use super::canvas::{Align, Canvas, Lettering};
use super::color::{Color, HATCH, INK, MUTED, Style, WHITE};
use super::font;
use super::geometry::{Point, Rect, dashed, hatched};
use super::label::fitted;
use crate::Error;

/// A sign in the picture that the legend explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A curve.
    Line(Style),
    /// A dashed straight line.
    Dashes(Color),
    /// A short upright stroke.
    Stroke(Color),
    /// Where the weights are: a white plus with a dark border.
    Center,
    /// The smallest value: a disc with a white ring.
    Minimum(Color),
    /// Values that are not finite.
    Hatching,
}

/// A line of the legend.
#[derive(Clone, Debug, PartialEq)]
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

    /// The entry for values that are not finite, when there are any.
    pub(crate) fn not_finite(count: usize, total: usize) -> Option<Self> {
        (count > 0).then(|| {
            Self::new(
                Mark::Hatching,
                format!("not finite: {count} of {total} points"),
            )
        })
    }
}

/// More rows of legend than this would leave no room for the data; the rest is counted.
const LEGEND_ROWS: usize = 6;
/// The size of the letters, in units of the picture.
const SIZE: f64 = 32.0;
/// The height of a row, the room for a sign and the gap between entries, in units of the picture.
const ROW: f64 = 42.0;
const SIGN: f64 = 62.0;
const GAP: f64 = 26.0;

/// The entries in rows, with the width of each in pixels.
pub(crate) struct Legend {
    rows: Vec<Vec<(Entry, f64, f64)>>,
    /// How many entries had no room.
    left_out: usize,
    unit: f64,
}

impl Legend {
    /// Arranges `entries` in rows that are at most `room` pixels wide.
    pub(crate) fn arrange(entries: &[Entry], room: f64, unit: f64) -> Result<Self, Error> {
        let (sign, gap) = (SIGN * unit, GAP * unit);
        let mut rows: Vec<Vec<(Entry, f64, f64)>> = Vec::new();
        let mut used = f64::INFINITY;
        for (index, entry) in entries.iter().enumerate() {
            let (text, size) = fitted(&entry.text, SIZE * unit, room - sign)?;
            let width = sign + font::width(&text, size)?;
            if used + gap + width > room {
                if rows.len() == LEGEND_ROWS {
                    let left_out = entries.len() - index;
                    return Ok(Self {
                        rows,
                        left_out,
                        unit,
                    });
                }
                rows.push(Vec::new());
                used = -gap;
            }
            used += gap + width;
            if let Some(row) = rows.last_mut() {
                row.push((Entry::new(entry.mark, text), size, width));
            }
        }
        Ok(Self {
            rows,
            left_out: 0,
            unit,
        })
    }

    /// A legend that says nothing.
    pub(crate) fn empty(unit: f64) -> Self {
        Self {
            rows: Vec::new(),
            left_out: 0,
            unit,
        }
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        self.rows.len() + usize::from(self.left_out > 0)
    }

    /// Its height in pixels.
    pub(crate) fn height(&self) -> f64 {
        ROW * self.unit * self.count() as f64
    }

    /// Writes the rows, each in the middle of the picture, from `top` down.
    pub(crate) fn draw(&self, canvas: &mut Canvas, top: f64) -> Result<(), Error> {
        let (bounds, unit) = (canvas.bounds(), self.unit);
        let mut y = top + ROW * unit / 2.0;
        for row in &self.rows {
            let gaps = GAP * unit * (row.len() as f64 - 1.0);
            let width = row.iter().map(|(.., width)| width).sum::<f64>() + gaps;
            let mut x = (bounds.width() - width) / 2.0;
            for (entry, size, width) in row {
                let at = (x + 24.0 * unit, y);
                draw_mark(canvas, entry.mark, at, unit, bounds);
                let style = Lettering::new(*size, Align::Start, Align::Middle);
                canvas.text(&entry.text, (x + SIGN * unit, y), style)?;
                x += width + GAP * unit;
            }
            y += ROW * unit;
        }
        if self.left_out > 0 {
            let style = Lettering::new(SIZE * unit, Align::Middle, Align::Middle).color(MUTED);
            let rest = format!("… and {} more", self.left_out);
            canvas.text(&rest, (bounds.width() / 2.0, y), style)?;
        }
        Ok(())
    }
}

/// How many times something goes into a length, of which there is a handful.
#[expect(clippy::cast_possible_truncation, reason = "clamped to a handful")]
fn whole(times: f64) -> usize {
    times.clamp(0.0, 1000.0) as usize
}

/// The entries one below the other.
pub(crate) struct Column {
    entries: Vec<(Entry, f64)>,
    /// How many entries had no room.
    left_out: usize,
    /// The height of a row in pixels.
    row: f64,
    width: f64,
    unit: f64,
}

/// Rows lower than this, in units of the picture, cannot be read: what has no room is counted.
const SMALLEST_ROW: f64 = 22.0;

impl Column {
    /// Arranges `entries` in a column at most `room` wide and `height` high, in pixels.
    pub(crate) fn arrange(
        entries: &[Entry],
        room: f64,
        height: f64,
        unit: f64,
    ) -> Result<Self, Error> {
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
            let (text, size) = fitted(&entry.text, size, room - SIGN * unit)?;
            width = width.max(SIGN * unit + font::width(&text, size)?);
            fitting.push((Entry::new(entry.mark, text), size));
        }
        Ok(Self {
            entries: fitting,
            left_out: entries.len() - shown,
            row,
            width: width.max(0.25 * room),
            unit,
        })
    }

    /// Its width in pixels.
    pub(crate) fn width(&self) -> f64 {
        self.width
    }

    /// Writes the column from a top left corner down.
    pub(crate) fn draw(&self, canvas: &mut Canvas, (left, top): Point) -> Result<(), Error> {
        let (bounds, unit) = (canvas.bounds(), self.unit);
        let mut y = top + self.row / 2.0;
        for (entry, size) in &self.entries {
            draw_mark(canvas, entry.mark, (left + 24.0 * unit, y), unit, bounds);
            let style = Lettering::new(*size, Align::Start, Align::Middle);
            canvas.text(&entry.text, (left + SIGN * unit, y), style)?;
            y += self.row;
        }
        if self.left_out > 0 {
            let style = Lettering::new(self.row * SIZE / ROW, Align::Start, Align::Middle);
            let rest = format!("… {} more", self.left_out);
            canvas.text(&rest, (left, y), style.color(MUTED))?;
        }
        Ok(())
    }
}

pub(crate) fn draw_mark(canvas: &mut Canvas, mark: Mark, (x, y): Point, unit: f64, clip: Rect) {
    let half = 21.0 * unit;
    let level = [(x - half, y), (x + half, y)];
    match mark {
        Mark::Line(style) => canvas.line(&level, style, 6.0 * unit, unit, clip),
        Mark::Dashes(color) => canvas.stroke(
            &dashed(&level, &[9.0 * unit, 7.0 * unit]),
            4.0 * unit,
            color,
            clip,
        ),
        Mark::Stroke(color) => canvas.stroke(
            &[[(x, y - 9.0 * unit), (x, y + 9.0 * unit)]],
            4.0 * unit,
            color,
            clip,
        ),
        Mark::Center => {
            let arm = 14.0 * unit;
            let plus = [[(x - arm, y), (x + arm, y)], [(x, y - arm), (x, y + arm)]];
            canvas.stroke(&plus, 9.0 * unit, INK, clip);
            canvas.stroke(&plus, 4.0 * unit, WHITE, clip);
        }
        Mark::Minimum(color) => {
            canvas.disc((x, y), 10.5 * unit, INK, clip);
            canvas.disc((x, y), 9.0 * unit, WHITE, clip);
            canvas.disc((x, y), 6.5 * unit, color, clip);
        }
        Mark::Hatching => {
            let swatch = Rect {
                left: x - half,
                right: x + half,
                top: y - 10.0 * unit,
                bottom: y + 10.0 * unit,
            };
            canvas.shade(swatch, |point| HATCH[usize::from(hatched(point))]);
            canvas.outline(swatch, 1.0, MUTED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::color::series;
    use super::*;

    #[test]
    fn a_column_holds_twelve_names_and_counts_what_has_no_room() {
        let entries = |count: usize| -> Vec<Entry> {
            (0..count)
                .map(|k| Entry::new(Mark::Line(series(k)), format!("quickstart/seed-{k}/sam")))
                .collect()
        };
        let column = Column::arrange(&entries(12), 360.0, 480.0, 1.0).unwrap();
        let names: Vec<&str> = column
            .entries
            .iter()
            .map(|(e, _)| e.text.as_str())
            .collect();
        assert_eq!((names.len(), column.left_out), (12, 0));
        // Where a name has no room its ends stay, which tell the runs apart.
        assert!(names[11].starts_with("quick") && names[11].ends_with("11/sam"));
        assert!(column.width() <= 360.0);
        let many = Column::arrange(&entries(100), 360.0, 480.0, 1.0).unwrap();
        assert_eq!(many.entries.len() + many.left_out, 100);
        // One row of the column is for the count.
        assert!(many.left_out > 0 && (many.entries.len() as f64 + 1.0) * many.row <= 480.0);
    }
}
