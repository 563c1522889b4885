//! Refinement of a surface where its interpolation asks for it.
//!
//! The grid is divided into cells. In a cell at most 5 by 5 points are evaluated, the interpolant
//! is the polynomial of degree 4 in each coordinate through them, and its error is looked at in
//! points between: where it is largest for a smooth function, in the middle, and where it departs
//! most from linear interpolation, which is where a kink shows. A cell whose error is too large is
//! divided into four. A cell with a value that cannot be drawn beside one that can is divided until
//! all its points are evaluated, so nothing is interpolated over the edge of what can be drawn; a
//! cell none of whose evaluated points can be drawn is taken to have no value anywhere.
//!
//! Slopes are not used: value, two slopes and mixed derivative of a corner took 3 to 10 times a
//! value on eleven surfaces of networks, and a cubic patch from them is no more accurate than the
//! four values of half the spacing.

mod cell;
mod scale;

use std::ops::ControlFlow;

use burn::config::Config;
use burn::module::Module;

use super::{Grid, Slice};
use crate::error::Error;
use cell::Cell;
pub use scale::Scale;

/// By how much the error of a cell may be larger than it was seen to be in a few points of it. With
/// 2.5, of 1,200 surfaces made of random waves and kinks three had an error up to a fifth above the
/// stated one; with 3 none had.
const SAFETY: f64 = 3.0;

/// Settings of [`refine`].
#[derive(Config, Debug, PartialEq)]
pub struct RefineConfig {
    /// Position of the quantity that decides.
    #[config(default = 0)]
    pub quantity: usize,
    /// The largest error, as a share of the range of the picture, between 0 and 1.
    #[config(default = 0.01)]
    pub accuracy: f64,
    /// The scale in which the picture is drawn: error and range are meant in it.
    #[config(default = "Scale::Linear")]
    pub scale: Scale,
    /// Points in each direction from which the refinement starts, at least 5. What lies between
    /// them wholly and shows in none is not seen.
    #[config(default = 17)]
    pub start: usize,
    /// Most evaluations, at least those of the start; none is no limit.
    pub max_evaluations: Option<usize>,
}

/// A surface of which a part of the points was evaluated and the rest interpolated.
#[derive(Debug, Clone, PartialEq)]
pub struct Refined {
    /// The coordinates.
    pub grid: Grid,
    /// Values at all points, row-major `[a.len(), b.len()]`; what is not finite is kept as it is.
    pub values: Vec<f64>,
    /// Which of them were evaluated; the others are interpolated.
    pub evaluated: Vec<bool>,
    /// The stated error of the interpolated values, in the scale of the picture: an estimate,
    /// three times the largest difference between interpolant and function that was seen.
    pub error: f64,
    /// The error that was asked for, `accuracy` times the range.
    pub tolerance: f64,
    /// The smallest and the largest value that can be drawn, in the scale of the picture, of those
    /// evaluated.
    pub range: [f64; 2],
    /// Whether `error` is at most `tolerance`.
    pub converged: bool,
    /// Points that were evaluated, each a forward pass.
    pub evaluations: usize,
}

/// Returns a surface to a chosen accuracy with fewer evaluations than it has points. Each finished
/// point is handed to `each` with its index in the grid, row-major, and the values of all
/// quantities; `each` may cancel.
///
/// Which points are evaluated depends on the values alone, so that a refinement that is done again
/// asks for the same points; [`refine_with`] takes values that are known already.
///
/// Cost: `Refined::evaluations` forward passes; memory of the grid.
///
/// # Errors
/// As [`refine_with`] and [`Slice::values`].
pub fn refine<M: Module + 'static>(
    slice: &Slice<M, 2>,
    grid: &Grid,
    config: &RefineConfig,
    mut each: impl FnMut(usize, &[f64]) -> ControlFlow<()>,
) -> Result<Refined, Error> {
    super::prepared::check_quantity(config.quantity, slice.names().len())?;
    let points = grid.points();
    let mut done = 0;
    refine_with(grid, config, |indices| {
        let chosen: Vec<[f64; 2]> = indices.iter().map(|&index| points[index]).collect();
        let values = slice.values(&chosen, |position, values| each(indices[position], values));
        let values = values.map_err(|error| match error {
            Error::Cancelled { done: here } => Error::Cancelled { done: done + here },
            error => error,
        })?;
        done += values.len();
        Ok(values
            .iter()
            .map(|values| values[config.quantity])
            .collect())
    })
}

