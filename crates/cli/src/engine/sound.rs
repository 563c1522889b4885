//! Whether a workload keeps to what its trait asks, from two examples.

use burn::module::Module as _;
use burn::tensor::{Device, Tensor};
use landscape::Batch;

use crate::workload::{Part, Workload};

/// Checks a workload before anything is trained, so that a slip is a sentence and no panic in the
/// middle of a run.
///
/// # Errors
/// A sentence that names the function of the trait and what it gave.
pub(super) fn check<W: Workload>(workload: &W, device: &Device) -> anyhow::Result<()> {
    let name = workload.name();
    for part in Part::ALL {
        let has_some = workload.examples(part) > 0;
        anyhow::ensure!(
            has_some,
            "the workload `{name}` has no {} examples, and each part needs at least one",
            part.name()
        );
    }
    let indices: Vec<usize> = (0..workload.examples(Part::Training).min(2)).collect();
    let (asked, batch) = (
        indices.len(),
        workload.batch(Part::Training, &indices, device),
    );
    let got = batch.examples();
    anyhow::ensure!(
        got == asked,
        "`Workload::batch` of `{name}` gave {got} examples for {asked} indices; a batch has one for each"
    );
    let model = workload.model(0, device);
    let loss = workload.loss(&model, &batch).dims();
    anyhow::ensure!(
        loss == [1],
        "`Workload::loss` of `{name}` gave {} numbers; it is the mean over the batch, one number",
        loss[0]
    );
    check_outputs(workload, &model, &indices, device)?;
    let each = [
        (
            "losses",
            workload.losses(&model, &batch).map(|of| of.dims()),
        ),
        (
            "correct",
            workload.correct(&model, &batch).map(|of| of.dims()),
        ),
    ];
    for (function, shape) in each {
        anyhow::ensure!(
            shape.is_none_or(|shape| shape == [asked]),
            "`Workload::{function}` of `{name}` gave {} answers for {asked} examples; it gives one for each",
            shape.map_or(0, |[answers]| answers)
        );
    }
    Ok(())
}

/// Checks that the loss of the outputs, where a workload tells them apart, is the loss.
///
/// Dropout would make two losses of the same weights, so the network is asked as after training.
fn check_outputs<W: Workload>(
    workload: &W,
    model: &W::Model,
    indices: &[usize],
    device: &Device,
) -> anyhow::Result<()> {
    let (name, model) = (workload.name(), &model.valid());
    let batch = &workload.batch(Part::Training, indices, &device.clone().inner());
    let Some(outputs) = workload.outputs(model, batch) else {
        return Ok(());
    };
    let [rows, _] = outputs.dims();
    let examples = batch.examples();
    anyhow::ensure!(
        rows == examples,
        "`Workload::outputs` of `{name}` gave {rows} rows for {examples} examples; it gives one for each"
    );
    let Some(of_outputs) = workload.loss_of_outputs(outputs, batch) else {
        anyhow::bail!(
            "the workload `{name}` has `outputs` and no `loss_of_outputs`; they belong together"
        );
    };
    let value = |loss: Tensor<1>| loss.into_data().iter::<f64>().next().unwrap_or(f64::NAN);
    let (of_outputs, loss) = (value(of_outputs), value(workload.loss(model, batch)));
    // The same numbers summed in another order differ by the rounding of f32.
    let same = (of_outputs - loss).abs() <= 1e-4 * loss.abs();
    anyhow::ensure!(
        same || !loss.is_finite(),
        "`Workload::loss_of_outputs` of `{name}` gave {of_outputs} where `loss` gave {loss}; they are the same loss"
    );
    Ok(())
}

