//! Measuring in the background: what is recorded, and what is told.

mod waiting;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use landscape::download;
use probes::sink::{JsonLines, Memory, TensorBoard};
use probes::{Budget, Error, Message, Moment, Probe, Probes, Records, Schedule};

use waiting::gate;

/// A model of one number.
#[derive(Module, Debug)]
struct Number {
    at: Param<Tensor<1>>,
}

fn number(value: u64) -> Number {
    let device = Device::flex().autodiff();
    Number {
        at: Param::from_tensor(Tensor::from_floats([value as f32], &device)),
    }
}

fn value(model: &Number) -> f64 {
    download(&model.at.val().inner())[0]
}

/// Records the model, and fails and panics where it is told to.
#[derive(Default)]
struct Reading {
    fails_at: Option<u64>,
    panics_at: Option<u64>,
}

impl Probe<Number> for Reading {
    fn name(&self) -> String {
        "reading".into()
    }

    fn measure(&mut self, moment: &Moment<'_, Number>, records: &mut Records) -> Result<(), Error> {
        records.scalar("value", value(moment.model));
        assert!(self.panics_at != Some(moment.step), "dtype mismatch");
        if self.fails_at == Some(moment.step) {
            return Err(Error::Missing {
                instrument: "the reading".into(),
                what: "the test",
            });
        }
        Ok(())
    }
}

fn steps(memory: &Memory, tag: &str) -> Vec<u64> {
    let scalars = memory.scalars(tag).into_iter();
    scalars.map(|(step, _)| step).collect()
}

#[test]
fn files_are_those_of_the_foreground() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, beside: bool| {
        let lines = folder.path().join(format!("{name}.jsonl"));
        let events = folder.path().join(name);
        let fails = Reading {
            fails_at: Some(4),
            panics_at: Some(6),
        };
        let mut probes = Probes::unlimited()
            .with(Schedule::every(2), fails)
            .with_handler(|_| ())
            .without_cost_records()
            .with_sink(JsonLines::create(&lines).unwrap())
            .with_sink(TensorBoard::create(&events).unwrap());
        if beside {
            probes = probes.in_background();
        }
        for step in 0..=9 {
            probes.log("loss/train", step, 0.5);
            probes.observe(step, &number(step)).unwrap();
        }
        let summary = probes.finish();
        assert_eq!((summary.measured["reading"], summary.failed), (3, 2));
        assert!(summary.undelivered.is_empty());
        let files = tensorboard::existing_event_files(&events).unwrap();
        let events = tensorboard::read_events(&files[0]).unwrap();
        (std::fs::read(lines).unwrap(), events.scalars("value"))
    };
    let here = write("here", false);
    assert_eq!(here.1, [(0, 0.0), (2, 2.0), (4, 4.0), (6, 6.0), (8, 8.0)]);
    assert_eq!(write("beside", true), here);
}

#[test]
fn failures_are_told_at_the_next_step_or_at_the_end() {
    let mut probes = Probes::unlimited()
        .with(
            Schedule::every(1),
            Reading {
                fails_at: Some(1),
                panics_at: Some(3),
            },
        )
        .with_handler(|_| ())
        .in_background();
    assert!(probes.observe(1, &number(1)).unwrap().failed.is_empty());
    let waited = probes.wait();
    assert_eq!((waited[0].step, waited[0].failed.len()), (1, 1));
    assert!(probes.wait().is_empty());
    // At the next step where nobody waits.
    probes.observe(2, &number(2)).unwrap();
    probes.observe(3, &number(3)).unwrap();
    let summary = probes.finish();
    let mut told = summary.background.iter().flat_map(|made| made.failures());
    let (step, probe, error) = told.next().unwrap();
    assert_eq!((step, probe), (3, "reading"));
    assert!(error.to_string().contains("dtype mismatch"), "{error}");
    assert!(told.next().is_none());
    assert_eq!((summary.failed, summary.measured["reading"]), (2, 1));
}

