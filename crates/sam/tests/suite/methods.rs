//! All methods, each as a value of one type, from the settings that a file would write.

use sam::{AnyMethod, BatchNormStatistics, MethodConfig, Perturbed, RhoSchedule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The settings that all methods have in common.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) rho: f64,
    pub(crate) schedule: RhoSchedule,
    pub(crate) ascent_steps: usize,
    pub(crate) perturbed: Perturbed,
    pub(crate) batch_norm: BatchNormStatistics,
}

impl Settings {
    pub(crate) fn of_radius(rho: f64) -> Self {
        Self {
            rho,
            schedule: RhoSchedule::Constant,
            ascent_steps: 1,
            perturbed: Perturbed::All,
            batch_norm: BatchNormStatistics::FirstPass,
        }
    }

    /// The method of its own settings and these.
    pub(crate) fn method(&self, own: Value) -> AnyMethod {
        method(own, self)
    }
}

/// The examples of a micro-batch of m-SAM.
pub(crate) const MICRO_BATCH: usize = 2;

/// The period of LookSAM.
pub(crate) const PERIOD: usize = 2;

/// Every method of the crate, with its name.
pub(crate) fn every_method(settings: &Settings) -> [(&'static str, AnyMethod); 7] {
    every_config().map(|(name, own)| (name, settings.method(own)))
}

/// What a file says of every method of the crate, with its name.
pub(crate) fn every_config() -> [(&'static str, Value); 7] {
    [
        ("SAM", json!({ "method": "sam" })),
        ("ASAM", json!({ "method": "asam" })),
        ("GSAM", json!({ "method": "gsam" })),
        ("LookSAM", json!({ "method": "looksam", "k": PERIOD })),
        ("ESAM", json!({ "method": "esam" })),
        ("Friendly-SAM", json!({ "method": "friendly-sam" })),
        (
            "m-SAM",
            json!({ "method": "m-sam", "examples": MICRO_BATCH }),
        ),
    ]
}

/// The method of its own settings and more.
pub(crate) fn method(mut own: Value, more: impl Serialize) -> AnyMethod {
    let more = serde_json::to_value(more).expect("settings can be written");
    let Value::Object(more) = more else {
        panic!("settings are a table");
    };
    own.as_object_mut().expect("a table").extend(more);
    let config = MethodConfig::deserialize(own).expect("a method");
    config.init().expect("settings in range")
}
