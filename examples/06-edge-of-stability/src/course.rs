//! One training over all of the data, and the sharpness on its way.

use anyhow::Result;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use landscape::spectrum::{LanczosConfig, top_eigenpairs, top_eigenpairs_from};
use landscape::{Hessian, Risk};
use models::Mlp;
use sam::Sam;

use crate::{Batch, loss};

/// The way in which a step is taken.
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) learning_rate: f64,
    pub(crate) optimiser: ModuleOptimizer,
    pub(crate) sam: Option<Sam>,
}

/// What was measured, a value for each step that was looked at.
#[derive(Default)]
pub(crate) struct Course {
    pub(crate) steps: Vec<f64>,
    pub(crate) losses: Vec<f64>,
    pub(crate) sharpness: Vec<f64>,
    pub(crate) gradient: Vec<f64>,
}

/// Trains `model`, and measures every `every` steps.
pub(crate) fn follow(
    mut method: Method,
    mut model: Mlp,
    batch: &Batch,
    steps: usize,
    every: usize,
) -> Result<Course> {
    let risk = Risk::mean(batch.clone(), loss);
    let lanczos = LanczosConfig::new().with_tolerance(1e-3);
    let mut eigenvector: Option<Tensor<1>> = None;
    let mut course = Course::default();
    for step in 0..=steps {
        if step % every == 0 {
            let hessian = Hessian::at(&model, &risk)?;
            let top = match &eigenvector {
                None => top_eigenpairs(&hessian, 1, &lanczos)?,
                Some(last) => top_eigenpairs_from(&hessian, 1, &[last.clone()], &lanczos)?,
            };
            let (value, gradient) = risk.gradient(&model)?;
            course.steps.push(step as f64);
            course.losses.push(value);
            course.sharpness.push(top[0].value);
            course
                .gradient
                .push(landscape::norm(&landscape::download(&gradient)));
            eigenvector = Some(top[0].vector.clone());
        }
        model = match &mut method.sam {
            Some(sam) => {
                sam.step(&mut method.optimiser, method.learning_rate, model, |m| {
                    loss(m, batch)
                })?
                .model
            }
            None => {
                let gradients = GradientsParams::from_grads(loss(&model, batch).backward(), &model);
                method
                    .optimiser
                    .step(method.learning_rate, model, gradients)
            }
        };
    }
    Ok(course)
}
