//! All methods with the same settings.

use sam::{BatchNormStatistics, Perturbed, RhoSchedule};

/// The settings that all methods have in common.
#[derive(Debug, Clone)]
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
}

/// The examples of a micro-batch of m-SAM.
pub(crate) const MICRO_BATCH: usize = 2;

/// The period of LookSAM.
pub(crate) const PERIOD: usize = 2;

/// A method of a configuration with the common settings.
macro_rules! method {
    ($config:expr, $settings:expr) => {
        $config
            .with_rho($settings.rho)
            .with_schedule($settings.schedule)
            .with_ascent_steps($settings.ascent_steps)
            .with_perturbed($settings.perturbed.clone())
            .with_batch_norm($settings.batch_norm)
            .init()
    };
}

/// Calls a function with the name and the method, for every method; the configurations have types of
/// their own.
macro_rules! for_every_method {
    ($settings:expr, $check:expr, $($argument:expr),*) => {{
        let settings = &$settings;
        $check("SAM", $crate::properties::methods::method!(sam::SamConfig::new(), settings), $($argument),*);
        $check("ASAM", $crate::properties::methods::method!(sam::AsamConfig::new(), settings), $($argument),*);
        $check("GSAM", $crate::properties::methods::method!(sam::GsamConfig::new(), settings), $($argument),*);
        $check(
            "LookSAM",
            $crate::properties::methods::method!(sam::LookSamConfig::new().with_k($crate::properties::methods::PERIOD), settings),
            $($argument),*
        );
        $check("ESAM", $crate::properties::methods::method!(sam::EsamConfig::new(), settings), $($argument),*);
        $check(
            "Friendly-SAM",
            $crate::properties::methods::method!(sam::FriendlySamConfig::new(), settings),
            $($argument),*
        );
        $check(
            "m-SAM",
            $crate::properties::methods::method!(sam::MicroBatchSamConfig::new($crate::properties::methods::MICRO_BATCH), settings),
            $($argument),*
        );
    }};
}

pub(crate) use {for_every_method, method};
