//! The path of a training on the plane of its principal components.

use burn::module::Module;
use landscape::slice::{linspace, plane_observed};
use landscape::trajectory::{
    PrincipalConfig, PrincipalPlane, TrueAndProjected, principal_plane, true_and_projected,
};
use landscape::{Batch, Grid, Risk, Surface, snapshot};
use pictures::{ContourConfig, Picture, Track, contour_with, significant};
use serde_json::{Value, json};

use crate::budget::MeasuringCost;
use crate::record::{Records, json_number, json_numbers};
use crate::workload::Work;
use crate::{Error, Moment, Probe, Schedule, tag};

/// Models that are kept at most, and points along a side of the plane, unless something else is
/// asked for.
const MOST: usize = 24;
const SIDE: usize = 21;

/// Fewest points along a side.
const LEAST_SIDE: usize = 5;

/// Room around the path, as a part of its extent.
const ROOM: f64 = 0.2;

/// Forward passes that the preparation of a plane takes.
const PREPARATION: f64 = 12.0;

/// The path of the training on the plane of its first two principal components, over the loss on
/// that plane, as the picture `trajectory/plane` and the numbers `trajectory/plane_data`; the
/// shares that both components explain as `trajectory/explained_1` and `trajectory/explained_2`.
///
/// Whenever it is due it keeps a snapshot of the model; after the last step, and whenever
/// [`with_drawing`](Self::with_drawing) says so, it draws. The components are those of the
/// differences to the last weights (Li et al. 2018), so that these are the centre of the picture,
/// and the shares are of the squared distances to them. The plane is a projection: the numbers hold
/// the distance of each snapshot from the plane, and its own loss beside that of its projection.
/// On a plane of two principal components even a random walk looks like a smooth curve
/// (Antognini and Sohl-Dickstein 2018): the shape of the path is no evidence, the explained shares
/// and the distances are.
///
/// It keeps 24 snapshots at most, unless [`with_most`](Self::with_most) says otherwise: each a
/// vector of all parameters and buffers, once training has written to its own. When there is no
/// room for another, every second one is given up, and from then on only half as many are kept.
/// Drawing holds 12 vectors of all parameters in f64 more. The running statistics of BatchNorm on
/// the plane are those of the last model.
///
/// A run that is gone on with from a checkpoint has no snapshots of what was before: its path
/// begins where it was taken up, as the steps in picture and numbers say.
///
/// # References
/// Li, Xu, Taylor, Studer and Goldstein (2018), *Visualizing the Loss Landscape of Neural Nets*,
/// section 7.2; Antognini and Sohl-Dickstein (2018), *PCA of high dimensional random walks with
/// comparison to neural network training*.
#[derive(Debug, Clone)]
pub struct Trajectory<M, B> {
    risk: Risk<M, B>,
    most: usize,
    side: usize,
    drawing: Schedule,
    kept: Vec<(u64, M)>,
    /// Snapshots that were due so far, of which every `stride`-th is kept.
    due: usize,
    stride: usize,
}

impl<M: Module, B: Batch> Trajectory<M, B> {
    /// Keeps the path of the training, and draws it over the loss of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            most: MOST,
            side: SIDE,
            drawing: Schedule::at_end(),
            kept: Vec::new(),
            due: 0,
            stride: 1,
        }
    }

    /// Sets the number of snapshots that are kept at most, at least 3.
    #[must_use]
    pub fn with_most(self, most: usize) -> Self {
        Self {
            most: most.max(3),
            ..self
        }
    }

    /// Sets the points along a side of the plane, at least 5.
    #[must_use]
    pub fn with_points(self, side: usize) -> Self {
        Self {
            side: side.max(LEAST_SIDE),
            ..self
        }
    }

    /// Sets the steps at which it draws what it has so far; it has to be due at these.
    #[must_use]
    pub fn with_drawing(self, drawing: Schedule) -> Self {
        Self { drawing, ..self }
    }

    /// Keeps a snapshot, or makes room for those that come.
    fn keep(&mut self, step: u64, model: &M) {
        if self.due.is_multiple_of(self.stride) {
            if self.kept.len() == self.most {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
            if self.due.is_multiple_of(self.stride) {
                self.kept.push((step, snapshot(model)));
            }
        }
        self.due += 1;
    }
}

