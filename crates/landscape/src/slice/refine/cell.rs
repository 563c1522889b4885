//! A rectangle of the grid with a polynomial interpolant.

use super::Picture;

/// Intervals between the nodes of a cell in each direction, and the degree of its interpolant.
const DEGREE: usize = 4;

/// A rectangle of the grid, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    rows: (usize, usize),
    columns: (usize, usize),
}

impl Cell {
    /// Returns the cells of a grid from which a refinement starts, with about `start` nodes in each
    /// direction.
    pub(super) fn all(rows: usize, columns: usize, start: usize) -> Vec<Self> {
        let count = (start - 1).div_ceil(DEGREE);
        let (rows, columns) = (pieces(0, rows - 1, count), pieces(0, columns - 1, count));
        product(&rows, &columns)
    }

    /// Returns the halves in both directions; nothing where all points are nodes.
    pub(super) fn divided(&self) -> Vec<Self> {
        let is_full = |(low, high): (usize, usize)| high - low <= DEGREE;
        if is_full(self.rows) && is_full(self.columns) {
            return Vec::new();
        }
        let halves = |ends: (usize, usize)| match is_full(ends) {
            true => vec![ends],
            false => pieces(ends.0, ends.1, 2),
        };
        product(&halves(self.rows), &halves(self.columns))
    }

    /// Returns the indices of the points that are evaluated first: the nodes, and some between.
    pub(super) fn points(&self, columns: usize) -> Vec<usize> {
        let (rows, across) = (nodes(self.rows), nodes(self.columns));
        let nodes = rows
            .iter()
            .flat_map(|&i| across.iter().map(move |&j| (i, j)));
        let index = |(i, j): (usize, usize)| i * columns + j;
        nodes.chain(self.between()).map(index).collect()
    }

    /// Returns the points in which the interpolant is looked at in any case: amid the nodes next
    /// to each corner, where the error is largest for a smooth function, and near the middle. In a
    /// direction in which all points are nodes these are nodes.
    fn between(&self) -> Vec<(usize, usize)> {
        let [(r0, r1, r2), (c0, c1, c2)] = [self.rows, self.columns].map(amid);
        vec![(r0, c0), (r0, c2), (r2, c0), (r2, c2), (r1, c1)]
    }

    /// Returns the indices of further points in which the interpolant is looked at: in each half
    /// of the cell the one where polynomial and broken planes are farthest apart, which is where a
    /// kink shows.
    pub(super) fn doubtful(&self, picture: &Picture<'_>) -> Vec<usize> {
        let (Some(smooth), Some(broken)) = (
            self.interpolant(picture, Kind::Polynomial),
            self.interpolant(picture, Kind::Broken),
        ) else {
            return Vec::new();
        };
        let middle = usize::midpoint(self.rows.0, self.rows.1);
        let gap = |i: usize, j: usize| (smooth.at(i, j) - broken.at(i, j)).abs();
        let farthest = |rows: std::ops::RangeInclusive<usize>| {
            let points = rows.flat_map(|i| (self.columns.0..=self.columns.1).map(move |j| (i, j)));
            let gaps = points
                .filter(|&(i, j)| picture.values[picture.index(i, j)].is_none())
                .map(|(i, j)| (gap(i, j), picture.index(i, j)));
            gaps.max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, index)| index)
        };
        [self.rows.0..=middle, middle + 1..=self.rows.1]
            .into_iter()
            .filter_map(farthest)
            .collect()
    }

    /// Returns the largest difference between polynomial and function in the points between the
    /// nodes that were evaluated; infinity where there is a value that cannot be drawn beside one
    /// that can.
    pub(super) fn error(&self, picture: &Picture<'_>) -> f64 {
        let points = || {
            let row = |i| (self.columns.0..=self.columns.1).map(move |j| (i, j));
            (self.rows.0..=self.rows.1).flat_map(row)
        };
        let known = || points().filter(|&(i, j)| picture.values[picture.index(i, j)].is_some());
        let is_full = known().count() == points().count();
        if is_full || known().all(|(i, j)| picture.drawn(i, j).is_none()) {
            return 0.0;
        }
        let Some(polynomial) = self.interpolant(picture, Kind::Polynomial) else {
            return f64::INFINITY;
        };
        let gap = |(i, j)| match picture.drawn(i, j) {
            Some(value) => (polynomial.at(i, j) - value).abs(),
            None => f64::INFINITY,
        };
        known().map(gap).fold(0.0, f64::max)
    }

    /// Writes the polynomial into the values that were not evaluated. Where no value of the cell
    /// can be drawn they become what the first of its nodes is.
    pub(super) fn fill(&self, picture: &Picture<'_>, values: &mut [Option<f64>]) {
        let interpolant = self.interpolant(picture, Kind::Polynomial);
        let first = picture.values[picture.index(self.rows.0, self.columns.0)]
            .expect("the nodes are evaluated first");
        for i in self.rows.0..=self.rows.1 {
            for j in self.columns.0..=self.columns.1 {
                let index = picture.index(i, j);
                if picture.values[index].is_none() {
                    values[index] = Some(match &interpolant {
                        Some(interpolant) => picture.scale.value(interpolant.at(i, j)),
                        None if picture.scale.drawn(first).is_none() => first,
                        None => f64::NAN,
                    });
                }
            }
        }
    }

    /// Returns an interpolant through the nodes; none where one of them cannot be drawn.
    fn interpolant(&self, picture: &Picture<'_>, kind: Kind) -> Option<Interpolant> {
        let (rows, columns) = (nodes(self.rows), nodes(self.columns));
        let of_row = |&i: &usize| -> Option<Vec<f64>> {
            columns.iter().map(|&j| picture.drawn(i, j)).collect()
        };
        let weights = |axis: &[f64], nodes: &[usize], (low, high): (usize, usize)| {
            let at = |x| match kind {
                Kind::Polynomial => lagrange(axis, nodes, x),
                Kind::Broken => linear(axis, nodes, x),
            };
            (low..=high).map(at).collect()
        };
        Some(Interpolant {
            values: rows.iter().map(of_row).collect::<Option<_>>()?,
            down: weights(&picture.grid.a, &rows, self.rows),
            across: weights(&picture.grid.b, &columns, self.columns),
            first: (self.rows.0, self.columns.0),
        })
    }
}

