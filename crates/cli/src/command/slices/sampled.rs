//! The values of a slice at the points of its grid, and the figures that a table has of them.

use pictures::Field;
use probes::export::{self, Samples};
use serde_json::Value;

use crate::engine::slices::{Column, Figure};

/// The values of a slice at the points of its grid.
#[derive(Debug, Clone)]
pub(crate) struct Sampled<const D: usize> {
    /// The coordinates along each direction.
    pub(crate) axes: [Vec<f64>; D],
    /// The quantities.
    pub(crate) columns: Vec<Column>,
    /// The values of each quantity, the last coordinate running fastest.
    pub(crate) values: Vec<Vec<f64>>,
    /// The directions, for the document.
    pub(crate) directions: Value,
    /// The way in which the values were obtained.
    pub(crate) evaluation: String,
    /// Points that were evaluated: fewer than the grid has where it was refined.
    pub(crate) evaluated: usize,
    /// Those of them that an earlier sitting had evaluated.
    pub(crate) stored: usize,
    /// Which points were evaluated, where it is not all.
    pub(crate) recorded: Option<Vec<bool>>,
    /// The error of the interpolation where the grid was refined, as a share of the range.
    pub(crate) error: Option<f64>,
    /// Seconds of this sitting.
    pub(crate) seconds: f64,
}

/// The extreme of a quantity, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extreme<const D: usize> {
    /// The value.
    pub(crate) value: f64,
    /// Its coordinates.
    pub(crate) at: [f64; D],
}

impl<const D: usize> Sampled<D> {
    /// Returns the points of a grid, the last coordinate running fastest.
    pub(crate) fn points_of(axes: &[Vec<f64>; D]) -> Vec<[f64; D]> {
        let count = axes.iter().map(Vec::len).product();
        let point = |mut index: usize| {
            let mut point = [0.0; D];
            for (coordinate, axis) in point.iter_mut().zip(axes).rev() {
                *coordinate = axis[index % axis.len()];
                index /= axis.len();
            }
            point
        };
        (0..count).map(point).collect()
    }

    /// Returns the values for exports: those that were interpolated are marked as not measured.
    pub(crate) fn samples(&self) -> Samples {
        let names = ["a", "b"];
        let axes = names.iter().zip(&self.axes);
        let axes: Vec<_> = axes
            .map(|(name, axis)| export::Column::new(*name, axis.clone()))
            .collect();
        let quantities = self.columns.iter().zip(&self.values);
        let quantities = quantities.map(|(column, values)| (column.name(), values.clone()));
        let samples = Samples::on_grid(axes, quantities)
            .with_note("evaluation", self.evaluation.clone())
            .with_note("directions", self.directions.to_string());
        match &self.recorded {
            Some(recorded) => samples.with_recorded(recorded.clone()),
            None => samples,
        }
    }

    /// Returns the value at the point that is closest to the centre, and that point.
    pub(crate) fn centre(&self, column: usize) -> Extreme<D> {
        let nearest = |axis: &Vec<f64>| {
            let closer = |a: &(usize, &f64), b: &(usize, &f64)| a.1.abs().total_cmp(&b.1.abs());
            let found = axis.iter().enumerate().min_by(closer);
            found.map_or((0, f64::NAN), |(index, value)| (index, *value))
        };
        let mut index = 0;
        let mut at = [0.0; D];
        for (coordinate, axis) in at.iter_mut().zip(&self.axes) {
            let (place, value) = nearest(axis);
            index = index * axis.len() + place;
            *coordinate = value;
        }
        Extreme {
            value: self.values[column][index],
            at,
        }
    }

    /// Returns the finite value that is least by `order`, if there is a finite one.
    fn extreme(&self, column: usize, sign: f64) -> Option<Extreme<D>> {
        let points = Self::points_of(&self.axes);
        let finite = self.values[column].iter().zip(points);
        let finite = finite.filter(|(value, _)| value.is_finite());
        let least = finite.min_by(|(a, _), (b, _)| (sign * **a).total_cmp(&(sign * **b)));
        least.map(|(value, at)| Extreme { value: *value, at })
    }

