//! The settings that the configurations of all methods have.

/// Defines the configuration of one method: the settings that all methods have, its own, and the
/// [`Ascent`](crate::Ascent) that the common ones make.
///
/// It is a macro because Burn's `Config` writes `new`, `with_..` and the file format from the
/// fields of a struct: a setting that is to be `with_rho(..)` for every method has to be a field of
/// each.
macro_rules! method_config {
    (
        $(#[$about:meta])*
        $name:ident, rho = $rho:tt, $about_rho:literal;
        $($own:tt)*
    ) => {
        $(#[$about])*
        #[derive(burn::config::Config, Debug)]
        pub struct $name {
            #[doc = $about_rho]
            #[config(default = $rho)]
            pub rho: f64,
            /// The radius as a function of the step or the learning rate: constant.
            #[config(default = "crate::ascent::RhoSchedule::Constant")]
            pub schedule: crate::ascent::RhoSchedule,
            /// The number of steps in which the radius is covered. Each costs a gradient; one is
            /// the published method. The first goes in the method's direction, each other along the
            /// gradient where it begins.
            #[config(default = 1)]
            pub ascent_steps: usize,
            /// The parameters that the ascent moves: all.
            #[config(default = "crate::ascent::Perturbed::All")]
            pub perturbed: crate::ascent::Perturbed,
            /// The policy for the running statistics of batch normalisation: the first pass alone
            /// moves them.
            #[config(default = "crate::module::BatchNormStatistics::FirstPass")]
            pub batch_norm: crate::module::BatchNormStatistics,
            /// A seed, for the same dropout masks in all passes of a step. The device's generator
            /// is seeded before each pass with this and the number of the step, so that whatever
            /// else draws from it goes on from there. `None`, the default, never touches the
            /// generator. Nothing else in this crate seeds a device.
            #[config(default = "None")]
            pub same_masks: Option<u64>,
            $($own)*
        }

        impl $name {
            /// Returns the settings of the ascent, in units of `scale`.
            fn ascent(&self, scale: crate::gradient::Scale) -> crate::ascent::Ascent {
                crate::ascent::Ascent {
                    rho: self.rho,
                    schedule: self.schedule,
                    steps: self.ascent_steps,
                    scale,
                    perturbed: self.perturbed.clone(),
                    batch_norm: self.batch_norm,
                    same_masks: self.same_masks,
                }
            }
        }
    };
}

pub(super) use method_config;
