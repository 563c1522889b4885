//! A mesh of a function of two variables.

use super::{MOST_VERTICES, Mesh, VIEW};
use crate::Error;

/// How a surface is drawn.
#[derive(Debug, Clone)]
pub struct SurfaceConfig {
    /// Its extent along x, y (the height) and z.
    pub size: [f64; 3],
    /// Whether equal ratios of the values are equally high. All finite values must be positive.
    pub logarithmic: bool,
    /// The value at the lowest height: lesser ones lie in a plane. None for the least.
    pub floor: Option<f64>,
    /// The value at the greatest height: greater ones lie in a plane. None for the greatest.
    pub ceiling: Option<f64>,
    /// The colour at a height between 0 and 1.
    pub color: fn(f64) -> [u8; 3],
}

impl Default for SurfaceConfig {
    fn default() -> Self {
        Self {
            size: [2.0, 1.0, 2.0],
            logarithmic: false,
            floor: None,
            ceiling: None,
            color: purple_to_yellow,
        }
    }
}

impl Mesh {
    /// Returns the surface of `values` over a grid: `values[i * y.len() + j]` belongs to `x[i]` and
    /// `y[j]`.
    ///
    /// The first axis is the viewer's x, the second its z, and the value its height. The surface is
    /// centred and scaled to [`SurfaceConfig::size`]. Faces that touch a value which is not finite
    /// are left out; their vertices stay, at the lowest height. Of a grid of more than 65,536
    /// points rows and columns are left out, evenly, and never the first and last ones.
    ///
    /// # Errors
    /// [`Error::Mesh`] when the lengths do not match, an axis has fewer than two points or does not
    /// increase, no value is finite, or a value is not positive on a logarithmic scale.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{Mesh, SurfaceConfig};
    ///
    /// let axis = [-1.0, 0.0, 1.0];
    /// let mut bowl = Vec::new();
    /// for x in axis {
    ///     bowl.extend(axis.map(|y| x * x + y * y));
    /// }
    /// let mesh = Mesh::surface(&axis, &axis, &bowl, &SurfaceConfig::default())?;
    /// assert_eq!((mesh.vertices.len(), mesh.faces.len()), (9, 8));
    /// // The centre is the lowest point.
    /// assert_eq!(mesh.vertices[4], [0.0, -0.5, 0.0]);
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn surface(
        x: &[f64],
        y: &[f64],
        values: &[f64],
        config: &SurfaceConfig,
    ) -> Result<Self, Error> {
        if x.len().checked_mul(y.len()) != Some(values.len()) {
            return wrong(format!(
                "its grid of {} x {} points has {} values",
                x.len(),
                y.len(),
                values.len()
            ));
        }
        let heights = heights(values, config)?;
        let [rows, columns] = sides(x.len(), y.len());
        let [width, height, depth] = config.size;
        let across = positions(x, rows, width)?;
        let along = positions(y, columns, depth)?;
        let mut mesh = Self {
            config: VIEW.into(),
            ..Self::default()
        };
        let mut drawn = Vec::with_capacity(rows * columns);
        for &(i, x) in &across {
            for &(j, z) in &along {
                let found = heights[i * y.len() + j];
                let share = found.unwrap_or(0.0);
                mesh.vertices.push([x, single((share - 0.5) * height), z]);
                mesh.colors.push((config.color)(share));
                drawn.push(found.is_some());
            }
        }
        for i in 1..rows {
            for j in 1..columns {
                let corner = |i: usize, j: usize| i * columns + j;
                let (a, b, c, d) = (
                    corner(i - 1, j - 1),
                    corner(i - 1, j),
                    corner(i, j - 1),
                    corner(i, j),
                );
                // Their fronts face upwards.
                for face in [[a, b, c], [c, b, d]] {
                    if face.iter().all(|&vertex| drawn[vertex]) {
                        mesh.faces.push(face.map(number));
                    }
                }
            }
        }
        mesh.check()?;
        Ok(mesh)
    }
}

