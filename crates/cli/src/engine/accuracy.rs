//! The share of examples that are classified right, where the workload knows such a thing.

use burn::module::Module;
use burn::tensor::Device;
use landscape::Batch;

use super::data::Data;
use crate::workload::{Part, Workload};

/// Returns how many examples of a batch are classified right, and how many there are; nothing where
/// the workload has no classes.
pub(super) fn right<W: Workload>(
    workload: &W,
    model: &W::Model,
    batch: &W::Batch,
) -> Option<(usize, usize)> {
    let right: i64 = workload.correct(model, batch)?.int().sum().into_scalar();
    let right = usize::try_from(right).expect("a number of examples is not negative");
    Some((right, batch.examples()))
}

/// Returns whether the workload has classes, from one example.
pub(super) fn has_accuracy<W: Workload>(data: &Data<W>, model: &W::Model, device: &Device) -> bool {
    let workload = data.workload();
    let example = workload.batch(Part::Validation, &[0], device);
    workload.correct(&model.valid(), &example).is_some()
}

/// Returns the number C of classes of a workload whose loss is a cross-entropy in nats: with equal
/// outputs for all classes that is `ln C`, to the rounding of one example.
pub(super) fn classes<W: Workload>(
    data: &Data<W>,
    model: &W::Model,
    device: &Device,
) -> Option<usize> {
    let workload = data.workload();
    let example = workload.batch(Part::Validation, &[0], device);
    let outputs = workload.outputs(&model.valid(), &example)?;
    let [_, classes] = outputs.dims();
    let loss = workload.loss_of_outputs(outputs.zeros_like(), &example)?;
    let loss: f64 = loss.into_scalar();
    (classes > 1 && (loss - (classes as f64).ln()).abs() < 1e-3).then_some(classes)
}
