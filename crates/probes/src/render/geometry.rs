//! Points, rectangles and straight lines, in pixels.

/// A point in pixels from the top left corner.
pub(crate) type Point = (f64, f64);

/// A rectangle in pixels; `right` and `bottom` are exclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(crate) fn grown(&self, by: f64) -> Self {
        Self {
            left: self.left - by,
            top: self.top - by,
            right: self.right + by,
            bottom: self.bottom + by,
        }
    }

    /// The part of the segment inside the rectangle (Liang and Barsky 1984).
    pub(crate) fn clip(&self, [p, q]: [Point; 2]) -> Option<[Point; 2]> {
        let (dx, dy) = (q.0 - p.0, q.1 - p.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (slope, distance) in [
            (-dx, p.0 - self.left),
            (dx, self.right - p.0),
            (-dy, p.1 - self.top),
            (dy, self.bottom - p.1),
        ] {
            if !(slope.is_finite() && distance.is_finite()) || (slope == 0.0 && distance < 0.0) {
                return None;
            } else if slope < 0.0 {
                enter = enter.max(distance / slope);
            } else if slope > 0.0 {
                leave = leave.min(distance / slope);
            }
        }
        (enter <= leave).then(|| [enter, leave].map(|t| (p.0 + t * dx, p.1 + t * dy)))
    }
}

/// The distance from `at` to the segment `p q`.
pub(crate) fn distance(at: Point, p: Point, q: Point) -> f64 {
    let (dx, dy) = (q.0 - p.0, q.1 - p.1);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 {
        (((at.0 - p.0) * dx + (at.1 - p.1) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (at.0 - p.0 - t * dx).hypot(at.1 - p.1 - t * dy)
}

/// The dashes of a line through `points`: lengths drawn and left out in turn, in pixels. An empty pattern draws all of it.
///
/// The pattern runs on from one piece to the next, and begins anew after a point that is not finite.
pub(crate) fn dashed(points: &[Point], pattern: &[f64]) -> Vec<[Point; 2]> {
    let mut dashes = Vec::new();
    let (mut turn, mut left) = (0, pattern.first().copied().unwrap_or(f64::INFINITY));
    for pair in points.windows(2) {
        let [p, q] = [pair[0], pair[1]];
        let length = (q.0 - p.0).hypot(q.1 - p.1);
        if !length.is_finite() {
            (turn, left) = (0, pattern.first().copied().unwrap_or(f64::INFINITY));
            continue;
        }
        // No picture is that wide: such a piece lies outside for the most part.
        if pattern.is_empty() || length > 1e5 {
            dashes.push([p, q]);
            continue;
        }
        let at = |d: f64| {
            let t = if length > 0.0 { d / length } else { 0.0 };
            (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
        };
        let mut start = 0.0;
        while start < length {
            let end = (start + left).min(length);
            if turn % 2 == 0 {
                dashes.push([at(start), at(end)]);
            }
            left -= end - start;
            if left <= 1e-9 {
                turn = (turn + 1) % pattern.len();
                left = pattern[turn].max(1e-3);
            }
            start = end;
        }
    }
    dashes
}

/// Whether the pixel at `point` lies on the darker stripes of the hatching.
pub(crate) fn hatched(point: Point) -> bool {
    (point.0 + point.1).rem_euclid(12.0) < 4.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(pieces: &[[Point; 2]]) -> f64 {
        pieces
            .iter()
            .map(|[p, q]| (q.0 - p.0).hypot(q.1 - p.1))
            .sum()
    }

    #[test]
    fn dashes_are_as_long_as_asked_and_run_on_round_a_corner() {
        // 30 to the right, then 10 down: 5 drawn, 3 left out.
        let corner = [(0.0, 0.0), (30.0, 0.0), (30.0, 10.0)];
        let dashes = dashed(&corner, &[5.0, 3.0]);
        assert!((length(&dashes) - 25.0).abs() < 1e-9, "{dashes:?}");
        assert_eq!(dashes[1], [(8.0, 0.0), (13.0, 0.0)]);
        // The dash of 24 to 29 ends before the corner, the next begins at 32, which is 2 below it.
        let below = dashes.iter().find(|[p, _]| p.0 == 30.0 && p.1 > 0.0);
        assert!(below.is_some_and(|[p, q]| (p.1 - 2.0).abs() < 1e-9 && (q.1 - 7.0).abs() < 1e-9));
        // Cut into a hundred pieces, the same is drawn.
        let pieces: Vec<Point> = (0..=300).map(|i| (f64::from(i) / 10.0, 0.0)).collect();
        let whole = dashed(&corner[..2], &[5.0, 3.0]);
        assert!((length(&dashed(&pieces, &[5.0, 3.0])) - length(&whole)).abs() < 1e-9);
    }

    #[test]
    fn a_line_without_a_pattern_is_whole_and_breaks_where_a_point_is_not_finite() {
        let points = [(0.0, 0.0), (1.0, f64::NAN), (2.0, 0.0), (3.0, 0.0)];
        assert_eq!(dashed(&points, &[]), [[(2.0, 0.0), (3.0, 0.0)]]);
        assert_eq!(dashed(&points, &[9.0, 9.0]), [[(2.0, 0.0), (3.0, 0.0)]]);
    }
}