/// Returns the coordinates around a path along one direction.
fn around(path: impl Iterator<Item = f64>, points: usize) -> Vec<f64> {
    let (low, high) = path.fold((0.0_f64, 0.0_f64), |(low, high), at| {
        (low.min(at), high.max(at))
    });
    let room = ROOM * (high - low).max(f64::MIN_POSITIVE);
    linspace(low - room..=high + room, points)
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Trajectory<M, B> {
    fn draws(&self, moment: &Moment<'_, M>) -> bool {
        let is_end = moment.total_steps == Some(moment.step);
        // A schedule that needs the total and has none is never due.
        let is_due = self.drawing.due(moment.step, moment.total_steps);
        is_end || is_due.unwrap_or(false)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of points and snapshots"
    )]
    fn seconds(&self, moment: &Moment<'_, M>, side: usize) -> Result<f64, Error> {
        let snapshots = self.kept.len().min(self.most) + 1;
        let passes = PREPARATION + (side * side + 2 * snapshots) as f64;
        Ok(moment.drawing() + moment.estimated(&self.risk, Work::passes(passes))?)
    }

    fn side(&self, moment: &Moment<'_, M>) -> Result<usize, Error> {
        let Some(given) = moment.seconds else {
            return Ok(self.side);
        };
        let mut side = self.side;
        while side > LEAST_SIDE && self.seconds(moment, side)? > given {
            side -= 1;
        }
        Ok(side)
    }

    /// Returns the plane of the snapshots and the present model, which is the last.
    fn plane(&self, moment: &Moment<'_, M>) -> Result<(Vec<u64>, PrincipalPlane), Error> {
        let before = || self.kept.iter().filter(|(step, _)| *step < moment.step);
        let models: Vec<&M> = before()
            .map(|(_, model)| model)
            .chain([moment.model])
            .collect();
        let steps = before().map(|(step, _)| *step).chain([moment.step]);
        let load = |number: usize| Ok(snapshot(models[number]));
        let plane = principal_plane(models.len(), load, &PrincipalConfig::new())?;
        Ok((steps.collect(), plane))
    }

    fn draw(&self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let (steps, plane) = self.plane(moment)?;
        let at = |axis: usize| plane.checkpoints.iter().map(move |p| p.coordinates[axis]);
        let side = self.side(moment)?;
        if side < self.side {
            records.shortened(format!(
                "{side} x {side} points in place of {0} x {0}",
                self.side
            ));
        }
        let grid = Grid {
            a: around(at(0), side),
            b: around(at(1), side),
        };
        let directions = plane
            .directions
            .each_ref()
            .map(|direction| &direction.vector);
        let surface = moment.timed_passes(&self.risk, side * side, |risk| {
            plane_observed(moment.model, risk, directions, &grid, |_, _| {
                moment.going_on()
            })
        })?;
        let losses = self.losses(moment, &steps, &plane)?;
        records.scalar(tag::TRAJECTORY_EXPLAINED_1, plane.explained[0]);
        records.scalar(tag::TRAJECTORY_EXPLAINED_2, plane.explained[1]);
        records.data(
            tag::TRAJECTORY_PLANE_DATA,
            data(&steps, &plane, &losses, &surface),
        );
        let picture = moment.draw(|| picture(&steps, &plane, &surface))?;
        records.picture(tag::TRAJECTORY_PLANE, picture);
        Ok(())
    }

    /// Returns the loss of each snapshot beside that of its projection.
    fn losses(
        &self,
        moment: &Moment<'_, M>,
        steps: &[u64],
        plane: &PrincipalPlane,
    ) -> Result<Vec<TrueAndProjected<f64>>, Error> {
        let directions = plane
            .directions
            .each_ref()
            .map(|direction| &direction.vector);
        let load = |number: usize| {
            let kept = self.kept.iter().find(|(step, _)| *step == steps[number]);
            Ok(match kept {
                Some((_, model)) if number + 1 < steps.len() => snapshot(model),
                _ => snapshot(moment.model),
            })
        };
        let risk = moment.risk(&self.risk);
        Ok(true_and_projected(
            moment.model,
            directions,
            &plane.checkpoints,
            load,
            |model| {
                if moment.going_on().is_break() {
                    return Err(landscape::Error::Cancelled { done: 0 });
                }
                risk.value(model)
            },
        )?)
    }
}

fn data(
    steps: &[u64],
    plane: &PrincipalPlane,
    losses: &[TrueAndProjected<f64>],
    surface: &Surface,
) -> Value {
    let of = |each: &dyn Fn(usize) -> f64| -> Value {
        (0..steps.len())
            .map(|number| json_number(each(number)))
            .collect()
    };
    let checkpoints = &plane.checkpoints;
    json!({
        "directions": "first two principal components of the differences to the last weights",
        "explained": json_numbers(&plane.explained),
        "steps": steps,
        "path_a": of(&|n| checkpoints[n].coordinates[0]),
        "path_b": of(&|n| checkpoints[n].coordinates[1]),
        "out_of_plane": of(&|n| checkpoints[n].out_of_plane),
        "distance": of(&|n| checkpoints[n].distance),
        "loss_at_snapshot": of(&|n| losses[n].at_checkpoint),
        "loss_at_projection": of(&|n| losses[n].at_projection),
        "buffers": "those of the last model",
        "a": json_numbers(&surface.a),
        "b": json_numbers(&surface.b),
        "loss": json_numbers(&surface.loss),
        "order": "loss[i * b.len() + j] belongs to a[i] and b[j]",
    })
}

fn picture(steps: &[u64], plane: &PrincipalPlane, surface: &Surface) -> Result<Picture, Error> {
    let label = |component: &str, share: f64| {
        format!(
            "{component} component, {} % explained",
            significant(100.0 * share, 3)
        )
    };
    let [first, second] = plane.explained;
    let track = Track {
        name: "training".into(),
        points: plane.checkpoints.iter().map(|at| at.coordinates).collect(),
        steps: steps.to_vec(),
    };
    let title = format!("Path of the training to step {}", steps[steps.len() - 1]);
    let config = ContourConfig {
        a_label: label("first", first),
        b_label: label("second", second),
        tracks: vec![track],
        ..ContourConfig::new(title)
    };
    let field = (&surface.a[..], &surface.b[..], &surface.loss[..]);
    Ok(contour_with(field, &config)?)
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for Trajectory<M, B> {
    fn name(&self) -> String {
        "trajectory".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        if !self.draws(moment) {
            // A snapshot shares the weights.
            return Ok(Some(MeasuringCost::fixed(0.0)));
        }
        Ok(Some(MeasuringCost {
            least: self.seconds(moment, LEAST_SIDE)?,
            full: self.seconds(moment, self.side)?,
        }))
    }

    fn begin(&mut self, moment: &Moment<'_, M>) {
        if self.kept.is_empty() {
            self.keep(moment.step, moment.model);
        }
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let is_known = self
            .kept
            .last()
            .is_some_and(|(step, _)| *step >= moment.step);
        if !is_known {
            self.keep(moment.step, moment.model);
        }
        if self.draws(moment) {
            self.draw(moment, records)?;
        }
        Ok(())
    }
}
