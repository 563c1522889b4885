//! The surface as shaded cells, in the order in which they are drawn.

use super::view::{HEIGHT, Place, View, dot, unit};
use crate::color::{BLACK, Color, WHITE, viridis};
use crate::drawing::geometry::Point;
use crate::drawing::{Drawing, Path};
use crate::field::UnitField;
use crate::theme::mixed;

/// The largest number of cells along a direction that are drawn; of more points some are left out.
const MOST_CELLS: usize = 100;
/// The number of cells along a direction up to which the cells of a coarse grid are divided.
const FINE: usize = 64;

/// A surface in the box.
pub(super) struct Mesh {
    /// Coordinates in the box, along each direction.
    sides: [Vec<f64>; 2],
    /// Heights in the box, NaN where there is none; row by row.
    heights: Vec<f64>,
    /// Upward unit normals at the points.
    normals: Vec<Place>,
    /// The height at which the surface is cut.
    cut: f64,
    /// The height in the box of the least value of the colours.
    low: f64,
    /// Whether the line along each coordinate is drawn, for both directions.
    lines: [Vec<bool>; 2],
    has_lines: bool,
}

impl Mesh {
    /// Places a field, whose least and largest drawn values lie at `low` and [`HEIGHT`], with at
    /// most `mesh` lines along each direction.
    pub(super) fn new(units: &UnitField, low: f64, mesh: usize) -> Self {
        let (kept_a, kept_b) = (kept(units.a.len()), kept(units.b.len()));
        let split = [&kept_a, &kept_b].map(|kept| (FINE / (kept.len() - 1)).max(1));
        let (u, on_a) = spread(&kept_a, split[0], mesh);
        let (v, on_b) = spread(&kept_b, split[1], mesh);
        let to_box =
            |t: &(usize, usize, f64), at: &[f64]| 2.0 * (at[t.0] + t.2 * (at[t.1] - at[t.0])) - 1.0;
        let sides = [
            u.iter().map(|t| to_box(t, &units.a)).collect::<Vec<f64>>(),
            v.iter().map(|t| to_box(t, &units.b)).collect::<Vec<f64>>(),
        ];
        let mut heights = Vec::with_capacity(u.len() * v.len());
        for (i0, i1, s) in &u {
            for (j0, j1, t) in &v {
                let row = |i: usize| between(units.value((i, *j0)), units.value((i, *j1)), *t);
                let value = between(row(*i0), row(*i1), *s);
                // What is cut off far above needs no exact place, but a finite one.
                heights.push(low + (HEIGHT - low) * value.clamp(-1.0, 1e6));
            }
        }
        let normals = normals(&sides, &heights, split);
        Self {
            sides,
            heights,
            normals,
            // A margin for the rounding of the largest value.
            cut: HEIGHT * (1.0 + 1e-12),
            low,
            lines: [on_a, on_b],
            has_lines: mesh > 0,
        }
    }

    fn place(&self, (i, j): (usize, usize)) -> Place {
        let height = self.heights[i * self.sides[1].len() + j];
        [self.sides[0][i], self.sides[1][j], height]
    }

    /// Draws the cells from the farthest to the nearest.
    pub(super) fn draw(&self, drawing: &mut Drawing, view: &View, unit: f64) {
        drawing.begin_cells(unit);
        for (_, cell) in self.cells(view) {
            drawing.cell(&cell.outline, cell.color);
            drawing.cell_line(cell.lines, mixed(cell.color, BLACK, 0.62));
        }
        drawing.end_cells();
    }

    /// Returns the cells from the farthest to the nearest, each with its two indices.
    ///
    /// A ray from the camera moves away from the camera's place over the ground along both
    /// directions. So of two cells on one ray the one that is hidden is farther along at least one
    /// direction and nearer along none: drawing from far to near along one direction, and within
    /// that along the other, is right for any surface that is a function of the ground.
    fn cells(&self, view: &View) -> Vec<([usize; 2], Cell)> {
        let eye = view.eye();
        let order = [0, 1].map(|k| far_to_near(&self.sides[k], eye[k]));
        let steps = order[0]
            .iter()
            .flat_map(|i| order[1].iter().map(move |j| [*i, *j]));
        let indexed = |steps: [(usize, usize); 2]| {
            let cell = self.cell(view, steps)?;
            Some((steps.map(|(index, _)| index), cell))
        };
        steps.filter_map(indexed).collect()
    }

