//! What holds of every method, whatever the network, the optimiser, the type and the batch.
//!
//! No test draws from the device's generator, which is one for the whole process, and no network
//! has dropout. Where two trainings are said to be equal, they are so bit for bit: weights,
//! optimiser and what the method remembers.

mod ascent;
mod base;
mod by_hand;
mod cases;
mod costs;
pub(crate) mod nets;
mod outputs;
mod records;
mod reductions;
mod refused;
mod resumed;
mod statistics;
mod tied;
mod training;
mod zero;

use proptest::prelude::ProptestConfig;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
