//! Any records in any order: no panic, and the same findings where the run is the same.

use probes::diagnosis::{Diagnosis, Facts, Severity};
use probes::{Record, Value};
use proptest::prelude::*;

use super::{STEPS, healthy, learning, losing, record, settings, symptoms, with};

/// Tags that rules read.
const TAGS: [&str; 24] = [
    "loss/train",
    "loss/valid",
    "accuracy/valid",
    "gradient/norm",
    "gradient/layer/a/0",
    "gradient/layer/a/10",
    "gradient/layer/b",
    "gradient/noise_scale",
    "activation/dead_share",
    "activation/layer_1_relu/dead_share",
    "activation/saturated_share",
    "batch_norm/loss_gap",
    "curvature/lambda_1",
    "curvature/lambda_min",
    "curvature/lambda_1/a",
    "curvature/lambda_1/b",
    "curvature_check/lambda_1_residual",
    "stability/sharpness_ratio",
    "stability/threshold",
    "sharpness/sam",
    "parameters/norm",
    "parameters/relative_update",
    "parameters/distance_from_start",
    "training/learning_rate",
];

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..100.0f64,
        2 => (-30.0..30.0f64).prop_map(|power| 10f64.powf(power)),
        1 => Just(0.0),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN_POSITIVE), Just(-f64::MAX)],
    ]
}

/// The values of all tags at some steps, in the order of the steps.
fn run() -> impl Strategy<Value = Vec<Vec<(usize, f64)>>> {
    let step = proptest::collection::btree_map(0..TAGS.len(), number(), 0..TAGS.len());
    let step = step.prop_map(|values| values.into_iter().collect());
    proptest::collection::vec(step, 0..30)
}

fn observed(mut facts: Facts, run: &[Vec<(usize, f64)>], scale: f64) -> Facts {
    for (step, values) in run.iter().enumerate() {
        for (tag, value) in values {
            let value = if TAGS[*tag].starts_with("loss/") {
                scale * value
            } else {
                *value
            };
            facts.observe(&record(TAGS[*tag], step as u64, value));
        }
    }
    facts
}

proptest! {
    #[test]
    fn any_records_give_a_diagnosis_that_can_be_shown(run in run(), scale in number()) {
        for facts in [Facts::new(), settings()] {
            let facts = observed(facts, &run, scale);
            for found in [facts.diagnose(), facts.diagnose_under_way()] {
                let text = serde_json::to_string(&found).unwrap();
                prop_assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), found.clone());
                prop_assert!(found.markdown().len() >= found.to_string().len() / 2);
                for line in found.to_string().lines() {
                    prop_assert!(line.chars().count() <= 80, "{}", line);
                }
            }
            let several = Diagnosis::of_runs(&[facts.clone(), settings(), facts]);
            prop_assert!(several.findings.len() <= 1);
        }
    }

    #[test]
    fn order_of_the_records_of_a_step_changes_nothing(run in run()) {
        let reversed: Vec<Vec<(usize, f64)>> = run
            .iter()
            .map(|step| step.iter().rev().copied().collect())
            .collect();
        let found = |run| observed(settings(), run, 1.0).diagnose();
        prop_assert_eq!(found(&run), found(&reversed));
    }

    #[test]
    fn facts_that_were_kept_and_taken_up_again_give_the_same_diagnosis(
        run in run(),
        cut in 0usize..30,
    ) {
        let whole = observed(settings(), &run, 1.0);
        let cut = cut.min(run.len());
        // Kept before step `cut`, and all from there on seen twice.
        let kept = observed(settings(), &run[..cut], 1.0);
        let text = serde_json::to_string(&kept).unwrap();
        let mut resumed: Facts = serde_json::from_str(&text).unwrap();
        for _ in 0..2 {
            for (step, values) in run.iter().enumerate().skip(cut) {
                for (tag, value) in values {
                    resumed.observe(&record(TAGS[*tag], step as u64, *value));
                }
            }
        }
        prop_assert_eq!(resumed.diagnose(), whole.diagnose());
    }

    #[test]
    fn loss_without_classes_may_have_any_unit(power in -20.0..20.0f64) {
        let unit = 10f64.powf(power);
        let falls = losing(Facts::new(), |part| unit * (0.01 + (-8.0 * part).exp()));
        prop_assert_eq!(symptoms(&falls.diagnose()), []);
        let rises = losing(Facts::new(), |part| unit * (1.0 + 10.0 * part));
        prop_assert_eq!(rises.diagnose().findings[0].severity, Severity::Problem);
    }
}

#[test]
fn memory_is_bounded_and_the_extremes_of_a_long_run_are_kept() {
    let mut facts = Facts::new().with_classes(10);
    for step in 0..100_000_u64 {
        let loss = if step == 77_777 {
            50.0
        } else {
            2.0 * 0.999_9f64.powf(step as f64)
        };
        facts.observe(&record("loss/train", step, loss));
    }
    let size = serde_json::to_string(&facts).unwrap().len();
    assert!(size < 256 * 50, "{size} bytes");
    let found = facts.diagnose();
    let peak = &found.findings[0].evidence[0];
    assert_eq!((peak.step, peak.value), (77_777, 50.0));
    // Tags without number.
    for layer in 0..20_000 {
        facts.observe(&record(&format!("gradient/layer/{layer}"), 0, 1.0));
    }
    let size = serde_json::to_string(&facts).unwrap().len();
    assert!(size < 8192 * 300, "{size} bytes");
}

#[test]
fn run_of_one_step_has_a_diagnosis() {
    let facts = with(settings(), "loss/train", &[(0, 2.3)]);
    assert_eq!(symptoms(&facts.diagnose()), []);
    let facts = with(Facts::new(), "loss/train", &[(0, 2.3)]);
    // Without more than its first step nothing is known of how it goes on.
    assert!(
        facts
            .diagnose()
            .findings
            .iter()
            .all(|f| f.severity < Severity::Problem)
    );
    let facts = with(settings(), "loss/train", &[(0, f64::NAN)]);
    let _ = facts.diagnose();
}

#[test]
fn tags_of_others_are_no_facts() {
    let facts = with(healthy(), "mine/number", &[(0, f64::NAN)]);
    let text = Record {
        tag: "loss/train".to_owned(),
        step: STEPS + 1,
        value: Value::Text("2.3".to_owned()),
    };
    let mut facts = facts;
    facts.observe(&text);
    assert_eq!(symptoms(&facts.diagnose()), []);
    let told = learning(Facts::new().with_training_loss("mine/loss"));
    let told = with(told, "mine/loss", &[(0, 1.0), (1, f64::NAN)]);
    assert!(!told.diagnose().findings.is_empty());
}
