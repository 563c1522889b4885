//! What is measured at the end of a training.

use anyhow::Result;
use landscape::sharpness::{AverageConfig, average_sharpness, sam_sharpness};
use landscape::slice::linspace;
use landscape::{
    Hessian, LanczosConfig, Line, ParameterSpace, Risk, filter_normalize, line, random_direction,
    top_eigenpairs,
};
use models::Mlp;

use crate::Batch;

/// The figures of a trained model. All but the validation loss are of the training data.
pub(crate) struct Outcome {
    pub(crate) loss: f64,
    pub(crate) validation_loss: f64,
    pub(crate) lambda_1: f64,
    pub(crate) sam: f64,
    pub(crate) average: f64,
    /// The loss along a filter-normalised random direction, the same random numbers for all.
    pub(crate) line: Line,
}

/// Measures a trained model.
pub(crate) fn measure(
    model: &Mlp,
    risk: &Risk<Mlp, Batch>,
    validation: &Risk<Mlp, Batch>,
) -> Result<Outcome> {
    let hessian = Hessian::at(model, risk)?;
    let top = top_eigenpairs(&hessian, 1, &LanczosConfig::new())?;
    let average = AverageConfig::new().with_sigma(0.02).with_pairs(50);
    let space = ParameterSpace::of(model)?;
    let direction = filter_normalize(&space, model, random_direction(&space, 7))?;
    Ok(Outcome {
        loss: risk.value(model)?,
        validation_loss: validation.value(model)?,
        lambda_1: top[0].value,
        sam: sam_sharpness(model, risk, 0.05)?.value,
        average: average_sharpness(model, risk, &average)?.estimate.mean,
        line: line(model, risk, &direction, &linspace(-1.0..=1.0, 41))?,
    })
}
