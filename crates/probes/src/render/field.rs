//! Values on a rectangular grid.

use super::axis::{Axis, Scale};
use crate::Error;

/// Values on a grid of any shape, square or not.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Coordinates along the first direction, drawn from left to right: `[n]`, finite and increasing.
    pub a: &'a [f64],
    /// Coordinates along the second direction, drawn from bottom to top: `[m]`, finite and increasing.
    pub b: &'a [f64],
    /// `[n, m]` values in row-major order: `values[i * m + j]` belongs to `a[i]` and `b[j]`. Values that are not finite are welcome.
    pub values: &'a [f64],
}

impl<'a> From<&'a landscape::Surface> for Field<'a> {
    fn from(surface: &'a landscape::Surface) -> Self {
        Self {
            a: &surface.a,
            b: &surface.b,
            values: &surface.loss,
        }
    }
}

impl Field<'_> {
    /// Checks lengths and coordinates. `of` is whose they are, for messages.
    pub(crate) fn validate(&self, of: &str) -> Result<(), Error> {
        increasing(&format!("the coordinates a{of}"), self.a)?;
        increasing(&format!("the coordinates b{of}"), self.b)?;
        let expected = self.a.len() * self.b.len();
        if self.values.len() != expected {
            return Err(Error::Length {
                what: format!("the grid of values{of}"),
                found: self.values.len(),
                expected,
            });
        }
        Ok(())
    }

    /// The position, value and coordinates of the smallest finite value; the first of several.
    pub(crate) fn minimum(&self) -> Option<(f64, f64, f64)> {
        let finite = self
            .values
            .iter()
            .enumerate()
            .filter(|(_, v)| v.is_finite());
        let (index, value) = finite.min_by(|x, y| x.1.total_cmp(y.1))?;
        Some((
            self.a[index / self.b.len()],
            self.b[index % self.b.len()],
            *value,
        ))
    }

    /// The smallest and the largest finite value.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let finite = || self.values.iter().copied().filter(|v| v.is_finite());
        finite().reduce(f64::min).zip(finite().reduce(f64::max))
    }

    /// Whether two finite values differ. Every place of a constant surface is its minimum, so none is marked.
    pub(crate) fn varies(&self) -> bool {
        self.range().is_some_and(|(low, high)| low < high)
    }

    /// Whether the point (0, 0) lies on the grid's rectangle.
    pub(crate) fn holds_zero(&self) -> bool {
        let holds = |c: &[f64]| {
            let ends = c.first().zip(c.last());
            ends.is_some_and(|(low, high)| *low <= 0.0 && 0.0 <= *high)
        };
        holds(self.a) && holds(self.b)
    }

    /// How many values are not finite.
    pub(crate) fn missing(&self) -> usize {
        self.values.iter().filter(|v| !v.is_finite()).count()
    }

    /// The value at the grid point (0, 0), when there is one.
    pub(crate) fn center(&self) -> Option<f64> {
        let zero = |coordinates: &[f64]| coordinates.iter().position(|c| *c == 0.0);
        Some(self.values[zero(self.a)? * self.b.len() + zero(self.b)?])
    }
}

/// Errs unless the coordinates are finite, strictly increasing and at least one.
pub(crate) fn increasing(what: &str, coordinates: &[f64]) -> Result<(), Error> {
    if coordinates.is_empty() {
        return Err(Error::Empty { what: what.into() });
    }
    let bad = (0..coordinates.len()).find(|i| {
        !coordinates[*i].is_finite() || (*i > 0 && coordinates[*i] <= coordinates[i - 1])
    });
    bad.map_or(Ok(()), |index| {
        Err(Error::NotIncreasing {
            what: what.into(),
            index,
            value: coordinates[index],
        })
    })
}

/// A grid measured in shares of its axes: coordinates and values lie in `0..=1`, and a value that is not finite is NaN.
///
/// Interpolation happens here, where nothing overflows and where a logarithmic scale is already linear.
pub(crate) struct UnitField {
    pub(crate) a: Vec<f64>,
    pub(crate) b: Vec<f64>,
    pub(crate) values: Vec<f64>,
}

impl UnitField {
    pub(crate) fn new(field: &Field<'_>, a: Axis, b: Axis, values: Axis) -> Self {
        let units = |axis: Axis, values: &[f64]| values.iter().map(|v| axis.unit(*v)).collect();
        Self {
            a: units(a, field.a),
            b: units(b, field.b),
            values: units(values, field.values),
        }
    }

    pub(crate) fn value(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.b.len() + j]
    }

    /// The value at a point: bilinear between four finite corners, the nearest corner's where another corner is not finite, and NaN where the nearest is not.
    pub(crate) fn sample(&self, u: f64, v: f64) -> f64 {
        let (i, s) = locate(&self.a, u);
        let (j, t) = locate(&self.b, v);
        let (next_i, next_j) = ((i + 1).min(self.a.len() - 1), (j + 1).min(self.b.len() - 1));
        let corners = [
            self.value(i, j),
            self.value(next_i, j),
            self.value(i, next_j),
            self.value(next_i, next_j),
        ];
        let nearest = corners[usize::from(s > 0.5) + 2 * usize::from(t > 0.5)];
        if nearest.is_nan() || corners.iter().any(|c| c.is_nan()) {
            return nearest;
        }
        let blend = |x: f64, y: f64, t: f64| x * (1.0 - t) + y * t;
        blend(
            blend(corners[0], corners[1], s),
            blend(corners[2], corners[3], s),
            t,
        )
    }
}

/// The interval of `at` in increasing coordinates and the share of it that lies below `at`, clamped to the ends.
fn locate(coordinates: &[f64], at: f64) -> (usize, f64) {
    let after = coordinates.partition_point(|c| *c <= at);
    if after == 0 || coordinates.len() == 1 {
        return (0, 0.0);
    } else if after == coordinates.len() {
        return (after - 1, 0.0);
    }
    let (low, high) = (coordinates[after - 1], coordinates[after]);
    (
        after - 1,
        if high > low {
            (at - low) / (high - low)
        } else {
            0.0
        },
    )
}

/// The axis through coordinates that have been validated; one coordinate alone gets room on both sides.
pub(crate) fn coordinate_axis(coordinates: &[f64]) -> Axis {
    let axis = Axis::of(coordinates.iter().copied(), Scale::Linear)
        .ok()
        .flatten()
        .unwrap_or(Axis {
            low: 0.0,
            high: 1.0,
            log: false,
        });
    if axis.high > axis.low {
        axis
    } else {
        axis.padded(0.0)
    }
}
