//! A diagnosis while a run goes on.

use std::sync::{Arc, Mutex};

use probes::diagnosis::{Facts, Symptom};
use probes::sink::{Memory, Shared};
use probes::{Error, Moment, Probe};
use probes::{Message, Probes, Records, Schedule, Value, tag};

use super::{STEPS, at_chance, settings, symptoms, with};

/// A model that is a number, and its loss and gradient.
struct Numbers;

impl Probe<f64> for Numbers {
    fn name(&self) -> String {
        "numbers".to_owned()
    }

    fn measure(&mut self, moment: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
        records.scalar(tag::GRADIENT_NORM, *moment.model);
        Ok(())
    }
}

fn reports(memory: &Memory) -> Vec<(u64, String)> {
    let report = |record: probes::Record| match record.value {
        Value::Text(text) if record.tag == tag::DIAGNOSIS => Some((record.step, text)),
        _ => None,
    };
    memory.records().into_iter().filter_map(report).collect()
}

#[test]
fn problem_is_told_when_it_appears_and_the_report_comes_at_the_end() {
    let (memory, told) = (Memory::new(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&told);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Numbers)
        .with_total_steps(10)
        .with_sink(memory.clone())
        .with_diagnosis(Facts::new().with_classes(10))
        .with_handler(move |message| {
            if let Message::Warning { step, text } = message {
                heard.lock().unwrap().push((*step, (*text).to_owned()));
            }
        });
    for step in 0..=10 {
        let loss = if step < 5 { 2.3 } else { 100.0 };
        probes.log("loss/train", step, loss);
        probes.observe(step, &1.0).unwrap();
    }
    let summary = probes.finish();
    let steps: Vec<u64> = reports(&memory).iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [5, 10]);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, 5);
    assert!(
        told[0].1.starts_with("learning rate too high"),
        "{}",
        told[0].1
    );
    assert!(summary.undelivered.is_empty());
    assert!(summary.to_string().contains("learning rate too high"));
    let found = summary.diagnosis.unwrap();
    assert_eq!(found.findings[0].symptom, Symptom::LearningRateTooHigh);
    assert!(reports(&memory)[1].1.contains("Learning rate too high"));
}

#[test]
fn nothing_is_said_of_a_high_loss_before_half_of_the_run() {
    let part = |until: u64| {
        let facts = settings();
        let points: Vec<(u64, f64)> = (0..until).step_by(5).map(|step| (step, 2.31)).collect();
        let facts = with(facts, "loss/train", &points);
        with(facts, "gradient/norm", &[(0, 1.0), (until, 1e-9)])
    };
    assert_eq!(symptoms(&part(STEPS / 2 - 10).diagnose()), []);
    assert_ne!(symptoms(&part(STEPS / 2).diagnose()), []);
}

#[test]
fn run_of_unknown_length_counts_as_ended_only_when_it_has() {
    let mut facts = Facts::new().with_classes(10);
    for step in 0..200 {
        facts.observe(&super::record("loss/train", step, 2.31));
        facts.observe(&super::record("gradient/norm", step, 0.0));
    }
    assert_eq!(symptoms(&facts.diagnose_under_way()), []);
    assert_ne!(symptoms(&facts.diagnose()), []);
}

#[test]
fn facts_can_be_shared_with_the_program_and_serve_as_a_sink() {
    let facts = Shared::new(Facts::new());
    let mut probes = Probes::<f64>::unlimited().with_diagnosis(facts.clone());
    probes.log("loss/train", 0, 1.0);
    assert_eq!(facts.with(|facts| facts.diagnose().step), Some(Some(0)));
    let sink = Shared::new(Facts::new());
    let mut probes = Probes::<f64>::unlimited().with_sink(sink.clone());
    probes.log("loss/train", 3, 1.0);
    assert_eq!(sink.with(|facts| facts.diagnose().step), Some(Some(3)));
    // Without records there is nothing to report.
    let memory = Memory::new();
    let probes = Probes::<f64>::unlimited()
        .with_diagnosis(Facts::new())
        .with_sink(memory.clone());
    assert!(probes.finish().diagnosis.is_some());
    assert_eq!(reports(&memory), []);
    let _ = at_chance(settings());
}
