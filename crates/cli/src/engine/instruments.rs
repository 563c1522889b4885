//! The instruments of a training, each with its moments.
//!
//! The figures of the table at the end are measured after the last step in any case: losses and
//! accuracies of all three parts of the data (the test images at no other moment), eigenvalues,
//! trace and sharpness.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use landscape::slice::linspace;
use landscape::{Batch, DensityConfig, Grid, LanczosConfig, Risk, TraceConfig};
use probes::instrument::{
    Accuracy, Activations, AscentSharpness, BatchNormGap, GradientHistogram, GradientNoise,
    GradientNorm, GradientsAndWeights, HessianDensity, HessianTrace, Interpolation, LayerCurvature,
    LineDirection, LossLine, LossSurface, MeanLoss, SharpnessSuite, StabilityMonitor, SurfaceScale,
    TakeuchiCriterion, TopEigenvalues, Trajectory, Updates, WeightSpectra,
};
use probes::{Budget, Probes, Schedule};

use super::accuracy::right;
use super::data::Data;
use super::optimiser::stability;
use crate::config::Plan;
use crate::config::moment::Moments;
use crate::workload::{Part, Workload};

/// The tags from which the table and summary.json take their figures.
pub(crate) mod tag {
    /// Mean loss over all training images.
    pub(crate) const TRAINING_LOSS: &str = "end/training_loss";
    /// Accuracy over all training images.
    pub(crate) const TRAINING_ACCURACY: &str = "end/training_accuracy";
    /// Mean loss over the validation images.
    pub(crate) const VALIDATION_LOSS: &str = "loss/valid";
    /// Accuracy over the validation images.
    pub(crate) const VALIDATION_ACCURACY: &str = "accuracy/valid";
    /// Mean loss over the test images.
    pub(crate) const TEST_LOSS: &str = "end/test_loss";
    /// Accuracy over the test images.
    pub(crate) const TEST_ACCURACY: &str = "end/test_accuracy";
}

/// A sentence for each tag of the program's own.
pub(crate) const AT_END: [(&str, &str); 6] = [
    (
        "run/settings",
        "Every setting of the run, under the names of workspace.toml.",
    ),
    (
        "run/figures",
        "The figures of the table after the last step, with their errors.",
    ),
    (
        tag::TRAINING_LOSS,
        "Mean loss over all training examples after the last step.",
    ),
    (
        tag::TRAINING_ACCURACY,
        "Share of all training examples classified right after the last step.",
    ),
    (
        tag::TEST_LOSS,
        "Mean loss over the test examples after the last step.",
    ),
    (
        tag::TEST_ACCURACY,
        "Share of the test examples classified right after the last step.",
    ),
];

/// Points of a line to earlier weights.
pub(crate) const LINE_TO_EARLIER: usize = 11;

/// Points of the line.
pub(crate) const LINE_POINTS: usize = 41;

/// Returns the probes of a plan over a run of `steps` steps, which began with the weights of
/// `start`. `device` is the one without autodiff.
///
/// # Errors
/// When the data cannot be put on the device, or the model not be measured.
pub(crate) fn instruments<W: Workload>(
    data: &Data<W>,
    plan: &Plan,
    start: &W::Model,
    has_accuracy: bool,
    steps: u64,
    device: &Device,
) -> anyhow::Result<Probes<W::Model>> {
    let probes = &plan.probes;
    let seed = u64::from(plan.seed);
    let at = |moments: &Moments| Ok::<_, probes::Error>(Schedule::at(moments.steps(steps)?));
    let and_at_end = |moments: &Moments| {
        let mut all = moments.steps(steps)?;
        all.insert(steps);
        Ok::<_, probes::Error>(Schedule::at(all))
    };
    let curvature = |moments: &Moments| match probes.enabled {
        true => and_at_end(moments),
        false => Ok(Schedule::never()),
    };
    let [train, valid, test] = Part::ALL.map(|part| data.batches(part, device));
    let valid_risk = data.risk(valid.clone());
    let sample = data.risk(data.curvature_batches(device));

    // To the tolerances of the library, not to the looser ones of probes: the figures of a run come
    // from here.
    let lanczos = LanczosConfig::new().with_seed(seed);
    let eigenvalues = TopEigenvalues::of(&sample, probes.eigenvalue_count.get())
        .with_config(lanczos)
        .with_smallest();
    let trace = TraceConfig::new().with_seed(seed);
    let density = DensityConfig::new()
        .with_seed(seed)
        .with_starts(probes.density_starts.get());
    let line = LossLine::of(
        &sample,
        "training sample",
        linspace(-1.0..=1.0, LINE_POINTS),
    )
    .and(&valid_risk, "validation")
    .along(LineDirection::Random { seed });
    let surface = LossSurface::of(&sample, Grid::square(-1.0..=1.0, probes.grid.get()))
        .with_seed(seed)
        // One scale for all steps, so that their slider in TensorBoard is an animation.
        .with_scale(SurfaceScale::Decades(3));

    // Of the model alone, where the workload tells its outputs from the loss on them.
    let of_outputs = data.risk_of_outputs(start, data.curvature_batches(device));
    let of_model = of_outputs.clone().unwrap_or_else(|| sample.clone());
    let as_trained = data.risk(data.sample_batches(plan.batch_size.get(), device));

    let budget = probes.budget;
    let budget = budget.map_or(Ok(Budget::unlimited()), |b| Budget::try_fraction(b.get()))?;
    let mut all = Probes::new()
        .with_budget(budget)
        .with_total_steps(steps)
        // Runs are compared: all of them measure the sample that their settings name.
        .with_whole_samples();
    // The losses and accuracies after the last step are what the run was for, whatever the budget.
    all = all.with_required_at_end(
        and_at_end(&probes.loss)?,
        MeanLoss::of(&valid_risk, tag::VALIDATION_LOSS),
    );
    if has_accuracy {
        let accuracy = accuracy(data, valid, tag::VALIDATION_ACCURACY);
        all = all.with_required_at_end(and_at_end(&probes.loss)?, accuracy);
    }
    for (batches, loss_tag, accuracy_tag) in [
        (train, tag::TRAINING_LOSS, tag::TRAINING_ACCURACY),
        (test, tag::TEST_LOSS, tag::TEST_ACCURACY),
    ] {
        let loss = MeanLoss::of(&data.risk(batches.clone()), loss_tag);
        all = all.with_required(Schedule::at_end(), loss);
        if has_accuracy {
            let accuracy = accuracy(data, batches, accuracy_tag);
            all = all.with_required(Schedule::at_end(), accuracy);
        }
    }
    let all = all
        .with(
            at(&probes.gradient)?,
            GradientNorm::of(&sample).with_histograms(),
        )
        .with(curvature(&probes.eigenvalues)?, eigenvalues)
        .with(
            curvature(&probes.trace)?,
            HessianTrace::of(&sample).with_config(trace),
        )
        .with(
            curvature(&probes.sharpness)?,
            AscentSharpness::of(&sample, probes.sharpness_rho.get()),
        )
        .with(
            at(&probes.density)?,
            HessianDensity::of(&sample).with_config(density),
        )
        .with(at(&probes.line)?, line)
        .with(at(&probes.surface)?, surface)
        .with(at(&probes.activations)?, Activations::of(&of_model))
        .with(at(&probes.weights)?, WeightSpectra::new())
        .with(at(&probes.updates)?, Updates::new().starting_at(start)?)
        .with(at(&probes.batch_norm_gap)?, BatchNormGap::of(&as_trained));
    let all = example_gradients(all, (&sample, of_outputs.as_ref()), plan, steps)?;
    course(all, &sample, plan, steps)
}

