//! A training with every setting decided: what the engine carries out, what checkpoints and
//! summaries record.

use std::collections::BTreeSet;

use ::sam::{AsamConfig, EsamConfig, FriendlySamConfig, GsamConfig, LookSamConfig, SamConfig};
use serde::{Deserialize, Serialize};

use super::bounded::{BelowOne, Bounded, Count, Fraction, NonNegative, Positive};
use super::choice::{Decay, DeviceKind, Method, Optimiser, name};
use super::keep::Keep;
use super::limits;
use super::moment::Moments;
use super::sam::SamSettings;
use super::settings::Settings;
use super::subject::Subject;
use crate::report::forecast::Agenda;
use crate::report::number::plain_number;

const fn yes() -> bool {
    true
}

/// One training, completely described. Two plans that are equal train the same network to the last
/// bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The network and its data, or the program's workload.
    #[serde(flatten)]
    pub(crate) subject: Subject,
    /// Base optimiser.
    pub(crate) optimiser: Optimiser,
    /// Momentum.
    pub(crate) momentum: Bounded<BelowOne>,
    /// Weight decay.
    pub(crate) weight_decay: Bounded<NonNegative>,
    /// Method over the base optimiser.
    pub(crate) method: Method,
    /// Radius of the method.
    pub(crate) rho: Bounded<NonNegative>,
    /// The settings of the method beside its radius.
    #[serde(default)]
    pub(crate) sam: SamSettings,
    /// Learning rate at the first step.
    pub(crate) learning_rate: Bounded<Positive>,
    /// Largest norm of the gradient of a step.
    #[serde(default)]
    pub(crate) clip: Option<Bounded<Positive>>,
    /// Schedule of the learning rate.
    pub(crate) schedule: Decay,
    /// Period of the schedule `step`, epochs.
    pub(crate) step_epochs: Count,
    /// Factor of the schedule `step`.
    pub(crate) step_factor: Bounded<Fraction>,
    /// Passes through the training data.
    pub(crate) epochs: Count<{ limits::EPOCHS }>,
    /// Examples per step.
    pub(crate) batch_size: Count,
    /// Seed of everything.
    pub(crate) seed: u32,
    /// Device.
    pub(crate) device: DeviceKind,
    /// Training examples on which curvature is measured, at most.
    pub(crate) curvature_examples: Count,
    /// Steps between two points of the training loss.
    pub(crate) log_every: Count,
    /// Steps between two checkpoints; otherwise one at the end of each epoch.
    pub(crate) checkpoint_every: Option<Count>,
    /// Which checkpoints are kept. It does not matter for what is trained.
    #[serde(default)]
    pub(crate) keep: Keep,
    /// Probes.
    pub(crate) probes: ProbePlan,
}

/// The probes of one training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProbePlan {
    /// Whether anything but losses and accuracies after the last step is measured.
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// Time of probes over time of training, beyond which a run says so.
    pub(crate) budget: Option<Bounded<Fraction>>,
    /// Validation loss and accuracy.
    pub(crate) loss: Moments,
    /// Gradient norm and histograms.
    pub(crate) gradient: Moments,
    /// Noise of the gradient from the gradients of single examples.
    #[serde(default = "Moments::never")]
    pub(crate) gradient_noise: Moments,
    /// Histograms of the entries of these, alone and beside the weights.
    #[serde(default = "Moments::never")]
    pub(crate) gradient_histogram: Moments,
    /// Takeuchi's information criterion.
    #[serde(default = "Moments::never")]
    pub(crate) tic: Moments,
    /// Largest eigenvalues and stability ratio.
    pub(crate) eigenvalues: Moments,
    /// The number of eigenvalues.
    pub(crate) eigenvalue_count: Count<{ limits::EIGENVALUES }>,
    /// Trace.
    pub(crate) trace: Moments,
    /// SAM sharpness.
    pub(crate) sharpness: Moments,
    /// Radius of the SAM sharpness.
    pub(crate) sharpness_rho: Bounded<NonNegative>,
    /// Spectral density.
    pub(crate) density: Moments,
    /// Start vectors of the density.
    pub(crate) density_starts: Count<{ limits::DENSITY_STARTS }>,
    /// Line.
    pub(crate) line: Moments,
    /// Surface.
    pub(crate) surface: Moments,
    /// Points along each side of the surface.
    pub(crate) grid: Count<{ limits::GRID }>,
    /// Trace and largest eigenvalue of each layer's block of the Hessian.
    #[serde(default = "Moments::never")]
    pub(crate) layers: Moments,
    /// All measures of sharpness: balls, averages, SAM and ASAM.
    #[serde(default = "Moments::never")]
    pub(crate) sharpness_suite: Moments,
    /// Largest curvature over what the optimiser is stable at, and a warning before it diverges.
    #[serde(default = "Moments::never")]
    pub(crate) stability: Moments,
    /// Path of the training on the plane of its principal components, drawn at the end.
    #[serde(default = "Moments::never")]
    pub(crate) trajectory: Moments,
    /// Loss on the lines from the first weights and from the last measurement.
    #[serde(default = "Moments::never")]
    pub(crate) interpolation: Moments,
    /// Dead and saturated units, and the spread of the activations by layer.
    #[serde(default = "Moments::never")]
    pub(crate) activations: Moments,
    /// Spectra of the weight matrices: tail exponent, stable rank, norm.
    #[serde(default = "Moments::never")]
    pub(crate) weights: Moments,
    /// Norm of the parameters, distance from the start, size of the updates.
    #[serde(default = "Moments::never")]
    pub(crate) updates: Moments,
    /// Loss with BatchNorm's batch statistics minus that with its running ones.
    #[serde(default = "Moments::never")]
    pub(crate) batch_norm_gap: Moments,
}

