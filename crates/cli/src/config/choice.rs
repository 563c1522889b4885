//! The closed lists of workspace.toml: models, optimisers, methods, schedules, devices, sources.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Which network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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
    /// Fully connected layers with BatchNorm after each hidden one.
    MlpBatchNorm,
    /// The convolutional network, its further layers added to their inputs.
    CnnResidual,
}

impl Model {
    /// Returns whether the network is made of fully connected layers of the widths `hidden`.
    pub(crate) const fn is_dense(self) -> bool {
        matches!(self, Self::Mlp | Self::MlpBatchNorm | Self::ResidualMlp)
    }

    /// Returns whether the network has BatchNorm.
    pub(crate) const fn has_norm(self) -> bool {
        matches!(self, Self::MlpBatchNorm | Self::CnnBatchNorm)
    }
}

/// The distribution of the initial weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Initialisation {
    /// Uniform in ±1/√n, weights and biases (PyTorch's and Burn's default).
    #[default]
    Uniform,
    /// Normal with the variance 2/n, biases 0 (He et al. 2015).
    He,
    /// Normal with the variance 2/(n + m), biases 0 (Glorot, Bengio 2010).
    Xavier,
    /// Weights and biases 0.
    Zero,
}

/// The activation between the layers of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Activation {
    /// max(x, 0).
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// x times the Gaussian distribution function.
    Gelu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
}

/// The base optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Optimiser {
    /// Stochastic gradient descent with heavy-ball momentum (Burn's `Sgd` with dampening 0).
    Sgd,
    /// Adam (Burn's, epsilon 1e-8).
    Adam,
}

/// The method around the base optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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

/// The schedule of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decay {
    /// It does not.
    Constant,
    /// Half a cosine, from the learning rate at the first step to almost 0 at the last.
    Cosine,
    /// Multiplied by `step_factor` after every `step_epochs` epochs.
    Step,
}

/// The matrix of second derivatives of the mean loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Curvature {
    /// The Hessian
    Hessian,
    /// The generalised Gauss-Newton matrix
    GaussNewton,
    /// The empirical Fisher matrix
    Fisher,
}

/// The way to the trace of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TraceBy {
    /// Exact where it can be, by probes elsewhere
    Auto,
    /// From the outputs: exact but in layers before a smooth activation
    Exact,
    /// By random probes
    Probes,
}

/// The device that holds the tensors and computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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

/// The source of the examples of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
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

/// Returns the name of a choice as it is written in workspace.toml.
pub(crate) fn name<T: ValueEnum>(choice: T) -> String {
    let value = choice.to_possible_value();
    let value = value.expect("no choice is hidden from the command line");
    value.get_name().to_owned()
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;

    fn agree<T: ValueEnum + Serialize + DeserializeOwned + PartialEq + Debug>() {
        for choice in T::value_variants() {
            let written = serde_json::to_value(choice).unwrap();
            assert_eq!(written, name(choice.clone()));
            assert_eq!(serde_json::from_value::<T>(written).unwrap(), *choice);
        }
    }

    #[test]
    fn names_are_the_same_as_flags_and_in_files() {
        agree::<Model>();
        agree::<Initialisation>();
        agree::<Activation>();
        agree::<Optimiser>();
        agree::<Method>();
        agree::<Decay>();
        agree::<Curvature>();
        agree::<TraceBy>();
        agree::<DeviceKind>();
        agree::<Source>();
    }
}
