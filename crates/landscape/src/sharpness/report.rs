//! All measures of sharpness at one model.

use burn::config::Config;
use burn::module::Module;

use super::average::{AverageConfig, AverageSharpness, SecondOrder, average_of, second_order};
use super::curvature::{CurvatureConfig, CurvatureSummary, curvature_of};
use super::losses::Losses;
use super::projected_ascent::{AscentConfig, ProjectedAscent, ascent_of};
use super::random_ball::{RandomBall, RandomBallConfig, random_ball_of};
use super::sam::{SamSharpness, sam_of};
use super::{Ball, Scale, average, ball, curvature, projected_ascent};
use crate::batch::Batch;
use crate::curvature::{Hessian, Method};
use crate::error::Error;
use crate::risk::Risk;
use crate::vector::norm;

/// Settings of [`sharpness`] and [`compare_minima`](super::compare_minima).
///
/// ```
/// use landscape::sharpness::{Ball, SharpnessConfig};
///
/// let config = SharpnessConfig::new()
///     .with_balls(vec![Ball::l2(0.1)])
///     .with_averages(vec![])
///     .with_curvature(None)
///     .seeded(7);
/// assert_eq!(config.random.seed, 7);
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct SharpnessConfig {
    /// The balls in which the worst case is sought: by one step of SAM, at random points and by
    /// projected ascent. By default those of SAM (l2, 0.05) and of ASAM (l2, 0.5), and with
    /// `T = |w|` on all tensors l2 with 0.5 and l∞ with 0.01.
    #[config(default = "default_balls()")]
    pub balls: Vec<Ball>,
    /// Random points of each ball.
    #[config(default = "RandomBallConfig::new()")]
    pub random: RandomBallConfig,
    /// Projected ascent in each ball; none does without. By default two starts of 50 gradients.
    #[config(default = "Some(AscentConfig::new().with_random_starts(1).with_max_gradients(50))")]
    pub ascent: Option<AscentConfig>,
    /// The averages. By default σ of 0.01, and of 0.1 in units of `|w|` on all tensors, each of 50
    /// pairs and with 50 probes for the second-order value, which is exact where curvature is.
    #[config(default = "default_averages()")]
    pub averages: Vec<AverageConfig>,
    /// The curvature; none does without.
    #[config(default = "Some(CurvatureConfig::new())")]
    pub curvature: Option<CurvatureConfig>,
}

fn default_balls() -> Vec<Ball> {
    vec![
        Ball::l2(0.05),
        Ball::l2(0.5).with_scale(Scale::ASAM),
        Ball::l2(0.5).with_scale(Scale::INVARIANT),
        Ball::l_inf(0.01).with_scale(Scale::INVARIANT),
    ]
}

fn default_averages() -> Vec<AverageConfig> {
    let probed = AverageConfig::new().with_probes(50);
    vec![probed, probed.with_sigma(0.1).with_scale(Scale::INVARIANT)]
}

impl SharpnessConfig {
    /// Returns the same settings with one seed for all that is random.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.random.seed = seed;
        if let Some(ascent) = &mut self.ascent {
            ascent.seed = seed;
        }
        for average in &mut self.averages {
            average.seed = seed;
        }
        if let Some(curvature) = &mut self.curvature {
            curvature.lanczos.seed = seed;
            curvature.trace.seed = seed;
        }
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        self.balls.iter().try_for_each(Ball::check)?;
        ball::some("number of directions", self.random.directions)?;
        self.ascent
            .as_ref()
            .map_or(Ok(()), projected_ascent::check)?;
        self.averages.iter().try_for_each(average::check)?;
        self.curvature.as_ref().map_or(Ok(()), curvature::check)
    }
}

/// The result of [`sharpness`].
#[derive(Debug, Clone)]
pub struct SharpnessReport {
    /// Number of coordinates P.
    pub parameters: usize,
    /// Number of examples N.
    pub examples: usize,
    /// The loss `L(θ)`.
    pub loss: f64,
    /// The norm `‖g‖` of the gradient.
    pub gradient_norm: f64,
    /// The findings in each ball, in the order of the settings.
    pub balls: Vec<BallSharpness>,
    /// The averages, in the order of the settings.
    pub averages: Vec<AverageSharpness>,
    /// The curvature, where it was asked for.
    pub curvature: Option<CurvatureSummary>,
    /// The way in which the products for the curvature were made, where there were any.
    pub method: Option<Method>,
}

