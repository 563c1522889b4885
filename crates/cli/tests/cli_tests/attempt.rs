//! `landscape try`: a remedy is trained as one would by hand, and what cannot be tried is said.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Workplace, summary};

/// A finding with remedies, as a diagnosis has it.
fn finding(symptom: &str, remedies: Value) -> Value {
    json!({
        "symptom": symptom,
        "severity": "problem",
        "confidence": "likely",
        "sentence": "a sentence",
        "evidence": [],
        "meaning": "a meaning",
        "remedies": remedies,
    })
}

/// A short run in runs/mine with the findings that a test needs.
fn place() -> Workplace {
    let place = Workplace::new();
    place
        .landscape(&["train", "--output=runs/mine", "--learning-rate=0.001"])
        .expect(0, &[]);
    let findings = json!([
        finding(
            "unfittable_labels",
            json!([{"remedy": "clean_labels"}, {"remedy": "scale_inputs"}])
        ),
        finding(
            "learning_rate_too_low",
            json!([{"remedy": "warmup", "steps": 10}, {"remedy": "learning_rate", "factor": 64.0}, {"remedy": "normalisation"}])
        ),
        finding("sharp_minimum", json!([])),
    ]);
    let diagnosis = json!({"step": 46, "findings": findings, "not_looked_at": []});
    fs::write(
        place.path("runs/mine/diagnosis.json"),
        diagnosis.to_string(),
    )
    .unwrap();
    place
}

#[test]
fn remedy_is_trained_beside_the_run_as_by_hand_and_compared() {
    let place = place();
    let before = summary(&place.path("runs/mine"));
    // A bare name, too.
    let ended = place
        .landscape(&["try", "mine", "--finding", "2", "--json"])
        .expect(
            0,
            &["learning rate too low", "multiply the learning rate by 64"],
        );
    let document = ended.json();
    let after = summary(&place.path("runs/mine-try-2"));
    let by_hand = ["train", "--output=by-hand", "--learning-rate=0.064"];
    place.landscape(&by_hand).expect(0, &[]);
    let by_hand = summary(&place.path("by-hand"));
    assert_eq!(after["weights_crc32c"], by_hand["weights_crc32c"]);
    assert_eq!(
        document["changes"],
        json!([{"setting": "learning_rate", "before": "0.001", "after": "0.064"}])
    );
    for (side, summary) in [("before", &before), ("after", &after)] {
        for figure in ["validation_loss", "validation_accuracy"] {
            assert_eq!(document[side][figure], summary["figures"][figure], "{side}");
        }
    }
    // Two epochs with a thousandth learn nothing.
    assert_eq!(document["effect"], "helped");
    assert_eq!(document["before"]["findings"].as_array().unwrap().len(), 3);
}

#[test]
fn table_says_what_changed_and_whether_it_helped_within_eighty_columns() {
    let place = place();
    let flags = [
        "try",
        "runs/mine",
        "--finding=2",
        "--remedy=3",
        "--output=tried",
    ];
    let ended = place.landscape(&flags).expect(0, &[]);
    for words in [
        "model",
        "mlp-batch-norm",
        "validation loss",
        "findings",
        "(one seed)",
    ] {
        assert!(ended.out.contains(words), "no {words:?} in {}", ended.out);
    }
    let table = ended.out.lines().take_while(|line| !line.is_empty());
    for line in table {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Nothing is written over.
    place.landscape(&flags).expect(2, &["tried", "--overwrite"]);
}

#[test]
fn training_that_diverges_with_the_remedy_is_reported_as_such() {
    let place = place();
    let path = place.path("runs/mine/diagnosis.json");
    let worse = finding(
        "learning_rate_too_low",
        json!([{"remedy": "learning_rate", "factor": 1e40}]),
    );
    fs::write(&path, json!({"findings": [worse]}).to_string()).unwrap();
    let ended = place.landscape(&["try", "mine", "--json"]).expect(1, &[]);
    let document = ended.json();
    assert_eq!(document["effect"], "harmed");
    assert_eq!(document["after"]["diverged"], true);
    assert_eq!(document["after"]["validation_loss"], Value::Null);
}

#[test]
fn what_cannot_be_tried_is_said_in_one_sentence() {
    let place = place();
    let refused = |flags: &[&str], words: &[&str]| {
        let ended = place
            .landscape(&[&["try"], flags].concat())
            .expect(2, words);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    };
    refused(&["mine", "--finding=4"], &["--finding 4", "1 to 3"]);
    refused(&["mine", "--finding=0"], &["--finding 0", "1 to 3"]);
    refused(
        &["mine", "--finding=1"],
        &[
            "labels",
            "no remedy is a change of settings",
            "largest loss",
            "standard deviation",
        ],
    );
    refused(
        &["mine", "--finding=2", "--remedy=1"],
        &["--remedy 1", "no change of settings", "10 steps"],
    );
    refused(
        &["mine", "--finding=2", "--remedy=9"],
        &["--remedy 9", "1 to 3"],
    );
    refused(&["mine", "--finding=3"], &["no remedy"]);
    refused(&["nobody"], &["no run nobody"]);
    fs::write(
        place.path("runs/mine/diagnosis.json"),
        r#"{"findings": []}"#,
    )
    .unwrap();
    refused(&["mine"], &["no findings"]);
    fs::remove_file(place.path("runs/mine/diagnosis.json")).unwrap();
    refused(&["mine"], &["no diagnosis"]);
    fs::remove_file(place.path("runs/mine/summary.json")).unwrap();
    refused(&["mine"], &["not finished", "--resume"]);
    assert!(!place.path("runs/mine-try-1").exists());
}

#[test]
fn training_that_was_made_to_fail_is_diagnosed_and_mended() {
    let place = Workplace::new();
    let flags = ["train", "--output=runs/hot", "--learning-rate=1000"];
    let _ = place.landscape(&flags);
    let ended = place.landscape(&["try", "hot", "--json"]).expect(0, &[]);
    let document = ended.json();
    assert_eq!(
        document["symptom"], "learning_rate_too_high",
        "{document:#}"
    );
    assert_eq!(document["effect"], "helped");
}
