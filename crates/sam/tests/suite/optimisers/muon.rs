//! Muon, which is for matrices only, and another optimiser for what is none.

use burn::module::ParamGroup;
use burn::optim::{AdamWConfig, ModuleOptimizer, MuonConfig};

use crate::optimisers::by_hand::check;

/// Muon for the matrices and AdamW for the biases, put together as Burn has it: the last group that
/// matches a parameter is its own, and the first one is for all.
fn optimiser() -> ModuleOptimizer {
    ModuleOptimizer::from(AdamWConfig::new().build()).with_group(
        ParamGroup::from_predicate("weight"),
        MuonConfig::new().build(),
        None,
    )
}

/// Muon orthogonalises the momentum of the gradients that it gets, and these are the ones at the
/// peak. The radius is not orthogonalised: one norm over matrices and biases together, in units of
/// the weights.
#[test]
fn sam_over_muon_is_what_its_equations_say() {
    check(optimiser, 0.01);
}
