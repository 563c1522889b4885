//! Values of named quantities at points, which exports write.

use landscape::connectivity::PathProfile;
use landscape::slice::Refined;
use landscape::trajectory::Projection;
use landscape::{Line, Surface};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Named numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The name, with the unit where there is one.
    pub name: String,
    /// The numbers.
    pub values: Vec<f64>,
}

impl Column {
    /// Returns numbers with a name.
    pub fn new(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            values,
        }
    }
}

/// Sets the coordinates of a point of all combinations of the axes' values, the last one running
/// fastest.
///
/// # Panics
/// When there is no point with this index.
pub(crate) fn combine(axes: &[Column], index: usize, point: &mut [f64]) {
    let mut rest = index;
    for (coordinate, axis) in point.iter_mut().zip(axes).rev() {
        *coordinate = axis.values[rest % axis.values.len()];
        rest /= axis.values.len();
    }
    assert!(rest == 0, "there is no point {index} on the axes");
}

/// The points at which quantities were measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Points {
    /// All combinations of the values of one axis or two, the last one running fastest: lines, path
    /// profiles, surfaces. A surface whose points were refined has the axes of the fine grid.
    Grid {
        /// The axes.
        axes: Vec<Column>,
    },
    /// Points one after the other: trajectories, refined points by themselves.
    Sequence {
        /// The coordinates, all columns of one length.
        coordinates: Vec<Column>,
        /// Whether each point is joined with the next one.
        joined: bool,
    },
}

/// Values of named quantities at points: what the exports of this module write.
///
/// # Examples
/// ```
/// use probes::export::{Column, Samples, csv};
///
/// let steps = [
///     Column::new("a", vec![0.0, 1.0]),
///     Column::new("b", vec![0.0, -0.5]),
/// ];
/// let trajectory = Samples::joined(steps, [("loss", vec![2.0, f64::INFINITY])]);
/// assert_eq!(
///     csv(&trajectory)?,
///     "a,b,loss\r\n0.0,0.0,2.0\r\n1.0,-0.5,inf\r\n"
/// );
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The points.
    pub points: Points,
    /// The quantities, each with a value for each point.
    pub quantities: Vec<Column>,
    /// Which points were measured. The others' values mean nothing, and are left out or marked.
    pub recorded: Vec<bool>,
    /// Further facts in words, by name, in the order in which they are written.
    pub notes: Vec<(String, String)>,
}

impl Samples {
    /// Returns quantities on the grid of one axis or two, all points measured.
    pub fn on_grid<N: Into<String>>(
        axes: impl Into<Vec<Column>>,
        quantities: impl IntoIterator<Item = (N, Vec<f64>)>,
    ) -> Self {
        Self::at(Points::Grid { axes: axes.into() }, quantities)
    }

    /// Returns quantities at points that are joined in their order, as those of a trajectory.
    pub fn joined<N: Into<String>>(
        coordinates: impl Into<Vec<Column>>,
        quantities: impl IntoIterator<Item = (N, Vec<f64>)>,
    ) -> Self {
        let points = Points::Sequence {
            coordinates: coordinates.into(),
            joined: true,
        };
        Self::at(points, quantities)
    }

    /// Returns quantities at points that stand by themselves.
    pub fn scattered<N: Into<String>>(
        coordinates: impl Into<Vec<Column>>,
        quantities: impl IntoIterator<Item = (N, Vec<f64>)>,
    ) -> Self {
        let points = Points::Sequence {
            coordinates: coordinates.into(),
            joined: false,
        };
        Self::at(points, quantities)
    }

    /// Returns the picture of a refined surface: the quantity at all points of the grid, and
    /// `evaluated`, which is 1 where it was evaluated and 0 where it is interpolated. The notes
    /// state the error.
    pub fn of_refined(refined: &Refined, quantity: impl Into<String>) -> Self {
        let axes = [
            Column::new("a", refined.grid.a.clone()),
            Column::new("b", refined.grid.b.clone()),
        ];
        let evaluated = refined
            .evaluated
            .iter()
            .map(|known| f64::from(u8::from(*known)));
        let quantities = [
            (quantity.into(), refined.values.clone()),
            ("evaluated".to_owned(), evaluated.collect()),
        ];
        Self::on_grid(axes, quantities)
            .with_note("error", format!("{:?}", refined.error))
            .with_note("tolerance", format!("{:?}", refined.tolerance))
            .with_note("evaluations", refined.evaluations.to_string())
    }