fn wrong<T>(rule: String) -> Result<T, Error> {
    Err(Error::Mesh { rule })
}

/// Returns the heights between 0 and 1; none for a value that is not finite.
fn heights(values: &[f64], config: &SurfaceConfig) -> Result<Vec<Option<f64>>, Error> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let least = finite().fold(f64::INFINITY, f64::min);
    let greatest = finite().fold(f64::NEG_INFINITY, f64::max);
    if least > greatest {
        return wrong("none of its values is finite".into());
    }
    let (low, high) = (
        config.floor.unwrap_or(least),
        config.ceiling.unwrap_or(greatest),
    );
    if !(low.is_finite() && high.is_finite()) {
        return wrong(format!("its heights cannot lie between {low} and {high}"));
    }
    if config.logarithmic && !(low > 0.0 && high > 0.0) {
        return wrong(format!(
            "its least value is {}, which a logarithmic scale does not have",
            low.min(high)
        ));
    }
    // Halves, because the difference of two great numbers has no number.
    let level = |value: f64| {
        if config.logarithmic {
            value.max(low).ln()
        } else {
            value / 2.0
        }
    };
    let (low, high) = (level(low), level(high));
    let height = |value: f64| {
        if high > low {
            ((level(value) - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    };
    let of = |&value: &f64| value.is_finite().then(|| height(value));
    Ok(values.iter().map(of).collect())
}

/// Returns how many rows and columns are drawn.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "numbers of rows below 2^16"
)]
fn sides(rows: usize, columns: usize) -> [usize; 2] {
    if rows.saturating_mul(columns) <= MOST_VERTICES {
        return [rows, columns];
    }
    let shrink = (MOST_VERTICES as f64 / (rows as f64 * columns as f64)).sqrt();
    let fewer = ((rows as f64 * shrink) as usize).clamp(2.min(rows), MOST_VERTICES / 2);
    [fewer, columns.min(MOST_VERTICES / fewer)]
}

/// Returns `count` evenly spread places of an axis, each with its index and its position about the
/// centre.
fn positions(axis: &[f64], count: usize, extent: f64) -> Result<Vec<(usize, f32)>, Error> {
    let (&[first, .., last], true) = (axis, count >= 2) else {
        return wrong(format!(
            "an axis of its grid has {} points, not two",
            axis.len()
        ));
    };
    let increases = |pair: &[f64]| pair[0] < pair[1];
    let finite = first.is_finite() && last.is_finite();
    if !(finite && axis.windows(2).all(increases)) {
        return wrong("an axis of its grid does not increase".into());
    }
    let place = |k: usize| {
        let index = (k * (axis.len() - 1) + (count - 1) / 2) / (count - 1);
        let share = (axis[index] / 2.0 - first / 2.0) / (last / 2.0 - first / 2.0);
        (index, single((share - 0.5) * extent))
    };
    Ok((0..count).map(place).collect())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the viewer has f32; the cast rounds to nearest"
)]
fn single(value: f64) -> f32 {
    value as f32
}

fn number(vertex: usize) -> u32 {
    u32::try_from(vertex).expect("there are at most 65,536 vertices")
}

/// Returns a colour of the map viridis, interpolated between five of its colours.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 255, as the clamp sees to"
)]
fn purple_to_yellow(height: f64) -> [u8; 3] {
    const STOPS: [[f64; 3]; 5] = [
        [68.0, 1.0, 84.0],
        [59.0, 82.0, 139.0],
        [33.0, 145.0, 140.0],
        [94.0, 201.0, 98.0],
        [253.0, 231.0, 37.0],
    ];
    let place = height.clamp(0.0, 1.0) * 4.0;
    let stop = (place as usize).min(3);
    let share = place - stop as f64;
    let mixed = |channel: usize| {
        let (from, to) = (STOPS[stop][channel], STOPS[stop + 1][channel]);
        (from + (to - from) * share).round() as u8
    };
    [mixed(0), mixed(1), mixed(2)]
}
