//! The settings of a run as they are written: every key optional, the same names in workspace.toml and as flags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::bounded::{BelowOne, Bounded, Count, Fraction, NonNegative, Positive};
use super::choice::{Activation, Decay, DeviceKind, Method, Model, Optimiser, name};
use super::keep::Keep;
use super::limits;
use super::moment::Moments;
use super::sam::SamSettings;
use super::widths::Widths;
use crate::engine::device;

/// One `[defaults]`, `[runs.NAME]` or `[runs.NAME.members.NAME]` table, or the flags of one command.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table of settings")]
pub(crate) struct Settings {
    /// One line about the run, for `landscape list`.
    #[arg(skip)]
    pub(crate) description: Option<String>,
    /// The trainings of a group; each overrides the group's own settings.
    #[arg(skip)]
    pub(crate) members: Option<BTreeMap<String, Self>>,

    /// Data set, one of workspace.toml's [datasets.NAME]
    #[arg(long, value_name = "NAME", help_heading = "Settings")]
    pub(crate) dataset: Option<String>,
    /// Network
    #[arg(long, value_enum, help_heading = "Settings")]
    pub(crate) model: Option<Model>,
    /// Widths of the hidden layers of a fully connected network, e.g. 64,32
    #[arg(long, value_name = "N,N,..", help_heading = "Settings")]
    pub(crate) hidden: Option<Widths>,
    /// Activation between the layers
    #[arg(long, value_enum, help_heading = "Settings", hide_short_help = true)]
    pub(crate) activation: Option<Activation>,
    /// Base optimiser
    #[arg(long, value_enum, help_heading = "Settings", hide_short_help = true)]
    pub(crate) optimiser: Option<Optimiser>,
    /// Momentum of SGD, or Adam's first decay rate
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) momentum: Option<Bounded<BelowOne>>,
    /// Weight decay, added to the gradient
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) weight_decay: Option<Bounded<NonNegative>>,
    /// The base optimiser alone, or sharpness-aware minimisation over it
    #[arg(long, value_enum, help_heading = "Settings")]
    pub(crate) method: Option<Method>,
    /// Radius of the sharpness-aware perturbation
    #[arg(long, value_name = "X", help_heading = "Settings")]
    pub(crate) rho: Option<Bounded<NonNegative>>,
    /// What a method has beside its radius.
    #[command(flatten)]
    pub(crate) sam: SamSettings,
    /// Learning rate at the first step
    #[arg(long, value_name = "X", help_heading = "Settings")]
    pub(crate) learning_rate: Option<Bounded<Positive>>,
    /// How the learning rate changes
    #[arg(long, value_enum, help_heading = "Settings", hide_short_help = true)]
    pub(crate) schedule: Option<Decay>,
    /// For the schedule `step`: epochs between two changes
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) step_epochs: Option<Count>,
    /// For the schedule `step`: factor of each change
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) step_factor: Option<Bounded<Fraction>>,
    /// Passes through the training data
    #[arg(long, value_name = "N", help_heading = "Settings")]
    pub(crate) epochs: Option<Count<{ limits::EPOCHS }>>,
    /// Examples per step
    #[arg(long, value_name = "N", help_heading = "Settings")]
    pub(crate) batch_size: Option<Count>,
    /// Seed of the weights, of the data order and of the measurements
    #[arg(long, value_name = "N", help_heading = "Settings")]
    pub(crate) seed: Option<u32>,
    /// Train with so many seeds, `seed`, `seed` + 1, .., each in a folder seed-N of its own
    #[arg(long, value_name = "N", help_heading = "Settings")]
    pub(crate) seeds: Option<Count<{ limits::SEEDS }>>,
    /// Device.
    #[arg(long, value_enum, hide_possible_values = true, help_heading = "Settings", help = device_help())]
    pub(crate) device: Option<DeviceKind>,
    /// Training examples on which curvature is measured: a fixed sample, or all of them if there are fewer
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) curvature_examples: Option<Count>,
    /// Steps between two points of the training loss
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) log_every: Option<Count>,
    /// Steps between two checkpoints (otherwise one at the end of each epoch)
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) checkpoint_every: Option<Count>,
    /// Checkpoints that are kept: all, best (by validation loss, and the latest two), or so many of the latest [default: 2]
    #[arg(
        long,
        value_name = "all|best|N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) keep: Option<Keep>,
    /// Output directory (otherwise runs/NAME)
    #[arg(long, value_name = "DIR", help_heading = "Settings")]
    pub(crate) output: Option<PathBuf>,
    /// When each probe observes.
    #[command(flatten)]
    pub(crate) probes: ProbeSettings,
}

/// When each probe observes, and with what effort.
#[derive(Args, Clone, Debug, Default, Deserialize)]
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
    /// Share of the time that probes may take, e.g. 0.05: beyond it they are shortened, wait or are left out; losses and accuracies
    /// after the last step come on top, and the sample stays that of --curvature-examples
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
    /// Largest eigenvalues of the Hessian, and the stability ratio
    #[arg(
        long = "probe-eigenvalues",
        value_name = "WHEN",
        help_heading = "Probes",
        hide_short_help = true
    )]
    pub(crate) eigenvalues: Option<Moments>,
    /// How many of the largest eigenvalues
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
}

/// The devices that this program was built with.
pub(crate) fn device_help() -> String {
    format!(
        "Device; this program was built with: {}",
        device::compiled_in().join(", ")
    )
}

