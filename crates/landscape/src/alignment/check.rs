//! Outputs and losses of a recorded model, by which a permutation is confirmed.

use burn::module::Module;
use derivatives::{Capture, CapturedLoss, Outputs, Statistics};

use super::tensors::FloatTensor;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::random::{Purpose, uniform};
use crate::vector::{Domain, download};

/// A model's loss on the first batch, as a program of all float tensors.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) loss: CapturedLoss,
}

/// Outputs and loss of a model.
#[derive(Debug)]
pub(super) struct Computed {
    loss: f64,
    outputs: Vec<f64>,
}

impl Recording {
    /// Records the loss with BatchNorm's running statistics.
    ///
    /// # Errors
    /// A model that cannot be measured or captured, no data.
    pub(super) fn of<M: Module, B: Batch>(
        model: &M,
        risk: &Risk<M, B>,
        tensors: &[FloatTensor],
    ) -> Result<Self, Error> {
        let risk = risk.clone().with_statistics(Statistics::Running);
        let objective = Objective::at(model, &risk)?;
        let mut first = None;
        risk.batches().first(|batch| first = Some(batch))?;
        let batch = first.ok_or(Error::NoData)?.to_dtype(objective.float_type());
        let loss = Capture::of(objective.tracked())
            .with_parameters(tensors.iter().map(|tensor| tensor.id))
            .with_statistics(Statistics::Running)
            .marked_loss(|model, device, marks: &mut Outputs| {
                risk.evaluate(model, &batch.clone().on_device(device), marks)
            })?;
        Ok(Self { loss })
    }

    fn domain(&self) -> Domain {
        Domain {
            dim: self.loss.dim(),
            dtype: self.loss.dtype(),
            device: self.loss.device().clone(),
        }
    }

    /// Returns the relative difference that is taken for rounding: `u^(2/3)` with the unit roundoff
    /// u, between the thousands of u that sums in another order may differ by and the outputs' own
    /// size, by which a permutation that is none of the model's changes them.
    pub(super) fn allowed(&self) -> f64 {
        self.domain().unit_roundoff().powf(2.0 / 3.0)
    }

    /// Returns a point beside the tensors' entries at which no two units are alike, and at which
    /// variances stay positive: every entry changed by up to half of itself, and moved up by a
    /// random part of a hundredth of the tensor's typical entry (of a tenth, where all are zero).
    pub(super) fn point_beside(&self, tensors: &[FloatTensor]) -> Vec<f64> {
        let mut point = Vec::with_capacity(self.loss.dim());
        for (number, tensor) in tensors.iter().enumerate() {
            let len = tensor.values.len();
            let stream = Purpose::Units.stream((1 << 32) | number as u64);
            let noise = uniform(0, stream, 2 * len);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53 entries")]
            let square = tensor.values.iter().map(|x| x * x).sum::<f64>() / len.max(1) as f64;
            let typical = if square > 0.0 {
                0.01 * square.sqrt()
            } else {
                0.1
            };
            let pairs = tensor.values.iter().zip(noise.chunks_exact(2));
            point.extend(pairs.map(|(value, noise)| {
                value * (1.0 + 0.5 * noise[0]) + typical * 0.5 * (1.0 + noise[1])
            }));
        }
        point
    }

    /// Returns what the model computes with these entries of all its tensors. Cost: a forward pass.
    ///
    /// # Errors
    /// Another number of entries.
    pub(super) fn evaluate(&self, point: &[f64]) -> Result<Computed, Error> {
        let point = self.domain().upload(point)?;
        Ok(Computed {
            loss: self.loss.value(&point)?,
            outputs: if self.loss.has_outputs() {
                download(&self.loss.outputs(&point)?)
            } else {
                Vec::new()
            },
        })
    }
}

impl Computed {
    /// Returns the largest difference to `reference` in outputs and loss, relative to `scale`; NaN
    /// where one of them is no number.
    pub(super) fn difference(&self, reference: &Self, scale: f64) -> f64 {
        let outputs = self.outputs.iter().zip(&reference.outputs);
        let outputs = outputs.map(|(a, b)| (a - b).abs());
        relative(
            largest(outputs.chain([(self.loss - reference.loss).abs()])),
            scale,
        )
    }

    /// Returns the largest output or the loss, whichever is larger, in magnitude.
    pub(super) fn scale(&self) -> f64 {
        let sizes = self.outputs.iter().chain([&self.loss]);
        largest(sizes.map(|size| size.abs()))
    }
}

/// Returns a difference as a part of `scale`; none is none of whatever.
pub(super) fn relative(difference: f64, scale: f64) -> f64 {
    if difference == 0.0 {
        0.0
    } else {
        difference / scale
    }
}

/// Returns the largest of some numbers that are not negative; NaN if one is NaN.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest: f64, value| {
        if value.is_nan() || value > largest {
            value
        } else {
            largest
        }
    })
}
