//! Stopping, and going on from the learner's own checkpoint.

use burn::optim::{AdamConfig, SgdConfig};
use burn::tensor::{DType, Device};
use sam::{FriendlySamConfig, GsamConfig, LookSamConfig, RhoSchedule, Rule, SharpnessAware};

use crate::learner::model::{Trained, Training, all_bits, rows, schedule};
use crate::steps::nets::{DTYPES, Normalised, bits, flat};

fn assert_resumes<R: Rule + 'static>(method: &SharpnessAware<R>, dtype: DType) {
    let device = Device::flex().autodiff();
    // Burn 0.22.1 reads the tensors of an optimiser's record in the device's own type, and panics
    // where a float64 weight meets them: in float64, an optimiser without tensors.
    let optimiser = || match dtype {
        DType::F64 => SgdConfig::new().init(),
        _ => AdamConfig::new().init(),
    };
    // A network of its own each time, as in a new process, with identifiers and weights of its own.
    let train = |seed, directory: &std::path::Path, epochs, checkpoint| {
        let training = Training {
            epochs,
            checkpoint,
            ..Training::new(rows(44), dtype, directory)
        };
        let net = Normalised::new(seed, &device, dtype);
        training.run(Trained::new(method.clone(), net), optimiser(), schedule())
    };
    let (whole, parts) = (tempfile::tempdir(), tempfile::tempdir());
    let (whole, parts) = (whole.expect("a folder"), parts.expect("a folder"));
    let uninterrupted = train(1, whole.path(), 4, None);
    let stopped = train(1, parts.path(), 2, None);
    let resumed = train(2, parts.path(), 4, Some(2));

    let (first, second) = (stopped.said(), resumed.said());
    let said: Vec<_> = first.into_iter().chain(second).collect();
    assert_eq!(said, uninterrupted.said(), "{dtype:?}");
    assert_eq!(all_bits(&resumed.net), all_bits(&uninterrupted.net));
    // Steps, learning rate and the vector that the method carries.
    let state = |model: &Trained<SharpnessAware<R>>| bits(&flat(&model.sam));
    assert_eq!(state(&resumed), state(&uninterrupted));
    assert_ne!(state(&resumed), state(&stopped));
}

#[test]
fn looksam_goes_on_from_the_learners_checkpoint_bit_for_bit() {
    // Six batches an epoch: the checkpoint falls between two looks, and its component is reused.
    for dtype in DTYPES {
        assert_resumes(
            &LookSamConfig::new()
                .with_k(5)
                .init()
                .expect("settings in range"),
            dtype,
        );
    }
}

#[test]
fn friendly_sam_goes_on_from_the_learners_checkpoint_bit_for_bit() {
    let schedule = RhoSchedule::Cosine {
        end: 0.01,
        steps: 20,
    };
    for dtype in DTYPES {
        assert_resumes(
            &FriendlySamConfig::new()
                .with_schedule(schedule)
                .init()
                .expect("settings in range"),
            dtype,
        );
    }
}

#[test]
fn radius_that_follows_the_learning_rate_goes_on_from_the_learners_checkpoint_bit_for_bit() {
    let schedule = RhoSchedule::Proportional { lr_max: 0.1 };
    for dtype in DTYPES {
        assert_resumes(
            &GsamConfig::new()
                .with_schedule(schedule)
                .init()
                .expect("settings in range"),
            dtype,
        );
    }
}
