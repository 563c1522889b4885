//! SAM's sharpness: the rise of the loss one step up the gradient.

use burn::module::Module;

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::{download, normalize};

/// The result of [`sam_sharpness`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamSharpness {
    /// The radius `ρ`.
    pub rho: f64,
    /// The sharpness `L(θ + ρ g / ‖g‖) − L(θ)`; NaN or infinite if the loss is, there.
    pub value: f64,
    /// The loss `L(θ)`.
    pub loss: f64,
    /// The loss `L(θ + ρ g / ‖g‖)`.
    pub peak_loss: f64,
    /// The norm `‖g‖`.
    pub gradient_norm: f64,
}

/// Returns SAM's sharpness `L(θ + ρ g / ‖g‖) − L(θ)` with the gradient g, its norm over all
/// parameters together; zero where the gradient is.
///
/// Cost: one gradient and one forward pass.
///
/// Not invariant to rescaling ReLU layers. Not claimed to predict generalisation.
///
/// # Errors
/// A negative or non-finite `rho`, or a risk that cannot be evaluated.
///
/// # References
/// Foret et al. 2021, "Sharpness-Aware Minimization", equation 2.
pub fn sam_sharpness<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    rho: f64,
) -> Result<SamSharpness, Error> {
    if !(rho.is_finite() && rho >= 0.0) {
        return Err(Error::Setting {
            name: "rho",
            value: rho.to_string(),
            allowed: "finite and not negative",
        });
    }
    // In f64 where that can be: the value is a difference of losses that may be close.
    let objective = Objective::in_double(model, risk)?;
    let (loss, gradient) = objective.gradient_here()?;
    let mut unit = download(&gradient);
    let gradient_norm = normalize(&mut unit);
    let peak_loss = if gradient_norm > 0.0 {
        let step: Vec<f64> = unit.iter().map(|x| x * rho).collect();
        let step = objective.space().domain.upload(&step)?;
        objective.value(&(objective.origin().clone() + step))?
    } else {
        loss
    };
    Ok(SamSharpness {
        rho,
        value: peak_loss - loss,
        loss,
        peak_loss,
        gradient_norm,
    })
}
