//! Numbers drawn on the host: the device's generator belongs to the training.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Returns the seed of step `number`.
///
/// It mixes by itself because this crate depends on none of its siblings, and any other mixing
/// would change every mask that a seed of a published run has drawn.
pub(crate) fn mix(seed: u64, number: u64) -> u64 {
    Xoshiro256PlusPlus::seed_from_u64(seed)
        .random::<u64>()
        .wrapping_add(number)
}

/// Independent draws, each true with the given probability.
pub(crate) struct Draws {
    generator: Xoshiro256PlusPlus,
    probability: f64,
}

impl Draws {
    /// Begins the draws of a seed.
    pub(crate) fn new(seed: u64, probability: f64) -> Self {
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
            probability,
        }
    }

    /// Makes the next draw.
    pub(crate) fn draw(&mut self) -> bool {
        self.generator.random::<f64>() < self.probability
    }
}
