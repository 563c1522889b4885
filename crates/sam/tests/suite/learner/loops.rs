//! A learner and a hand-written loop over the same batches end in the same bits.

use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{DType, Device};
use sam::{FriendlySamConfig, LookSamConfig, Rule, SamConfig, SharpnessAware};

use crate::learner::model::{Trained, Training, all_bits, rows, schedule};
use crate::steps::nets::{DTYPES, Normalised};

fn assert_equal_to_a_loop<R: Rule + 'static>(method: &SharpnessAware<R>, dtype: DType) {
    let device = Device::flex().autodiff();
    let directory = tempfile::tempdir().expect("a folder");
    // The last batch of an epoch has four examples, the others eight.
    let training = Training::new(rows(44), dtype, directory.path());
    let net = || Normalised::new(1, &device, dtype);
    let optimiser = || -> ModuleOptimizer { AdamConfig::new().init() };
    let learnt = training.run(Trained::new(method.clone(), net()), optimiser(), schedule());

    let (mut method, mut model, mut optim) = (method.clone(), net(), optimiser());
    let (mut schedule, mut losses) = (schedule(), Vec::new());
    for _ in 0..training.epochs {
        for batch in training.batches(&device) {
            let lr = schedule.step();
            let step = method
                .step(&mut optim, lr, model, |m| m.loss(&batch))
                .expect("everything is finite");
            losses.push(step.measured.loss);
            model = step.model;
        }
    }
    assert_eq!(all_bits(&learnt.net), all_bits(&model), "{dtype:?}");
    assert_ne!(all_bits(&model), all_bits(&net()));
    assert_eq!(learnt.sam.steps(), method.state().steps());
    let said = learnt.said().into_iter();
    let said: Vec<f64> = said.map(|said| said.expect("finite").loss).collect();
    assert_eq!(said, losses);
}

#[test]
fn sam_in_the_learner_is_sam_in_a_loop_bit_for_bit_batch_norm_statistics_included() {
    for dtype in DTYPES {
        assert_equal_to_a_loop(&SamConfig::new().init().expect("settings in range"), dtype);
    }
}

#[test]
fn looksam_in_the_learner_is_looksam_in_a_loop_bit_for_bit() {
    for dtype in DTYPES {
        assert_equal_to_a_loop(
            &LookSamConfig::new()
                .with_k(4)
                .init()
                .expect("settings in range"),
            dtype,
        );
    }
}

#[test]
fn friendly_sam_in_the_learner_is_friendly_sam_in_a_loop_bit_for_bit() {
    for dtype in DTYPES {
        assert_equal_to_a_loop(
            &FriendlySamConfig::new().init().expect("settings in range"),
            dtype,
        );
    }
}
