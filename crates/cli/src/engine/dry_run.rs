//! The estimate of a training: sizes, moments of its probes, disk and time, from a few real steps
//! and one product. Nothing is written.

use std::time::{Duration, Instant};

use burn::module::Module;
use landscape::Hessian;
use landscape::operator::LinearOperator;
use serde::Serialize;

use super::checkpoint::model_bytes;
use super::data::Data;
use super::instruments::{LINE_POINTS, LINE_TO_EARLIER};
use super::job::Job;
use super::learning_rate::learning_rate;
use super::optimiser::optimiser;
use super::step::{Stepped, Stepper};
use super::weights::trained_parameters;
use crate::config::Plan;
use crate::config::keep::{Keep, LATEST};
use crate::workload::{Part, Workload};

/// Steps that are timed at most, and after which time no more.
const STEPS: usize = 20;
const ENOUGH: Duration = Duration::from_secs(1);

/// Bytes of a scalar's point in an event file, and of a picture with its numbers, in the order of
/// magnitude.
const POINT: usize = 70;
const PICTURE: usize = 250_000;

/// The estimate of a training.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Estimate {
    /// Name of the training.
    pub(crate) name: String,
    /// The method in words.
    pub(crate) method: String,
    /// Trained parameters.
    pub(crate) parameters: usize,
    /// Training, validation and test examples.
    pub(crate) examples: [usize; 3],
    /// Training examples of the sample for curvature.
    pub(crate) curvature_examples: usize,
    /// Steps, in an epoch and in all.
    pub(crate) steps_per_epoch: usize,
    /// Steps in all.
    pub(crate) steps: usize,
    /// Seconds of a step, the median of some.
    pub(crate) step_seconds: f64,
    /// Seconds of all steps.
    pub(crate) training_seconds: f64,
    /// Each probe with how often it measures and the seconds of all its measurements.
    pub(crate) probes: Vec<ProbeEstimate>,
    /// Seconds of all probes.
    pub(crate) probe_seconds: f64,
    /// Bytes of one checkpoint.
    pub(crate) checkpoint_bytes: usize,
    /// Checkpoints that are kept.
    pub(crate) checkpoints: usize,
    /// Bytes of events, pictures and numbers.
    pub(crate) record_bytes: usize,
}

/// A probe and what it would take.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProbeEstimate {
    /// Its key in workspace.toml.
    pub(crate) probe: &'static str,
    /// When.
    pub(crate) moments: String,
    /// The number of times.
    pub(crate) times: usize,
    /// Seconds of all its measurements.
    pub(crate) seconds: f64,
}

impl Estimate {
    /// Returns the seconds in all.
    pub(crate) fn seconds(&self) -> f64 {
        self.training_seconds + self.probe_seconds
    }

    /// Returns the bytes in all.
    pub(crate) const fn bytes(&self) -> usize {
        self.checkpoint_bytes * self.checkpoints + self.record_bytes
    }
}

/// Times a few steps and measurements of a training.
///
/// # Errors
/// The error with which the training would end at its first step, and a network that cannot be
/// measured.
pub(crate) fn estimate<W: Workload>(job: &Job, data: &Data<W>) -> anyhow::Result<Estimate> {
    let plan = &job.training.plan;
    let initial = data.model(plan.seed, &job.device);
    let steps_per_epoch = data.training().div_ceil(plan.batch_size.get());
    let steps = steps_per_epoch * plan.epochs.get();
    let parameters = trained_parameters(&initial);
    let trained = Trained::some_steps(job, data, initial, steps, steps_per_epoch)?;
    let costs = if plan.probes.enabled {
        Costs::of(job, data, &trained.model)?
    } else {
        Costs::losses(job, data, &trained.model)?
    };
    let mut probes = Vec::new();
    for (probe, moments) in plan.probes.moments() {
        let due = plan.probes.steps_of(probe, moments, steps as u64)?;
        if !due.is_empty() {
            probes.push(ProbeEstimate {
                probe,
                moments: moments.to_string(),
                times: due.len(),
                seconds: due.len() as f64 * costs.of_probe(probe, plan),
            });
        }
    }
    probes.push(ProbeEstimate {
        probe: "final losses",
        moments: "end".to_owned(),
        times: 1,
        seconds: costs.losses,
    });
    let sizes = data.sizes();
    Ok(Estimate {
        name: job.training.name.clone(),
        method: plan.method_in_words(),
        parameters,
        examples: [sizes.training, sizes.validation, sizes.test],
        curvature_examples: data.curvature_examples(),
        steps_per_epoch,
        steps,
        step_seconds: trained.seconds,
        training_seconds: trained.seconds * steps as f64,
        probe_seconds: probes.iter().map(|probe| probe.seconds).sum(),
        checkpoint_bytes: trained.bytes,
        checkpoints: kept(plan, steps, steps_per_epoch),
        record_bytes: record_bytes(plan, steps, &probes),
        probes,
    })
}