    /// Returns the cell between the coordinates (i, i + 1) and (j, j + 1), unless it is left out.
    /// It carries those of its sides on which a line lies: the far ones, which no farther cell
    /// covers, and the near ones at the edge of the surface.
    fn cell(&self, view: &View, steps: [(usize, usize); 2]) -> Option<Cell> {
        let [(i, i_far), (j, j_far)] = steps;
        let indices = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
        let places = indices.map(|index| self.place(index));
        if places.iter().any(|p| p[2].is_nan()) {
            return None;
        }
        let shape = cut_below(&places, self.cut);
        if shape.len() < 3 {
            return None;
        }
        let middle = mean(&shape);
        let normals = indices.map(|(i, j)| self.normals[i * self.sides[1].len() + j]);
        let eye = view.eye();
        let sight = [0, 1, 2].map(|k| eye[k] - middle[k]);
        let value = (middle[2] - self.low) / (HEIGHT - self.low);
        let color = shaded(
            viridis(value),
            unit(mean(&normals)),
            unit(sight),
            view.light(),
        );
        let outline = shape.iter().map(|p| view.pixel(*p)).collect();

        let mut lines = Path::coarse();
        let mut add = |is_there: bool, from: (usize, usize), to: (usize, usize)| {
            let ends = cut_line([self.place(from), self.place(to)], self.cut);
            if let Some(ends) = ends.filter(|_| is_there && self.has_lines) {
                lines.line(&ends.map(|p| view.pixel(p)));
            }
        };
        let (i_near, j_near) = (2 * i + 1 - i_far, 2 * j + 1 - j_far);
        let is_edge = |k: usize, at: usize| at == 0 || at + 1 == self.sides[k].len();
        add(self.lines[0][i_far], (i_far, j), (i_far, j + 1));
        add(self.lines[1][j_far], (i, j_far), (i + 1, j_far));
        add(is_edge(0, i_near), (i_near, j), (i_near, j + 1));
        add(is_edge(1, j_near), (i, j_near), (i + 1, j_near));
        Some(Cell {
            outline,
            color,
            lines,
        })
    }
}

/// A cell of the surface on the picture.
struct Cell {
    outline: Vec<Point>,
    color: Color,
    lines: Path,
}

fn mean(places: &[Place]) -> Place {
    let count = places.len() as f64;
    places
        .iter()
        .fold([0.0; 3], |sum, p| [0, 1, 2].map(|k| sum[k] + p[k] / count))
}

/// Returns the indices that are drawn, of `count` points.
fn kept(count: usize) -> Vec<usize> {
    let stride = (count - 1).div_ceil(MOST_CELLS).max(1);
    let mut kept: Vec<usize> = (0..count).step_by(stride).collect();
    if kept.last() != Some(&(count - 1)) {
        kept.push(count - 1);
    }
    kept
}

/// A place between two points of the grid: their indices, and the share of the way.
type Between = (usize, usize, f64);

/// Divides each step into `split` parts, and chooses at most `mesh` points with a line.
fn spread(kept: &[usize], split: usize, mesh: usize) -> (Vec<Between>, Vec<bool>) {
    let steps = kept.len() - 1;
    let stride = steps.div_ceil(mesh.saturating_sub(1).max(1)).max(1);
    let (mut places, mut lines) = (Vec::new(), Vec::new());
    for (step, pair) in kept.windows(2).enumerate() {
        for part in 0..split {
            places.push((pair[0], pair[1], part as f64 / split as f64));
            lines.push(part == 0 && step % stride == 0);
        }
    }
    let last = kept[steps];
    places.push((last, last, 0.0));
    lines.push(true);
    (places, lines)
}

/// Interpolates; what lies at an end needs no other.
fn between(from: f64, to: f64, share: f64) -> f64 {
    if share == 0.0 {
        from
    } else {
        from + share * (to - from)
    }
}

