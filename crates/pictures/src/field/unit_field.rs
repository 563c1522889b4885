//! A grid measured in shares of its axes.

use super::Field;
use crate::axis::Axis;
use crate::drawing::geometry::Point;

/// Coordinates and values in `0..=1`; a value that is not finite is NaN.
///
/// Interpolation happens here, where nothing overflows and where a logarithmic scale is already
/// linear. There are at least two coordinates along each direction: one alone is taken for both ends
/// of its axis.
pub(crate) struct UnitField {
    pub(crate) a: Vec<f64>,
    pub(crate) b: Vec<f64>,
    pub(crate) values: Vec<f64>,
}

/// A rectangle of one value beside a value that is not finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Patch {
    pub(crate) corners: [Point; 2],
    pub(crate) value: f64,
}

impl UnitField {
    pub(crate) fn new(field: &Field<'_>, a: Axis, b: Axis, values: Axis) -> Self {
        let units = |axis: Axis, coordinates: &[f64]| match coordinates {
            [_] => vec![0.0, 1.0],
            many => many.iter().map(|v| axis.unit(*v)).collect::<Vec<f64>>(),
        };
        let (from_a, from_b) = (field.a.len(), field.b.len());
        let (a, b) = (units(a, field.a), units(b, field.b));
        let values = (0..a.len())
            .flat_map(|i| (0..b.len()).map(move |j| (i, j)))
            .map(|(i, j)| {
                let (i, j) = (i.min(from_a - 1), j.min(from_b - 1));
                values.unit(field.values[i * from_b + j])
            })
            .collect();
        Self { a, b, values }
    }

    pub(crate) fn value(&self, (i, j): (usize, usize)) -> f64 {
        self.values[i * self.b.len() + j]
    }

    pub(crate) fn point(&self, (i, j): (usize, usize)) -> Point {
        (self.a[i], self.b[j])
    }

    /// Tells whether all four corners of a square are finite. Squares are counted by their corner of
    /// the smallest coordinates.
    pub(crate) fn is_whole(&self, (i, j): (usize, usize)) -> bool {
        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
        corners.iter().all(|corner| !self.value(*corner).is_nan())
    }

    /// Returns the squares with four corners.
    pub(crate) fn squares(&self) -> impl Iterator<Item = (usize, usize)> {
        let (rows, columns) = (self.a.len() - 1, self.b.len() - 1);
        (0..rows).flat_map(move |i| (0..columns).map(move |j| (i, j)))
    }

    /// Returns the quarters with a value of the squares that have a corner without one: each has the
    /// value of its own corner.
    pub(crate) fn patches(&self) -> Vec<Patch> {
        let mut patches = Vec::new();
        for (i, j) in self.squares().filter(|square| !self.is_whole(*square)) {
            let middle = (
                f64::midpoint(self.a[i], self.a[i + 1]),
                f64::midpoint(self.b[j], self.b[j + 1]),
            );
            for corner in [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)] {
                let value = self.value(corner);
                if !value.is_nan() {
                    let corners = [self.point(corner), middle];
                    patches.push(Patch { corners, value });
                }
            }
        }
        patches
    }
}
