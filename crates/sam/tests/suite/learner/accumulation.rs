//! Where the learner accumulates gradients, each micro-batch has a peak of its own.

use burn::optim::SgdConfig;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{DType, Device, Tensor};
use sam::{MicroBatchSamConfig, SamConfig};

use crate::learner::model::{Trained, Training, all_bits, rows};
use crate::steps::nets::{Batch, Normalised};

/// The losses of the examples, `[k]`.
fn terms(net: &Normalised, inputs: Tensor<2>, batch: &Batch, rows: sam::Rows<'_>) -> Tensor<1> {
    let hidden = relu(net.norm.forward(net.hidden.forward(inputs)));
    let labels = rows.of(&batch.labels);
    let [count] = labels.dims();
    log_softmax(net.out.forward(hidden), 1)
        .gather(1, labels.reshape([count, 1]))
        .neg()
        .reshape([count])
}

#[test]
fn accumulation_in_the_learner_is_micro_batch_sam_in_a_loop_bit_for_bit() {
    let (device, dtype) = (Device::flex().autodiff(), DType::F64);
    let directory = tempfile::tempdir().expect("a folder");
    // The learner adds up four gradients, and takes a quarter of the learning rate in place of a
    // mean. A quarter and its products are exact.
    let (micro, lr) = (8, 0.1);
    let training = Training {
        accumulation: Some(4),
        ..Training::new(rows(64), dtype, directory.path())
    };
    let net = || Normalised::new(1, &device, dtype);
    let trained = Trained::new(
        SamConfig::new()
            .with_rho(0.2)
            .init()
            .expect("settings in range"),
        net(),
    );
    let learnt = training.run(trained, SgdConfig::new().init(), (lr / 4.0).into());

    let large = Training {
        batch_size: 4 * micro,
        ..Training::new(rows(64), dtype, directory.path())
    };
    let (mut optim, mut model) = (SgdConfig::new().init(), net());
    let mut method = MicroBatchSamConfig::new(micro)
        .with_rho(0.2)
        .init()
        .expect("settings in range");
    for _ in 0..large.epochs {
        for batch in large.batches(&device) {
            model = method
                .step_examples(&mut optim, lr, model, 4 * micro, |net, rows| {
                    terms(net, rows.of(&batch.inputs), &batch, rows)
                })
                .expect("finite")
                .model;
        }
    }
    assert_eq!(all_bits(&learnt.net), all_bits(&model));
    // Four micro-batches to a step of the optimiser.
    assert_eq!(learnt.sam.steps(), 4 * method.state().steps());
}
