//! The data of an SVG path.

use std::fmt::Write as _;

use super::geometry::Point;

/// Lines and areas as the value of a path's attribute `d`.
///
/// Points are rounded to hundredths of a pixel, or to tenths in a [`coarse`](Self::coarse) path.
/// From the second point of a line on, they are written as distances from the last, which is
/// shorter and exact because the distances are whole numbers of hundredths.
pub(crate) struct Path {
    data: String,
    /// Decimal places.
    places: u32,
}

impl Path {
    pub(crate) fn new() -> Self {
        Self {
            data: String::new(),
            places: 2,
        }
    }

    /// A path for shapes whose edges can hardly be seen.
    pub(crate) fn coarse() -> Self {
        Self {
            places: 1,
            ..Self::new()
        }
    }

    /// Adds the line through `points`, interrupted where a point is not finite. A point alone is
    /// no line.
    pub(crate) fn line(&mut self, points: &[Point]) {
        for run in runs(points) {
            self.run(run);
        }
    }

    /// Adds the closed line through `points`.
    pub(crate) fn area(&mut self, points: &[Point]) {
        for run in runs(points) {
            self.run(run);
            self.data.push('z');
        }
    }

    fn run(&mut self, points: &[Point]) {
        let [first, rest @ ..] = points else { return };
        let mut last = self.rounded(*first);
        self.data.push('M');
        self.pair(last);
        for point in rest {
            let next = self.rounded(*point);
            let step = (next.0 - last.0, next.1 - last.1);
            if step != (0, 0) {
                self.data.push('l');
                self.pair(step);
                last = next;
            }
        }
    }

    /// Returns a point in units of the last decimal place. No picture reaches beyond the limits.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to less than 2^53, so that differences are exact"
    )]
    fn rounded(&self, point: Point) -> (i64, i64) {
        let unit = f64::from(10_u32.pow(self.places));
        let whole = |x: f64| (x * unit).round().clamp(-1e9, 1e9) as i64;
        (whole(point.0), whole(point.1))
    }

    fn pair(&mut self, (x, y): (i64, i64)) {
        self.number(x);
        if y >= 0 {
            self.data.push(' ');
        }
        self.number(y);
    }

    fn number(&mut self, value: i64) {
        decimal(&mut self.data, value, self.places);
    }

    /// Returns the value of the attribute.
    pub(crate) fn into_data(self) -> String {
        self.data
    }
}

/// Splits a line where a point is not finite, into lines of two points or more.
fn runs(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points
        .split(|(x, y)| !(x.is_finite() && y.is_finite()))
        .filter(|run| run.len() > 1)
}

/// Writes `value` hundredths (or as many `places` say) as a decimal number without zeros at its end.
fn decimal(to: &mut String, value: i64, places: u32) {
    let unit = 10_u64.pow(places);
    let size = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let (whole, mut part, mut places) = (size / unit, size % unit, places as usize);
    while part > 0 && part.is_multiple_of(10) {
        (part, places) = (part / 10, places - 1);
    }
    let written = match (whole, part) {
        (whole, 0) => write!(to, "{sign}{whole}"),
        (0, part) => write!(to, "{sign}.{part:0places$}"),
        (whole, part) => write!(to, "{sign}{whole}.{part:0places$}"),
    };
    written.expect("a String takes all that is written to it");
}

/// Returns a length in pixels as SVG writes it, in hundredths.
#[expect(clippy::cast_possible_truncation, reason = "clamped to less than 2^53")]
pub(crate) fn pixels(length: f64) -> String {
    let mut text = String::new();
    decimal(
        &mut text,
        (length * 100.0).round().clamp(-1e9, 1e9) as i64,
        2,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[Point]) -> String {
        let mut path = Path::new();
        path.line(points);
        path.into_data()
    }

    #[test]
    fn points_are_written_as_distances_in_hundredths() {
        let points = [(1.0, 2.5), (1.25, 2.0), (1.25, 2.0), (-3.0, 0.004)];
        assert_eq!(line(&points), "M1 2.5l.25-.5l-4.25-2");
        assert_eq!(pixels(-0.05), "-.05");
        assert_eq!(pixels(10.1), "10.1");
        assert_eq!(pixels(-0.001), "0");
    }

    #[test]
    fn a_line_is_interrupted_where_a_point_is_not_finite() {
        let gap = [(0.0, 0.0), (1.0, f64::NAN), (2.0, 0.0), (3.0, 1.0)];
        assert_eq!(line(&gap), "M2 0l1 1");
        assert_eq!(line(&[(f64::INFINITY, 1.0)]), "");
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn rounding_does_not_add_up() {
        let points: Vec<Point> = (0..=1000).map(|k| (f64::from(k) * 0.1234, 0.0)).collect();
        let data = line(&points);
        let steps = data.split('l').skip(1);
        let sum: f64 = steps
            .map(|step| step.split(' ').next().unwrap().parse::<f64>().unwrap())
            .sum();
        assert!((sum - 123.4).abs() < 1e-6, "{sum}");
    }
}
