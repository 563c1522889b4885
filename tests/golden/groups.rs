//! The groups of hidden units of a network, each checked by permuting it.

use burn::tensor::{DType, Device, Tensor};
use landscape::alignment::{Symmetries, symmetries};
use tests::{Case, Net};

/// Both sides are f64 and sums of some hundred numbers in another order.
const ROUNDING: f64 = 1e-12;

pub(crate) fn entries(outputs: Tensor<2>) -> Vec<f64> {
    outputs.into_data().iter::<f64>().collect()
}

pub(crate) fn difference(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(0.0_f64, |size, b| size.max(b.abs()));
    let most = a
        .iter()
        .zip(b)
        .fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
    // The saddle's outputs are zero throughout.
    if most == 0.0 { 0.0 } else { most / size }
}

/// Permutes the units of each group by a step of three, or two, and compares the outputs that Burn
/// gives with those before; returns all.
pub(crate) fn check_groups<N: Net>(case: &Case<N>) -> Symmetries {
    let found = symmetries(&case.model, &case.risk_of_outputs()).expect("the network");
    assert!(found.refused.is_empty(), "{case}: {:?}", found.refused);
    // Without autodiff BatchNorm uses its running statistics, which are permuted along.
    let batch = N::batch(&case.fixture, DType::F64, &Device::flex());
    let outputs = |model: &N| entries(model.valid().outputs(&batch));
    let reference = outputs(&case.model);
    for (number, group) in found.groups.iter().enumerate() {
        let mut permutations = found.identities();
        let by = if group.units > 3 { 3 } else { 1 };
        permutations[number].rotate_left(by);
        let permuted = found.permute(&case.model, &permutations).expect("it fits");
        let difference = difference(&outputs(&permuted), &reference);
        println!(
            "{case}: {} of {} units, {difference:.1e}",
            group.name, group.units
        );
        assert!(
            difference < ROUNDING,
            "{case}: {}, {difference:.1e}",
            group.name
        );
    }
    found
}

/// The units of each group.
pub(crate) fn units(found: &Symmetries) -> Vec<usize> {
    found.groups.iter().map(|group| group.units).collect()
}
