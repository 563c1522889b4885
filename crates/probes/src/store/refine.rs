//! Refining a surface into its store.

use std::ops::ControlFlow;

use burn::module::Module;
use landscape::Grid;
use landscape::slice::{RefineConfig, Refined, Slice, refine_with};

use super::{MeasureConfig, Measured, Progress, SliceStore, measure_wanted};
use crate::Error;

/// Refines a surface on the fine grid of a store: [`refine_with`], whose points are measured in
/// chunks and recorded, and taken from the store where they are.
///
/// Which points are measured depends on the values alone. So a refinement that was killed or
/// cancelled and is called again ends with the picture, the points and the bits of one that was
/// not.
///
/// Cost: a forward pass for each point that the picture needs and the store has not, for each
/// quantity.
///
/// # Errors
/// As [`measure_wanted`] and [`refine_with`]; a [`landscape::Error::Cancelled`] when `progress`
/// cancels. What was recorded before stays.
#[expect(
    clippy::missing_panics_doc,
    reason = "what was measured without a point missing is recorded"
)]
pub fn refine_into<M: Module + 'static>(
    slice: &Slice<M, 2>,
    store: &mut SliceStore<2>,
    refinement: &RefineConfig,
    config: &MeasureConfig,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Refined, Error> {
    let quantity = refinement.quantity;
    let count = slice.names().len();
    if quantity >= count {
        return Err(Error::Slice {
            name: "the position of the quantity that a refinement is for",
            value: format!("{quantity} of {count}"),
            allowed: "below the number of quantities",
        });
    }
    let [a, b] = store
        .identity()
        .axes
        .each_ref()
        .map(|axis| axis.values.clone());
    let mut failure = None;
    let refined = refine_with(&Grid { a, b }, refinement, |wanted| {
        let measured = measure_wanted(slice, store, wanted, config, &mut progress);
        let done = match measured {
            Ok(Measured { missing: 0, .. }) => {
                let value = |index: &usize| store.value(*index).map(|values| values[quantity]);
                let values = wanted.iter().map(value).collect::<Option<_>>();
                return Ok(values.expect("no wanted point is missing"));
            }
            Ok(measured) => measured.found + measured.measured,
            Err(error) => {
                failure = Some(error);
                0
            }
        };
        Err(landscape::Error::Cancelled { done })
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(refined?),
    }
}
