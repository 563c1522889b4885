//! The examples whose single gradients are taken: as many as there is time for.

use burn::module::Module;
use landscape::{Batch, Batches, Risk, Statistics};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment};

/// Fewer examples say little of a variance.
const LEAST: usize = 32;

/// Gradients over the examples that a measurement takes, timed on convolutional networks: half of
/// them for the programs that are recorded over these examples and compared with the closure.
const GRADIENTS: f64 = 10.0;

/// Passes over a pair of vectors of all parameters that each example takes, timed on the same:
/// its gradient is written, read, and summed up.
const PASSES: f64 = 10.0;

/// What a measurement with the gradients of single examples takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExampleCost {
    /// Whether they touched each other when they were last measured.
    pub(super) coupled: bool,
    /// Gradients of the examples that are needed beside.
    pub(super) beside: f64,
}

impl ExampleCost {
    /// Returns what the measurement costs: with all examples of the risk, and with the fewest.
    pub(super) fn of<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        self,
        moment: &Moment<'_, M>,
        risk: &Risk<M, B>,
    ) -> Result<MeasuringCost, Error> {
        let all = moment.examples(risk)?;
        Ok(MeasuringCost {
            least: moment.estimated(risk, self.work(risk, LEAST.min(all), all))?,
            full: moment.estimated(risk, self.work(risk, all, all))?,
        })
    }

    /// Returns the risk over the examples that there is time for, and says in `records` if they
    /// are fewer than were asked for.
    pub(super) fn sample<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        self,
        moment: &Moment<'_, M>,
        risk: &Risk<M, B>,
        records: &mut Records,
    ) -> Result<Risk<M, B>, Error> {
        let measured = moment.risk(risk);
        if moment.seconds.is_none() {
            return Ok(measured);
        }
        let all = moment.examples(risk)?;
        let range = (LEAST.min(all), all);
        let examples = moment.most(risk, range, |examples| self.work(risk, examples, all))?;
        if examples >= all {
            return Ok(measured);
        }
        records.shortened(format!("{examples} of {all} examples"));
        Ok(measured.limited(examples)?)
    }

    /// Returns the work for some of `all` examples. In a batch that couples its examples each of
    /// them takes a gradient of the batch.
    #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
    fn work<M: Module, B: Batch>(self, risk: &Risk<M, B>, examples: usize, all: usize) -> Work {
        let part = examples as f64 / all.max(1) as f64;
        // Programs of few examples take as long as those of somewhat more.
        let least = LEAST.min(all) as f64 / all.max(1) as f64;
        let is_coupled = self.coupled || risk.statistics() == Statistics::Batch;
        let of_batch = match risk.batches() {
            _ if !is_coupled => 0,
            Batches::Held(batches) => batches.iter().map(Batch::examples).max().unwrap_or(all),
            // A stream does not tell the length of its batches: at most all of them.
            Batches::Streamed(_) => all,
        };
        Work {
            vectors: PASSES * examples as f64,
            ..Work::gradients(
                GRADIENTS * (part + 0.5 * least)
                    + part * self.beside
                    + part * part * of_batch as f64,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::Linear;
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn coupled_examples_take_a_gradient_of_their_batch_each() {
        let batches = [100, 28].map(|count| Tensor::<2>::zeros([count, 1], &Device::flex()));
        let risk = Risk::mean(batches, |_: &Linear, x: &Tensor<2>| x.clone().mean());
        let work = |coupled, risk: &Risk<_, _>, examples| {
            let beside = 0.0;
            ExampleCost { coupled, beside }.work(risk, examples, 128)
        };
        let all = work(false, &risk, 128);
        assert_eq!((all.gradients, all.vectors), (11.25, 1280.0));
        let quarter = work(false, &risk, 32);
        assert_eq!((quarter.gradients, quarter.vectors), (3.75, 320.0));
        assert_eq!(work(true, &risk, 128).gradients, 111.25);
        // Half the examples in batches half as long.
        assert_eq!(work(true, &risk, 64).gradients, 6.25 + 0.5 * 50.0);
        // Gradients beside those of single examples go with their number.
        let with_others = ExampleCost {
            coupled: false,
            beside: 24.0,
        };
        assert_eq!(with_others.work(&risk, 32, 128).gradients, 3.75 + 6.0);
        // What a risk says is known before the first measurement.
        let risk = risk.with_statistics(Statistics::Batch);
        assert_eq!(work(false, &risk, 128).gradients, 111.25);
    }
}
