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

/// The dashes of a straight line, `on` pixels drawn and `off` pixels left out.
pub(crate) fn dashed([p, q]: [Point; 2], on: f64, off: f64) -> Vec<[Point; 2]> {
    let length = (q.0 - p.0).hypot(q.1 - p.1);
    if !(length > 0.0 && length < 1e5) {
        return Vec::new();
    }
    let at = |d: f64| {
        let t = (d / length).min(1.0);
        (p.0 + t * (q.0 - p.0), p.1 + t * (q.1 - p.1))
    };
    let mut dashes = Vec::new();
    let mut start = 0.0;
    while start < length {
        dashes.push([at(start), at(start + on)]);
        start += on + off;
    }
    dashes
}

/// Whether the pixel at `point` lies on the darker stripes of the hatching.
pub(crate) fn hatched(point: Point) -> bool {
    (point.0 + point.1).rem_euclid(12.0) < 4.0
}
