//! The largest rise of the loss in a ball, by projected gradient ascent.

use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;

use super::losses::{Losses, Slope, scaled};
use super::random_ball::direction;
use super::{Ball, BallNorm, Rescaling};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;
use crate::vector::dot;
use crate::vector::random::Purpose;

/// Values before the last one that a step may fall back behind (Grippo, Lampariello, Lucidi 1986).
const MEMORY: usize = 5;

/// Part of the first-order rise that a step has to make.
const SUFFICIENT: f64 = 1e-4;

/// Settings of [`projected_ascent`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct AscentConfig {
    /// Number of random starts on the boundary beside the one along the gradient. Where the
    /// gradient is zero there is one at least.
    #[config(default = 3)]
    pub random_starts: usize,
    /// Seed of the random starts.
    #[config(default = 0)]
    pub seed: u64,
    /// A start has converged when its gap is at most this part of the largest rise it has seen.
    #[config(default = 1e-8)]
    pub tolerance: f64,
    /// Most gradients of each start.
    #[config(default = 100)]
    pub max_gradients: usize,
}

/// The result of [`projected_ascent`].
#[derive(Debug, Clone)]
pub struct ProjectedAscent {
    /// The ball.
    pub ball: Ball,
    /// The loss `L(θ)`.
    pub loss: f64,
    /// The largest rise `L(θ + e) − L(θ)` that was found: a lower bound of the largest in the
    /// ball. Not below zero, since the middle belongs to the ball. NaN where no start has a finite
    /// loss.
    pub value: f64,
    /// The displacement e, `[P]`, in f64 where the device has it.
    pub displacement: Tensor<1>,
    /// The first-order gap at e, in units of the loss: the most that a linear function with the
    /// gradient there rises on the way to any point of the ball. Zero at a local maximum. Where
    /// the loss is concave in the ball, it bounds what is missing.
    pub gap: f64,
    /// Whether the gap met the tolerance at e and no loss was NaN or infinite on the way: e is a
    /// local maximum up to the tolerance, or a saddle in the worst case.
    pub converged: bool,
    /// Whether e lies on the boundary.
    pub on_boundary: bool,
    /// Gradients taken by all starts.
    pub gradients: usize,
    /// The rises at which the starts ended, that along the gradient first; NaN where a start has
    /// no finite loss.
    pub starts: Vec<f64>,
    /// Number of points at which the loss or its gradient was NaN or infinite.
    pub non_finite: usize,
    /// Estimate of the rounding error of `value`.
    pub rounding: f64,
    /// Whether `value` survives the rescaling of ReLU layers.
    pub rescaling: Rescaling,
}

/// Returns the largest rise of the loss in a ball that projected gradient ascent finds: a lower
/// bound of the worst case `max L(θ + T u) − L(θ)` over `‖u‖ ≤ ρ`, stronger than random points and
/// than one step of SAM.
///
/// The first start is SAM's peak, the others are random on the boundary. With y the gradient in u,
/// which is `T g`, a step is
///
/// ```text
/// u ← P(u + α r),    α = sᵀs / |sᵀΔr|  with  s = Δu  (Barzilai and Borwein)
/// ```
///
/// where P moves to the nearest point of the ball and r is y without what points out of the ball:
/// on a sphere without the part along u, in a box without the coordinates at their bounds. α is
/// halved or more until the loss is above the least of the last five by `10⁻⁴ ‖Δu‖²/α`. A start has
/// converged when its first-order gap `max yᵀ(v − u)` over all v of the ball is small.
///
/// For a quadratic loss in an l2 ball this finds the solution of the trust-region problem: from
/// SAM's peak unless the gradient has no part along the top eigenvector (the hard case), which
/// a random start has. For a loss that is no quadratic, and in a box, where even a convex quadratic
/// is a hard combinatorial problem, local maxima may be all that is found; more starts help.
///
/// Cost: one gradient, and at most `max_gradients` for each start; those of captured losses are
/// spread over the cores. About ten forward passes and two gradients to capture the loss and to
/// check it. Memory: some ten vectors of P.
///
/// # Errors
/// A radius or a tolerance that is not positive and finite, `max_gradients` of zero, and a risk
/// that cannot be evaluated or is not finite at the weights.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::{AscentConfig, Ball, projected_ascent};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = x² + 3 y² at its minimum: there is no gradient, and 0.01 · 3 is the most it rises.
/// let device = Device::flex();
/// let on = (&device, DType::F64);
/// let model = Point { at: Param::from_tensor(Tensor::zeros([2], on)) };
/// let risk = Risk::mean(Tensor::from_data([1.0, 3.0], on), |model: &Point, a: &Tensor<1>| {
///     (model.at.val().square() * a.clone()).sum()
/// })
/// .without_reduction_check();
/// let found = projected_ascent(&model, &risk, &Ball::l2(0.1), &AscentConfig::new())?;
/// assert!(found.converged && (found.value - 0.03).abs() < 1e-9);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Birgin, Martínez, Raydan 2000, "Nonmonotone Spectral Projected Gradient Methods on Convex Sets";
/// Beck, Vaisbourd 2018, "Globally Solving the Trust Region Subproblem Using Simple First-Order
/// Methods", for the two kinds of start; Andriushchenko et al. 2023, section 2, for the worst case
/// in adaptive balls.
pub fn projected_ascent<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
    config: &AscentConfig,
) -> Result<ProjectedAscent, Error> {
    ball.check()?;
    check(config)?;
    let losses = Losses::many(model, risk)?;
    let here = losses.slope(&vec![0.0; losses.dim()])?;
    ascent_of(&losses, ball, &here, config)
}

