//! The directions in which the loss rises: the gradient, and SAM's step to its peak.

use burn::module::Module;

use super::{Direction, DirectionKind};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::risk::{Objective, Risk};
use crate::sharpness::{Ball, ascent_displacement};
use crate::vector::{download, normalize};

/// Returns the unit vector `g / ‖g‖` along the gradient g of the mean loss: uphill, so that
/// gradient descent steps to negative coordinates. The loss has the slope `‖g‖` along it, which the
/// record has.
///
/// In f64 where the loss runs in it, rounded to the model's float type at the end.
///
/// Cost: one gradient. Memory: three vectors of P.
///
/// # Errors
/// [`Error::NoDirection`] where the gradient is zero, and a risk whose gradient cannot be taken.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::direction::gradient_direction;
/// use landscape::{Risk, download};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = 2 w² at w = -3: the loss rises to the left.
/// let device = Device::flex();
/// let model = Point {
///     at: Param::from_tensor(Tensor::full([1], -3.0, (&device, DType::F64))),
/// };
/// let two = Tensor::<1>::full([1], 2.0, (&device, DType::F64));
/// let risk = Risk::mean(two, |model: &Point, two: &Tensor<1>| {
///     (model.at.val().square() * two.clone()).mean()
/// });
/// assert_eq!(download(&gradient_direction(&model, &risk)?.vector), [-1.0]);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn gradient_direction<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<Direction, Error> {
    let (_, gradient) = Objective::in_double(model, risk)?.gradient_here()?;
    let mut gradient = download(&gradient);
    let norm = normalize(&mut gradient);
    rises(norm)?;
    let vector = ParameterSpace::of(model)?.domain.upload(&gradient)?;
    Ok(Direction::new(vector, DirectionKind::Gradient { norm }))
}

/// Returns SAM's displacement e to its peak, the first-order maximum of the loss in `ball`:
/// `ρ g / ‖g‖` in [`Ball::l2`], `ρ T² g / ‖T g‖` with a scale T (adaptive SAM), `ρ T sign(g)` in
/// [`Ball::l_inf`]. The peak is at coordinate 1.
///
/// Cost: one gradient and one forward pass. Memory: four vectors of P.
///
/// # Errors
/// [`Error::NoDirection`] where the gradient is zero, a radius that is not positive and finite, and
/// a risk whose gradient cannot be taken.
///
/// # References
/// Foret et al. 2021, "Sharpness-Aware Minimization", equation 2; Kwon et al. 2021, "ASAM",
/// equation 8.
pub fn ascent_direction<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    ball: &Ball,
) -> Result<Direction, Error> {
    let (sharpness, displacement) = ascent_displacement(model, risk, ball)?;
    rises(sharpness.gradient_norm)?;
    let kind = DirectionKind::Ascent {
        ball: *ball,
        gradient_norm: sharpness.gradient_norm,
    };
    let vector = ParameterSpace::of(model)?.domain.upload(&displacement)?;
    Ok(Direction::new(vector, kind))
}

fn rises(gradient_norm: f64) -> Result<(), Error> {
    if gradient_norm > 0.0 {
        return Ok(());
    }
    Err(Error::NoDirection {
        what: "gradient",
        problem: "is zero",
    })
}
