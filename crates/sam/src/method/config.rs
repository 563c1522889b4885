//! The settings that the configurations of all methods have, and why they stand where they do.

/// A configuration of one method: the common settings, its own, and the [`Ascent`](crate::Ascent)
/// that the common ones make.
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
            /// How the radius changes while training goes on: not at all.
            #[config(default = "RhoSchedule::Constant")]
            pub schedule: RhoSchedule,
            /// In how many steps the radius is covered. Each costs a gradient; one is the published
            /// method. The first goes in the method's direction, each other along the gradient where
            /// it begins.
            #[config(default = 1)]
            pub ascent_steps: usize,
            /// The parameters that the ascent moves: all.
            #[config(default = "Perturbed::All")]
            pub perturbed: Perturbed,
            /// What the second pass does to the running statistics of batch normalisation: nothing.
            #[config(default = "BatchNormStatistics::FirstPass")]
            pub batch_norm: BatchNormStatistics,
            /// A seed, for the same dropout masks in all passes of a step: the device's generator is
            /// seeded before each pass with this and the number of the step, so that whatever else
            /// draws from it goes on from there. `None`, the default, never touches the generator.
            /// Nothing else in this crate seeds a device.
            #[config(default = "None")]
            pub same_masks: Option<u64>,
            $($own)*
        }

        impl $name {
            fn ascent(&self, scale: Scale) -> Ascent {
                Ascent::new(self.rho)
                    .with_schedule(self.schedule)
                    .with_steps(self.ascent_steps)
                    .with_perturbed(self.perturbed.clone())
                    .with_batch_norm(self.batch_norm)
                    .with_same_masks(self.same_masks)
                    .with_scale(scale)
            }
        }
    };
}

/// The three functions that every method has.
macro_rules! common {
    () => {
        fn ascent(&self) -> &Ascent {
            &self.ascent
        }

        fn state(&self) -> &State {
            &self.state
        }

        fn state_mut(&mut self) -> &mut State {
            &mut self.state
        }
    };
}

pub(crate) use {common, method_config};
