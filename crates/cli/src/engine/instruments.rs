//! The instruments of a training, each with its moments.
//!
//! What the table at the end shows is measured after the last step in any case: losses and accuracies of all three parts of the
//! data (the test images at no other moment), eigenvalues, trace and sharpness.

use burn::tensor::{Device, Int, Tensor};
use landscape::slice::linspace;
use landscape::{DensityConfig, Grid, LanczosConfig, Risk, TraceConfig};
use probes::instrument::{
    Accuracy, Direction, GradientNorm, HessianTrace, LossLine, LossProbe, LossSurface, Optimiser,
    SamSharpness, SpectralDensity, TopEigenvalues,
};
use probes::{Budget, Probes, Schedule};

use super::data::Batch;
use super::job::Job;
use super::loss::loss;
use super::network::Network;
use crate::config::Plan;
use crate::config::choice::{self, Method};
use crate::config::moment::Moments;

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

/// Points of the line.
pub(crate) const LINE_POINTS: usize = 41;

/// The mean loss over batches as a function of the network.
pub(crate) fn risk<M: Network>(batches: Vec<Batch>) -> Risk<M, Batch> {
    Risk::mean(batches, loss::<M>)
}

/// The probes of the job's plan over a run of `steps` steps. `device` is the one without autodiff.
///
/// # Errors
///
/// When the data cannot be put on the device.
pub(crate) fn instruments<M: Network>(
    job: &Job,
    steps: u64,
    device: &Device,
) -> anyhow::Result<Probes<M>> {
    let (plan, data) = (&job.training.plan, &job.data);
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
    let train = data.training_batches(device)?;
    let valid = data.validation_batches(device)?;
    let test = data.test_batches(device)?;
    let valid_risk = risk::<M>(valid.clone());
    let sample = risk::<M>(data.curvature_batches(device)?);

    // To the tolerances of the library, not to the looser ones of probes: the figures of a run come from here.
    let lanczos = LanczosConfig::new().with_seed(seed);
    let mut eigenvalues = TopEigenvalues::of(&sample, probes.eigenvalue_count.get())
        .with_lanczos(lanczos)
        .with_smallest();
    if let Some(optimiser) = stability(plan) {
        eigenvalues = eigenvalues.with_optimiser(optimiser);
    }
    let trace = TraceConfig::new().with_seed(seed);
    let density = DensityConfig::new()
        .with_seed(seed)
        .with_starts(probes.density_starts.get());
    let line = LossLine::of(
        "training sample",
        &sample,
        linspace(-1.0..=1.0, LINE_POINTS),
    )
    .and("validation", &valid_risk)
    .along(Direction::Random { seed });
    let surface =
        LossSurface::of(&sample, Grid::square(-1.0..=1.0, probes.grid.get())).with_seed(seed);

    let budget = probes.budget;
    let budget = budget.map_or(Ok(Budget::unlimited()), |b| Budget::try_fraction(b.get()))?;
    Ok(Probes::new(budget)
        .with_total_steps(steps)
        // Runs are compared: all of them measure the sample that their settings name.
        .with_whole_samples()
        // The losses and accuracies after the last step are what the run was for, whatever the budget.
        .with_required_at_end(
            and_at_end(&probes.loss)?,
            LossProbe::of(&valid_risk, tag::VALIDATION_LOSS),
        )
        .with_required_at_end(
            and_at_end(&probes.loss)?,
            Accuracy::of(valid, right::<M>, tag::VALIDATION_ACCURACY),
        )
        .with_required(
            Schedule::at_end(),
            LossProbe::of(&risk::<M>(train.clone()), tag::TRAINING_LOSS),
        )
        .with_required(
            Schedule::at_end(),
            Accuracy::of(train, right::<M>, tag::TRAINING_ACCURACY),
        )
        .with_required(
            Schedule::at_end(),
            LossProbe::of(&risk::<M>(test.clone()), tag::TEST_LOSS),
        )
        .with_required(
            Schedule::at_end(),
            Accuracy::of(test, right::<M>, tag::TEST_ACCURACY),
        )
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
            SamSharpness::of(&sample, probes.sharpness_rho.get()),
        )
        .with(
            at(&probes.density)?,
            SpectralDensity::of(&sample).with_config(density),
        )
        .with(at(&probes.line)?, line)
        .with(at(&probes.surface)?, surface))
}

/// How many examples of a batch have their largest logit at their label, and how many there are.
pub(super) fn right<M: Network>(model: &M, (images, labels): &Batch) -> (usize, usize) {
    let [count] = labels.dims();
    let guesses: Tensor<1, Int> = model.logits(images.clone()).argmax(1).reshape([count]);
    let right: i64 = guesses.equal(labels.clone()).int().sum().into_scalar();
    (usize::try_from(right).unwrap_or(0), count)
}

/// The threshold of stability, where there is a formula for it: heavy-ball SGD, and SAM over it.
fn stability(plan: &Plan) -> Option<Optimiser> {
    let momentum = plan.momentum.get();
    match (plan.optimiser, plan.method) {
        (choice::Optimiser::Sgd, Method::Plain) => Some(Optimiser::HeavyBall {
            momentum,
            dampening: 0.0,
        }),
        (choice::Optimiser::Sgd, Method::Sam) => Some(Optimiser::Sam {
            rho: plan.rho.get(),
            momentum,
            dampening: 0.0,
        }),
        _ => None,
    }
}
