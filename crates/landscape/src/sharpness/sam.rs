//! SAM's sharpness: the rise of the loss one step up the gradient.

use burn::module::Module;

use crate::operator::download;
use crate::{Batch, Error, Objective, Risk};

/// The result of [`sam_sharpness`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamSharpness {
    /// Radius.
    pub rho: f64,
    /// L(theta + rho g / ||g||) - L(theta); NaN or infinite if the loss is, there.
    pub value: f64,
    /// L(theta).
    pub loss: f64,
    /// L(theta + rho g / ||g||).
    pub peak_loss: f64,
    /// ||g||.
    pub gradient_norm: f64,
}

/// $L(\theta + \rho\, g / \lVert g \rVert) - L(\theta)$, the norm over all parameters together; zero
/// where the gradient is. Cost: one gradient and one forward pass.
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
    let domain = &objective.space().domain;
    let gradient = download(&gradient);
    let largest = gradient.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    // Scaled, so that a tiny gradient has a direction too.
    let unit: Vec<f64> = gradient.iter().map(|x| x / largest).collect();
    let unit_norm = unit.iter().map(|x| x * x).sum::<f64>().sqrt();
    let gradient_norm = if largest > 0.0 {
        largest * unit_norm
    } else {
        0.0
    };
    let peak_loss = if largest > 0.0 {
        let step: Vec<f64> = unit.iter().map(|x| x * (rho / unit_norm)).collect();
        let step = domain.upload(&step)?;
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
