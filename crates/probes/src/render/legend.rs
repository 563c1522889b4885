//! The legend, and the signs that it explains.

use super::canvas::{Align, Canvas, Lettering};
use super::color::{Color, HATCH, INK, MUTED, WHITE};
use super::font;
use super::frame::fitted;
use super::geometry::{Point, Rect, dashed, hatched};
use crate::Error;

/// A sign in the picture that the legend explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A curve.
    Line(Color),
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
const LEGEND_ROWS: usize = 4;

/// Writes the legend in centred rows from `top` down and returns where it ends.
pub(crate) fn write_legend(
    canvas: &mut Canvas,
    entries: &[Entry],
    top: f64,
    unit: f64,
) -> Result<f64, Error> {
    let (size, sign, gap) = (25.0 * unit, 44.0 * unit, 26.0 * unit);
    let row_height = 34.0 * unit;
    let room = canvas.bounds().width() - 30.0 * unit;
    let mut rows: Vec<Vec<(Mark, String, f64, f64)>> = Vec::new();
    let mut used = f64::INFINITY;
    for (index, entry) in entries.iter().enumerate() {
        let (text, size) = fitted(&entry.text, size, room - sign)?;
        let width = sign + font::width(&text, size)?;
        if used + gap + width > room {
            if rows.len() == LEGEND_ROWS {
                let rest = format!("… and {} more", entries.len() - index);
                canvas.text(
                    &rest,
                    (
                        canvas.bounds().width() / 2.0,
                        top + row_height * (LEGEND_ROWS as f64 + 0.5),
                    ),
                    Lettering::new(size, Align::Middle, Align::Middle).color(MUTED),
                )?;
                break;
            }
            rows.push(Vec::new());
            used = -gap;
        }
        used += gap + width;
        if let Some(row) = rows.last_mut() {
            row.push((entry.mark, text, size, width));
        }
    }
    let mut y = top + row_height / 2.0;
    for row in &rows {
        let width: f64 = row.iter().map(|(.., width)| width + gap).sum::<f64>() - gap;
        let mut x = (canvas.bounds().width() - width) / 2.0;
        for (mark, text, size, width) in row {
            let bounds = canvas.bounds();
            draw_mark(canvas, *mark, (x + 18.0 * unit, y), unit, bounds);
            canvas.text(
                text,
                (x + sign, y),
                Lettering::new(*size, Align::Start, Align::Middle),
            )?;
            x += width + gap;
        }
        y += row_height;
    }
    let cut = rows.iter().map(Vec::len).sum::<usize>() < entries.len();
    Ok(top + row_height * (rows.len() as f64 + f64::from(u8::from(cut))))
}

pub(crate) fn draw_mark(canvas: &mut Canvas, mark: Mark, (x, y): Point, unit: f64, clip: Rect) {
    let half = 16.0 * unit;
    match mark {
        Mark::Line(color) => {
            canvas.stroke(&[[(x - half, y), (x + half, y)]], 5.0 * unit, color, clip)
        }
        Mark::Dashes(color) => canvas.stroke(
            &dashed([(x - half, y), (x + half, y)], 9.0 * unit, 7.0 * unit),
            3.0 * unit,
            color,
            clip,
        ),
        Mark::Stroke(color) => canvas.stroke(
            &[[(x, y - 9.0 * unit), (x, y + 9.0 * unit)]],
            3.0 * unit,
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
