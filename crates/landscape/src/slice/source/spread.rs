//! Quantities on a slice whose data are spread over devices.

use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::Workers;
use derivatives::burn_names::is_cpu;

use super::{Evaluation, OnSlice, Source, message};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, OnFailure, Risk, Spread};

/// Risks of the same batches on the slice through one model, a share of the data on each device.
/// If a device fails, the others do its share, of the points that are not yet done.
#[derive(Debug)]
struct SpreadSlice<M, B, const D: usize> {
    spread: Spread<M, B, Settings<D>, OnSlice<M, B, D>>,
    quantities: usize,
    block: OnceLock<usize>,
}

/// What a share is made with.
#[derive(Debug)]
struct Settings<const D: usize> {
    directions: [Tensor<1>; D],
    extent: [(f64, f64); D],
}

/// Returns the source of some risks along one or two directions; none where the first of them is
/// not spread.
///
/// # Errors
/// As [`Objective::at`], and directions of another length.
pub(in crate::slice) fn spread<M: Module + 'static, B: Batch>(
    model: &M,
    risks: &[&Risk<M, B>],
    directions: &[Tensor<1>],
) -> Result<Option<Box<dyn Source>>, Error> {
    if risks.first().is_none_or(|risk| risk.devices().is_none()) {
        return Ok(None);
    }
    match directions {
        [d] => SpreadSlice::along(model, risks, [d]),
        [first, second] => SpreadSlice::along(model, risks, [first, second]),
        _ => Ok(None),
    }
}

impl<M: Module + 'static, B: Batch, const D: usize> SpreadSlice<M, B, D> {
    fn along(
        model: &M,
        risks: &[&Risk<M, B>],
        directions: [&Tensor<1>; D],
    ) -> Result<Option<Box<dyn Source>>, Error> {
        let objective = |risk: &&Risk<M, B>| Objective::at(model, risk);
        let objectives: Vec<_> = risks.iter().map(objective).collect::<Result<_, _>>()?;
        let domain = &objectives.first().ok_or(Error::NoData)?.space().domain;
        let adopted = directions.map(|direction| domain.adopt(direction));
        let adopted: Vec<_> = adopted.into_iter().collect::<Result<_, _>>()?;
        let settings = Settings {
            directions: adopted.try_into().expect("as many as were given"),
            extent: [(-1.0, 1.0); D],
        };
        let objectives: Vec<_> = objectives.iter().collect();
        let Some(spread) = Spread::of(&objectives, settings, share)? else {
            return Ok(None);
        };
        Ok(Some(Box::new(Self {
            spread,
            quantities: risks.len(),
            block: OnceLock::new(),
        })))
    }

    /// Returns the means over the shares of what each gives for each point.
    fn means(
        &self,
        numbers: impl Fn(&OnSlice<M, B, D>) -> Result<Vec<Vec<f64>>, Error> + Sync,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let shares = self.spread.each(OnFailure::GoOn, |share| {
            let numbers = numbers(share)?;
            let weights = share.objectives.iter().map(Objective::weight);
            Ok((weights.collect::<Result<Vec<f64>, _>>()?, numbers))
        })?;
        let all = |quantity: usize| shares.iter().map(|(of, _)| of[quantity]).sum::<f64>();
        let all: Vec<f64> = (0..self.quantities).map(all).collect();
        let mut means: Vec<Vec<f64>> = Vec::new();
        for (weights, points) in &shares {
            means.resize_with(points.len(), Vec::new);
            for (means, numbers) in means.iter_mut().zip(points) {
                means.resize(numbers.len(), 0.0);
                let each = (numbers.len() / self.quantities).max(1);
                let terms = means.chunks_mut(each).zip(numbers.chunks(each));
                for (quantity, (means, numbers)) in terms.enumerate() {
                    for (mean, number) in means.iter_mut().zip(numbers) {
                        *mean += weights[quantity] / all[quantity] * number;
                    }
                }
            }
        }
        Ok(means)
    }
}

/// Makes a share on the device of the model.
fn share<M: Module, B: Batch, const D: usize>(
    model: &M,
    risks: &[Risk<M, B>],
    settings: &Settings<D>,
) -> Result<OnSlice<M, B, D>, Error> {
    let risks: Vec<_> = risks.iter().collect();
    let directions = settings.directions.each_ref();
    let mut share = OnSlice::new(model, &risks, directions)?;
    share.extent = settings.extent;
    if !is_cpu(&share.first().space().domain.device) {
        // It does one after the other, and a worker that waits for it is missing elsewhere.
        share.workers = Workers::new(0);
    }
    Ok(share)
}

impl<M: Module + 'static, B: Batch, const D: usize> Source for SpreadSlice<M, B, D> {
    fn within(&mut self, extent: &[(f64, f64)]) {
        self.spread.settings_mut().extent.copy_from_slice(extent);
        self.block = OnceLock::new();
    }

    fn block(&self) -> usize {
        let block = || {
            let blocks = self.spread.each(OnFailure::GoOn, |share| Ok(share.block()));
            // An error is told with the values.
            blocks
                .ok()
                .and_then(|blocks| blocks.into_iter().max())
                .unwrap_or(1)
        };
        *self.block.get_or_init(block)
    }

    fn values(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        self.means(|share| share.values(points))
    }

    fn slopes(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        self.means(|share| share.slopes(points))
    }

    fn evaluations(&self) -> Vec<Evaluation> {
        match self
            .spread
            .each(OnFailure::GoOn, |share| Ok(share.evaluations()))
        {
            Ok(shares) => {
                let of = |quantity: usize| {
                    let mut of_shares = shares.iter().map(|share| &share[quantity]);
                    let first = of_shares.find(|&found| *found != Evaluation::Captured);
                    first.cloned().unwrap_or(Evaluation::Captured)
                };
                (0..self.quantities).map(of).collect()
            }
            Err(error) => {
                let because = message(error);
                vec![Evaluation::Model { because }; self.quantities]
            }
        }
    }
}
