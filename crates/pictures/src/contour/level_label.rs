//! The values of contour lines, written in gaps of the lines.

use crate::color::{Color, readable, viridis};
use crate::drawing::font;
use crate::drawing::geometry::{Point, Rect};

/// The height of the letters, in units of the picture.
const SIZE: f64 = 26.0;
/// The largest number of labels on one picture.
const MOST: usize = 16;

/// A label in a gap of its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LevelLabel {
    pub(super) text: String,
    pub(super) middle: Point,
    pub(super) size: f64,
    /// Degrees clockwise, between −90 and 90: the text is never upside down.
    pub(super) angle: f64,
    pub(super) color: Color,
}

/// Places labels on the lines of one level, where they are straight and nothing else lies, and
/// returns them with what is left of the lines. `taken` grows by the labels.
///
/// Each line that is long enough gets one label.
pub(super) fn place(
    lines: Vec<Vec<Point>>,
    (text, level): (&str, f64),
    (plot, unit): (Rect, f64),
    taken: &mut Vec<Rect>,
    count: &mut usize,
) -> (Vec<LevelLabel>, Vec<Vec<Point>>) {
    let size = SIZE * unit;
    let width = font::width(text, size) + 14.0 * unit;
    let (mut labels, mut left) = (Vec::new(), Vec::new());
    for line in lines {
        let line = Line::new(line);
        let window = if *count < MOST && line.length() > 2.2 * width {
            straightest(&line, width, size, (plot, unit), taken)
        } else {
            None
        };
        let Some(Window {
            from,
            middle,
            angle,
        }) = window
        else {
            left.push(line.points);
            continue;
        };
        *count += 1;
        taken.extend(squares(middle, angle, width, font::CAPITAL * size));
        labels.push(LevelLabel {
            text: text.to_owned(),
            middle,
            size,
            angle,
            color: readable(viridis(level)),
        });
        left.extend(line.without(from, from + width));
    }
    (labels, left)
}

/// A line with its length up to each point.
struct Line {
    points: Vec<Point>,
    lengths: Vec<f64>,
}

impl Line {
    fn new(points: Vec<Point>) -> Self {
        let mut lengths = vec![0.0];
        let mut sum = 0.0;
        for pair in points.windows(2) {
            sum += (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
            lengths.push(sum);
        }
        Self { points, lengths }
    }

    fn length(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    /// Returns the point after a length.
    fn at(&self, length: f64) -> Point {
        let k = self.lengths.partition_point(|l| *l <= length);
        if k == 0 || k >= self.points.len() {
            let end = if k == 0 {
                self.points.first()
            } else {
                self.points.last()
            };
            return end.copied().unwrap_or_default();
        }
        let (p, q) = (self.points[k - 1], self.points[k]);
        let share = (length - self.lengths[k - 1]) / (self.lengths[k] - self.lengths[k - 1]);
        (p.0 + share * (q.0 - p.0), p.1 + share * (q.1 - p.1))
    }

    /// Returns the points between two lengths, with those at the lengths.
    fn part(&self, from: f64, to: f64) -> Vec<Point> {
        let inner = self.points.iter().zip(&self.lengths);
        let inner = inner
            .filter(|(_, l)| from < **l && **l < to)
            .map(|(p, _)| *p);
        std::iter::once(self.at(from))
            .chain(inner)
            .chain([self.at(to)])
            .collect()
    }

    /// Returns the line without the part between two lengths.
    fn without(&self, from: f64, to: f64) -> Vec<Vec<Point>> {
        let (before, after) = (self.part(0.0, from), self.part(to, self.length()));
        if self.points.first() == self.points.last() {
            // A closed line stays one piece.
            vec![
                after
                    .into_iter()
                    .chain(before.into_iter().skip(1))
                    .collect(),
            ]
        } else {
            vec![before, after]
        }
    }
}

/// A part of a line that carries a label.
struct Window {
    from: f64,
    middle: Point,
    angle: f64,
}

/// Returns the straightest part of a line of a given width on which a label stands free.
fn straightest(
    line: &Line,
    width: f64,
    size: f64,
    (plot, unit): (Rect, f64),
    taken: &[Rect],
) -> Option<Window> {
    let mut best: Option<(f64, Window)> = None;
    let steps = 64;
    for k in 0..=steps {
        let from = (line.length() - width) * f64::from(k) / f64::from(steps);
        let part = line.part(from, from + width);
        let (p, q) = (part[0], part[part.len() - 1]);
        let chord = (q.0 - p.0, q.1 - p.1);
        let long = chord.0.hypot(chord.1);
        if long < 0.9 * width {
            continue;
        }
        let off = |r: &Point| ((r.0 - p.0) * chord.1 - (r.1 - p.1) * chord.0).abs() / long;
        let bent = part.iter().map(off).fold(0.0, f64::max) / size;
        if bent > 0.3 {
            continue;
        }
        let mut angle = chord.1.atan2(chord.0).to_degrees();
        if angle > 90.0 {
            angle -= 180.0;
        } else if angle <= -90.0 {
            angle += 180.0;
        }
        let middle = (f64::midpoint(p.0, q.0), f64::midpoint(p.1, q.1));
        let covers = squares(middle, angle, width, font::CAPITAL * size);
        let is_free = covers.iter().all(|square| {
            square.grown(4.0 * unit).lies_in(plot)
                && taken.iter().all(|other| other.is_apart(square, 5.0 * unit))
        });
        // Level labels are easier to read, and the middle of a line lies away from its ends.
        let share = f64::from(k) / f64::from(steps) - 0.5;
        let cost = bent + 0.12 * (angle / 90.0).abs() + 0.1 * share.abs();
        if is_free && best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((
                cost,
                Window {
                    from,
                    middle,
                    angle,
                },
            ));
        }
    }
    best.map(|(_, window)| window)
}

/// Returns upright squares that cover a turned rectangle.
fn squares(middle: Point, angle: f64, width: f64, height: f64) -> Vec<Rect> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let half = 0.62 * height;
    let mut squares = Vec::new();
    let mut along = half - width / 2.0;
    loop {
        let along_here = along.min((width / 2.0 - half).max(0.0));
        let at = (middle.0 + along_here * cos, middle.1 + along_here * sin);
        squares.push(
            Rect {
                left: at.0,
                right: at.0,
                top: at.1,
                bottom: at.1,
            }
            .grown(half),
        );
        if along >= width / 2.0 - half {
            return squares;
        }
        along += 1.5 * half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(radius: f64) -> Vec<Point> {
        (0..=200)
            // The last point is the first, bit for bit.
            .map(|k| f64::from(k % 200) / 200.0 * std::f64::consts::TAU)
            .map(|t| (200.0 + radius * t.cos(), 200.0 + radius * t.sin()))
            .collect()
    }

    fn length(lines: &[Vec<Point>]) -> f64 {
        lines
            .iter()
            .map(|line| Line::new(line.clone()).length())
            .sum()
    }

    const PLOT: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 400.0,
        bottom: 400.0,
    };

