//! Values on a rectangular grid.

pub(crate) mod level;
mod unit_field;

pub(crate) use unit_field::UnitField;

use crate::Error;
use crate::axis::Axis;

/// Values on a grid of any shape, square or not.
///
/// A tuple of three slices, `(&a[..], &b[..], &values[..])`, is taken for one.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Coordinates along the first direction, drawn from left to right: `[n]`, finite and
    /// increasing.
    pub a: &'a [f64],
    /// Coordinates along the second direction, drawn from bottom to top: `[m]`, finite and
    /// increasing.
    pub b: &'a [f64],
    /// `[n, m]` values in row-major order: `values[i * m + j]` belongs to `a[i]` and `b[j]`.
    /// Values that are not finite are hatched.
    pub values: &'a [f64],
}

impl<'a> From<(&'a [f64], &'a [f64], &'a [f64])> for Field<'a> {
    /// Takes the two coordinates and the values.
    fn from((a, b, values): (&'a [f64], &'a [f64], &'a [f64])) -> Self {
        Self { a, b, values }
    }
}

impl Field<'_> {
    /// Checks lengths and coordinates. Messages end with `of`, such as ` of "sgd"`.
    pub(crate) fn check(&self, of: &str) -> Result<(), Error> {
        check_increasing(&format!("the coordinates a{of}"), self.a)?;
        check_increasing(&format!("the coordinates b{of}"), self.b)?;
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

    /// Returns the coordinates of the smallest finite value and the value; the first of several.
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

    /// Returns the smallest and the largest finite value.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let finite = || self.values.iter().copied().filter(|v| v.is_finite());
        finite().reduce(f64::min).zip(finite().reduce(f64::max))
    }

    /// Tells whether two finite values differ. Every place of a constant surface is its minimum, so
    /// none is marked.
    pub(crate) fn varies(&self) -> bool {
        self.range().is_some_and(|(low, high)| low < high)
    }

    /// Tells whether the point (0, 0) lies on the grid's rectangle.
    pub(crate) fn holds_zero(&self) -> bool {
        let holds = |c: &[f64]| {
            let ends = c.first().zip(c.last());
            ends.is_some_and(|(low, high)| *low <= 0.0 && 0.0 <= *high)
        };
        holds(self.a) && holds(self.b)
    }

    /// Returns the value at the grid point (0, 0), when there is one.
    pub(crate) fn center(&self) -> Option<f64> {
        let zero = |coordinates: &[f64]| coordinates.iter().position(|c| *c == 0.0);
        Some(self.values[zero(self.a)? * self.b.len() + zero(self.b)?])
    }
}

/// Checks that the coordinates are finite, strictly increasing and at least one.
pub(crate) fn check_increasing(what: &str, coordinates: &[f64]) -> Result<(), Error> {
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

/// Returns the axis through coordinates that have been checked; one coordinate alone gets room on
/// both sides.
pub(crate) fn coordinate_axis(coordinates: &[f64]) -> Axis {
    let axis = Axis::linear(coordinates.iter().copied());
    if axis.high > axis.low {
        axis
    } else {
        axis.padded(0.0)
    }
}
