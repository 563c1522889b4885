//! The six trainings that fail.

use models::Activation;

use crate::setting::{Setting, Start};

/// A way in which a training fails.
pub(crate) struct Failure {
    pub(crate) name: &'static str,
    pub(crate) setting: fn() -> Setting,
}

/// The classical problems of training.
pub(crate) const FAILURES: [Failure; 6] = [
    Failure {
        name: "vanishing gradients: 40 plain layers",
        setting: || Setting {
            hidden: vec![32; 40],
            ..Setting::default()
        },
    },
    Failure {
        name: "exploding gradients: ten times He's weights",
        setting: || Setting {
            start: Start::He(10.0),
            ..Setting::default()
        },
    },
    Failure {
        name: "a plateau: all weights zero",
        setting: || Setting {
            start: Start::He(0.0),
            ..Setting::default()
        },
    },
    Failure {
        name: "past the edge: whole batches, rate 1",
        setting: || Setting {
            momentum: 0.0,
            learning_rate: 1.0,
            batch: 500,
            epochs: 200,
            ..Setting::default()
        },
    },
    Failure {
        name: "ill-conditioned: one layer times 30",
        setting: || Setting {
            rescale: 30.0,
            learning_rate: 0.0005,
            ..Setting::default()
        },
    },
    Failure {
        name: "a chaotic landscape: 10 layers of tanh",
        setting: || Setting {
            hidden: vec![32; 10],
            activation: Activation::Tanh,
            start: Start::He(3.0),
            learning_rate: 0.02,
            ..Setting::default()
        },
    },
];
