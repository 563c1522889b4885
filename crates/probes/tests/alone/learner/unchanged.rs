//! Measuring changes nothing in a learner.

use burn::tensor::{Device, Tensor};
use landscape::{Grid, Risk};
use probes::instrument::{GradientNorm, LossSurface, TopEigenvalues};
use probes::learner::{Epochs, WithProbes};
use probes::sink::{Memory, TensorBoard};
use probes::{Probes, Record, Schedule};

use super::net::{Batch, Net, batches, bits, launch, train, training};

/// The loss of the network over all data.
fn risk(device: &Device) -> Risk<Net, (Tensor<2>, Tensor<2>)> {
    let sample: Vec<_> = batches(device).into_iter().map(|[x, y]| (x, y)).collect();
    Risk::mean(&sample, |net: &Net, (x, y)| {
        let batch: Batch = [x.clone(), y.clone()];
        net.regress(&batch).loss
    })
}

#[test]
fn weights_and_statistics_are_the_same_bits_with_probes_and_without() {
    let _alone = crate::drawing();
    let device = Device::flex().autodiff();
    let risk = risk(&device);
    let memory = Memory::new();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let probes = Probes::unlimited()
        .with(Schedule::every(1), GradientNorm::of(&risk))
        .with(Schedule::every(2), TopEigenvalues::of(&risk, 1))
        .with(
            Schedule::at_end(),
            LossSurface::of(&risk, Grid::square(-0.5..=0.5, 3)),
        )
        .with_sink(TensorBoard::create(at("tensorboard")).unwrap())
        .with_sink(memory.clone());

    // Weights are drawn when they are first looked at, and dropout draws in each step.
    device.seed(11);
    let bare = launch(training(&at("bare"), 3), Net::drawn(&device));
    device.seed(11);
    let (measured, summary) = train(&at("measured"), Net::drawn(&device), probes, 3, None);
    assert_eq!(bits(&measured), bits(&bare));
    assert_eq!(summary.failed, 0);
    assert!(summary.never_due.is_empty() && summary.undelivered.is_empty());
    let steps = |tag: &str| -> Vec<u64> {
        let scalars = memory.scalars(tag).into_iter();
        scalars.map(|(step, _)| step).collect()
    };
    assert_eq!(steps("gradient/norm"), (0..=9).collect::<Vec<_>>());
    assert_eq!(steps("curvature/lambda_1"), [0, 2, 4, 6, 8]);

    // Checkpoints of one are the other's.
    let none = Probes::unlimited();
    device.seed(11);
    let plain = training(&at("bare"), 4).checkpoint(3);
    let plain = launch(plain, Net::fixed(&device));
    device.seed(11);
    let epochs = Epochs::new(4, 22, 8).after(Some(3));
    let other = WithProbes::new(Net::fixed(&device), none, epochs);
    let (other, _) = launch(training(&at("bare"), 4).checkpoint(3), other).finish();
    assert_eq!(bits(&other), bits(&plain));
    assert_ne!(bits(&other), bits(&bare));
}

#[test]
fn every_instrument_at_once_changes_nothing_and_sees_adams_moments() {
    let _alone = crate::drawing();
    let device = Device::flex().autodiff();
    let risk = risk(&device);
    let memory = Memory::new();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let all = |memory: &Memory| {
        crate::every_instrument::every(Probes::unlimited(), &risk)
            .with_sink(memory.clone())
            .with_handler(|_| ())
            .without_cost_records()
    };
    device.seed(11);
    let bare = launch(training(&at("bare"), 3), Net::drawn(&device));
    device.seed(11);
    let (measured, summary) = train(&at("measured"), Net::drawn(&device), all(&memory), 3, None);
    assert_eq!(bits(&measured), bits(&bare));
    assert_eq!(summary.failed, 0, "{summary}");
    // The training and every record are the same bits in the background.
    let beside = Memory::new();
    device.seed(11);
    let probes = all(&beside).in_background();
    let (measured, _) = train(&at("beside"), Net::drawn(&device), probes, 3, None);
    assert_eq!(bits(&measured), bits(&bare));
    assert_eq!(by_tag(&beside), by_tag(&memory));
    let steps = |tag: &str| -> Vec<u64> {
        let scalars = memory.scalars(tag).into_iter();
        scalars.map(|(step, _)| step).collect()
    };
    // Nine updates; Adam has second moments from the first on.
    assert_eq!(steps("stability/sharpness_ratio"), [2, 4, 6, 8]);
    assert_eq!(steps("landscape/barrier_from_start"), [2, 4, 6, 8]);
}

/// The records by tag: the learner tells of its metrics from a thread of its own, at any moment.
fn by_tag(memory: &Memory) -> Vec<Record> {
    let mut records = memory.records();
    records.sort_by(|one, other| one.tag.cmp(&other.tag));
    records
}
