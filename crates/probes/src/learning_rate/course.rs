//! Training copies, one step after another.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use landscape::{Batch, Batches, ParameterSpace};

use super::descent::trainable;
use crate::Error;

/// A step of training: the model and the optimiser, the rate and the batch; the model after the
/// step and the loss of the batch before it.
pub(super) trait Step<M, B>:
    FnMut(M, &mut ModuleOptimizer, f64, &B) -> Result<(M, f64), Error>
{
}

impl<M, B, F> Step<M, B> for F where
    F: FnMut(M, &mut ModuleOptimizer, f64, &B) -> Result<(M, f64), Error>
{
}

/// Trains a copy of `model` with a copy of `optimiser` on the batches in the order of `seed`, round
/// and round. `each` is given the number of steps made and the loss of the next batch before its
/// step, and returns the rate of that step; none ends the course. Returns the copy.
pub(super) fn train<M: Module, B: Batch>(
    (model, optimiser): (&M, &ModuleOptimizer),
    batches: &Batches<B>,
    seed: Option<u64>,
    step: &mut impl Step<M, B>,
    mut rate_of: impl FnMut(usize) -> Option<f64>,
    mut each: impl FnMut(usize, f64) -> bool,
) -> Result<M, Error> {
    let device = ParameterSpace::of(model)?.domain.device.autodiff();
    let mut model = trainable(model);
    let mut optimiser = optimiser.clone();
    let (mut done, mut pass) = (0, 0);
    loop {
        let before = done;
        let order = match seed {
            Some(seed) => batches.shuffled(seed, pass),
            None => batches.clone(),
        };
        let mut make = |batch: &B, model: M| -> Result<(M, bool), Error> {
            let Some(rate) = rate_of(done) else {
                return Ok((model, false));
            };
            let batch = batch.clone().on_device(&device);
            let (model, loss) = step(model, &mut optimiser, rate, &batch)?;
            done += 1;
            Ok((model, each(done - 1, loss)))
        };
        match &order {
            Batches::Held(batches) => {
                for batch in batches.iter() {
                    let (after, goes_on) = make(batch, model)?;
                    model = after;
                    if !goes_on {
                        return Ok(model);
                    }
                }
            }
            Batches::Streamed(loader) => {
                for (index, batch) in loader.iter().enumerate() {
                    let batch = batch.map_err(|error| landscape::Error::Data {
                        index,
                        reason: error.to_string(),
                    })?;
                    let (after, goes_on) = make(&batch, model)?;
                    model = after;
                    if !goes_on {
                        return Ok(model);
                    }
                }
            }
        }
        if done == before {
            return Err(landscape::Error::NoData.into());
        }
        pass += 1;
    }
}