/// The measures of one ball.
#[derive(Debug, Clone)]
pub struct BallSharpness {
    /// The ball.
    pub ball: Ball,
    /// The rise at the first-order maximum.
    pub sam: SamSharpness,
    /// The rises at random points of the boundary.
    pub random: RandomBall,
    /// The largest rise that projected ascent found.
    pub ascent: Option<ProjectedAscent>,
}

/// Returns all measures of sharpness at a model, as `config` asks for them.
///
/// The loss is captured once for all of them, and the Hessian is made once. None is claimed to
/// predict generalisation.
///
/// Cost, with the default settings: for each of 4 balls 101 forward passes and at most 100
/// gradients, for each of two averages 100 forward passes, and the products of
/// [`curvature_summary`](super::curvature_summary).
///
/// # Errors
/// A setting out of range, and a risk that cannot be evaluated, is not finite at the weights, or
/// has no Hessian.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::{Ball, SharpnessConfig, sharpness};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = x² + 3 y² at (1, 0): H = diag(2, 6).
/// let on = (&Device::flex(), DType::F64);
/// let model = Point {
///     at: Param::from_tensor(Tensor::from_data([1.0, 0.0], on)),
/// };
/// let risk = Risk::mean(
///     Tensor::from_data([1.0, 3.0], on),
///     |model: &Point, a: &Tensor<1>| (model.at.val().square() * a.clone()).sum(),
/// )
/// .without_reduction_check();
/// let config = SharpnessConfig::new().with_balls(vec![Ball::l2(0.1)]);
/// let report = sharpness(&model, &risk, &config)?;
/// let curvature = report.curvature.expect("it was asked for");
/// assert!((curvature.lambda_max.value - 6.0).abs() < 1e-12);
/// assert!((report.balls[0].sam.value - 0.21).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn sharpness<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &SharpnessConfig,
) -> Result<SharpnessReport, Error> {
    config.check()?;
    let losses = Losses::many(model, risk)?;
    let here = losses.slope(&vec![0.0; losses.dim()])?;
    let in_ball = |ball: &Ball| -> Result<BallSharpness, Error> {
        let ascent = config.ascent.as_ref();
        Ok(BallSharpness {
            ball: *ball,
            sam: sam_of(&losses, ball, &here)?,
            random: random_ball_of(&losses, ball, &config.random)?,
            ascent: ascent
                .map(|ascent| ascent_of(&losses, ball, &here, ascent))
                .transpose()?,
        })
    };
    let mut report = SharpnessReport {
        parameters: losses.dim(),
        examples: losses.objective().examples()?,
        loss: here.loss,
        gradient_norm: norm(&here.gradient),
        balls: config.balls.iter().map(in_ball).collect::<Result<_, _>>()?,
        averages: Vec::new(),
        curvature: None,
        method: None,
    };
    for average in &config.averages {
        report.averages.push(average_of(&losses, average)?);
    }
    let probed = config.averages.iter().any(|average| average.probes > 0);
    if config.curvature.is_none() && !probed {
        return Ok(report);
    }
    let hessian = Hessian::at(model, risk)?;
    let mut diagonal = None;
    if let Some(curvature) = &config.curvature {
        let found = curvature_of(&hessian, curvature)?;
        report.curvature = Some(found.summary);
        diagonal = found.diagonal;
    }
    for (found, average) in report.averages.iter_mut().zip(&config.averages) {
        found.second_order = match &diagonal {
            Some(diagonal) => Some(SecondOrder::of_diagonal(&losses, diagonal, average)),
            None if average.probes > 0 => Some(second_order(&losses, &hessian, average)?),
            None => None,
        };
    }
    report.method = Some(hessian.method());
    Ok(report)
}