pub(super) fn check(config: &AscentConfig) -> Result<(), Error> {
    super::ball::positive("tolerance", config.tolerance)?;
    super::ball::some("max_gradients", config.max_gradients)
}

/// Returns the ascent of losses that are prepared, from the gradient at the weights.
pub(super) fn ascent_of<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    ball: &Ball,
    here: &Slope,
    config: &AscentConfig,
) -> Result<ProjectedAscent, Error> {
    let scale = losses.scale(ball.scale);
    let mut problem = Problem {
        losses,
        ball,
        config,
        scale,
        loss: here.loss,
        gradients: 1,
        non_finite: 0,
    };
    let along = scaled(problem.scale.as_deref(), here.gradient.clone());
    let steepest = ball.dual_norm(&along);
    let mut starts = Vec::new();
    if steepest > 0.0 {
        starts.push(ball.farthest(&along));
    }
    let random = config.random_starts.max(usize::from(starts.is_empty()));
    starts.extend((0..random).map(|index| {
        let direction = direction(ball, config.seed, Purpose::Ascent, index, losses.dim());
        ball.on_boundary(direction)
    }));
    let mut rises = Vec::with_capacity(starts.len());
    let mut best: Option<End> = None;
    for start in starts {
        let end = problem.climb(start)?;
        rises.push(end.as_ref().map_or(f64::NAN, |end| end.point.rise));
        if let Some(end) = end
            && best
                .as_ref()
                .is_none_or(|best| end.point.rise > best.point.rise)
        {
            best = Some(end);
        }
    }
    let found_any = best.is_some();
    // The middle is above every end where the loss falls to all sides.
    let end = best.filter(|end| end.point.rise >= 0.0).unwrap_or_else(|| {
        let point = Point {
            u: vec![0.0; losses.dim()],
            rise: if found_any { 0.0 } else { f64::NAN },
            y: along,
        };
        let gap = ball.radius * steepest;
        End {
            converged: gap == 0.0,
            gap,
            point,
        }
    });
    let displacement = scaled(problem.scale.as_deref(), end.point.u.clone());
    let is_finite = problem.non_finite == 0;
    Ok(ProjectedAscent {
        ball: *ball,
        loss: here.loss,
        value: end.point.rise,
        displacement: losses.objective().space().domain.upload(&displacement)?,
        gap: end.gap,
        converged: end.converged && is_finite,
        on_boundary: is_on_boundary(ball, &end.point.u),
        gradients: problem.gradients,
        starts: rises,
        non_finite: problem.non_finite,
        rounding: losses.rounding(here.loss, here.loss + end.point.rise.abs()),
        rescaling: ball.rescaling(),
    })
}

/// The maximisation of `L(θ + T u)` over a ball of u.
struct Problem<'a, M, B> {
    losses: &'a Losses<M, B>,
    ball: &'a Ball,
    config: &'a AscentConfig,
    scale: Option<Vec<f64>>,
    loss: f64,
    gradients: usize,
    non_finite: usize,
}

/// A point of the ball.
struct Point {
    u: Vec<f64>,
    rise: f64,
    /// The gradient in u.
    y: Vec<f64>,
}

/// The point at which a start ended.
struct End {
    point: Point,
    gap: f64,
    converged: bool,
}

