//! The coordinates at which a slice is evaluated.

use std::ops::RangeInclusive;

/// Returns `count` equally spaced numbers from the start to the end of `range`, both included; one
/// number is the middle. A range around zero with an odd count has zero itself, exactly.
///
/// A slice refuses coordinates that are not finite, and a list without any.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "grids have far fewer than 2^53 points"
)]
pub fn linspace(range: RangeInclusive<f64>, count: usize) -> Vec<f64> {
    let (start, end) = range.into_inner();
    if count == 1 {
        return vec![f64::midpoint(start, end)];
    }
    let last = count.saturating_sub(1) as f64;
    // Weighted from both ends, so that symmetric ranges give symmetric points and the ends are met.
    (0..count)
        .map(|i| start * ((last - i as f64) / last) + end * (i as f64 / last))
        .collect()
}

/// The coordinates of a plane: multiples of the first direction and of the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Multiples of the first direction.
    pub a: Vec<f64>,
    /// Multiples of the second direction.
    pub b: Vec<f64>,
}

impl Grid {
    /// Returns `count` by `count` points over the same range in both directions, as of
    /// [`linspace`].
    #[must_use]
    pub fn square(range: RangeInclusive<f64>, count: usize) -> Self {
        Self::rectangle((range.clone(), count), (range, count))
    }

    /// Returns the points of a range and a number of points for each direction.
    #[must_use]
    pub fn rectangle(a: (RangeInclusive<f64>, usize), b: (RangeInclusive<f64>, usize)) -> Self {
        Self {
            a: linspace(a.0, a.1),
            b: linspace(b.0, b.1),
        }
    }

    /// Returns the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.a.len() * self.b.len()
    }

    /// Returns the points, the second coordinate running fastest.
    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        let row = |&a| self.b.iter().map(move |&b| [a, b]);
        self.a.iter().flat_map(row).collect()
    }

    /// Returns whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