/// A model after a few steps, whose first has made all that a checkpoint holds.
struct Trained<M> {
    model: M,
    seconds: f64,
    bytes: usize,
}

impl<M: Module> Trained<M> {
    fn some_steps<W: Workload<Model = M>>(
        job: &Job,
        data: &Data<W>,
        initial: M,
        steps: usize,
        steps_per_epoch: usize,
    ) -> anyhow::Result<Self> {
        let plan = &job.training.plan;
        let (mut optimiser, mut stepper) = (optimiser(plan), Stepper::new(plan)?);
        let order = datasets::epoch_order(u64::from(plan.seed), 0, data.training());
        let mut model = initial;
        let mut seconds = Vec::new();
        let began = Instant::now();
        for (step, indices) in order.chunks(plan.batch_size.get()).take(STEPS).enumerate() {
            if began.elapsed() > ENOUGH && seconds.len() > 1 {
                break;
            }
            let started = Instant::now();
            let batch = data.batch(indices, &job.device);
            let rate = learning_rate(plan, step, steps, steps_per_epoch);
            match stepper.step(
                &mut optimiser,
                rate,
                model,
                data.workload().as_ref(),
                &batch,
            ) {
                Stepped::Done(next, ..) => model = next,
                Stepped::Refused(reason) => anyhow::bail!(
                    "{}: the run would stop at step {step}: {reason}",
                    job.training.name
                ),
            }
            seconds.push(started.elapsed().as_secs_f64());
        }
        let mut bytes = model_bytes(&model)?.len() + optimiser.into_bytes()?.len();
        bytes += stepper.to_bytes()?.map_or(0, |bytes| bytes.len());
        Ok(Self {
            model,
            seconds: median(seconds),
            bytes,
        })
    }
}

/// Seconds of what measurements are made of.
struct Costs {
    /// A forward pass over the validation examples.
    validation: f64,
    /// One over all three parts.
    losses: f64,
    /// One over the sample.
    forward: f64,
    /// A gradient over the sample.
    gradient: f64,
    /// A Hessian before its first product.
    hessian: f64,
    /// A product.
    product: f64,
}

impl Costs {
    fn losses<W: Workload>(job: &Job, data: &Data<W>, model: &W::Model) -> anyhow::Result<Self> {
        let device = job.device.clone().inner();
        let valid = data.risk(data.batches(Part::Validation, &device));
        let sizes = data.sizes();
        // Once before, so that the first use of a device is not timed.
        valid.value(model)?;
        let validation = timed(|| valid.value(model))?;
        let all = (sizes.training + sizes.validation + sizes.test) as f64;
        Ok(Self {
            validation,
            losses: validation * all / sizes.validation as f64,
            forward: 0.0,
            gradient: 0.0,
            hessian: 0.0,
            product: 0.0,
        })
    }