    /// Returns the smallest finite value.
    pub(crate) fn lowest(&self, column: usize) -> Option<Extreme<D>> {
        self.extreme(column, 1.0)
    }

    /// Returns the largest finite value.
    pub(crate) fn highest(&self, column: usize) -> Option<Extreme<D>> {
        self.extreme(column, -1.0)
    }

    /// Returns how many values are no finite numbers.
    pub(crate) fn not_finite(&self, column: usize) -> usize {
        let values = self.values[column].iter();
        values.filter(|value| !value.is_finite()).count()
    }

    /// Returns the share of the points whose value lies above `multiple` times that of the centre,
    /// or is no finite number.
    pub(crate) fn share_above(&self, column: usize, multiple: f64) -> f64 {
        let most = multiple * self.centre(column).value;
        let values = &self.values[column];
        let above = values.len() - values.iter().filter(|value| **value <= most).count();
        above as f64 / values.len() as f64
    }

    /// Returns how many points were evaluated, and how many of them earlier, in words.
    pub(crate) fn evaluated_in_words(&self) -> String {
        match self.stored {
            0 => self.evaluated.to_string(),
            stored => format!("{} ({stored} earlier)", self.evaluated),
        }
    }

    /// Returns the place of a column, if there is such a one.
    pub(crate) fn place_of(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|other| *other == column)
    }

    /// Returns the places of the columns of a quantity.
    pub(crate) fn of(&self, figure: Figure) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let columns = columns.filter(|(_, column)| column.figure == figure);
        columns.map(|(index, _)| index).collect()
    }
}

impl Sampled<2> {
    /// Returns the values of a column over the plane, to be drawn.
    pub(crate) fn field(&self, column: usize) -> Field<'_> {
        let [a, b] = &self.axes;
        (&a[..], &b[..], &self.values[column][..]).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::slice_choice::Split;

    fn saddle() -> Sampled<2> {
        let axes = [vec![-1.0, 0.0, 2.0], vec![-1.0, 1.0]];
        let points = Sampled::points_of(&axes);
        let mut values: Vec<f64> = points.iter().map(|[a, b]| 1.0 + a * b).collect();
        values[5] = f64::NAN;
        Sampled {
            axes,
            columns: vec![Column {
                split: Split::Training,
                figure: Figure::Loss,
            }],
            values: vec![values],
            directions: Value::Null,
            evaluation: String::new(),
            evaluated: 6,
            stored: 0,
            recorded: None,
            error: None,
            seconds: 0.0,
        }
    }

    #[test]
    fn second_coordinate_runs_fastest_on_a_plane_that_is_not_square() {
        let points = Sampled::points_of(&saddle().axes);
        let expected = [
            [-1.0, -1.0],
            [-1.0, 1.0],
            [0.0, -1.0],
            [0.0, 1.0],
            [2.0, -1.0],
            [2.0, 1.0],
        ];
        assert_eq!(points, expected);
    }

    #[test]
    fn extremes_are_those_of_finite_values_and_what_is_not_finite_lies_above() {
        let saddle = saddle();
        let lowest = saddle.lowest(0).unwrap();
        assert_eq!((lowest.value, lowest.at), (-1.0, [2.0, -1.0]));
        let highest = saddle.highest(0).unwrap();
        assert_eq!((highest.value, highest.at), (2.0, [-1.0, -1.0]));
        assert_eq!(saddle.not_finite(0), 1);
        let centre = saddle.centre(0);
        assert_eq!((centre.value, centre.at), (1.0, [0.0, -1.0]));
        // 2 lies above 1.5 times the centre's 1, and so does what is not finite.
        assert_eq!(saddle.share_above(0, 1.5), 2.0 / 6.0);
    }
}
