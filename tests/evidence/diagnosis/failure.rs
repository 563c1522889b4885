//! The ways in which trainings are made to fail.

use probes::diagnosis::Symptom;

use super::program::Network;

/// A way in which a training fails.
pub(super) struct Failure {
    pub(super) name: &'static str,
    /// The symptoms of which one must be the first or second finding.
    pub(super) expected: &'static [Symptom],
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
pub(super) const FAILURES: [Failure; 11] = [
    Failure {
        name: "learning rate too large",
        expected: &[Symptom::LearningRateTooHigh],
        mlp: "--learning-rate 2",
        cnn: "--learning-rate 1",
    },
    Failure {
        name: "learning rate too small",
        expected: &[Symptom::LearningRateTooLow],
        mlp: "--learning-rate 0.0001",
        cnn: "--learning-rate 0.00005",
    },
    Failure {
        name: "all weights zero",
        expected: &[Symptom::VanishingGradients, Symptom::SaddleOrFlat],
        mlp: "--initialisation zero",
        cnn: "--initialisation zero",
    },
    Failure {
        name: "40 plain layers",
        expected: &[Symptom::VanishingGradients],
        mlp: DEEP,
        cnn: "--depth 37",
    },
    Failure {
        name: "weights too large",
        expected: &[Symptom::ExplodingGradients],
        mlp: "--initialisation he --init-scale 10",
        cnn: "--initialisation he --init-scale 10",
    },
    Failure {
        name: "saturated units",
        expected: &[Symptom::SaturatedUnits],
        mlp: "--activation tanh --init-bias 5",
        cnn: "--activation tanh --init-bias 5",
    },
    Failure {
        name: "dead units",
        expected: &[Symptom::DeadUnits],
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
        mlp: "--rescale 30 --learning-rate 0.0002",
        cnn: "--rescale 30 --learning-rate 0.0001",
    },
    Failure {
        name: "random labels",
        expected: &[Symptom::UnfittableLabels],
        mlp: "--random-labels 1",
        cnn: "--random-labels 1",
    },
    Failure {
        name: "slow running statistics",
        expected: &[Symptom::BatchNormGap],
        mlp: "--model mlp-batch-norm --norm-momentum 0.0001 --learning-rate 0.5",
        cnn: "--model cnn-batch-norm --norm-momentum 0.0001",
    },
    Failure {
        name: "past the edge of stability",
        expected: &[Symptom::PastEdgeOfStability, Symptom::LearningRateTooHigh],
        mlp: "--batch-size 500 --examples 500 --learning-rate 1.5 --momentum 0 --epochs 60 --schedule constant",
        cnn: "--batch-size 500 --examples 500 --learning-rate 1 --momentum 0 --epochs 60 --schedule constant",
    },
];

/// Returns the settings with which some seeds fail and others do not.
pub(super) const fn inconsistent(network: Network) -> &'static str {
    match network {
        Network::Cnn => "--learning-rate 0.3",
        _ => "--learning-rate 0.4",
    }
}
