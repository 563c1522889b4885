//! Causes before consequences, and the reports.

use probes::diagnosis::{Diagnosis, Severity, Symptom};

use super::{STEPS, at_chance, has, healthy, losing, settings, sound_gradients, symptoms, with};

/// A run whose rate was too high: its loss jumped, its units died, and nothing moves any more.
fn thrown() -> probes::diagnosis::Facts {
    let facts = losing(settings(), |part| {
        if part > 0.0 && part < 0.02 {
            80.0
        } else {
            10f64.ln()
        }
    });
    let facts = sound_gradients(facts);
    let facts = with(facts, "gradient/norm", &[(STEPS + 1, 0.0)]);
    let facts = with(facts, "stability/sharpness_ratio", &[(0, 9.0), (10, 0.0)]);
    let facts = with(facts, "activation/dead_share", &[(0, 0.0), (50, 1.0)]);
    with(facts, "curvature/lambda_1", &[(0, 300.0), (STEPS, 0.0)])
}

#[test]
fn units_that_a_high_rate_has_killed_stand_after_it() {
    let found = thrown().diagnose();
    assert_eq!(found.findings[0].symptom, Symptom::LearningRateTooHigh);
    for symptom in [Symptom::DeadUnits, Symptom::SaddleOrFlat] {
        let finding = found.find(symptom).unwrap();
        assert_eq!(finding.consequence_of, Some(Symptom::LearningRateTooHigh));
    }
    let causes = found
        .findings
        .iter()
        .take_while(|finding| finding.consequence_of.is_none());
    let later = &found.findings[causes.count()..];
    assert!(later.iter().all(|finding| {
        finding.consequence_of.is_some() || finding.severity < Severity::Problem
    }));
}

#[test]
fn weights_of_zero_are_a_vanishing_gradient_with_its_consequences() {
    let facts = at_chance(settings());
    let facts = with(facts, "gradient/norm", &[(0, 0.1), (STEPS, 1e-5)]);
    let facts = with(facts, "gradient/layer/hidden/0", &[(0, 0.0), (STEPS, 0.0)]);
    let facts = with(facts, "gradient/layer/output", &[(0, 0.1), (STEPS, 1e-5)]);
    let facts = with(facts, "parameters/norm", &[(0, 0.0), (STEPS, 0.1)]);
    let facts = with(facts, "activation/dead_share", &[(0, 1.0), (STEPS, 1.0)]);
    let facts = with(facts, "curvature/lambda_1", &[(STEPS, 0.1)]);
    let facts = with(facts, "stability/sharpness_ratio", &[(0, 0.001)]);
    let found = facts.diagnose();
    assert_eq!(found.findings[0].symptom, Symptom::VanishingGradients);
    assert!(has(&facts, Symptom::SaddleOrFlat));
    let dead = found.find(Symptom::DeadUnits).unwrap();
    assert_eq!(dead.consequence_of, Some(Symptom::VanishingGradients));
    // The rate is not to blame for a gradient that is not there.
    assert!(!has(&facts, Symptom::LearningRateTooLow));
    assert!(!has(&facts, Symptom::UnfittableLabels));
}

#[test]
fn consequence_is_no_more_severe_than_its_cause() {
    for found in [thrown().diagnose(), healthy().diagnose()] {
        for finding in &found.findings {
            if let Some(cause) = finding.consequence_of {
                let cause = found.find(cause).expect("the cause is there too");
                assert!(finding.severity <= cause.severity);
            }
        }
        let severities: Vec<Severity> = found.findings.iter().map(|f| f.severity).collect();
        assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
    }
}

#[test]
fn terminal_has_a_line_of_80_columns_for_each_finding_and_one_for_none() {
    let quiet = healthy().diagnose().to_string();
    assert_eq!(quiet, "Diagnosis: no finding above note");
    let text = thrown().diagnose().to_string();
    assert!(
        text.contains("1. learning rate too high (problem, sure)"),
        "{text}"
    );
    assert!(text.contains("try: divide the learning rate by"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn markdown_names_the_evidence_and_what_was_not_looked_at() {
    let text = thrown().diagnose().markdown();
    for part in [
        "### 1. Learning rate too high",
        "`loss/train`",
        "| evidence | tag | step |",
        "To try, the most likely to help first:",
        "1. Divide the learning rate by",
        "consequence of: learning rate too high",
        "### Not looked at",
        "- BatchNorm gap: `batch_norm/loss_gap`",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn json_reads_back_as_it_was_with_numbers_that_are_not_finite() {
    let facts = with(settings(), "loss/train", &[(0, 2.3), (5, f64::NAN)]);
    let found = facts.diagnose();
    let text = serde_json::to_string(&found).unwrap();
    assert!(text.contains("\"value\":\"NaN\""), "{text}");
    assert!(text.contains("\"remedy\":\"learning_rate\""), "{text}");
    assert!(
        text.contains("\"symptom\":\"learning_rate_too_high\""),
        "{text}"
    );
    let read: Diagnosis = serde_json::from_str(&text).unwrap();
    assert_eq!(read, found);
}

#[test]
fn rules_without_their_numbers_say_what_to_switch_on() {
    let nothing = settings().diagnose();
    assert_eq!(symptoms(&nothing), []);
    assert_eq!(nothing.not_looked_at.len(), Symptom::ALL.len());
    assert!(
        nothing
            .not_looked_at
            .iter()
            .all(|left_out| !left_out.missing.is_empty())
    );
    let facts = with(settings(), "gradient/norm", &[(0, 1.0)]);
    let one = facts.diagnose();
    let missing = |symptom| one.not_looked_at.iter().any(|left| left.symptom == symptom);
    assert!(!missing(Symptom::VanishingGradients));
    assert!(missing(Symptom::SharpMinimum));
    assert!(missing(Symptom::BatchNormGap));
    // Without BatchNorm there is nothing to look for.
    let none = facts.with_batch_norm(false).diagnose();
    let missing = |symptom| {
        none.not_looked_at
            .iter()
            .any(|left| left.symptom == symptom)
    };
    assert!(!missing(Symptom::BatchNormGap) && missing(Symptom::SharpMinimum));
}