/// Returns whether a workload tells the losses of the examples of a batch.
pub(super) fn has_losses<W: Workload>(workload: &W, device: &Device) -> bool {
    let batch = workload.batch(Part::Training, &[0], device);
    let model = workload.model(0, device);
    workload.losses(&model, &batch).is_some()
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Bool, Tensor};

    use super::*;

    /// A line through the origin, with a slip.
    #[derive(Default)]
    struct Slip {
        empty: Option<Part>,
        batch: bool,
        loss: bool,
        losses: bool,
        correct: bool,
        rows: bool,
        of_outputs: bool,
        without_loss: bool,
    }

    impl Slip {
        fn errors(model: &Linear, x: &Tensor<2>) -> Tensor<1> {
            let error = model.forward(x.clone()) - x.clone();
            error.powi_scalar(2).reshape([-1])
        }
    }

    impl Workload for Slip {
        type Model = Linear;
        type Batch = Tensor<2>;

        fn model(&self, _seed: u64, device: &Device) -> Linear {
            LinearConfig::new(1, 1).init(device)
        }

        fn examples(&self, part: Part) -> usize {
            if self.empty == Some(part) { 0 } else { 9 }
        }

        fn batch(&self, _part: Part, indices: &[usize], device: &Device) -> Tensor<2> {
            let examples = if self.batch { 7 } else { indices.len() };
            Tensor::ones([examples, 1], device)
        }

        fn loss(&self, model: &Linear, x: &Tensor<2>) -> Tensor<1> {
            let errors = Self::errors(model, x);
            if self.loss { errors } else { errors.mean() }
        }

        fn losses(&self, model: &Linear, x: &Tensor<2>) -> Option<Tensor<1>> {
            let errors = Self::errors(model, x);
            Some(if self.losses { errors.mean() } else { errors })
        }

        fn outputs(&self, model: &Linear, x: &Tensor<2>) -> Option<Tensor<2>> {
            let outputs = model.forward(x.clone());
            Some(if self.rows {
                outputs.transpose()
            } else {
                outputs
            })
        }

        fn loss_of_outputs(&self, outputs: Tensor<2>, x: &Tensor<2>) -> Option<Tensor<1>> {
            let loss = (outputs - x.clone()).powi_scalar(2).mean();
            let loss = if self.of_outputs { loss * 2.0 } else { loss };
            (!self.without_loss).then_some(loss)
        }

        fn correct(&self, model: &Linear, x: &Tensor<2>) -> Option<Tensor<1, Bool>> {
            let correct = Self::errors(model, x).lower_elem(1.0);
            Some(if self.correct { correct.any() } else { correct })
        }
    }

    #[test]
    fn workload_without_a_slip_is_taken() {
        let device = Device::flex();
        check(&Slip::default(), &device).unwrap();
        assert!(has_losses(&Slip::default(), &device));
        assert_eq!(Slip::default().name(), "slip");
    }

    #[test]
    fn every_slip_is_a_sentence_that_names_the_function() {
        let slip = Slip::default;
        let slips = [
            (
                Slip {
                    empty: Some(Part::Test),
                    ..slip()
                },
                "`slip` has no test examples",
            ),
            (
                Slip {
                    batch: true,
                    ..slip()
                },
                "`Workload::batch` of `slip` gave 7 examples for 2 indices",
            ),
            (
                Slip {
                    loss: true,
                    ..slip()
                },
                "`Workload::loss` of `slip` gave 2 numbers",
            ),
            (
                Slip {
                    losses: true,
                    ..slip()
                },
                "`Workload::losses` of `slip` gave 1 answers for 2 examples",
            ),
            (
                Slip {
                    correct: true,
                    ..slip()
                },
                "`Workload::correct` of `slip` gave 1 answers for 2 examples",
            ),
            (
                Slip {
                    rows: true,
                    ..slip()
                },
                "`Workload::outputs` of `slip` gave 1 rows for 2 examples",
            ),
            (
                Slip {
                    of_outputs: true,
                    ..slip()
                },
                "`Workload::loss_of_outputs` of `slip` gave ",
            ),
            (
                Slip {
                    without_loss: true,
                    ..slip()
                },
                "`slip` has `outputs` and no `loss_of_outputs`",
            ),
        ];
        for (slip, words) in slips {
            let error = check(&slip, &Device::flex()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