impl Settings {
    /// Whether a key, `probes.grid` say, has a value here; for keys about which mistakes are found late.
    pub(crate) fn has(&self, key: &[&str]) -> bool {
        match key {
            ["device"] => self.device.is_some(),
            ["hidden"] => self.hidden.is_some(),
            ["epochs"] => self.epochs.is_some(),
            ["seeds"] => self.seeds.is_some(),
            ["batch_size"] => self.batch_size.is_some(),
            ["step_epochs"] => self.step_epochs.is_some(),
            ["step_factor"] => self.step_factor.is_some(),
            ["probes", probe] => self.probes.has(probe),
            _ => false,
        }
    }

    /// The first key given here that no training of such a kind has, and why that is a mistake.
    pub(crate) fn useless(&self, kinds: &[(Model, Decay)]) -> Option<(&'static str, String)> {
        let dense = |model| matches!(model, Model::Mlp | Model::ResidualMlp);
        let names = |list: Vec<String>| {
            let unique: BTreeSet<String> = list.into_iter().collect();
            unique.into_iter().collect::<Vec<_>>().join(" and ")
        };
        if self.hidden.is_some() && !kinds.iter().any(|(model, _)| dense(*model)) {
            let models = names(kinds.iter().map(|(model, _)| name(*model)).collect());
            let message = format!(
                "only mlp and residual-mlp have hidden layers to set; here the model is {models}"
            );
            return Some(("hidden", message));
        }
        let key = match (self.step_epochs, self.step_factor) {
            (Some(_), _) => "step_epochs",
            (None, Some(_)) => "step_factor",
            (None, None) => return None,
        };
        if kinds.iter().any(|(_, schedule)| *schedule == Decay::Step) {
            return None;
        }
        let schedules = names(kinds.iter().map(|(_, schedule)| name(*schedule)).collect());
        let message =
            format!("only the schedule step has this setting; here the schedule is {schedules}");
        Some((key, message))
    }

    /// These settings where they say something, `base` elsewhere; description and members are those of `base`.
    pub(crate) fn over(self, base: Self) -> Self {
        Self {
            description: base.description,
            members: base.members,
            dataset: self.dataset.or(base.dataset),
            model: self.model.or(base.model),
            hidden: self.hidden.or(base.hidden),
            activation: self.activation.or(base.activation),
            optimiser: self.optimiser.or(base.optimiser),
            momentum: self.momentum.or(base.momentum),
            weight_decay: self.weight_decay.or(base.weight_decay),
            method: self.method.or(base.method),
            rho: self.rho.or(base.rho),
            sam: self.sam.over(base.sam),
            learning_rate: self.learning_rate.or(base.learning_rate),
            schedule: self.schedule.or(base.schedule),
            step_epochs: self.step_epochs.or(base.step_epochs),
            step_factor: self.step_factor.or(base.step_factor),
            epochs: self.epochs.or(base.epochs),
            batch_size: self.batch_size.or(base.batch_size),
            seed: self.seed.or(base.seed),
            seeds: self.seeds.or(base.seeds),
            device: self.device.or(base.device),
            curvature_examples: self.curvature_examples.or(base.curvature_examples),
            log_every: self.log_every.or(base.log_every),
            checkpoint_every: self.checkpoint_every.or(base.checkpoint_every),
            keep: self.keep.or(base.keep),
            output: self.output.or(base.output),
            probes: self.probes.over(base.probes),
        }
    }
}

impl ProbeSettings {
    /// The first key with a value here but `enabled`.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        const KEYS: [&str; 13] = [
            "budget",
            "loss",
            "gradient",
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
        ];
        KEYS.into_iter().find(|key| self.has(key))
    }

    fn has(&self, key: &str) -> bool {
        match key {
            "budget" => self.budget.is_some(),
            "loss" => self.loss.is_some(),
            "gradient" => self.gradient.is_some(),
            "eigenvalues" => self.eigenvalues.is_some(),
            "eigenvalue_count" => self.eigenvalue_count.is_some(),
            "trace" => self.trace.is_some(),
            "sharpness" => self.sharpness.is_some(),
            "sharpness_rho" => self.sharpness_rho.is_some(),
            "density" => self.density.is_some(),
            "density_starts" => self.density_starts.is_some(),
            "line" => self.line.is_some(),
            "surface" => self.surface.is_some(),
            "grid" => self.grid.is_some(),
            _ => false,
        }
    }

    /// Without probes, none at any moment.
    pub(crate) fn decided(self) -> Self {
        if self.enabled != Some(false) {
            return self;
        }
        let never = Some(Moments::never());
        Self {
            loss: never.clone(),
            gradient: never.clone(),
            eigenvalues: never.clone(),
            trace: never.clone(),
            sharpness: never.clone(),
            density: never.clone(),
            line: never.clone(),
            surface: never,
            ..self
        }
    }

    fn over(self, base: Self) -> Self {
        Self {
            enabled: self.enabled.or(base.enabled),
            budget: self.budget.or(base.budget),
            loss: self.loss.or(base.loss),
            gradient: self.gradient.or(base.gradient),
            eigenvalues: self.eigenvalues.or(base.eigenvalues),
            eigenvalue_count: self.eigenvalue_count.or(base.eigenvalue_count),
            trace: self.trace.or(base.trace),
            sharpness: self.sharpness.or(base.sharpness),
            sharpness_rho: self.sharpness_rho.or(base.sharpness_rho),
            density: self.density.or(base.density),
            density_starts: self.density_starts.or(base.density_starts),
            line: self.line.or(base.line),
            surface: self.surface.or(base.surface),
            grid: self.grid.or(base.grid),
        }
    }
}