    #[test]
    fn a_label_lies_on_its_line_and_the_line_has_a_gap_of_its_width() {
        let line = circle(150.0);
        let before = length(std::slice::from_ref(&line));
        let (labels, left) = place(
            vec![line],
            ("0.25", 0.5),
            (PLOT, 1.0),
            &mut Vec::new(),
            &mut 0,
        );
        assert_eq!((labels.len(), left.len()), (1, 1));
        let label = &labels[0];
        let radius = (label.middle.0 - 200.0).hypot(label.middle.1 - 200.0);
        // The middle of a chord of width w lies w²/(8 r) inside the circle.
        let width = font::width("0.25", label.size) + 14.0;
        assert!(
            (radius - (150.0 - width * width / 1200.0)).abs() < 0.5,
            "{radius}"
        );
        assert!((before - length(&left) - width).abs() < 1e-6);
        assert!((-90.0..=90.0).contains(&label.angle));
    }

    #[test]
    fn labels_leave_out_what_is_taken_and_lines_that_are_too_short_or_too_bent() {
        let none = |line: Vec<Point>, taken: Vec<Rect>| {
            let mut taken = taken;
            place(vec![line], ("0.25", 0.5), (PLOT, 1.0), &mut taken, &mut 0)
                .0
                .is_empty()
        };
        assert!(none(circle(12.0), Vec::new()));
        assert!(none(vec![(10.0, 200.0), (60.0, 200.0)], Vec::new()));
        assert!(none(circle(150.0), vec![PLOT]));
        // Outside the plot there is no room either.
        assert!(none(vec![(-300.0, 200.0), (-10.0, 200.0)], Vec::new()));
    }

    #[test]
    fn labels_of_neighbouring_lines_do_not_overlap() {
        let (mut taken, mut count, mut labels) = (Vec::new(), 0, Vec::new());
        for k in 1..=12 {
            let line = circle(15.0 * f64::from(k));
            labels.extend(
                place(
                    vec![line],
                    ("0.25", 0.5),
                    (PLOT, 1.0),
                    &mut taken,
                    &mut count,
                )
                .0,
            );
        }
        assert!(labels.len() >= 8, "{}", labels.len());
        let covers = |label: &LevelLabel| {
            let width = font::width(&label.text, label.size);
            squares(label.middle, label.angle, width, font::CAPITAL * label.size)
        };
        for (k, label) in labels.iter().enumerate() {
            for other in &labels[..k] {
                let others = covers(other);
                let apart = |square: &Rect| others.iter().all(|o| o.is_apart(square, 0.0));
                assert!(covers(label).iter().all(apart), "{label:?} {other:?}");
            }
        }
    }
}
