//! The steps at which a learner's model is measured, and what is measured there.

use burn::optim::AdamConfig;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use burn::train::Interrupter;
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::{MetricEarlyStoppingStrategy, StoppingCondition};
use probes::learner::{Epochs, WithProbes};
use probes::sink::Memory;
use probes::{Probes, Schedule};
use sam::{SamConfig, WithSam};

use super::net::{BATCH, ITEMS, Net, Reading, batches, launch, reading, schedule, train, training};

type Scalars = Vec<(u64, f64)>;

/// The readings, losses and learning rates of a hand-written loop.
fn by_hand(epochs: usize) -> (Scalars, Scalars, Scalars) {
    let device = Device::flex().autodiff();
    let (mut net, mut optim, mut schedule) =
        (Net::fixed(&device), AdamConfig::new().init(), schedule());
    let (mut readings, mut losses, mut rates) = (vec![(0, reading(&net))], vec![], vec![]);
    let mut step = 0;
    for _ in 0..epochs {
        for batch in batches(&device) {
            let lr = schedule.step();
            let loss = net.regress(&batch).loss;
            step += 1;
            losses.push((step, loss.clone().into_scalar()));
            rates.push((step, lr.base()));
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optim.step(lr, net, gradients);
            readings.push((step, reading(&net)));
        }
    }
    (readings, losses, rates)
}

fn probes(memory: &Memory) -> Probes<Net> {
    Probes::unlimited()
        .with(Schedule::every(1), Reading("every"))
        .with(Schedule::log_spaced(3), Reading("log"))
        .with(Schedule::at_end(), Reading("end"))
        .with_sink(memory.clone())
}

fn steps(scalars: &Scalars) -> Vec<u64> {
    scalars.iter().map(|(step, _)| *step).collect()
}

#[test]
fn every_step_is_that_of_a_hand_written_loop_metrics_and_rates_included() {
    assert_steps_by_hand(|probes| probes);
}

#[test]
fn every_step_in_the_background_is_that_of_a_hand_written_loop() {
    assert_steps_by_hand(Probes::in_background);
}

