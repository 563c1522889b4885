//! The settings of a run as they are written: every key optional, the same names in workspace.toml
//! and as flags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::bounded::{BelowOne, Bounded, Count, Finite, Fraction, NonNegative, Portion, Positive};
use super::choice::{
    Activation, Decay, DeviceKind, Initialisation, Method, Model, Optimiser, name,
};
use super::keep::Keep;
use super::limits;
use super::probe_settings::ProbeSettings;
use super::sam::SamSettings;
use super::variation;
use super::widths::Widths;
use crate::report::number::plain_number;

/// One `[defaults]`, `[runs.NAME]` or `[runs.NAME.members.NAME]` table, or the flags of one
/// command.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table of settings")]
pub(crate) struct Settings {
    /// One line about the run, for `landscape list`.
    #[arg(skip)]
    #[serde(skip_serializing)]
    pub(crate) description: Option<String>,
    /// The trainings of a group; each overrides the group's own settings.
    #[arg(skip)]
    #[serde(skip_serializing)]
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
    /// Distribution of the initial weights
    #[arg(long, value_enum, help_heading = "Settings", hide_short_help = true)]
    pub(crate) initialisation: Option<Initialisation>,
    /// Factor of the initial weights; the biases stay
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) init_scale: Option<Bounded<Positive>>,
    /// Initial value of all biases, instead of what the initialisation says
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) init_bias: Option<Bounded<Finite>>,
    /// Initial weights and biases of the first layer times X, those of the second divided by it:
    /// the same function of another shape (activation relu only)
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) rescale: Option<Bounded<Positive>>,
    /// Further convolutions of a convolutional network
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) depth: Option<Count<{ limits::CONVOLUTIONS }>>,
    /// Share of a batch in the running statistics of BatchNorm after it [default: 0.1]
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) norm_momentum: Option<Bounded<Portion>>,
    /// Share of the training examples whose labels are dealt out anew among them
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) random_labels: Option<Bounded<Portion>>,
    /// Training examples, at most
    #[arg(
        long,
        value_name = "N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) examples: Option<Count>,
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
    /// The settings of a method beside its radius.
    #[command(flatten)]
    pub(crate) sam: SamSettings,
    /// Learning rate at the first step
    #[arg(long, value_name = "X", help_heading = "Settings")]
    pub(crate) learning_rate: Option<Bounded<Positive>>,
    /// Largest norm of the gradient of a step: a longer one is shortened to it (method plain only)
    #[arg(
        long,
        value_name = "X",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) clip: Option<Bounded<Positive>>,
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
    /// Training examples on which curvature is measured: a fixed sample, or all of them if there
    /// are fewer
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
    /// Checkpoints that are kept: all, best (by validation loss, and the latest two), or so many
    /// of the latest [default: 2]
    #[arg(
        long,
        value_name = "all|best|N",
        help_heading = "Settings",
        hide_short_help = true
    )]
    pub(crate) keep: Option<Keep>,
    /// Output directory (otherwise runs/NAME)
    #[arg(long, value_name = "DIR", help_heading = "Settings")]
    #[serde(skip_serializing)]
    pub(crate) output: Option<PathBuf>,
    /// When each probe observes.
    #[command(flatten)]
    pub(crate) probes: ProbeSettings,
}

/// The bundled network, if it is one, and the schedule: they decide which settings a training uses.
pub(super) type Kind = (Option<Model>, Decay);

/// Returns the help of `--device`, which names the devices that this program was built with.
pub(crate) fn device_help() -> String {
    format!(
        "Device; this program was built with: {}",
        DeviceKind::compiled_in().join(", ")
    )
}

impl Settings {
    /// Returns whether a key, `probes.grid` say, has a value here.
    pub(crate) fn has(&self, key: &[&str]) -> bool {
        let (last, tables) = key.split_last().expect("a key has a name");
        let mut table = written(self);
        for name in tables {
            let Some(toml::Value::Table(inner)) = table.remove(*name) else {
                return false;
            };
            table = inner;
        }
        table.contains_key(*last)
    }

    /// Returns what is said of a key, as it is shown.
    pub(crate) fn said(&self, key: &str) -> Option<String> {
        fn shown(value: &toml::Value) -> String {
            match value {
                toml::Value::String(word) => word.clone(),
                toml::Value::Float(number) => plain_number(*number),
                toml::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
                other => other.to_string(),
            }
        }
        written(self).get(key).map(shown)
    }

    /// Returns the first key given here that says which bundled network is trained on which data.
    pub(crate) fn chooses_bundled(&self) -> Option<&'static str> {
        ["dataset", "model", "hidden", "activation"]
            .into_iter()
            .chain(variation::KEYS)
            .find(|key| self.has(&[key]))
    }

    /// Returns the first key given here that no training of such a kind has, and why that is a
    /// mistake.
    pub(crate) fn useless(&self, kinds: &[Kind]) -> Option<(&'static str, String)> {
        let is = |of: fn(Model) -> bool| kinds.iter().any(|(model, _)| model.is_some_and(of));
        let names = |list: Vec<String>| {
            let unique: BTreeSet<String> = list.into_iter().collect();
            unique.into_iter().collect::<Vec<_>>().join(" and ")
        };
        let models = || {
            let models = kinds.iter().filter_map(|(model, _)| model.map(name));
            names(models.collect())
        };
        if self.hidden.is_some() && !is(Model::is_dense) {
            let message = format!(
                "only mlp, mlp-batch-norm and residual-mlp have hidden layers to set; here the model is {}",
                models()
            );
            return Some(("hidden", message));
        }
        if self.depth.is_some() && !is(|model| !model.is_dense()) {
            let message = format!(
                "only cnn, cnn-batch-norm and cnn-residual have further convolutions, and `hidden` says the layers of the others; here \
                 the model is {}",
                models()
            );
            return Some(("depth", message));
        }
        if self.norm_momentum.is_some() && !is(Model::has_norm) {
            let message = format!(
                "only mlp-batch-norm and cnn-batch-norm have running statistics; here the model is {}",
                models()
            );
            return Some(("norm_momentum", message));
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

    /// Returns these settings where they say something, and `base` elsewhere. Nothing is inherited
    /// of description, members and output: they are those of `base`.
    pub(crate) fn over(&self, base: &Self) -> Self {
        let mut merged = written(base);
        merge(&mut merged, written(self));
        Self {
            description: base.description.clone(),
            members: base.members.clone(),
            output: base.output.clone(),
            ..merged.try_into().expect("both were read from such a table")
        }
    }
}

/// Returns the table of what settings say, without what is never inherited.
fn written(settings: &Settings) -> toml::Table {
    toml::Table::try_from(settings).expect("settings were read from a table")
}

/// Puts what `over` says in the place of what `base` says.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
