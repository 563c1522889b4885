//! The first steps of a training, and the plane in which they lie.

use anyhow::Result;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use landscape::critical::{CriticalConfig, CriticalPoint, critical_point};
use landscape::trajectory::{PrincipalConfig, PrincipalPlane, principal_plane, true_and_projected};
use landscape::{
    Grid, ParameterSpace, Risk, Surface, filter_normalize, plane, random_directions, snapshot,
};
use models::Mlp;

use crate::start::Start;
use crate::{Batch, loss};

/// Steps of the training.
pub(crate) const STEPS: usize = 100;

/// The findings about one start.
pub(crate) struct Course {
    /// The verdict on the start, with its loss, gradient and eigenvalues.
    pub(crate) point: CriticalPoint,
    /// The loss around the start, along two random directions.
    pub(crate) around: Surface,
    /// The loss at each step, the start and the end included.
    pub(crate) losses: Vec<f64>,
    /// The verdict on the end.
    pub(crate) end: CriticalPoint,
    /// The plane of the two principal components of the way, about its last point.
    pub(crate) plane: PrincipalPlane,
    /// The largest difference between the loss of a point of the way and that of its projection
    /// onto the plane.
    pub(crate) gap: f64,
    /// The loss on that plane.
    pub(crate) surface: Surface,
}

/// Trains from a start by heavy ball over all of the data, and measures start, way and end.
///
/// The directions around the start have the norms of the filters of `he`, so that one unit is the
/// same distance for all starts; zero weights have no norm of their own.
pub(crate) fn course(start: &Mlp, he: &Mlp, batch: &Batch, points: usize) -> Result<Course> {
    let risk = Risk::mean(batch.clone(), loss);
    let space = ParameterSpace::of(he)?;
    // Every eigenvalue: there are 980 coordinates.
    let critical = CriticalConfig::new();
    let point = critical_point(start, &risk, &critical)?;
    let [first, second] = random_directions(&space, 7);
    let first = filter_normalize(&space, he, first)?;
    let second = filter_normalize(&space, he, second)?;
    let grid = Grid::square(-1.0..=1.0, points);
    let around = plane(start, &risk, [&first, &second], &grid)?;

    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let mut model = start.clone();
    let mut checkpoints = vec![snapshot(&model)];
    for _ in 0..STEPS {
        let gradients = GradientsParams::from_grads(loss(&model, batch).backward(), &model);
        model = optimiser.step(0.05, model, gradients);
        checkpoints.push(snapshot(&model));
    }

    // The plane of the way, and the loss of its points beside that of their projections. A long
    // training would load its checkpoints from files.
    let load = |number: usize| Ok(checkpoints[number].clone());
    let way = principal_plane(checkpoints.len(), load, &PrincipalConfig::new())?;
    let directions = [&way.directions[0].vector, &way.directions[1].vector];
    let value = |model: &Mlp| risk.value(model);
    let pairs = true_and_projected(&model, directions, &way.checkpoints, load, value)?;
    let gaps = pairs
        .iter()
        .map(|pair| (pair.at_checkpoint - pair.at_projection).abs());
    let [a, b] = [0, 1].map(|axis| range(&way, axis));
    let grid = Grid::rectangle((a, points), (b, points));
    let surface = plane(&model, &risk, directions, &grid)?;
    Ok(Course {
        point,
        around,
        losses: pairs.iter().map(|pair| pair.at_checkpoint).collect(),
        gap: gaps.fold(0.0, f64::max),
        end: critical_point(&model, &risk, &critical)?,
        plane: way,
        surface,
    })
}

/// Returns the range of the way's coordinates along an axis of its plane, and a quarter of its
/// width on both sides.
fn range(plane: &PrincipalPlane, axis: usize) -> std::ops::RangeInclusive<f64> {
    let coordinates = plane.checkpoints.iter().map(|at| at.coordinates[axis]);
    let (low, high) = coordinates.fold((0.0_f64, 0.0_f64), |(low, high), at| {
        (low.min(at), high.max(at))
    });
    let margin = 0.25 * (high - low);
    low - margin..=high + margin
}

/// Returns the courses of all starts from one seed.
pub(crate) fn courses(seed: u64, batch: &Batch, points: usize) -> Result<Vec<Course>> {
    let options = (&batch.0.device(), batch.0.dtype());
    let he = Start::He.model(seed, options)?;
    let course = |start: Start| course(&start.model(seed, options)?, &he, batch, points);
    Start::ALL.into_iter().map(course).collect()
}