/// Adds the instruments that take the gradients of single examples: of the loss, and of the loss
/// with the outputs apart where the workload tells them.
fn example_gradients<M: Module + 'static, B: Batch + Send + Sync + 'static>(
    all: Probes<M>,
    (sample, of_outputs): (&Risk<M, B>, Option<&Risk<M, B>>),
    plan: &Plan,
    steps: u64,
) -> anyhow::Result<Probes<M>> {
    let probes = &plan.probes;
    let at = |moments: &Moments| Ok::<_, probes::Error>(Schedule::at(moments.steps(steps)?));
    let sample = of_outputs.unwrap_or(sample);
    let mut all = all
        .with(
            at(&probes.gradient_noise)?,
            GradientNoise::of(sample).with_batch_size(plan.batch_size.get()),
        )
        .with(
            at(&probes.gradient_histogram)?,
            GradientHistogram::of(sample),
        )
        .with(
            at(&probes.gradient_histogram)?,
            GradientsAndWeights::of(sample),
        );
    if let Some(risk) = of_outputs {
        all = all.with(at(&probes.tic)?, TakeuchiCriterion::of(risk));
    }
    Ok(all)
}

/// Adds the instruments of the course of a training. The stability comes after the eigenvalues,
/// whose eigenpair it takes.
fn course<M: Module + 'static, B: Batch + Send + Sync + 'static>(
    all: Probes<M>,
    sample: &Risk<M, B>,
    plan: &Plan,
    steps: u64,
) -> anyhow::Result<Probes<M>> {
    let probes = &plan.probes;
    let seed = u64::from(plan.seed);
    let at = |moments: &Moments| Ok::<_, probes::Error>(Schedule::at(moments.steps(steps)?));
    let mut all = all
        .with(
            at(&probes.layers)?,
            LayerCurvature::of(sample).with_seed(seed),
        )
        .with(
            at(&probes.sharpness_suite)?,
            SharpnessSuite::of(sample).with_seed(seed).without_sam(),
        )
        .with(at(&probes.trajectory)?, Trajectory::of(sample))
        .with(
            at(&probes.interpolation)?,
            Interpolation::of(sample, "training sample").with_points(LINE_TO_EARLIER),
        );
    if let Some(settings) = stability(plan)? {
        let lanczos = LanczosConfig::new().with_seed(seed);
        let monitor = StabilityMonitor::of(sample, settings).with_config(lanczos);
        all = all.with(at(&probes.stability)?, monitor);
    }
    Ok(all)
}

/// Returns the share of examples that are classified right, under a tag.
fn accuracy<W: Workload>(
    data: &Data<W>,
    batches: Vec<W::Batch>,
    tag: &str,
) -> Accuracy<W::Model, W::Batch> {
    let workload = Arc::clone(data.workload());
    let count = move |model: &W::Model, batch: &W::Batch| {
        right(workload.as_ref(), model, batch).expect("the workload has classes")
    };
    Accuracy::of(batches, count, tag)
}
