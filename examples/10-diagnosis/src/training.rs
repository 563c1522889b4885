//! A training with the probes on which a diagnosis rests.

use anyhow::{Context, Result};
use burn::optim::GradientsParams;
use datasets::epoch_order;
use landscape::slice::linspace;
use landscape::{LanczosConfig, Risk};
use probes::diagnosis::{Diagnosis, Facts};
use probes::instrument::{
    Activations, BatchNormGap, GradientNorm, LayerCurvature, LineDirection, LossLine, MeanLoss,
    TopEigenvalues, Updates, WeightSpectra,
};
use probes::{Probes, Record, Schedule, Value};

use crate::data::Data;
use crate::network::loss;
use crate::setting::Setting;

/// Examples on which curvature is measured.
const SAMPLE: usize = 200;

/// The outcome of a training.
pub(crate) struct Run {
    /// The training loss of each step.
    pub(crate) losses: Vec<f64>,
    /// The validation loss at the end; none where the training diverged.
    pub(crate) validation: Option<f64>,
    /// The findings.
    pub(crate) diagnosis: Diagnosis,
}

impl Run {
    /// Returns what a diagnosis of several seeds asks for.
    pub(crate) fn facts(&self) -> Facts {
        let mut facts = Facts::new().with_classes(10);
        for (step, &loss) in (0..).zip(&self.losses) {
            let (tag, value) = ("loss/train".to_owned(), Value::Scalar(loss));
            facts.observe(&Record { tag, step, value });
        }
        facts
    }
}

/// Trains until the last step, or until the loss is no finite number.
pub(crate) fn train(setting: &Setting, seed: u64, data: &Data) -> Result<Run> {
    let mut model = setting.network(seed, data.device())?;
    let mut optimiser = setting.optimiser();
    let batch_size = setting.batch.min(data.training);
    let steps = data.training.div_ceil(batch_size) as u64 * setting.epochs;

    let some: Vec<usize> = (0..SAMPLE.min(data.training)).collect();
    let sample = Risk::mean(data.batch(&some), loss);
    let validation = sample.over([data.validation()]);
    let mut facts = Facts::new()
        .with_classes(10)
        .with_batch_size(batch_size)
        .with_examples(some.len())
        .with_validation_examples(data.validation().1.dims()[0]);
    let lanczos = LanczosConfig::new().with_seed(seed);
    let mut eigenvalues = TopEigenvalues::of(&sample, 1)
        .with_config(lanczos)
        .with_smallest();
    if let Some(optimiser) = setting.stability() {
        facts = facts.with_optimiser(optimiser);
        eigenvalues = eigenvalues.with_optimiser(optimiser);
    }
    let mut some_steps = Schedule::log_spaced(8).steps(Some(steps))?;
    some_steps.extend([0, steps]);
    let often = || Schedule::at(some_steps.iter().copied());
    let line = LossLine::of(&sample, "training", linspace(-1.0..=1.0, 41));
    // These trainings take less time than their measurements; a budget would leave most of them
    // out.
    let mut probes = Probes::unlimited()
        .with_diagnosis(facts)
        .with_total_steps(steps)
        // What a probe cannot measure is not looked at, and the diagnosis says so.
        .with_handler(|_| ())
        .with(often(), MeanLoss::of(&validation, "loss/valid"))
        .with(often(), GradientNorm::of(&sample))
        .with(
            often(),
            eigenvalues.with_learning_rate(setting.learning_rate),
        )
        .with(often(), Activations::of(&sample))
        .with(often(), Updates::new().starting_at(&model)?)
        .with(often(), BatchNormGap::of(&sample))
        .with(Schedule::at_start(), WeightSpectra::new())
        .with(
            Schedule::at_start(),
            LayerCurvature::of(&sample).with_seed(seed),
        )
        .with(
            Schedule::at_end(),
            line.along(LineDirection::Random { seed }),
        );

    let mut losses = Vec::new();
    let mut step = 0;
    probes.observe(0, &model)?;
    'training: for epoch in 0..setting.epochs {
        for indices in epoch_order(seed, epoch, data.training).chunks(batch_size) {
            let value = loss(&model, &data.batch(indices));
            losses.push(value.clone().into_scalar::<f64>());
            probes.log("loss/train", step, losses[losses.len() - 1]);
            if !losses[losses.len() - 1].is_finite() {
                break 'training;
            }
            let gradients = GradientsParams::from_grads(value.backward(), &model);
            model = optimiser.step(setting.learning_rate, model, gradients);
            step += 1;
            probes.observe(step, &model)?;
        }
    }
    let diagnosis = probes.finish().diagnosis;
    let reached = validation
        .value(&model)
        .ok()
        .filter(|loss| loss.is_finite());
    Ok(Run {
        validation: reached.filter(|_| step == steps),
        losses,
        diagnosis: diagnosis.context("a diagnosis was asked for")?,
    })
}
