//! The closed lists of workspace.toml: models, optimisers, methods, schedules, devices, sources.

use std::fmt;
use std::marker::PhantomData;

use clap::ValueEnum;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Which network is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Model {
    /// Fully connected layers of the widths `hidden`.
    Mlp,
    /// A small convolutional network without normalisation.
    Cnn,
    /// The same with BatchNorm.
    CnnBatchNorm,
    /// Fully connected residual blocks.
    ResidualMlp,
}

/// The activation between the layers of a fully connected network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Activation {
    /// max(x, 0).
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// x times the Gaussian distribution function.
    Gelu,
}

/// The base optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optimiser {
    /// Stochastic gradient descent with heavy-ball momentum (Burn's `Sgd` with dampening 0).
    Sgd,
    /// Adam (Burn's, epsilon 1e-8).
    Adam,
}

/// What is done around the base optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// The base optimiser alone.
    Plain,
    /// Sharpness-aware minimisation.
    Sam,
    /// Adaptive sharpness-aware minimisation.
    Asam,
    /// Surrogate-gap-guided sharpness-aware minimisation.
    Gsam,
    /// A peak every k-th step, part of it reused between.
    #[value(name = "looksam")]
    #[serde(rename = "looksam")]
    LookSam,
    /// Some of the weights, some of the examples.
    Esam,
    /// An ascent along what is particular to the batch.
    FriendlySam,
    /// A peak for each micro-batch.
    #[value(name = "m-sam")]
    #[serde(rename = "m-sam")]
    MicroBatchSam,
}

/// How the learning rate changes over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decay {
    /// It does not.
    Constant,
    /// Half a cosine, from the learning rate at the first step to almost 0 at the last.
    Cosine,
    /// Multiplied by `step_factor` after every `step_epochs` epochs.
    Step,
}

/// Where tensors live and who computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeviceKind {
    /// Burn's portable CPU backend, the default.
    Flex,
    /// The older CPU backend (cargo feature `ndarray`).
    Ndarray,
    /// Graphics cards through wgpu (cargo feature `wgpu`).
    Wgpu,
    /// NVIDIA cards (cargo feature `cuda`).
    Cuda,
}

/// Where the examples of a data set come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// The bundled UCI optical digits, 1,797 images of 8 x 8.
    Digits,
    /// The bundled part of MNIST, 10,000 + 2,000 images of 28 x 28.
    MnistSubset,
    /// Full MNIST in idx files, plain or gzipped, in the folder `path`.
    MnistFolder,
}

impl DeviceKind {
    /// Returns the names of the kinds that are compiled in.
    pub(crate) fn compiled_in() -> Vec<&'static str> {
        let all = [
            ("flex", cfg!(feature = "flex")),
            ("ndarray", cfg!(feature = "ndarray")),
            ("wgpu", cfg!(feature = "wgpu")),
            ("cuda", cfg!(feature = "cuda")),
        ];
        let present = all.into_iter().filter(|(_, present)| *present);
        present.map(|(name, _)| name).collect()
    }
}

/// The name of a choice as it is written in workspace.toml.
pub(crate) fn name<T: ValueEnum>(choice: T) -> String {
    choice
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Reads a choice by its name; a mistake is answered with all names.
fn choose<'de, T: ValueEnum, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(ChoiceVisitor(PhantomData))
}

struct ChoiceVisitor<T>(PhantomData<T>);

fn names<T: ValueEnum>() -> Vec<String> {
    let quoted = |choice: &T| format!("`{}`", name(choice.clone()));
    T::value_variants().iter().map(quoted).collect()
}

impl<T: ValueEnum> Visitor<'_> for ChoiceVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {} in quotes", names::<T>().join(", "))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_str(text, false).map_err(|_| {
            let names = names::<T>().join(", ");
            E::custom(format!("unknown variant `{text}`, expected one of {names}"))
        })
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for Optimiser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for Decay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for DeviceKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        choose(deserializer)
    }
}
