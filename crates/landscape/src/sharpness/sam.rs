//! SAM's sharpness: the rise of the loss one step up the gradient.

use burn::module::Module;
use burn::tensor::Tensor;

use super::losses::{Losses, Slope, scaled};
use super::{Ball, Rescaling, Scale};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;
use crate::vector::norm;

/// The result of [`sam_sharpness`] and [`adaptive_sam_sharpness`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamSharpness {
    /// The radius `ρ`.
    pub rho: f64,
    /// The sharpness `L(θ + e) − L(θ)`; NaN or infinite if the loss is, there.
    pub value: f64,
    /// The loss `L(θ)`.
    pub loss: f64,
    /// The loss `L(θ + e)` at the peak.
    pub peak_loss: f64,
    /// The norm `‖g‖` of the gradient.
    pub gradient_norm: f64,
    /// The rise per ρ to first order: `‖T g‖` in an l2 ball, the sum of the entries' magnitudes in
    /// an l∞ ball.
    pub slope: f64,
    /// The ball whose first-order maximum e is.
    pub ball: Ball,
    /// Estimate of the rounding error of `value`.
    pub rounding: f64,
    /// Whether `value` survives the rescaling of ReLU layers.
    pub rescaling: Rescaling,
}

/// The peak of SAM: where it takes its second gradient.
#[derive(Debug, Clone)]
pub struct SamPeak {
    /// The sharpness.
    pub sharpness: SamSharpness,
    /// The displacement e, `[P]`, in f64 where the device has it; zero where the gradient is.
    pub displacement: Tensor<1>,
    /// The gradient `∇L(θ + e)`, `[P]`, in the same type.
    pub gradient: Tensor<1>,
}

/// Returns SAM's sharpness `L(θ + ρ g / ‖g‖) − L(θ)` with the gradient g, its norm over all
/// parameters together; zero where the gradient is.
///
/// Cost: one gradient and one forward pass.
///
/// Not invariant to rescaling ReLU layers. Not claimed to predict generalisation.
///
/// # Errors
/// A `rho` that is not positive and finite, or a risk that cannot be evaluated.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::sam_sharpness;
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = 2 w² at w = 3: (3.1² - 3²) · 2 = 1.22.
/// let device = Device::flex();
/// let model = Point {
///     at: Param::from_tensor(Tensor::full([1], 3.0, (&device, DType::F64))),
/// };
/// let two = Tensor::<1>::full([1], 2.0, (&device, DType::F64));
/// let risk = Risk::mean(two, |model: &Point, two: &Tensor<1>| {
///     (model.at.val().square() * two.clone()).mean()
/// });
/// assert!((sam_sharpness(&model, &risk, 0.1)?.value - 1.22).abs() < 1e-13);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Foret et al. 2021, "Sharpness-Aware Minimization", equation 2.
pub fn sam_sharpness<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    rho: f64,
) -> Result<SamSharpness, Error> {
    let ball = Ball::l2(rho);
    check_rho(rho)?;
    Ok(ascent(&Losses::few(model, risk)?, &ball)?.sharpness)
}

/// Returns the sharpness of adaptive SAM, `L(θ + ρ T² g / ‖T g‖) − L(θ)` with the scale T:
/// [`Scale::ASAM`] has the published setting (ρ is 0.5 there), [`Scale::INVARIANT`] the one that
/// is invariant to rescaling ReLU layers. Zero where the gradient is.
///
/// Cost: one gradient and one forward pass.
///
/// # Errors
/// A `rho` that is not positive and finite, a negative η, or a risk that cannot be evaluated.
///
/// # References
/// Kwon et al. 2021, "ASAM: Adaptive Sharpness-Aware Minimization", equation 8.
pub fn adaptive_sam_sharpness<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    rho: f64,
    scale: Scale,
) -> Result<SamSharpness, Error> {
    check_rho(rho)?;
    scale.check()?;
    let ball = Ball::l2(rho).with_scale(scale);
    Ok(ascent(&Losses::few(model, risk)?, &ball)?.sharpness)
}

/// Returns the peak of SAM in a ball, with the displacement and the gradient there: the first-order
/// maximum, which is `ρ g / ‖g‖` in [`Ball::l2`], `ρ T² g / ‖T g‖` with a scale T, and
/// `ρ T sign(g)` in [`Ball::l_inf`].
///
/// Cost: two gradients and one forward pass.
///
/// # Errors
/// A radius that is not positive and finite, a negative η, a risk that cannot be evaluated, and a
/// loss at the peak that is not finite.
pub fn sam_peak<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
) -> Result<SamPeak, Error> {
    ball.check()?;
    let losses = Losses::few(model, risk)?;
    let found = ascent(&losses, ball)?;
    let gradient = losses.slope(&found.displacement)?.gradient;
    let domain = &losses.objective().space().domain;
    Ok(SamPeak {
        sharpness: found.sharpness,
        displacement: domain.upload(&found.displacement)?,
        gradient: domain.upload(&gradient)?,
    })
}

/// Returns the sharpness at SAM's peak in a ball with the displacement there, `[P]`. Cost: one
/// gradient and one forward pass.
///
/// # Errors
/// As [`sam_sharpness`].
pub(crate) fn ascent_displacement<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
) -> Result<(SamSharpness, Vec<f64>), Error> {
    ball.check()?;
    let found = ascent(&Losses::few(model, risk)?, ball)?;
    Ok((found.sharpness, found.displacement))
}

/// A first-order ascent with its displacement.
struct Ascent {
    sharpness: SamSharpness,
    displacement: Vec<f64>,
}

fn ascent<M: Module, B: Batch>(losses: &Losses<M, B>, ball: &Ball) -> Result<Ascent, Error> {
    let here = losses.slope(&vec![0.0; losses.dim()])?;
    ascent_of(losses, ball, &here)
}

/// Returns the sharpness in a ball from the gradient at the weights.
pub(super) fn sam_of<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    ball: &Ball,
    here: &Slope,
) -> Result<SamSharpness, Error> {
    Ok(ascent_of(losses, ball, here)?.sharpness)
}

fn ascent_of<M: Module, B: Batch>(
    losses: &Losses<M, B>,
    ball: &Ball,
    here: &Slope,
) -> Result<Ascent, Error> {
    let scale = losses.scale(ball.scale);
    let along = scaled(scale.as_deref(), here.gradient.clone());
    let slope = ball.dual_norm(&along);
    let displacement = scaled(scale.as_deref(), ball.farthest(&along));
    // A zero gradient gives no direction, and no rise.
    let peak_loss = if slope > 0.0 {
        losses.at(&displacement)?
    } else {
        here.loss
    };
    Ok(Ascent {
        sharpness: SamSharpness {
            rho: ball.radius,
            value: peak_loss - here.loss,
            loss: here.loss,
            peak_loss,
            gradient_norm: norm(&here.gradient),
            slope,
            ball: *ball,
            rounding: losses.rounding(here.loss, peak_loss),
            rescaling: ball.rescaling(),
        },
        displacement,
    })
}

fn check_rho(rho: f64) -> Result<(), Error> {
    super::ball::positive("rho", rho)
}
