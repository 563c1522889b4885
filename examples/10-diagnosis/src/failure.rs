//! The six trainings that fail.

use crate::setting::{Setting, Start};

/// A way in which a training fails.
pub(crate) struct Failure {
    pub(crate) name: &'static str,
    pub(crate) setting: fn() -> Setting,
    /// Whether the trainings of all seeds are diagnosed together.
    pub(crate) together: bool,
}

/// The classical problems of training.
pub(crate) const FAILURES: [Failure; 6] = [
    Failure {
        name: "vanishing gradients: 40 plain layers",
        setting: || Setting {
            hidden: vec![32; 40],
            ..Setting::default()
        },
        together: false,
    },
    Failure {
        name: "exploding gradients: ten times He's weights",
        setting: || Setting {
            start: Start::He(10.0),
            ..Setting::default()
        },
        together: false,
    },
    Failure {
        name: "a plateau: all weights zero",
        setting: || Setting {
            start: Start::He(0.0),
            ..Setting::default()
        },
        together: false,
    },
    Failure {
        name: "past the edge: whole batches, rate 0.85",
        setting: || Setting {
            momentum: 0.0,
            learning_rate: 0.85,
            batch: 500,
            epochs: 100,
            ..Setting::default()
        },
        together: false,
    },
    Failure {
        name: "ill-conditioned: one layer times 30",
        setting: || Setting {
            rescale: 30.0,
            learning_rate: 0.0001,
            ..Setting::default()
        },
        together: false,
    },
    Failure {
        name: "inconsistent seeds: three layers, rate 0.2",
        setting: || Setting {
            hidden: vec![64; 3],
            learning_rate: 0.2,
            ..Setting::default()
        },
        together: true,
    },
];