    fn of<W: Workload>(job: &Job, data: &Data<W>, model: &W::Model) -> anyhow::Result<Self> {
        let device = job.device.clone().inner();
        let sample = data.risk(data.curvature_batches(&device));
        let (_, gradient) = sample.gradient(model)?;
        let began = Instant::now();
        let hessian = Hessian::at(model, &sample)?;
        let making = began.elapsed().as_secs_f64();
        // A product of the gradient's direction; the first one also makes what the others use.
        let vector = hessian.domain().adopt(&gradient)?;
        hessian.apply(&vector)?;
        Ok(Self {
            forward: timed(|| sample.value(model))?,
            gradient: timed(|| sample.gradient(model))?,
            hessian: making,
            product: timed(|| hessian.apply(&vector))?,
            ..Self::losses(job, data, model)?
        })
    }

    /// Returns the seconds of one measurement of a probe. How many products eigenvalues and trace
    /// take is known only when they have been measured; the numbers here are those of the networks
    /// of this workspace.
    fn of_probe(&self, probe: &str, plan: &Plan) -> f64 {
        let products = |count: usize| self.hessian + count as f64 * self.product;
        match probe {
            // Loss and accuracy.
            "loss" => 2.0 * self.validation,
            "gradient" => self.gradient,
            // Gradients of single examples: 10 gradients of the data or more, the less they cost.
            "gradient_noise" => 20.0 * self.gradient,
            "gradient_histogram" => 40.0 * self.gradient,
            // One to three for each class, ten mostly, beside those of the examples.
            "tic" => 40.0 * self.gradient,
            "eigenvalues" => products(30 + 20 * plan.probes.eigenvalue_count.get()),
            "trace" => products(40),
            "sharpness" => 2.0 * (self.gradient + self.forward),
            "density" => products(50 * plan.probes.density_starts.get() + 1),
            "line" => LINE_POINTS as f64 * (self.forward + self.validation),
            "activations" => self.gradient,
            "batch_norm_gap" => 2.0 * self.forward,
            "surface" => plan.probes.grid.get().pow(2) as f64 * self.forward,
            // 16 probe vectors, and some 15 steps for each of a few layers.
            "layers" => products(80),
            "sharpness_suite" => 130.0 * self.forward + 41.0 * self.gradient,
            // Where eigenvalues are measured too, the eigenpair is theirs.
            "stability" => products(20) + self.gradient,
            "interpolation" => 2.0 * LINE_TO_EARLIER as f64 * self.forward,
            _ => 0.0,
        }
    }
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<f64, E> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Returns the median of at least one number, without the first, which makes what the others use.
fn median(mut seconds: Vec<f64>) -> f64 {
    if seconds.len() > 1 {
        seconds.remove(0);
    }
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Returns how many checkpoints are there at the end.
fn kept(plan: &Plan, steps: usize, steps_per_epoch: usize) -> usize {
    let period = plan.checkpoint_every.map_or(steps_per_epoch, |n| n.get());
    // That of step 0, one each period, and that of the end.
    let all = 1 + steps.div_ceil(period);
    match plan.keep {
        Keep::All => all,
        Keep::Best => all.min(LATEST + 1),
        Keep::Last(count) => all.min(count.get()),
    }
}

fn record_bytes(plan: &Plan, steps: usize, probes: &[ProbeEstimate]) -> usize {
    // Loss and rate, and what a method has seen.
    let each = if plan.method == crate::config::choice::Method::Plain {
        2
    } else {
        7
    };
    let points = each * (steps / plan.log_every.get() + 1);
    let records: usize = probes
        .iter()
        .map(|probe| {
            let size = match probe.probe {
                "density" | "line" | "surface" | "interpolation" => PICTURE,
                // Histograms by layer.
                "gradient" => 30 * POINT,
                _ => 10 * POINT,
            };
            probe.times * size
        })
        .sum();
    points * POINT + records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_leaves_out_the_first() {
        assert_eq!(median(vec![9.0, 1.0, 3.0, 2.0]), 2.0);
        assert_eq!(median(vec![9.0]), 9.0);
    }
}
