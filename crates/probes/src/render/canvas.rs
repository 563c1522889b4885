//! An RGB buffer with the few drawing operations that the pictures need: rectangles, smooth strokes and text.

use super::color::{Color, INK, Style, byte};
use super::geometry::{Point, Rect, dashed, distance};
use super::picture::Picture;
use super::{LARGEST_SIDE, SMALLEST_SIDE, font};
use crate::Error;

/// Which part of a text lies at the given point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// The left end, or the tops of the capitals.
    Start,
    /// The middle, or half the height of the capitals.
    Middle,
    /// The right end, or the baseline.
    End,
}

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lettering {
    pub(crate) size: f64,
    pub(crate) color: Color,
    /// Along the direction of writing.
    pub(crate) along: Align,
    /// Across it.
    pub(crate) across: Align,
    /// Written from bottom to top.
    pub(crate) upwards: bool,
}

impl Lettering {
    pub(crate) fn new(size: f64, along: Align, across: Align) -> Self {
        Self {
            size,
            color: INK,
            along,
            across,
            upwards: false,
        }
    }

    pub(crate) fn color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    pub(crate) fn upwards(self) -> Self {
        Self {
            upwards: true,
            ..self
        }
    }
}

/// The buffer.
pub(crate) struct Canvas {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: u32, height: u32, ground: Color) -> Result<Self, Error> {
        let sides = SMALLEST_SIDE..=LARGEST_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::PictureSize { width, height });
        }
        Ok(Self {
            width,
            height,
            rgb: ground.repeat(width as usize * height as usize),
        })
    }

    pub(crate) fn into_picture(self) -> Picture {
        Picture {
            width: self.width,
            height: self.height,
            rgb: self.rgb,
        }
    }

    pub(crate) fn bounds(&self) -> Rect {
        Rect {
            left: 0.0,
            top: 0.0,
            right: f64::from(self.width),
            bottom: f64::from(self.height),
        }
    }

    /// The columns and rows whose centres lie inside `rect`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bounds are clamped to the sides of the picture"
    )]
    fn pixels(&self, rect: Rect) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
        let range = |low: f64, high: f64, side: u32| {
            let at = |edge: f64| (edge - 0.5).ceil().clamp(0.0, f64::from(side)) as u32;
            at(low)..at(high)
        };
        (
            range(rect.left, rect.right, self.width),
            range(rect.top, rect.bottom, self.height),
        )
    }

    fn blend(&mut self, x: u32, y: u32, color: Color, coverage: f32) {
        let start = 3 * (y as usize * self.width as usize + x as usize);
        let coverage = f64::from(coverage);
        for (old, new) in self.rgb[start..start + 3].iter_mut().zip(color) {
            *old = byte(f64::from(*old) + coverage * (f64::from(new) - f64::from(*old)));
        }
    }

    /// Colours each pixel of `rect` by its centre.
    pub(crate) fn shade(&mut self, rect: Rect, color: impl Fn(Point) -> Color) {
        let (columns, rows) = self.pixels(rect);
        for y in rows {
            for x in columns.clone() {
                self.blend(x, y, color((f64::from(x) + 0.5, f64::from(y) + 0.5)), 1.0);
            }
        }
    }

    pub(crate) fn fill(&mut self, rect: Rect, color: Color) {
        self.shade(rect, |_| color);
    }

    /// The outline of `rect`, drawn outside it, `thickness` whole pixels wide.
    pub(crate) fn outline(&mut self, rect: Rect, thickness: f64, color: Color) {
        let outer = rect.grown(thickness);
        self.fill(
            Rect {
                bottom: rect.top,
                ..outer
            },
            color,
        );
        self.fill(
            Rect {
                top: rect.bottom,
                ..outer
            },
            color,
        );
        self.fill(
            Rect {
                right: rect.left,
                ..outer
            },
            color,
        );
        self.fill(
            Rect {
                left: rect.right,
                ..outer
            },
            color,
        );
    }

    /// Strokes segments `width` pixels wide with round ends, anti-aliased, inside `clip` only.
    ///
    /// All segments of one call share one coverage mask, so that joints are not painted twice. Segments with a coordinate that is not finite are left out.
    #[expect(clippy::cast_possible_truncation, reason = "coverage is a fraction")]
    pub(crate) fn stroke(&mut self, segments: &[[Point; 2]], width: f64, color: Color, clip: Rect) {
        let (columns, rows) = self.pixels(clip);
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        let side = columns.len();
        let mut mask = vec![0.0_f32; side * rows.len()];
        let reach = width / 2.0 + 0.5;
        for [p, q] in segments
            .iter()
            .filter_map(|segment| clip.grown(reach).clip(*segment))
        {
            let near = Rect {
                left: p.0.min(q.0),
                top: p.1.min(q.1),
                right: p.0.max(q.0),
                bottom: p.1.max(q.1),
            }
            .grown(reach + 0.5);
            let (near_columns, near_rows) = self.pixels(near);
            for y in near_rows.start.max(rows.start)..near_rows.end.min(rows.end) {
                for x in near_columns.start.max(columns.start)..near_columns.end.min(columns.end) {
                    let distance = distance((f64::from(x) + 0.5, f64::from(y) + 0.5), p, q);
                    let coverage = (reach - distance).clamp(0.0, 1.0) as f32;
                    let cell =
                        &mut mask[(y - rows.start) as usize * side + (x - columns.start) as usize];
                    *cell = cell.max(coverage);
                }
            }
        }
        for (y, row) in rows.zip(mask.chunks(side)) {
            for (x, coverage) in columns.clone().zip(row) {
                if *coverage > 0.0 {
                    self.blend(x, y, color, *coverage);
                }
            }
        }
    }

    /// Strokes the line through `points` in a style whose dashes are measured in `unit`.
    pub(crate) fn line(
        &mut self,
        points: &[Point],
        style: Style,
        width: f64,
        unit: f64,
        clip: Rect,
    ) {
        let pattern: Vec<f64> = style.dashes.iter().map(|length| length * unit).collect();
        self.stroke(&dashed(points, &pattern), width, style.color, clip);
    }

    /// A filled disc.
    pub(crate) fn disc(&mut self, center: Point, radius: f64, color: Color, clip: Rect) {
        self.stroke(&[[center, center]], 2.0 * radius, color, clip);
    }

    /// Writes `text` at `at`.
    pub(crate) fn text(&mut self, text: &str, at: Point, style: Lettering) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        let mask = font::mask(text, style.size)?;
        let length = font::width(text, style.size)?;
        let along = f64::from(mask.origin)
            + match style.along {
                Align::Start => 0.0,
                Align::Middle => length / 2.0,
                Align::End => length,
            };
        let across = f64::from(mask.baseline)
            - font::CAPITAL
                * style.size
                * match style.across {
                    Align::Start => 1.0,
                    Align::Middle => 0.5,
                    Align::End => 0.0,
                };
        // The place on the canvas of column u and row v of the mask. Whole pixels keep stems sharp.
        let place = |u: f64, v: f64| {
            let (u, v) = (u - along.round(), v - across.round());
            if style.upwards {
                (at.0.round() + v, at.1.round() - u - 1.0)
            } else {
                (at.0.round() + u, at.1.round() + v)
            }
        };
        self.paint(&mask, style.color, place);
        Ok(())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the place is checked against the sides of the picture"
    )]
    fn paint(&mut self, mask: &font::Mask, color: Color, place: impl Fn(f64, f64) -> Point) {
        let cells = (0..mask.height).flat_map(|v| (0..mask.width).map(move |u| (u, v)));
        for ((u, v), coverage) in cells.zip(&mask.coverage) {
            let (x, y) = place(f64::from(u), f64::from(v));
            if *coverage > 0.0
                && (0.0..f64::from(self.width)).contains(&x)
                && (0.0..f64::from(self.height)).contains(&y)
            {
                self.blend(x as u32, y as u32, color, *coverage);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::color::WHITE;
    use super::*;

    #[test]
    fn stroke_covers_its_width_and_nothing_outside_its_clip() {
        let mut canvas = Canvas::new(300, 300, WHITE).unwrap();
        let clip = Rect {
            left: 50.0,
            top: 0.0,
            right: 300.0,
            bottom: 300.0,
        };
        canvas.stroke(
            &[[(-1e9, 100.0), (1e9, 100.0)], [(f64::NAN, 0.0), (1.0, 1.0)]],
            4.0,
            [0, 0, 0],
            clip,
        );
        let picture = canvas.into_picture();
        assert_eq!(picture.pixel(49, 100), Some(WHITE));
        assert_eq!(picture.pixel(50, 99), Some([0, 0, 0]));
        assert_eq!(picture.pixel(299, 100), Some([0, 0, 0]));
        // Four pixels wide around y = 100: rows 98 to 101.
        assert_eq!(
            (picture.pixel(60, 98), picture.pixel(60, 101)),
            (Some([0, 0, 0]), Some([0, 0, 0]))
        );
        assert_eq!(
            (picture.pixel(60, 96), picture.pixel(60, 103)),
            (Some(WHITE), Some(WHITE))
        );
    }

    #[test]
    fn text_upwards_is_the_text_turned_left() {
        let write = |style: Lettering| {
            let mut canvas = Canvas::new(300, 300, WHITE).unwrap();
            canvas.text("Loss", (150.0, 150.0), style).unwrap();
            canvas.into_picture()
        };
        let style = Lettering::new(40.0, Align::Start, Align::End);
        let (flat, turned) = (write(style), write(style.upwards()));
        assert!(flat.rgb.iter().any(|c| *c < 50));
        for x in 0..140 {
            for y in 0..140 {
                assert_eq!(flat.pixel(150 + x, 150 - y), turned.pixel(150 - y, 149 - x));
            }
        }
    }

    #[test]
    fn sizes_outside_the_limits_are_errors() {
        assert!(matches!(
            Canvas::new(10, 400, WHITE),
            Err(Error::PictureSize { .. })
        ));
        assert!(matches!(
            Canvas::new(400, u32::MAX, WHITE),
            Err(Error::PictureSize { .. })
        ));
    }
}
