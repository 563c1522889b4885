//! The share of right answers.

use burn::module::Module;
use landscape::{Batch, Batches, ParameterSpace};

use crate::record::Records;
use crate::{Error, Moment, Probe};

/// The closure that counts right answers: how many are right, of how many.
type Count<M, B> = dyn Fn(&M, &B) -> (usize, usize) + Send;

/// The share of right answers over all data, under a tag such as `accuracy/valid`: all that are
/// right over all that were asked, so a ragged last batch counts for what it is.
pub struct Accuracy<M, B> {
    batches: Batches<B>,
    count: Box<Count<M, B>>,
    tag: String,
}

impl<M: Module, B: Batch> Accuracy<M, B> {
    /// Measures the accuracy over `batches`, where `count` gives for a model and a batch how many
    /// answers are right and how many were asked.
    ///
    /// The closure is given a copy of the model in inference mode (dropout off, BatchNorm's running
    /// statistics) and a batch on the same device.
    pub fn of(
        batches: impl Into<Batches<B>>,
        count: impl Fn(&M, &B) -> (usize, usize) + Send + 'static,
        tag: impl Into<String>,
    ) -> Self {
        Self {
            batches: batches.into(),
            count: Box::new(count),
            tag: tag.into(),
        }
    }
}

impl<M: Module, B: Batch> Probe<M> for Accuracy<M, B> {
    fn name(&self) -> String {
        self.tag.clone()
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let device = ParameterSpace::of(moment.model)?.domain.device;
        let model = moment.model.valid();
        let (mut right, mut asked) = (0_usize, 0_usize);
        let mut add = |batch: B| {
            let (r, a) = (self.count)(&model, &batch.on_device(&device));
            (right, asked) = (right + r, asked + a);
        };
        match &self.batches {
            Batches::Held(batches) => batches.iter().cloned().for_each(add),
            Batches::Streamed(loader) => {
                for (index, batch) in loader.iter().enumerate() {
                    add(batch.map_err(|error| landscape::Error::Data {
                        index,
                        reason: error.to_string(),
                    })?);
                }
            }
        }
        if asked == 0 {
            return Err(landscape::Error::NoData.into());
        }
        if right > asked {
            return Err(Error::Setting {
                name: "the number of right answers that the closure counts",
                value: right as f64,
                allowed: "it cannot exceed the number of answers, so count both over the same examples",
            });
        }
        records.scalar(&self.tag, right as f64 / asked as f64);
        Ok(())
    }
}