/// Returns the same as [`refine`] for any function: `evaluate` is given indices of points of the
/// grid, row-major, each once, and returns their values.
///
/// # Errors
/// A grid without points, or whose coordinates are not finite and ascending; a setting out of
/// range; another number of values than of indices; the errors of `evaluate`.
///
/// # Examples
/// ```
/// use landscape::Grid;
/// use landscape::slice::{RefineConfig, refine_with};
///
/// let grid = Grid::square(-1.0..=1.0, 101);
/// let function = |index: usize| {
///     let (a, b) = (grid.a[index / 101], grid.b[index % 101]);
///     (a + 0.5 * b).powi(2) + (3.0 * b).sin()
/// };
/// let refined = refine_with(&grid, &RefineConfig::new(), |indices| {
///     Ok(indices.iter().map(|&index| function(index)).collect())
/// })?;
/// assert!(refined.converged && refined.evaluations < 101 * 101 / 20);
/// for (index, value) in refined.values.iter().enumerate() {
///     assert!((value - function(index)).abs() <= refined.error);
/// }
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn refine_with(
    grid: &Grid,
    config: &RefineConfig,
    mut evaluate: impl FnMut(&[usize]) -> Result<Vec<f64>, Error>,
) -> Result<Refined, Error> {
    check(grid, config)?;
    let mut picture = Picture {
        grid,
        scale: config.scale,
        values: vec![None; grid.len()],
    };
    let most = config.max_evaluations.unwrap_or(usize::MAX);
    let mut open = Cell::all(grid.a.len(), grid.b.len(), config.start);
    let mut settled: Vec<(Cell, f64)> = Vec::new();
    let mut evaluations = 0;
    loop {
        let first = open.iter().flat_map(|cell| cell.points(grid.b.len()));
        evaluations += picture.evaluate(first.collect(), &mut evaluate)?;
        let doubtful = open.iter().flat_map(|cell| cell.doubtful(&picture));
        evaluations += picture.evaluate(doubtful.collect(), &mut evaluate)?;
        settled.extend(open.drain(..).map(|cell| (cell, 0.0)));
        // All of them: a neighbour may have evaluated a point on the edge.
        for (cell, error) in &mut settled {
            *error = SAFETY * cell.error(&picture);
        }
        let tolerance = config.accuracy * width(picture.range());
        settled.sort_by(|a, b| b.1.total_cmp(&a.1));
        let too_large = settled.partition_point(|&(_, error)| error > tolerance);
        let mut room = most.saturating_sub(evaluations);
        let mut kept = Vec::with_capacity(settled.len());
        for (index, (cell, error)) in settled.drain(..).enumerate() {
            let children = if index < too_large {
                cell.divided()
            } else {
                Vec::new()
            };
            let points = children.iter().flat_map(|child| child.points(grid.b.len()));
            let new = points
                .filter(|&index| picture.values[index].is_none())
                .count();
            // Two more for each child where its interpolants are farthest apart.
            let cost = new + 2 * children.len();
            if children.is_empty() || cost > room {
                kept.push((cell, error));
            } else {
                room -= cost;
                open.extend(children);
            }
        }
        settled = kept;
        if open.is_empty() {
            return Ok(picture.refined(&settled, tolerance, evaluations));
        }
    }
}

/// The points of a surface that are known.
struct Picture<'g> {
    grid: &'g Grid,
    scale: Scale,
    values: Vec<Option<f64>>,
}

impl Picture<'_> {
    fn index(&self, i: usize, j: usize) -> usize {
        i * self.grid.b.len() + j
    }

    /// Evaluates those of some points that were not evaluated yet, and returns their number.
    fn evaluate(
        &mut self,
        mut indices: Vec<usize>,
        evaluate: &mut impl FnMut(&[usize]) -> Result<Vec<f64>, Error>,
    ) -> Result<usize, Error> {
        indices.retain(|&index| self.values[index].is_none());
        indices.sort_unstable();
        indices.dedup();
        if !indices.is_empty() {
            let values = evaluate(&indices)?;
            if values.len() != indices.len() {
                return Err(Error::Length {
                    what: "list of values of the points asked for",
                    expected: indices.len(),
                    found: values.len(),
                });
            }
            for (&index, value) in indices.iter().zip(values) {
                self.values[index] = Some(value);
            }
        }
        Ok(indices.len())
    }

    /// Returns a value in the scale of the picture; none where it was not evaluated or cannot be
    /// drawn.
    fn drawn(&self, i: usize, j: usize) -> Option<f64> {
        self.scale.drawn(self.values[self.index(i, j)]?)
    }

    /// Returns the smallest and the largest value that can be drawn; zeros where there is none.
    fn range(&self) -> [f64; 2] {
        let drawn = self
            .values
            .iter()
            .flatten()
            .filter_map(|&value| self.scale.drawn(value));
        let ends = [f64::INFINITY, f64::NEG_INFINITY];
        let ends = drawn.fold(ends, |[low, high], x| [low.min(x), high.max(x)]);
        if ends[0] <= ends[1] { ends } else { [0.0; 2] }
    }

    /// Returns the surface, interpolated in all cells.
    fn refined(&self, cells: &[(Cell, f64)], tolerance: f64, evaluations: usize) -> Refined {
        let mut values = self.values.clone();
        for (cell, _) in cells {
            cell.fill(self, &mut values);
        }
        let values = values.into_iter();
        let values = values.map(|value| value.expect("every point lies in a cell"));
        let error = cells.iter().map(|&(_, error)| error).fold(0.0, f64::max);
        Refined {
            grid: self.grid.clone(),
            values: values.collect(),
            evaluated: self.values.iter().map(Option::is_some).collect(),
            error,
            tolerance,
            range: self.range(),
            converged: error <= tolerance,
            evaluations,
        }
    }
}

fn width([low, high]: [f64; 2]) -> f64 {
    high - low
}

fn check(grid: &Grid, config: &RefineConfig) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    super::extent::check_points(&grid.points())?;
    for axis in [&grid.a, &grid.b] {
        if let Some(pair) = axis.windows(2).find(|pair| pair[0] >= pair[1]) {
            let value = format!("{} after {}", pair[1], pair[0]);
            return setting("coordinate", value, "above the one before it");
        }
    }
    if !(config.accuracy > 0.0 && config.accuracy < 1.0) {
        return setting(
            "accuracy",
            config.accuracy.to_string(),
            "above 0 and below 1",
        );
    }
    if config.start < 5 {
        return setting("start", config.start.to_string(), "at least 5");
    }
    Ok(())
}
