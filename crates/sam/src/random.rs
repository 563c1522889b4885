//! Numbers drawn on the host: the device's generator belongs to the training.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The seed of step `number`.
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
    pub(crate) fn new(seed: u64, probability: f64) -> Self {
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
            probability,
        }
    }

    pub(crate) fn draw(&mut self) -> bool {
        self.generator.random::<f64>() < self.probability
    }
}
