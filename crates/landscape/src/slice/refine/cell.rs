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

    /// Returns the indices of the points that are evaluated: the nodes, and those in which the
    /// interpolant is looked at.
    pub(super) fn points(&self, columns: usize) -> Vec<usize> {
        let (rows, across) = (nodes(self.rows), nodes(self.columns));
        let nodes = rows
            .iter()
            .flat_map(|&i| across.iter().map(move |&j| (i, j)));
        let index = |(i, j): (usize, usize)| i * columns + j;
        nodes.chain(self.between()).map(index).collect()
    }

    /// Returns the points in which the interpolant is looked at: amid the nodes next to each
    /// corner, where the error is largest for a smooth function, and near the middle. In a
    /// direction in which all points are nodes these are nodes.
    fn between(&self) -> Vec<(usize, usize)> {
        let [(r0, r1, r2), (c0, c1, c2)] = [self.rows, self.columns].map(amid);
        let mut points = vec![(r0, c0), (r0, c2), (r2, c0), (r2, c2), (r1, c1)];
        let rows = nodes(self.rows);
        let columns = nodes(self.columns);
        points.retain(|(i, j)| !(rows.contains(i) && columns.contains(j)));
        points
    }

    /// Returns the largest difference between interpolant and function among the points between
    /// the nodes; infinity where there is a value that cannot be drawn beside one that can.
    pub(super) fn error(&self, picture: &Picture<'_>) -> f64 {
        let between = self.between();
        if between.is_empty() {
            return 0.0;
        }
        let columns = picture.grid.b.len();
        let points = self.points(columns);
        let drawn = |index: &usize| picture.drawn(index / columns, index % columns);
        let count = points.iter().filter_map(drawn).count();
        if count == 0 {
            return 0.0;
        }
        let Some(interpolant) = self.interpolant(picture) else {
            return f64::INFINITY;
        };
        let gap = |&(i, j): &(usize, usize)| match picture.drawn(i, j) {
            Some(value) => (interpolant.at(picture, i, j) - value).abs(),
            None => f64::INFINITY,
        };
        between.iter().map(gap).fold(0.0, f64::max)
    }

    /// Writes the interpolant into the values that were not evaluated. Where no value of the cell
    /// can be drawn they become what the first of its nodes is.
    pub(super) fn fill(&self, picture: &Picture<'_>, values: &mut [f64]) {
        let interpolant = self.interpolant(picture);
        let columns = picture.grid.b.len();
        let first = values[self.rows.0 * columns + self.columns.0];
        for i in self.rows.0..=self.rows.1 {
            for j in self.columns.0..=self.columns.1 {
                let index = i * columns + j;
                if picture.values[index].is_none() {
                    values[index] = match &interpolant {
                        Some(interpolant) => picture.scale.value(interpolant.at(picture, i, j)),
                        None if picture.scale.drawn(first).is_none() => first,
                        None => f64::NAN,
                    };
                }
            }
        }
    }

    /// Returns the polynomial through the nodes; none where one of them cannot be drawn.
    fn interpolant(&self, picture: &Picture<'_>) -> Option<Interpolant> {
        let (rows, columns) = (nodes(self.rows), nodes(self.columns));
        let of_row = |&i: &usize| -> Option<Vec<f64>> {
            columns.iter().map(|&j| picture.drawn(i, j)).collect()
        };
        Some(Interpolant {
            values: rows.iter().map(of_row).collect::<Option<_>>()?,
            rows,
            columns,
        })
    }
}

/// A polynomial through the nodes of a cell.
struct Interpolant {
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<Vec<f64>>,
}

impl Interpolant {
    fn at(&self, picture: &Picture<'_>, i: usize, j: usize) -> f64 {
        let across = weights(&picture.grid.b, &self.columns, j);
        let down = weights(&picture.grid.a, &self.rows, i);
        let of_row = |row: &Vec<f64>| -> f64 { row.iter().zip(&across).map(|(v, w)| v * w).sum() };
        self.values
            .iter()
            .zip(&down)
            .map(|(row, w)| w * of_row(row))
            .sum()
    }
}

/// Returns the weights of Lagrange's interpolation from some points of an axis to another.
fn weights(axis: &[f64], nodes: &[usize], at: usize) -> Vec<f64> {
    let x = axis[at];
    let weight = |&node: &usize| {
        let others = nodes.iter().filter(|&&other| other != node);
        others
            .map(|&other| (x - axis[other]) / (axis[node] - axis[other]))
            .product()
    };
    nodes.iter().map(weight).collect()
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