/// The kind of an interpolant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The polynomial of degree 4 in each coordinate.
    Polynomial,
    /// Linear in each coordinate between neighbouring nodes.
    Broken,
}

/// An interpolant through the nodes of a cell: their values, and their weights for each row and
/// each column of the cell.
struct Interpolant {
    values: Vec<Vec<f64>>,
    down: Vec<Vec<f64>>,
    across: Vec<Vec<f64>>,
    first: (usize, usize),
}

impl Interpolant {
    fn at(&self, i: usize, j: usize) -> f64 {
        let (down, across) = (&self.down[i - self.first.0], &self.across[j - self.first.1]);
        let of_row = |row: &Vec<f64>| -> f64 { row.iter().zip(across).map(|(v, w)| v * w).sum() };
        self.values
            .iter()
            .zip(down)
            .map(|(row, w)| w * of_row(row))
            .sum()
    }
}

/// Returns the weights of Lagrange's interpolation from some points of an axis to another.
fn lagrange(axis: &[f64], nodes: &[usize], at: usize) -> Vec<f64> {
    let x = axis[at];
    let weight = |&node: &usize| {
        let others = nodes.iter().filter(|&&other| other != node);
        others
            .map(|&other| (x - axis[other]) / (axis[node] - axis[other]))
            .product()
    };
    nodes.iter().map(weight).collect()
}

/// Returns the weights of linear interpolation from the two nearest of some points of an axis.
fn linear(axis: &[f64], nodes: &[usize], at: usize) -> Vec<f64> {
    let mut weights = vec![0.0; nodes.len()];
    let after = nodes.partition_point(|&node| node < at);
    if nodes[after] == at {
        weights[after] = 1.0;
    } else {
        let (low, high) = (axis[nodes[after - 1]], axis[nodes[after]]);
        let share = (axis[at] - low) / (high - low);
        weights[after - 1] = 1.0 - share;
        weights[after] = share;
    }
    weights
}

/// Returns the nodes of a stretch of points.
fn nodes((low, high): (usize, usize)) -> Vec<usize> {
    let length = high - low;
    if length <= DEGREE {
        return (low..=high).collect();
    }
    (0..=DEGREE)
        .map(|k| low + (k * length + DEGREE / 2) / DEGREE)
        .collect()
}

/// Returns the points amid the first two nodes of a stretch, two in the middle and the last two.
fn amid(ends: (usize, usize)) -> (usize, usize, usize) {
    let nodes = nodes(ends);
    let last = nodes.len() - 1;
    let amid = |k: usize| (nodes[k] + nodes[(k + 1).min(last)]) / 2;
    (amid(0), amid(last / 2), amid(last.saturating_sub(1)))
}

/// Returns `count` pieces of a stretch of points that share their ends; fewer where there are not
/// as many intervals.
fn pieces(low: usize, high: usize, count: usize) -> Vec<(usize, usize)> {
    let length = high - low;
    let count = count.min(length).max(1);
    let place = |k: usize| low + (k * length + count / 2) / count;
    (0..count).map(|k| (place(k), place(k + 1))).collect()
}

fn product(rows: &[(usize, usize)], columns: &[(usize, usize)]) -> Vec<Cell> {
    let row = |&rows: &(usize, usize)| columns.iter().map(move |&columns| Cell { rows, columns });
    rows.iter().flat_map(row).collect()
}
