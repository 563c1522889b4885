//! The settings of probes as they are written: every key optional, the same names in workspace.toml
//! and as flags.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Count, Fraction, NonNegative};
use super::limits;
use super::moment::Moments;

/// When each probe observes, and with what effort.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table of probe settings")]
pub(crate) struct ProbeSettings {
    /// No probes: nothing is measured but losses and accuracies after the last step
    #[arg(
        long = "no-probes",
        num_args = 0,
        default_missing_value = "false",
        help_heading = "Probes"
    )]
    pub(crate) enabled: Option<bool>,
    /// Share of the time that probes may take, e.g. 0.05: beyond it they are shortened, wait or
    /// are left out; losses and accuracies after the last step come on top, and the sample
    /// stays that of --curvature-examples
    #[arg(
        long = "probe-budget",
        value_name = "X",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) budget: Option<Bounded<Fraction>>,
    /// Validation loss and accuracy, e.g. "every 50 + end"
    #[arg(
        long = "probe-loss",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) loss: Option<Moments>,
    /// Gradient norm and histograms by layer
    #[arg(
        long = "probe-gradient",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) gradient: Option<Moments>,
    /// Noise of the gradient: noise scale, signal-to-noise ratio, tests of the batch size
    #[arg(
        long = "probe-gradient-noise",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) gradient_noise: Option<Moments>,
    /// Histograms of the gradients of single examples, alone and beside the weights
    #[arg(
        long = "probe-gradient-histogram",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) gradient_histogram: Option<Moments>,
    /// Takeuchi's information criterion: an estimate of the generalisation gap near a minimum
    #[arg(
        long = "probe-tic",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) tic: Option<Moments>,
    /// Largest eigenvalues of the Hessian, and the stability ratio
    #[arg(
        long = "probe-eigenvalues",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) eigenvalues: Option<Moments>,
    /// Number of the largest eigenvalues
    #[arg(
        long = "probe-eigenvalue-count",
        value_name = "N",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) eigenvalue_count: Option<Count<{ limits::EIGENVALUES }>>,
    /// Trace of the Hessian
    #[arg(
        long = "probe-trace",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) trace: Option<Moments>,
    /// SAM sharpness of the loss
    #[arg(
        long = "probe-sharpness",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) sharpness: Option<Moments>,
    /// Radius of the SAM sharpness, whatever the method trains with
    #[arg(
        long = "probe-sharpness-rho",
        value_name = "X",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) sharpness_rho: Option<Bounded<NonNegative>>,
    /// Spectral density of the Hessian
    #[arg(
        long = "probe-density",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) density: Option<Moments>,
    /// Start vectors of the density, 50 products each
    #[arg(
        long = "probe-density-starts",
        value_name = "N",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) density_starts: Option<Count<{ limits::DENSITY_STARTS }>>,
    /// Loss along one random direction
    #[arg(
        long = "probe-line",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) line: Option<Moments>,
    /// Loss over a plane of two random directions
    #[arg(
        long = "probe-surface",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) surface: Option<Moments>,
    /// Points along each side of the surface
    #[arg(
        long = "probe-grid",
        value_name = "N",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) grid: Option<Count<{ limits::GRID }>>,
    /// Trace and largest eigenvalue of each layer's block of the Hessian
    #[arg(
        long = "probe-layers",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) layers: Option<Moments>,
    /// All measures of sharpness: balls, averages, SAM and ASAM
    #[arg(
        long = "probe-sharpness-suite",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) sharpness_suite: Option<Moments>,
    /// Largest curvature over what the optimiser is stable at, and a warning before it diverges
    #[arg(
        long = "probe-stability",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) stability: Option<Moments>,
    /// Path of the training on the plane of its principal components, drawn at the end
    #[arg(
        long = "probe-trajectory",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) trajectory: Option<Moments>,
    /// Loss on the lines from the first weights and from the last measurement
    #[arg(
        long = "probe-interpolation",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) interpolation: Option<Moments>,
    /// Dead and saturated units, and the spread of the activations by layer
    #[arg(
        long = "probe-activations",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) activations: Option<Moments>,
    /// Spectra of the weight matrices: tail exponent, stable rank, norm
    #[arg(
        long = "probe-weights",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) weights: Option<Moments>,
    /// Norm of the parameters, distance from the start, size of the updates
    #[arg(
        long = "probe-updates",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) updates: Option<Moments>,
    /// Loss with BatchNorm's batch statistics minus that with its running ones
    #[arg(
        long = "probe-batch-norm-gap",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) batch_norm_gap: Option<Moments>,
}

impl ProbeSettings {
    /// Returns the first key with a value here but `enabled`.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        const KEYS: [&str; 25] = [
            "budget",
            "loss",
            "gradient",
            "gradient_noise",
            "gradient_histogram",
            "tic",
            "eigenvalues",
            "eigenvalue_count",
            "trace",
            "sharpness",
            "sharpness_rho",
            "density",
            "density_starts",
            "line",
            "surface",
            "grid",
            "layers",
            "sharpness_suite",
            "stability",
            "trajectory",
            "interpolation",
            "activations",
            "weights",
            "updates",
            "batch_norm_gap",
        ];
        let written = toml::Table::try_from(self).expect("settings were read from a table");
        KEYS.into_iter().find(|key| written.contains_key(*key))
    }

    /// Returns these settings, without probes none at any moment.
    pub(crate) fn decided(self) -> Self {
        if self.enabled != Some(false) {
            return self;
        }
        let never = Some(Moments::never());
        Self {
            loss: never.clone(),
            gradient: never.clone(),
            gradient_noise: never.clone(),
            gradient_histogram: never.clone(),
            tic: never.clone(),
            eigenvalues: never.clone(),
            trace: never.clone(),
            sharpness: never.clone(),
            density: never.clone(),
            line: never.clone(),
            layers: never.clone(),
            sharpness_suite: never.clone(),
            stability: never.clone(),
            trajectory: never.clone(),
            interpolation: never.clone(),
            activations: never.clone(),
            weights: never.clone(),
            updates: never.clone(),
            batch_norm_gap: never.clone(),
            surface: never,
            ..self
        }
    }
}
