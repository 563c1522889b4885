//! Diagnoses from records.

mod live;
mod order;
mod robustness;
mod rules;

use landscape::stability::Optimiser;
use probes::diagnosis::{Diagnosis, Facts, Finding, Severity, Symptom};
use probes::{Record, Value};

/// Steps of the runs.
const STEPS: u64 = 1000;

/// Settings of a run: ten classes, momentum 0.9, rate 0.1.
fn settings() -> Facts {
    let (momentum, dampening) = (0.9, 0.0);
    Facts::new()
        .with_classes(10)
        .with_total_steps(STEPS)
        .with_learning_rate(0.1)
        .with_optimiser(Optimiser::HeavyBall {
            momentum,
            dampening,
        })
        .with_validation_examples(300)
        .with_examples(1024)
}

/// The sum of its rates, each ten times as long with momentum 0.9.
const PATH: f64 = 0.1 * 10.0 * 1000.0;

fn record(tag: &str, step: u64, value: f64) -> Record {
    Record {
        tag: tag.to_owned(),
        step,
        value: Value::Scalar(value),
    }
}

fn with(mut facts: Facts, tag: &str, points: &[(u64, f64)]) -> Facts {
    for (step, value) in points {
        facts.observe(&record(tag, *step, *value));
    }
    facts
}

/// Adds a training loss every 5 steps, with a sampling error of some percent.
fn losing(mut facts: Facts, loss: impl Fn(f64) -> f64) -> Facts {
    for step in (0..STEPS).step_by(5) {
        let noise = 0.02 * (step as f64 * 0.7).sin();
        let value = loss(step as f64 / STEPS as f64) * (1.0 + noise);
        facts.observe(&record("loss/train", step, value));
    }
    facts
}

/// Adds a loss that stays at that of guessing.
fn at_chance(facts: Facts) -> Facts {
    losing(facts, |_| 10f64.ln())
}

/// Adds a loss that falls as it should.
fn learning(facts: Facts) -> Facts {
    losing(facts, |part| 0.02 + 2.28 * (-8.0 * part).exp())
}

/// Adds sound gradients: alive at the start, of one size in all layers.
fn sound_gradients(facts: Facts) -> Facts {
    let facts = with(
        facts,
        "gradient/norm",
        &[(0, 1.5), (500, 0.5), (STEPS, 0.3)],
    );
    let layers = ["hidden/0", "hidden/1", "output"];
    layers.iter().fold(facts, |facts, layer| {
        let tag = format!("gradient/layer/{layer}");
        with(facts, &tag, &[(0, 0.9), (STEPS, 0.1)])
    })
}

/// A run in which nothing is wrong, with every number that rules look at.
fn healthy() -> Facts {
    let facts = sound_gradients(learning(settings()));
    let last: [(&str, &[(u64, f64)]); 14] = [
        ("loss/valid", &[(0, 2.3), (500, 0.2), (STEPS, 0.1)]),
        ("accuracy/valid", &[(0, 0.1), (500, 0.94), (STEPS, 0.97)]),
        ("curvature/lambda_1", &[(0, 8.0), (STEPS, 30.0)]),
        ("curvature/lambda_min", &[(0, -0.5), (STEPS, -0.3)]),
        (
            "curvature_check/lambda_1_residual",
            &[(0, 1e-3), (STEPS, 1e-3)],
        ),
        ("curvature/lambda_1/output", &[(STEPS, 20.0)]),
        ("curvature/lambda_1/hidden/0", &[(STEPS, 5.0)]),
        (
            "stability/sharpness_ratio",
            &[(0, 0.2), (500, 0.9), (STEPS, 0.1)],
        ),
        (
            "stability/threshold",
            &[(0, 38.0), (500, 40.0), (STEPS, 300.0)],
        ),
        ("sharpness/sam", &[(0, 0.05), (STEPS, 0.08)]),
        ("activation/dead_share", &[(0, 0.0), (STEPS, 0.12)]),
        ("activation/saturated_share", &[(0, 0.0), (STEPS, 0.02)]),
        ("batch_norm/loss_gap", &[(STEPS, -0.05)]),
        ("parameters/norm", &[(0, 9.0), (STEPS, 12.0)]),
    ];
    last.into_iter()
        .fold(facts, |facts, (tag, points)| with(facts, tag, points))
}

fn symptoms(diagnosis: &Diagnosis) -> Vec<Symptom> {
    let of = |finding: &Finding| finding.symptom;
    diagnosis.findings.iter().map(of).collect()
}

fn severity(facts: &Facts, symptom: Symptom) -> Option<Severity> {
    let found = facts.diagnose();
    found.find(symptom).map(|finding| finding.severity)
}

fn has(facts: &Facts, symptom: Symptom) -> bool {
    severity(facts, symptom).is_some()
}