    /// Returns a trajectory in a plane: the coordinates of each checkpoint's projection, its
    /// distance from the plane, and quantities, for example its true loss.
    pub fn of_trajectory<N: Into<String>>(
        checkpoints: &[Projection<2>],
        quantities: impl IntoIterator<Item = (N, Vec<f64>)>,
    ) -> Self {
        let along = |axis: usize| checkpoints.iter().map(|at| at.coordinates[axis]).collect();
        let coordinates = [Column::new("a", along(0)), Column::new("b", along(1))];
        let named = quantities
            .into_iter()
            .map(|(name, values)| (name.into(), values));
        let out_of_plane = checkpoints.iter().map(|at| at.out_of_plane).collect();
        let distance = ("out of plane".to_owned(), out_of_plane);
        Self::joined(coordinates, named.chain([distance]))
    }

    fn at<N: Into<String>>(
        points: Points,
        quantities: impl IntoIterator<Item = (N, Vec<f64>)>,
    ) -> Self {
        let quantities = quantities
            .into_iter()
            .map(|(name, values)| Column::new(name, values));
        let mut samples = Self {
            points,
            quantities: quantities.collect(),
            recorded: Vec::new(),
            notes: Vec::new(),
        };
        samples.recorded = vec![true; samples.len()];
        samples
    }

    /// Sets which points were measured.
    #[must_use]
    pub fn with_recorded(self, recorded: Vec<bool>) -> Self {
        Self { recorded, ..self }
    }

    /// Adds a fact in words.
    #[must_use]
    pub fn with_note(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.notes.push((name.into(), text.into()));
        self
    }

    /// Returns the number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.points {
            Points::Grid { axes } => axes.iter().map(|axis| axis.values.len()).product(),
            Points::Sequence { coordinates, .. } => {
                coordinates.first().map_or(0, |column| column.values.len())
            }
        }
    }

    /// Returns whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the axes, or the coordinates.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        match &self.points {
            Points::Grid { axes } => axes,
            Points::Sequence { coordinates, .. } => coordinates,
        }
    }

    /// Returns the coordinates of a point.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn point(&self, index: usize) -> Vec<f64> {
        match &self.points {
            Points::Grid { axes } => {
                let mut point = vec![0.0; axes.len()];
                combine(axes, index, &mut point);
                point
            }
            Points::Sequence { coordinates, .. } => {
                coordinates.iter().map(|c| c.values[index]).collect()
            }
        }
    }

    /// Checks that all columns have their lengths, and names of their own.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |name, value: String, allowed| {
            Err(Error::Slice {
                name,
                value,
                allowed,
            })
        };
        let columns = self.columns();
        let most = match self.points {
            Points::Grid { .. } => 2,
            Points::Sequence { .. } => usize::MAX,
        };
        if columns.is_empty() || columns.len() > most {
            let value = columns.len().to_string();
            return wrong(
                "the number of axes",
                value,
                "1 or 2, more for a sequence of points",
            );
        }
        let points = self.len();
        let mut names: Vec<&str> = Vec::new();
        for (column, is_axis) in columns
            .iter()
            .map(|column| (column, matches!(self.points, Points::Grid { .. })))
            .chain(self.quantities.iter().map(|column| (column, false)))
        {
            if names.contains(&&column.name[..]) {
                let allowed = "given to one column only";
                return wrong("the name", format!("{:?}", column.name), allowed);
            }
            names.push(&column.name);
            if !is_axis && column.values.len() != points {
                let (name, count) = (&column.name, column.values.len());
                let value = format!("{count} of {name:?} for {points} points");
                return wrong("the number of values", value, "one for each point");
            }
        }
        if self.recorded.len() != points {
            let value = format!("{} for {points} points", self.recorded.len());
            return wrong(
                "the length of the validity mask",
                value,
                "one for each point",
            );
        }
        Ok(())
    }
}

impl From<&Surface> for Samples {
    fn from(surface: &Surface) -> Self {
        let axes = [
            Column::new("a", surface.a.clone()),
            Column::new("b", surface.b.clone()),
        ];
        Self::on_grid(axes, [("loss", surface.loss.clone())])
            .with_note("evaluation", surface.evaluation.to_string())
    }
}

impl From<&Line> for Samples {
    fn from(line: &Line) -> Self {
        let axes = [Column::new("a", line.a.clone())];
        Self::on_grid(axes, [("loss", line.loss.clone())])
            .with_note("evaluation", line.evaluation.to_string())
    }
}

impl From<&PathProfile> for Samples {
    fn from(profile: &PathProfile) -> Self {
        let t = [Column::new("t", profile.t.clone())];
        let quantities = [
            ("loss", profile.loss.clone()),
            ("length", profile.length.clone()),
        ];
        Self::on_grid(t, quantities).with_note("barrier", format!("{:?}", profile.barrier))
    }
}