#[test]
fn observation_of_a_later_step_has_those_that_were_made_meanwhile() {
    let (gate, keeper) = gate();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), gate)
        .with(
            Schedule::every(1),
            Reading {
                fails_at: Some(1),
                panics_at: None,
            },
        )
        .with_handler(|_| ())
        .in_background();
    assert!(probes.observe(1, &number(1)).unwrap().background.is_empty());
    probes.observe(2, &number(2)).unwrap();
    keeper.open();
    // The second is begun when the first is made and told of.
    keeper.begun.iter().take(2).for_each(drop);
    let third = probes.observe(3, &number(3)).unwrap();
    let made: Vec<u64> = third.background.iter().map(|made| made.step).collect();
    assert!(made == [1] && third.measured.is_empty(), "{third:?}");
    assert_eq!(third.background[0].scalar("value"), Some(1.0));
    let told: Vec<_> = third
        .failures()
        .map(|(step, probe, _)| (step, probe))
        .collect();
    assert_eq!(told, [(1, "reading")]);
    keeper.open();
    keeper.open();
    assert_eq!(probes.finish().background.len(), 2);
}

#[test]
fn settings_may_come_after() {
    let memory = Memory::new();
    let mut probes = Probes::new()
        .in_background()
        .with_budget(Budget::unlimited())
        .with(Schedule::at_end(), Reading::default())
        .with_sink(memory.clone());
    assert!(matches!(
        probes.observe(0, &number(0)),
        Err(Error::TotalStepsMissing { .. })
    ));
    probes = probes.with_total_steps(5);
    for step in 0..=3 {
        probes.observe(step, &number(step)).unwrap();
    }
    // The training ends earlier than was planned.
    probes = probes.with_total_steps(4);
    probes.observe(4, &number(4)).unwrap();
    let summary = probes.finish();
    assert_eq!(memory.scalars("value"), [(4, 4.0)]);
    assert!(summary.never_due.is_empty());
}

#[test]
fn step_that_does_not_increase_is_a_warning() {
    let memory = Memory::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Reading::default())
        .with_sink(memory.clone())
        .with_handler(move |message| {
            if let Message::Warning { step, .. } = message {
                tells.lock().unwrap().push(*step);
            }
        })
        .in_background();
    assert!(probes.observe(5, &number(5)).unwrap().warnings.is_empty());
    assert_eq!(probes.observe(5, &number(5)).unwrap().warnings.len(), 1);
    probes.wait();
    assert_eq!(*told.lock().unwrap(), [5]);
    assert_eq!(steps(&memory, "value"), [5]);
}

#[test]
fn panic_of_a_handler_is_reported_and_the_next_step_measured() {
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Reading::default())
        .with_sink(memory.clone())
        .with_handler(|message| {
            if let Message::Measuring(at) = message {
                assert!(at.step != 1, "no terminal");
            }
        })
        .in_background();
    let mut made = Vec::new();
    for step in 0..=2 {
        probes.observe(step, &number(step)).unwrap();
        made.extend(probes.wait());
    }
    let summary = probes.finish();
    assert_eq!(steps(&memory, "value"), [0, 2]);
    assert_eq!((summary.failed, summary.skipped), (1, 1));
    let failed = made.iter().flat_map(|made| made.failures());
    let failed: Vec<_> = failed
        .map(|(step, _, error)| (step, error.to_string()))
        .collect();
    assert!(failed.len() == 1 && failed[0].0 == 1, "{failed:?}");
    assert!(failed[0].1.contains("no terminal"), "{failed:?}");
}

#[test]
fn interrupted_step_is_told_and_counts_as_left_out() {
    let (stop, memory) = (Arc::new(AtomicU64::new(0)), Memory::new());
    let asks = Arc::clone(&stop);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Reading::default())
        .with_sink(memory.clone())
        .with_interrupt(move || asks.load(Ordering::Relaxed) == 1)
        .in_background();
    for step in 0..3 {
        stop.store(step, Ordering::Relaxed);
        probes.observe(step, &number(step)).unwrap();
        let made = probes.wait();
        assert_eq!(made[0].interrupted, step == 1);
    }
    assert_eq!(steps(&memory, "value"), [0, 2]);
    assert_eq!(probes.finish().skipped, 1);
}
