//! A batch that cannot be trained on, in the middle of a training.

use burn::optim::AdamConfig;
use burn::tensor::{DType, Device};
use sam::{Error, FriendlySamConfig, InLearner, MicroBatchSamConfig, Pass};

use crate::learner::model::{Trained, Training, all_bits, rows, schedule};
use crate::steps::nets::{DTYPES, Normalised};

#[test]
fn batch_with_a_nan_moves_nothing_and_training_goes_on() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let directory = tempfile::tempdir().expect("a folder");
        let mut rows = rows(44);
        // In the third of six batches of each of the three epochs.
        rows[18].inputs[2] = f64::NAN;
        let training = Training::new(rows, dtype, directory.path());
        let net = || Normalised::new(1, &device, dtype);
        let method = FriendlySamConfig::new().init().expect("settings in range");
        let trained = Trained::new(method.clone(), net());
        let learnt = training.run(trained, AdamConfig::new().init(), schedule());

        let (mut method, mut model) = (method, net());
        let (mut optim, mut schedule) = (AdamConfig::new().init(), schedule());
        let mut refused = 0;
        for _ in 0..training.epochs {
            for batch in training.batches(&device) {
                let lr = schedule.step();
                model = match method.step(&mut optim, lr, model, |m| m.loss(&batch)) {
                    Ok(step) => step.model,
                    Err(rejected) => {
                        refused += 1;
                        rejected.model
                    }
                };
            }
        }
        assert_eq!(all_bits(&learnt.net), all_bits(&model), "{dtype:?}");
        assert!(learnt.sam.steps() == 15 && learnt.sam.refused() == 3 && refused == 3);

        // The user sees which step it was, and why.
        for (step, said) in learnt.said().into_iter().enumerate() {
            let is_bad = step % 6 == 2;
            assert_eq!(said.is_err(), is_bad, "step {step}");
            if is_bad {
                let reason = said.expect_err("a reason");
                let pass = Pass::Weights;
                assert!(
                    matches!(reason, Error::Loss { pass: p, value } if p == pass && value.is_nan())
                );
            }
        }
    }
}

#[test]
fn method_that_needs_examples_does_not_refuse_every_step_in_silence() {
    let device = Device::flex().autodiff();
    let net = Normalised::new(1, &device, DType::F64);
    let sam = InLearner::new(
        MicroBatchSamConfig::new(4)
            .init()
            .expect("settings in range"),
        &net,
    );
    let batch = crate::steps::nets::Batch::new(2, &device, DType::F64);
    let refused = sam.step(&net, |net| (net.loss(&batch), ()));
    assert_eq!(refused.err(), Some(Error::ExamplesNotApart));
    assert_eq!((sam.steps(), sam.refused()), (0, 1));
}