/// Trains with probes at a place, and compares what they recorded with a loop.
fn assert_steps_by_hand(place: fn(Probes<Net>) -> Probes<Net>) {
    let device = Device::flex().autodiff();
    let (memory, folder) = (Memory::new(), tempfile::tempdir().expect("a folder"));
    let probes = place(probes(&memory));
    let (_, summary) = train(folder.path(), Net::fixed(&device), probes, 3, None);
    let (readings, losses, rates) = by_hand(3);
    assert_eq!(memory.scalars("reading/every"), readings);
    // The third roots of 9 steps: 1, 3, 9.
    assert_eq!(steps(&memory.scalars("reading/log")), [1, 3, 9]);
    assert_eq!(memory.scalars("reading/end"), readings[9..]);
    assert_eq!(memory.scalars("rate/every"), rates);
    assert_eq!(memory.scalars("training/learning_rate"), rates);
    assert_eq!(memory.scalars("loss/train"), losses);
    assert!(summary.never_due.is_empty() && summary.undelivered.is_empty());
    assert_eq!(summary.measured["every"], 10);

    // Burn weighs batches by the examples that the loss was told of: one number is one example.
    let of_epoch = memory.scalars("loss/train_epoch");
    assert_eq!(steps(&of_epoch), [3, 6, 9]);
    for (epoch, (_, mean)) in of_epoch.into_iter().enumerate() {
        let losses = &losses[3 * epoch..3 * epoch + 3];
        let expected = losses.iter().map(|(_, loss)| loss).sum::<f64>() / 3.0;
        assert!((mean - expected).abs() < 1e-12);
    }
    assert_eq!(steps(&memory.scalars("loss/valid")), [3, 6, 9]);
    assert!(memory.scalars("learning_rate/train").is_empty());
    // Burn's own files are there as without.
    for file in [
        "train/epoch-3/Loss.log",
        "train/epoch-1/Learning_Rate.log",
        "valid/epoch-2/Loss.log",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn sam_and_probes_measure_the_model_and_what_sam_has_seen() {
    let device = Device::flex().autodiff();
    let (memory, folder) = (Memory::new(), tempfile::tempdir().unwrap());
    let mut method = SamConfig::new().init().unwrap();
    let model = WithSam::new(Net::fixed(&device), method.clone()).unwrap();
    let model = WithProbes::new(model, probes(&memory), Epochs::new(2, ITEMS, BATCH))
        .with_scalars(WithSam::scalars);
    let learner = training(folder.path(), 2).with_metric_logger(model.metrics(folder.path()));
    let (_, summary) = launch(learner, model).finish();
    assert!(summary.undelivered.is_empty());

    let (mut net, mut optim, mut schedule) =
        (Net::fixed(&device), AdamConfig::new().init(), schedule());
    let (mut readings, mut losses, mut gains) = (vec![(0, reading(&net))], vec![], vec![]);
    let mut number = 0;
    for _ in 0..2 {
        for batch in batches(&device) {
            let (optim, lr) = (&mut optim, schedule.step());
            let step = method.step(optim, lr, net, |net| net.regress(&batch).loss);
            let step = step.unwrap();
            number += 1;
            losses.push((number, step.measured.loss));
            gains.push((number, step.measured.ascent_gain().unwrap()));
            net = step.model;
            readings.push((number, reading(&net)));
        }
    }
    assert_eq!(memory.scalars("reading/every"), readings);
    // The learner's metrics are those of the first pass.
    assert_eq!(memory.scalars("loss/train"), losses);
    assert_eq!(memory.scalars("sam/ascent_gain"), gains);
    assert_eq!(memory.scalars("sam/rho").len(), 6);
}

#[test]
fn accumulated_gradients_make_one_step_with_the_mean_of_its_batches() {
    let device = Device::flex().autodiff();
    let (memory, folder) = (Memory::new(), tempfile::tempdir().unwrap());
    // Three batches an epoch, two to a step, and the one that is left.
    let epochs = Epochs::new(2, ITEMS, BATCH).with_accumulation(2);
    assert_eq!((epochs.total(), epochs.after(Some(1)).done()), (4, 2));
    let model = WithProbes::new(Net::fixed(&device), probes(&memory), epochs);
    let learner = training(folder.path(), 2)
        .grads_accumulation(2)
        .with_metric_logger(model.metrics(folder.path()));
    let (_, summary) = launch(learner, model).finish();
    assert!(summary.undelivered.is_empty());
    assert_eq!(steps(&memory.scalars("reading/every")), [0, 1, 2, 3, 4]);
    assert_eq!(steps(&memory.scalars("loss/valid")), [2, 4]);
    let losses = memory.scalars("loss/train");
    assert_eq!(steps(&losses), [1, 2, 3, 4]);
    let net = Net::fixed(&device);
    let first: Vec<f64> = batches(&device)[..2]
        .iter()
        .map(|batch| net.regress(batch).loss.into_scalar())
        .collect();
    assert_eq!(losses[0].1, (first[0] + first[1]) / 2.0);
}

/// Trains with probes at a place, and ends it at other steps than were planned.
fn assert_end_of_training(place: fn(Probes<Net>) -> Probes<Net>) {
    let device = Device::flex().autodiff();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);

    // Stopped by an interruption after the first step.
    let (memory, interrupter) = (Memory::new(), Interrupter::new());
    let model = WithProbes::new(
        Net::fixed(&device),
        place(probes(&memory)),
        Epochs::new(5, ITEMS, BATCH),
    );
    interrupter.stop(Some("the test"));
    let learner = training(&at("interrupted"), 5).with_interrupter(interrupter);
    let (_, summary) = launch(learner, model).finish();
    assert!(summary.never_due.is_empty());
    let (readings, ..) = by_hand(1);
    assert_eq!(memory.scalars("reading/end"), readings[1..2]);
    assert_eq!(memory.scalars("reading/every"), readings[..2]);

    // Stopped early, for which Burn reads the metrics through our logger.
    let memory = Memory::new();
    let model = WithProbes::new(
        Net::fixed(&device),
        place(probes(&memory)),
        Epochs::new(50, ITEMS, BATCH),
    );
    let learner = training(&at("early"), 50)
        .with_metric_logger(model.metrics(at("early")))
        .early_stopping(MetricEarlyStoppingStrategy::new(
            &LossMetric::new(),
            Aggregate::Mean,
            // The loss falls, so that it is highest in the first epoch.
            Direction::Highest,
            Split::Valid,
            StoppingCondition::NoImprovementSince { n_epochs: 2 },
        ));
    let (_, summary) = launch(learner, model).finish();
    assert!(summary.never_due.is_empty());
    let end = steps(&memory.scalars("reading/end"));
    assert!(
        end.len() == 1 && end[0] < 150 && end[0].is_multiple_of(3),
        "{end:?}"
    );
    assert_eq!(steps(&memory.scalars("reading/log")).last(), end.last());

    // Longer than was planned: the end waits.
    let memory = Memory::new();
    let model = WithProbes::new(
        Net::fixed(&device),
        place(probes(&memory)),
        Epochs::new(1, ITEMS, BATCH),
    );
    let (_, summary) = launch(training(&at("longer"), 2), model).finish();
    assert!(summary.never_due.is_empty());
    assert_eq!(steps(&memory.scalars("reading/end")), [6]);
}

#[test]
fn end_is_where_the_training_ended_whatever_was_planned() {
    assert_end_of_training(|probes| probes);
}

#[test]
fn end_in_the_background_is_where_the_training_ended() {
    assert_end_of_training(Probes::in_background);
}