impl<M: Module, B: Batch> Problem<'_, M, B> {
    /// Returns where the ascent from `start` ends; none where the loss is not finite at once.
    fn climb(&mut self, start: Vec<f64>) -> Result<Option<End>, Error> {
        let budget = self.gradients + self.config.max_gradients;
        let Some(mut point) = self.point(start)? else {
            return Ok(None);
        };
        let mut recent = vec![point.rise];
        let mut largest = point.rise.abs();
        let mut previous: Option<(Vec<f64>, Vec<f64>)> = None;
        let mut converged;
        let mut gap;
        'steps: loop {
            let (r, now) = self.inward(&point);
            gap = now;
            converged = gap <= self.config.tolerance * largest;
            if converged || self.gradients >= budget {
                break;
            }
            let mut alpha = self.step_length(&point, &r, previous.as_ref());
            let floor = recent.iter().copied().fold(f64::INFINITY, f64::min);
            let noise = self.losses.rounding(self.loss, self.loss + point.rise);
            let next = loop {
                let mut u: Vec<f64> = point.u.iter().zip(&r).map(|(u, r)| u + alpha * r).collect();
                self.ball.project(&mut u);
                let moved: f64 = u.iter().zip(&point.u).map(|(a, b)| (a - b).powi(2)).sum();
                if moved == 0.0 || self.gradients >= budget {
                    break 'steps;
                }
                let wanted = floor + SUFFICIENT * moved / alpha - noise;
                match self.point(u)? {
                    Some(next) if next.rise >= wanted => break next,
                    Some(next) => alpha *= shrunk(next.rise - point.rise, alpha * dot(&r, &r)),
                    None => alpha *= 0.25,
                }
            };
            largest = largest.max(next.rise.abs());
            recent.push(next.rise);
            if recent.len() > MEMORY {
                recent.remove(0);
            }
            previous = Some((std::mem::replace(&mut point, next).u, r));
        }
        Ok(Some(End {
            point,
            gap,
            converged,
        }))
    }

    /// Returns loss and gradient at u; none where they are not finite.
    fn point(&mut self, u: Vec<f64>) -> Result<Option<Point>, Error> {
        self.gradients += 1;
        match self.losses.slope(&scaled(self.scale.as_deref(), u.clone())) {
            Ok(Slope { loss, gradient }) => Ok(Some(Point {
                u,
                rise: loss - self.loss,
                y: scaled(self.scale.as_deref(), gradient),
            })),
            Err(Error::NonFiniteLoss { .. } | Error::NonFiniteVector { .. }) => {
                self.non_finite += 1;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the gradient without what points out of the ball, and the first-order gap.
    fn inward(&self, point: &Point) -> (Vec<f64>, f64) {
        let Point { u, y, .. } = point;
        let rho = self.ball.radius;
        match self.ball.norm {
            BallNorm::L2 => {
                let outward = dot(y, u) / rho;
                if !is_on_boundary(self.ball, u) || outward <= 0.0 {
                    return (y.clone(), rho * self.ball.dual_norm(y) - dot(y, u));
                }
                let tangent: Vec<f64> = y
                    .iter()
                    .zip(u)
                    .map(|(y, u)| y - outward / rho * u)
                    .collect();
                // ρ ‖y‖ − yᵀu, without the cancellation.
                let square = dot(&tangent, &tangent);
                let gap = rho * square / (outward.hypot(square.sqrt()) + outward);
                (tangent, gap)
            }
            BallNorm::LInf => {
                let gap = y.iter().zip(u).map(|(y, u)| rho * y.abs() - y * u).sum();
                let is_held = |y: f64, u: f64| u.abs() >= rho && y * u > 0.0;
                let free = y.iter().zip(u);
                let free = free.map(|(&y, &u)| if is_held(y, u) { 0.0 } else { y });
                (free.collect(), gap)
            }
        }
    }

    /// Returns the length α of the next step along r.
    fn step_length(
        &self,
        point: &Point,
        r: &[f64],
        previous: Option<&(Vec<f64>, Vec<f64>)>,
    ) -> f64 {
        let rho = self.ball.radius;
        let size = dot(r, r).sqrt();
        let along_sphere = self.ball.norm == BallNorm::L2 && is_on_boundary(self.ball, &point.u);
        // On a sphere a step of twice the radius turns u by more than 60 degrees; elsewhere a long
        // one goes as far as the ball does.
        let longest = if along_sphere { 2.0 } else { 1e3 } * rho / size;
        let Some((u, before)) = previous else {
            return if along_sphere {
                0.5 * rho / size
            } else {
                rho / size
            };
        };
        let (mut square, mut curvature) = (0.0, 0.0);
        for index in 0..r.len() {
            let s = point.u[index] - u[index];
            square += s * s;
            curvature += s * (r[index] - before[index]);
        }
        if curvature < 0.0 {
            (square / -curvature).min(longest)
        } else {
            // The loss is convex along the last step.
            longest
        }
    }
}

/// Returns by how much to shorten a step that has risen by `rise` where `first_order` was
/// foretold: to the top of the parabola through both ends, within a tenth and a half.
fn shrunk(rise: f64, first_order: f64) -> f64 {
    let top = 0.5 * first_order / (first_order - rise);
    if top.is_nan() {
        0.5
    } else {
        top.clamp(0.1, 0.5)
    }
}

/// Returns whether u is on the boundary up to the rounding of a projection.
fn is_on_boundary(ball: &Ball, u: &[f64]) -> bool {
    ball.norm_of(u) >= ball.radius * (1.0 - 1e-12)
}
