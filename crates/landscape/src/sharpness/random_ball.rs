//! The rise of the loss at random points of a ball's boundary.

use burn::config::Config;
use burn::module::Module;

use super::ball::some;
use super::losses::{Losses, mean_of, non_finite, scaled};
use super::{Ball, BallNorm, Rescaling};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;
use crate::spectrum::Estimate;
use crate::vector::random::{Purpose, normal, uniform};

/// Settings of [`random_ball`].
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct RandomBallConfig {
    /// Number of directions.
    #[config(default = 100)]
    pub directions: usize,
    /// Seed of the directions.
    #[config(default = 0)]
    pub seed: u64,
}

/// The result of [`random_ball`] and [`random_ball_along`].
#[derive(Debug, Clone, PartialEq)]
pub struct RandomBall {
    /// The ball.
    pub ball: Ball,
    /// The loss `L(θ)` at the middle.
    pub loss: f64,
    /// The largest of the rises, not below zero since the middle belongs to the ball: a lower
    /// bound of the largest rise in the ball. NaN where one of the rises is.
    pub worst: f64,
    /// Mean of the rises over the directions; NaN where a rise is not finite.
    pub mean: Estimate,
    /// The rises `L(θ + T u) − L(θ)`, one for each direction; not finite ones as they are.
    pub rises: Vec<f64>,
    /// Number of rises that are NaN or infinite.
    pub non_finite: usize,
    /// Estimate of the rounding error of a rise.
    pub rounding: f64,
    /// Whether the numbers survive the rescaling of ReLU layers.
    pub rescaling: Rescaling,
}

/// Returns the rises of the loss at random points of the boundary of a ball.
///
/// ```text
/// L(θ + T u) − L(θ),   u = ρ d / ‖d‖,   d ~ N(0, I) in l2, uniform in [−1, 1]ᴾ in l∞
/// ```
///
/// so that u is uniform on the boundary. In many dimensions nearly all directions are much alike,
/// and far from the worst: [`projected_ascent`](super::projected_ascent) finds that. Direction i
/// depends on the seed and on i alone.
///
/// Cost: `directions + 1` forward passes, those of captured losses spread over the cores, and about
/// ten to capture the loss and to check it. Memory: 16 vectors of P.
///
/// # Errors
/// A radius that is not positive and finite, no direction, and a risk that cannot be evaluated or
/// is not finite at the weights.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::{Ball, RandomBallConfig, random_ball};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// let zeros = Tensor::zeros([5], (&Device::flex(), DType::F64));
/// let model = Point {
///     at: Param::from_tensor(zeros.clone()),
/// };
/// // L = |w|² rises by ρ² in every direction.
/// let risk = Risk::mean(zeros, |model: &Point, zero: &Tensor<1>| {
///     (model.at.val() - zero.clone()).square().sum()
/// })
/// .without_reduction_check();
/// let found = random_ball(&model, &risk, &Ball::l2(0.1), &RandomBallConfig::new())?;
/// assert!((found.worst - 0.01).abs() < 1e-15 && (found.mean.mean - 0.01).abs() < 1e-15);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn random_ball<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
    config: &RandomBallConfig,
) -> Result<RandomBall, Error> {
    ball.check()?;
    some("number of directions", config.directions)?;
    random_ball_of(&Losses::many(model, risk)?, ball, config)
}

/// Returns the same as [`random_ball`] with directions of one's own, each `[P]`, of any non-zero
/// length.
///
/// # Errors
/// As [`random_ball`], and a direction that is of another length, zero or not finite.
pub fn random_ball_along<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
    directions: &[Vec<f64>],
) -> Result<RandomBall, Error> {
    ball.check()?;
    some("number of directions", directions.len())?;
    let losses = Losses::many(model, risk)?;
    for direction in directions {
        let domain = &losses.objective().space().domain;
        domain.check_length("direction", direction.len())?;
        let problem = match ball.norm_of(direction) {
            _ if non_finite(direction) > 0 => "is not finite",
            0.0 => "is zero",
            _ => continue,
        };
        return Err(Error::NoDirection {
            what: "direction",
            problem,
        });
    }
    along(&losses, ball, directions.len(), |index| {
        directions[index].clone()
    })
}

/// Returns [`random_ball`] of losses that are prepared.
pub(super) fn random_ball_of<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    ball: &Ball,
    config: &RandomBallConfig,
) -> Result<RandomBall, Error> {
    along(losses, ball, config.directions, |index| {
        direction(ball, config.seed, Purpose::Ball, index, losses.dim())
    })
}

/// Returns direction `index` of a seed, `[dim]`.
pub(super) fn direction(
    ball: &Ball,
    seed: u64,
    purpose: Purpose,
    index: usize,
    dim: usize,
) -> Vec<f64> {
    let stream = purpose.stream(index as u64);
    match ball.norm {
        BallNorm::L2 => normal(seed, stream, dim),
        BallNorm::LInf => uniform(seed, stream, dim),
    }
}

fn along<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    ball: &Ball,
    count: usize,
    direction: impl Fn(usize) -> Vec<f64>,
) -> Result<RandomBall, Error> {
    let scale = losses.scale(ball.scale);
    let displaced = losses.at_all(count, |index| {
        scaled(scale.as_deref(), ball.on_boundary(direction(index)))
    })?;
    let loss = losses.loss();
    let rises: Vec<f64> = displaced.iter().map(|displaced| displaced - loss).collect();
    let largest = displaced
        .iter()
        .filter(|loss| loss.is_finite())
        .fold(loss, |a: f64, &b| if b.abs() > a.abs() { b } else { a });
    let has_nan = rises.iter().any(|rise| rise.is_nan());
    Ok(RandomBall {
        ball: *ball,
        loss,
        worst: if has_nan {
            f64::NAN
        } else {
            rises.iter().copied().fold(0.0, f64::max)
        },
        mean: mean_of(&rises),
        non_finite: non_finite(&rises),
        rises,
        rounding: losses.rounding(loss, largest),
        rescaling: ball.rescaling(),
    })
}