/// Returns the upward normals at the points: from the slopes between the points of the grid
/// around each, `split` places away.
fn normals(sides: &[Vec<f64>; 2], heights: &[f64], split: [usize; 2]) -> Vec<Place> {
    let [n, m] = [sides[0].len(), sides[1].len()];
    let at = |i: usize, j: usize| heights[i * m + j];
    let slope = |from: (f64, f64), here: (f64, f64), to: (f64, f64)| {
        let slope = |p: (f64, f64), q: (f64, f64)| (q.1 - p.1) / (q.0 - p.0);
        let candidates = [slope(from, to), slope(from, here), slope(here, to)];
        candidates
            .into_iter()
            .find(|slope| slope.is_finite())
            .unwrap_or(0.0)
    };
    let mut normals = Vec::with_capacity(n * m);
    for i in 0..n {
        for j in 0..m {
            let (i0, i1) = (i.saturating_sub(split[0]), (i + split[0]).min(n - 1));
            let (j0, j1) = (j.saturating_sub(split[1]), (j + split[1]).min(m - 1));
            let x = |i: usize| (sides[0][i], at(i, j));
            let y = |j: usize| (sides[1][j], at(i, j));
            let slopes = [slope(x(i0), x(i), x(i1)), slope(y(j0), y(j), y(j1))];
            normals.push(unit([-slopes[0], -slopes[1], 1.0]));
        }
    }
    normals
}

/// Returns the intervals of `coordinates` from the farthest from `eye` to the nearest, each with
/// the index of its far end.
fn far_to_near(coordinates: &[f64], eye: f64) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, usize)> = (0..coordinates.len() - 1)
        .map(|i| {
            let middle = f64::midpoint(coordinates[i], coordinates[i + 1]);
            (i, if middle < eye { i } else { i + 1 })
        })
        .collect();
    let distance = |i: usize| {
        let (from, to) = (coordinates[i], coordinates[i + 1]);
        (from - eye).max(eye - to).max(0.0)
    };
    order.sort_by(|p, q| distance(q.0).total_cmp(&distance(p.0)));
    order
}

/// Returns the part of a shape below a height.
fn cut_below(places: &[Place; 4], height: f64) -> Vec<Place> {
    let mut shape = Vec::with_capacity(5);
    for (k, place) in places.iter().enumerate() {
        let next = places[(k + 1) % 4];
        if place[2] <= height {
            shape.push(*place);
        }
        if (place[2] <= height) != (next[2] <= height) {
            shape.push(crossing(*place, next, height));
        }
    }
    shape
}

/// Returns the part of a line below a height.
fn cut_line([from, to]: [Place; 2], height: f64) -> Option<[Place; 2]> {
    if from[2].is_nan() || to[2].is_nan() {
        return None;
    }
    match (from[2] <= height, to[2] <= height) {
        (true, true) => Some([from, to]),
        (true, false) => Some([from, crossing(from, to, height)]),
        (false, true) => Some([crossing(from, to, height), to]),
        (false, false) => None,
    }
}

fn crossing(from: Place, to: Place, height: f64) -> Place {
    let share = (height - from[2]) / (to[2] - from[2]);
    [
        from[0] + share * (to[0] - from[0]),
        from[1] + share * (to[1] - from[1]),
        height,
    ]
}

/// Returns a colour in the light: Lambert's cosine over a constant part, so that the colour of the
/// value stays recognisable. The lower side of the surface is darker.
fn shaded(color: Color, normal: Place, sight: Place, light: Place) -> Color {
    let below = dot(normal, sight) < 0.0;
    let cosine = dot(normal, light) * if below { -1.0 } else { 1.0 };
    let brightness = 0.66 + 0.44 * cosine.max(0.0);
    let brightness = if below { 0.82 * brightness } else { brightness };
    if brightness <= 1.0 {
        mixed(color, [0, 0, 0], brightness)
    } else {
        mixed(WHITE, color, brightness - 1.0)
    }
}

#[cfg(test)]
mod tests;
