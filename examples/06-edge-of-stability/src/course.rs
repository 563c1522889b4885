//! One training over all of the data, and the stability on its way.

use anyhow::Result;
use burn::optim::GradientsParams;
use landscape::stability::{Preconditioner, stability};
use landscape::{LanczosConfig, ParameterSpace, Risk};
use models::Mlp;

use crate::method::Method;
use crate::{Batch, loss};

/// The length of a training, and how often it is measured.
pub(crate) struct Plan {
    pub(crate) steps: usize,
    pub(crate) every: usize,
}

/// What was measured, a value for each time.
#[derive(Default)]
pub(crate) struct Course {
    pub(crate) steps: Vec<f64>,
    pub(crate) losses: Vec<f64>,
    /// λ₁, of the preconditioned Hessian for Adam.
    pub(crate) sharpness: Vec<f64>,
    pub(crate) thresholds: Vec<f64>,
    /// λ₁ over its threshold.
    pub(crate) ratios: Vec<f64>,
}

/// Trains `model` by `method`, and measures every `plan.every` steps.
pub(crate) fn train(method: &Method, mut model: Mlp, batch: &Batch, plan: &Plan) -> Result<Course> {
    let mut optimiser = method.optimiser.clone();
    let mut sam = method.sam.as_ref().map(sam::SamConfig::init).transpose()?;
    let learning_rate = method.learning_rate;
    let space = ParameterSpace::of(&model)?;
    let risk = Risk::mean(batch.clone(), loss);
    let lanczos = LanczosConfig::new().with_tolerance(1e-3);
    let mut course = Course::default();
    for step in 1..=plan.steps {
        // One step over all of the data.
        model = if let Some(sam) = &mut sam {
            sam.step(&mut optimiser, learning_rate, model, |m| loss(m, batch))?
                .model
        } else {
            let gradients = GradientsParams::from_grads(loss(&model, batch).backward(), &model);
            optimiser.step(learning_rate, model, gradients)
        };
        if step % plan.every > 0 {
            continue;
        }
        // The sharpness, and the largest at which the next steps are stable. Adam's is that of the
        // Hessian preconditioned by the optimiser's second moments.
        let settings = &method.settings;
        let preconditioner = settings
            .moments
            .map(|_| Preconditioner::of(&optimiser, settings, &space))
            .transpose()?;
        let found = stability(
            &model,
            &risk,
            settings,
            preconditioner.as_ref(),
            learning_rate,
            &lanczos,
        )?;
        course.steps.push(step as f64);
        course.losses.push(risk.value(&model)?);
        course.sharpness.push(found.largest.value);
        course.thresholds.push(found.threshold);
        course.ratios.push(found.ratio);
    }
    Ok(course)
}
