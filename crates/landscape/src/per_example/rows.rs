//! The gradients of single examples, one after the other, as f64 on the host.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Objective;

/// Entries that are brought to the host at once, unless a gradient has more.
const AT_ONCE: usize = 1 << 20;

/// The gradients that [`for_each_gradient`] has gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) examples: usize,
    /// Whether the examples of some batch touch each other.
    pub(super) coupled: bool,
}

/// Calls `each` with the gradient of each loss term, `[P]`, in the order of the data, and
/// `going_on` with the number of examples done after each batch.
///
/// # Errors
/// As [`Objective::example_gradients`], an entry that is not finite, [`Error::Cancelled`].
pub(super) fn for_each_gradient<M: Module, B: Batch>(
    objective: &Objective<M, B>,
    mut each: impl FnMut(&[f64]),
    mut going_on: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Seen, Error> {
    let mut seen = Seen::default();
    let mut gradient = Vec::new();
    objective.example_gradients(|of_batch| {
        let [count, dim] = of_batch.rows.dims();
        let at_once = (AT_ONCE / dim.max(1)).clamp(1, count.max(1));
        for start in (0..count).step_by(at_once) {
            let rows = start..(start + at_once).min(count);
            let rows: Tensor<2> = of_batch.rows.clone().slice_dim(0, rows);
            let rows = rows.into_data();
            let mut take = |entries: &mut dyn Iterator<Item = f64>| {
                gradient.clear();
                gradient.extend(entries.map(|entry| of_batch.weight * entry));
                if gradient.iter().any(|entry| !entry.is_finite()) {
                    return Err(Error::NonFiniteVector {
                        what: "gradient of an example",
                    });
                }
                each(&gradient);
                Ok(())
            };
            if let Ok(rows) = rows.as_slice::<f32>() {
                for row in rows.chunks_exact(dim) {
                    take(&mut row.iter().map(|entry| f64::from(*entry)))?;
                }
            } else {
                let rows: Vec<f64> = rows.iter::<f64>().collect();
                for row in rows.chunks_exact(dim) {
                    take(&mut row.iter().copied())?;
                }
            }
        }
        seen.examples += count;
        seen.coupled |= of_batch.coupled;
        match going_on(seen.examples) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled {
                done: seen.examples,
            }),
        }
    })?;
    Ok(seen)
}