impl ProbePlan {
    /// Returns the probes by the keys of workspace.toml, with their moments.
    pub(crate) const fn moments(&self) -> [(&'static str, &Moments); 20] {
        [
            ("loss", &self.loss),
            ("gradient", &self.gradient),
            ("gradient_noise", &self.gradient_noise),
            ("gradient_histogram", &self.gradient_histogram),
            ("tic", &self.tic),
            ("eigenvalues", &self.eigenvalues),
            ("trace", &self.trace),
            ("sharpness", &self.sharpness),
            ("density", &self.density),
            ("line", &self.line),
            ("surface", &self.surface),
            ("layers", &self.layers),
            ("sharpness_suite", &self.sharpness_suite),
            ("stability", &self.stability),
            ("trajectory", &self.trajectory),
            ("interpolation", &self.interpolation),
            ("activations", &self.activations),
            ("weights", &self.weights),
            ("updates", &self.updates),
            ("batch_norm_gap", &self.batch_norm_gap),
        ]
    }

    /// Returns which probes observe which of `steps` steps. What the table shows is measured after
    /// the last one in any case.
    ///
    /// # Errors
    /// None that a total leaves open.
    pub(crate) fn agenda(&self, steps: u64) -> Result<Agenda, probes::Error> {
        let mut agenda = Agenda::default();
        for (probe, moments) in self.moments() {
            agenda.add(probe, self.steps_of(probe, moments, steps)?);
        }
        agenda.add("final losses", [steps]);
        Ok(agenda)
    }

    /// Returns the steps of `steps` that a probe observes.
    ///
    /// # Errors
    /// None that a total leaves open.
    pub(crate) fn steps_of(
        &self,
        probe: &str,
        moments: &Moments,
        steps: u64,
    ) -> Result<BTreeSet<u64>, probes::Error> {
        let mut due = moments.steps(steps)?;
        let in_the_table = matches!(probe, "eigenvalues" | "trace" | "sharpness");
        if probe == "loss" || (in_the_table && self.enabled) {
            due.insert(steps);
        }
        Ok(due)
    }
}

impl Plan {
    /// Decides what `settings` leave open for `subject`.
    pub(crate) fn decide(settings: Settings, subject: Subject) -> Self {
        let method = settings.method.unwrap_or(Method::Plain);
        let radius = match method {
            Method::Plain | Method::Sam | Method::MicroBatchSam => SamConfig::new().rho,
            Method::Asam => AsamConfig::new().rho,
            Method::Gsam => GsamConfig::new().rho,
            Method::LookSam => LookSamConfig::new().rho,
            Method::Esam => EsamConfig::new().rho,
            Method::FriendlySam => FriendlySamConfig::new().rho,
        };
        let batch_size = settings.batch_size.unwrap_or(Count::constant(64));
        let probes = settings.probes.decided();
        Self {
            subject,
            optimiser: settings.optimiser.unwrap_or(Optimiser::Sgd),
            momentum: settings.momentum.unwrap_or_else(|| bounded(0.9)),
            weight_decay: settings.weight_decay.unwrap_or_else(|| bounded(0.0)),
            method,
            rho: settings.rho.unwrap_or_else(|| bounded(radius)),
            sam: settings.sam.decided(method, batch_size),
            learning_rate: settings.learning_rate.unwrap_or_else(|| bounded(0.05)),
            clip: settings.clip,
            schedule: settings.schedule.unwrap_or(Decay::Cosine),
            step_epochs: settings.step_epochs.unwrap_or(Count::constant(10)),
            step_factor: settings.step_factor.unwrap_or_else(|| bounded(0.1)),
            epochs: settings.epochs.unwrap_or(Count::constant(10)),
            batch_size,
            seed: settings.seed.unwrap_or(42),
            device: settings.device.unwrap_or(DeviceKind::Flex),
            curvature_examples: settings.curvature_examples.unwrap_or(Count::constant(1024)),
            log_every: settings.log_every.unwrap_or(Count::constant(10)),
            checkpoint_every: settings.checkpoint_every,
            keep: settings.keep.unwrap_or_default(),
            probes: ProbePlan {
                enabled: probes.enabled.unwrap_or(true),
                budget: probes.budget,
                loss: probes.loss.unwrap_or_else(Moments::at_end),
                gradient: probes.gradient.unwrap_or_else(Moments::at_end),
                gradient_noise: probes.gradient_noise.unwrap_or_else(Moments::at_end),
                gradient_histogram: probes.gradient_histogram.unwrap_or_else(Moments::never),
                tic: probes.tic.unwrap_or_else(Moments::never),
                eigenvalues: probes.eigenvalues.unwrap_or_else(Moments::at_end),
                eigenvalue_count: probes.eigenvalue_count.unwrap_or(Count::constant(3)),
                trace: probes.trace.unwrap_or_else(Moments::at_end),
                sharpness: probes.sharpness.unwrap_or_else(Moments::at_end),
                sharpness_rho: probes.sharpness_rho.unwrap_or_else(|| bounded(0.05)),
                density: probes.density.unwrap_or_else(Moments::never),
                density_starts: probes.density_starts.unwrap_or(Count::constant(4)),
                line: probes.line.unwrap_or_else(Moments::never),
                surface: probes.surface.unwrap_or_else(Moments::never),
                grid: probes.grid.unwrap_or(Count::constant(25)),
                layers: probes.layers.unwrap_or_else(Moments::never),
                sharpness_suite: probes.sharpness_suite.unwrap_or_else(Moments::never),
                stability: probes.stability.unwrap_or_else(Moments::at_end),
                trajectory: probes.trajectory.unwrap_or_else(Moments::never),
                interpolation: probes.interpolation.unwrap_or_else(Moments::never),
                activations: probes.activations.unwrap_or_else(Moments::at_end),
                weights: probes.weights.unwrap_or_else(Moments::at_end),
                updates: probes.updates.unwrap_or_else(Moments::at_end),
                batch_norm_gap: probes.batch_norm_gap.unwrap_or_else(Moments::at_end),
            },
        }
    }

    /// Returns what of the method may make a training diverge, as a part of a list.
    pub(crate) fn ways_to_calm(&self) -> String {
        let (method, settings) = (name(self.method), self.sam.words());
        if self.method == Method::Plain {
            "or ".to_owned()
        } else if settings.is_empty() {
            "a smaller rho, or ".to_owned()
        } else {
            format!("a smaller rho, other settings of {method} than {settings}, or ")
        }
    }

    /// Returns the method over the optimiser, in words.
    pub(crate) fn method_in_words(&self) -> String {
        let optimiser = name(self.optimiser);
        if self.method == Method::Plain {
            return optimiser;
        }
        let (method, rho) = (name(self.method), plain_number(self.rho.get()));
        let words = format!("{method} over {optimiser}, rho {rho}");
        match self.sam.words() {
            settings if settings.is_empty() => words,
            settings => format!("{words}, {settings}"),
        }
    }
}

fn bounded<R: super::bounded::Range>(value: f64) -> Bounded<R> {
    Bounded::new(value).expect("a default is inside its own range")
}
