//! The settings that make trainings fail, and those that mend them: what they do, in closed form.

use serde_json::Value;

use crate::program::{Ended, Workplace, summary};

/// Steps that change nothing in single precision, so that a figure is that of the initial weights.
const STILL: [&str; 2] = ["--learning-rate", "1e-30"];

#[track_caller]
fn trained(place: &Workplace, name: &str, flags: &[&str]) -> Value {
    let arguments = [
        &[
            "train",
            "--output",
            name,
            "--epochs",
            "1",
            "--weight-decay",
            "0",
        ],
        flags,
    ];
    place.landscape(&arguments.concat()).expect(0, &[]);
    summary(&place.path(name))
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn plain_settings_that_are_said_change_no_bit() {
    let place = Workplace::new();
    let said = [
        "--initialisation=uniform",
        "--init-scale=1",
        "--random-labels=0",
        "--examples=100000",
        // Longer than any gradient here.
        "--clip=1e6",
    ];
    let [plain, said] = [("plain", &[][..]), ("said", &said[..])]
        .map(|(name, flags)| trained(&place, name, flags)["weights_crc32c"].clone());
    assert_eq!(plain, said);
}

#[test]
fn zero_weights_give_every_class_the_same_probability() {
    let place = Workplace::new();
    for (name, flags) in [
        ("mlp", &["--model=mlp", "--initialisation=zero"][..]),
        ("cnn", &["--model=cnn", "--initialisation=zero"]),
        // Equal biases of the last layer change no probability.
        (
            "bias",
            &["--model=mlp", "--initialisation=zero", "--init-bias=-3"],
        ),
    ] {
        let summary = trained(&place, name, &[flags, &STILL].concat());
        let loss = number(&summary["figures"]["validation_loss"]);
        // Single precision.
        assert!((loss - 10_f64.ln()).abs() < 1e-6, "{name}: {loss}");
    }
}

#[test]
fn rescaled_layers_are_the_same_function_with_other_curvature() {
    let place = Workplace::new();
    for model in ["mlp", "cnn"] {
        let figures = |name: &str, flags: &[&str]| {
            let flags = [&["--model", model][..], &STILL, flags].concat();
            let summary = trained(&place, &format!("{model}-{name}"), &flags);
            summary["figures"].clone()
        };
        let (plain, rescaled) = (figures("plain", &[]), figures("rescaled", &["--rescale=8"]));
        // A power of two: the same to the bit.
        assert_eq!(plain["validation_loss"], rescaled["validation_loss"]);
        let lambda = |figures: &Value| number(&figures["lambda_1"]["value"]);
        assert!(lambda(&rescaled) > 4.0 * lambda(&plain), "{model}");
    }
}

#[test]
fn depth_and_norms_have_their_parameters() {
    let place = Workplace::new();
    let parameters = |model: &str, depth: &str| {
        let name = format!("{model}-{depth}");
        let mut flags = vec!["--model", model];
        if !depth.is_empty() {
            flags.extend(["--depth", depth]);
        }
        number(&trained(&place, &name, &[&flags[..], &STILL].concat())["parameters"])
    };
    // Convolutions of 16 channels, 3 by 3, with biases; gain and shift of a norm.
    let (convolution, norm) = (16.0 * 16.0 * 9.0 + 16.0, 2.0 * 16.0);
    let cnn = parameters("cnn", "");
    assert_eq!(parameters("cnn", "2") - cnn, 2.0 * convolution);
    assert_eq!(parameters("cnn-residual", "2") - cnn, 2.0 * convolution);
    let normed = parameters("cnn-batch-norm", "");
    assert_eq!(
        parameters("cnn-batch-norm", "2") - normed,
        2.0 * (convolution + norm)
    );
    // One hidden layer of 16.
    assert_eq!(
        parameters("mlp-batch-norm", "") - parameters("mlp", ""),
        norm
    );
}

#[test]
fn random_labels_are_training_labels_alone_and_examples_are_fewer() {
    let place = Workplace::new();
    let plain = trained(&place, "plain", &STILL)["data"].clone();
    let random = trained(
        &place,
        "random",
        &[&["--random-labels=0.5"][..], &STILL].concat(),
    );
    let (random, again) = (
        random["data"].clone(),
        trained(
            &place,
            "again",
            &[&["--random-labels=0.5", "--seed=7"][..], &STILL].concat(),
        )["data"]
            .clone(),
    );
    assert_ne!(plain["crc32c"]["training"], random["crc32c"]["training"]);
    assert_eq!(
        plain["crc32c"]["validation"],
        random["crc32c"]["validation"]
    );
    assert_eq!(plain["crc32c"]["test"], random["crc32c"]["test"]);
    // They depend on the split, so that seeds can be compared.
    assert_eq!(random, again);
    let few = trained(&place, "few", &["--examples=100"]);
    assert_eq!(few["data"]["training"], 100);
    assert_eq!(few["data"]["validation"], plain["validation"]);
    // Batches of 64.
    assert_eq!(few["steps"], 2);
}

#[test]
fn clipped_step_has_the_length_of_the_rate_times_the_bound() {
    let place = Workplace::new();
    let flags = [
        "--examples=128",
        "--batch-size=128",
        "--momentum=0",
        "--learning-rate=0.5",
        "--clip=0.01",
        "--probe-updates=end",
    ];
    let summary = trained(&place, "clipped", &flags);
    assert_eq!(summary["steps"], 1);
    let moved = number(&summary["last_scalars"]["parameters/distance_from_start"]["value"]);
    // The gradient of the first step is longer than 0.01; weights in single precision.
    assert!((moved / 0.005 - 1.0).abs() < 1e-3, "{moved}");
}

#[test]
fn setting_that_the_network_has_no_use_for_is_refused() {
    let place = Workplace::new();
    let refused = |flags: &[&str], words: &[&str]| -> Ended {
        let arguments = [&["train", "--output=never"], flags].concat();
        let ended = place.landscape(&arguments).expect(2, words);
        assert!(!place.path("never").exists());
        ended
    };
    refused(&["--depth=2"], &["--depth", "here the model is mlp"]);
    refused(
        &["--norm-momentum=0.5"],
        &["--norm-momentum", "running statistics", "mlp"],
    );
    refused(
        &["--initialisation=zero", "--init-scale=2"],
        &["--init-scale", "zero"],
    );
    refused(
        &["--rescale=2", "--activation=tanh"],
        &["--rescale", "relu", "tanh"],
    );
    refused(
        &["--rescale=2", "--model=mlp-batch-norm"],
        &["--rescale", "mlp-batch-norm"],
    );
    refused(&["--clip=1", "--method=sam"], &["--clip", "sam"]);
    refused(
        &["--random-labels=1.5"],
        &["--random-labels", "from 0 to 1"],
    );
    refused(&["--init-bias=nan"], &["--init-bias", "finite"]);
}
