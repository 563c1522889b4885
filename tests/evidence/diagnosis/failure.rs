//! The ways in which trainings are made to fail.

use probes::diagnosis::{Severity, Symptom};

use super::program::Network;

/// A way in which a training fails.
pub(super) struct Failure {
    pub(super) name: &'static str,
    /// The symptoms of which one must be the first or second finding.
    pub(super) expected: &'static [Symptom],
    /// The least severity of that finding.
    pub(super) least: Severity,
    mlp: &'static str,
    cnn: &'static str,
}

impl Failure {
    /// Returns the settings that make a network fail.
    pub(super) const fn settings(&self, network: Network) -> &'static str {
        match network {
            Network::Cnn => self.cnn,
            _ => self.mlp,
        }
    }
}

/// Forty hidden layers of 32 units.
const DEEP: &str = "--hidden 32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32";

/// All of them.
pub(super) const FAILURES: [Failure; 15] = [
    Failure {
        name: "learning rate too large",
        expected: &[Symptom::LearningRateTooHigh],
        least: Severity::Warning,
        mlp: "--learning-rate 2",
        cnn: "--learning-rate 1",
    },
    Failure {
        name: "learning rate too small",
        expected: &[Symptom::LearningRateTooLow],
        least: Severity::Warning,
        mlp: "--learning-rate 0.0001",
        cnn: "--learning-rate 0.00005",
    },
    Failure {
        name: "all weights zero",
        expected: &[Symptom::VanishingGradients, Symptom::SaddleOrFlat],
        least: Severity::Warning,
        mlp: "--initialisation zero",
        cnn: "--initialisation zero",
    },
    Failure {
        name: "40 plain layers",
        expected: &[Symptom::VanishingGradients],
        least: Severity::Warning,
        mlp: DEEP,
        cnn: "--depth 37",
    },
    Failure {
        name: "weights too large",
        expected: &[Symptom::ExplodingGradients],
        least: Severity::Warning,
        mlp: "--initialisation he --init-scale 10",
        cnn: "--initialisation he --init-scale 10",
    },
    Failure {
        name: "weights too small",
        expected: &[Symptom::VanishingGradients],
        least: Severity::Warning,
        mlp: "--initialisation he --init-scale 0.03",
        cnn: "--initialisation he --init-scale 0.03",
    },
    Failure {
        name: "symmetric saddle",
        expected: &[Symptom::SaddleOrFlat],
        least: Severity::Warning,
        mlp: "--hidden 32 --activation tanh --initialisation zero",
        cnn: "--activation tanh --initialisation zero",
    },
    Failure {
        name: "saturated units",
        expected: &[Symptom::SaturatedUnits],
        least: Severity::Warning,
        mlp: "--activation tanh --init-bias 5",
        cnn: "--activation tanh --init-bias 5",
    },
    Failure {
        name: "dead units",
        expected: &[Symptom::DeadUnits],
        least: Severity::Warning,
        mlp: "--init-bias -3",
        cnn: "--init-bias -3",
    },
    Failure {
        name: "rescaled layers",
        expected: &[
            Symptom::IllConditionedCurvature,
            Symptom::SharpMinimum,
            Symptom::PastEdgeOfStability,
        ],
        least: Severity::Warning,
        mlp: "--rescale 30 --learning-rate 0.0002",
        cnn: "--rescale 30 --learning-rate 0.0001",
    },
    Failure {
        name: "random labels",
        expected: &[Symptom::UnfittableLabels],
        least: Severity::Warning,
        mlp: "--random-labels 1",
        cnn: "--random-labels 1",
    },
    Failure {
        name: "slow running statistics",
        expected: &[Symptom::BatchNormGap],
        least: Severity::Warning,
        mlp: "--model mlp-batch-norm --norm-momentum 0.0001 --learning-rate 0.5",
        cnn: "--model cnn-batch-norm --norm-momentum 0.0001",
    },
    Failure {
        name: "past the edge of stability",
        expected: &[Symptom::PastEdgeOfStability],
        least: Severity::Warning,
        mlp: "--batch-size 500 --examples 500 --learning-rate 0.85 --momentum 0 --epochs 100 --schedule constant",
        cnn: "--batch-size 500 --examples 500 --learning-rate 0.5 --momentum 0 --epochs 80 --schedule constant",
    },
    Failure {
        name: "far past the edge of stability",
        expected: &[Symptom::PastEdgeOfStability, Symptom::LearningRateTooHigh],
        least: Severity::Warning,
        mlp: "--batch-size 500 --examples 500 --learning-rate 1.5 --momentum 0 --epochs 60 --schedule constant",
        cnn: "--batch-size 500 --examples 500 --learning-rate 1 --momentum 0 --epochs 60 --schedule constant",
    },
    Failure {
        name: "sharp minimum",
        expected: &[Symptom::SharpMinimum],
        // No measure of sharpness predicts how a network generalises.
        least: Severity::Note,
        mlp: "--rescale 500 --optimiser adam --learning-rate 0.001 --epochs 20",
        cnn: "--rescale 100 --optimiser adam --learning-rate 0.001 --epochs 20",
    },
];

/// Returns the settings with which some seeds fail and others do not.
pub(super) const fn inconsistent(network: Network) -> &'static str {
    match network {
        Network::Cnn => "--learning-rate 0.3",
        _ => "--learning-rate 0.4",
    }
}
