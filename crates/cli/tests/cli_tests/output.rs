//! What the program says and writes when all is well.

use crate::program::{Workplace, event_files, summary};
use serde_json::Value;

#[test]
fn every_help_has_an_example() {
    let place = Workplace::new();
    for arguments in [
        &["--help"][..],
        &["list", "--help"],
        &["run", "--help"],
        &["train", "--help"],
        &["measure", "--help"],
        &["measure", "-h"],
        &["spectrum", "--help"],
        &["sharpness", "--help"],
        &["critical", "--help"],
        &["surface", "--help"],
        &["line", "--help"],
        &["connect", "--help"],
        &["trajectory", "--help"],
        &["train", "-h"],
        &["compare", "--help"],
        &["completions", "--help"],
        &["serve", "--help"],
        &["help", "--help"],
    ] {
        let ended = place.landscape(arguments).expect(0, &[]);
        assert!(
            ended.out.contains("Example:\n  landscape "),
            "{}",
            ended.out
        );
    }
}

#[test]
fn list_shows_runs_in_the_order_of_the_file() {
    let place = Workplace::new();
    let ended = place.landscape(&["list"]).expect(0, &[]);
    assert!(ended.out.contains("one training"));
    assert!(
        !ended.out.contains('\u{1b}'),
        "no colour without a terminal"
    );
    let json = place.landscape(&["list", "--json"]).expect(0, &[]).json();
    let names: Vec<_> = json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["one", "pair"]);
    assert_eq!(json["runs"][1]["trainings"][0]["name"], "sgd");
    assert_eq!(json["runs"][1]["trainings"][1]["config"]["rho"], 0.1);
}

#[test]
fn same_seed_gives_the_same_summary_but_for_times() {
    let place = Workplace::new();
    place
        .landscape(&["run", "pair", "--output", "a"])
        .expect(0, &[]);
    place
        .landscape(&["run", "pair", "--output", "b"])
        .expect(0, &[]);
    for member in ["sgd", "sam"] {
        let a = summary(&place.path("a").join(member));
        assert_eq!(a, summary(&place.path("b").join(member)));
        assert_eq!(a["schema"], "landscape-summary/2");
        assert!(
            a["last_scalars"]
                .as_object()
                .unwrap()
                .keys()
                .all(|tag| !tag.starts_with("cost/"))
        );
    }
    let sgd = summary(&place.path("a/sgd"));
    assert_ne!(
        sgd["weights_crc32c"],
        summary(&place.path("a/sam"))["weights_crc32c"]
    );
    place
        .landscape(&["run", "pair", "--seed", "7", "--output", "c"])
        .expect(0, &[]);
    assert_ne!(
        sgd["weights_crc32c"],
        summary(&place.path("c/sgd"))["weights_crc32c"]
    );
}

#[test]
fn members_of_a_group_start_from_the_same_weights_and_batches() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let first = |member: &str| {
        event_files(&place.path("runs/pair").join(member))[0].scalars("loss/train")[0]
    };
    assert_eq!(first("sgd"), first("sam"));
}

#[test]
fn last_scalars_are_those_of_the_event_file() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let text = std::fs::read_to_string(place.path("runs/one/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let files = event_files(&place.path("runs/one"));
    let mut tags = 0;
    for last in [&summary["last_scalars"], &summary["times"]["last_scalars"]] {
        for (tag, point) in last.as_object().unwrap() {
            let (step, value) = *files[0].scalars(tag).last().unwrap();
            assert_eq!(point["step"].as_i64(), Some(step), "{tag}");
            #[expect(clippy::cast_possible_truncation, reason = "event files hold f32")]
            let rounded = point["value"].as_f64().unwrap() as f32;
            assert_eq!(rounded, value, "{tag}");
            tags += 1;
        }
    }
    assert!(tags >= 2);
}

#[test]
fn json_is_all_that_is_on_standard_output() {
    let place = Workplace::new();
    let json = place
        .landscape(&["run", "pair", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(json["runs"][1]["summary"]["name"], "sam");
    assert_eq!(json["interrupted"], Value::Null);
    let json = place
        .landscape(&["compare", "pair", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(json["runs"].as_array().unwrap().len(), 2);
    let json = place
        .landscape(&["run", "none", "--json"])
        .expect(2, &[])
        .json();
    assert_eq!(json["error"]["code"], 2);
}

#[test]
fn flags_override_the_file() {
    let place = Workplace::new();
    let arguments = [
        "run",
        "pair",
        "--rho",
        "0.2",
        "--learning-rate",
        "0.02",
        "--epochs",
        "1",
        "--hidden",
        "8,8",
    ];
    place.landscape(&arguments).expect(0, &[]);
    let config = &summary(&place.path("runs/pair/sam"))["config"];
    assert_eq!(config["rho"], 0.2);
    assert_eq!(config["learning_rate"], 0.02);
    assert_eq!(config["epochs"], 1);
    assert_eq!(config["hidden"], serde_json::json!([8, 8]));
}

#[test]
fn train_takes_the_defaults_and_flags() {
    let place = Workplace::new();
    let ended = place.landscape(&[
        "train",
        "--model",
        "residual-mlp",
        "--hidden",
        "16,16",
        "--output",
        "mine",
    ]);
    let ended = ended.expect(0, &[]);
    assert!(
        ended.out.contains("tensorboard --logdir mine"),
        "{}",
        ended.out
    );
    assert_eq!(
        summary(&place.path("mine"))["config"]["model"],
        "residual-mlp"
    );
}

#[test]
fn compare_puts_finished_runs_side_by_side() {
    let place = Workplace::new();
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let ended = place.landscape(&["compare", "runs/pair"]).expect(0, &[]);
    for word in [
        "sgd",
        "sam over sgd",
        "lambda_1",
        "its residual",
        "trace",
        "its standard error",
        "SAM sharpness",
        "seconds",
        "share of time in probes",
    ] {
        assert!(ended.out.contains(word), "no {word} in {}", ended.out);
    }
}

#[test]
fn schedules_of_the_learning_rate_follow_their_formulas() {
    let place = Workplace::new();
    // 17 steps in an epoch: 1,079 examples in batches of 64.
    let rates = |more: &[&str]| {
        let arguments = [
            &[
                "run",
                "one",
                "--epochs",
                "3",
                "--learning-rate",
                "0.1",
                "--overwrite",
            ],
            more,
        ]
        .concat();
        place.landscape(&arguments).expect(0, &[]);
        event_files(&place.path("runs/one"))[0].scalars("training/learning_rate")
    };
    assert!(
        rates(&["--schedule", "constant"])
            .iter()
            .all(|(_, rate)| *rate == 0.1)
    );
    for (step, rate) in rates(&["--schedule", "cosine"]) {
        let exact = 0.05
            * (1.0 + (std::f64::consts::PI * f64::from(i32::try_from(step).unwrap()) / 51.0).cos());
        // Event files hold f32.
        assert!((f64::from(rate) - exact).abs() < 1e-8, "{step}");
    }
    for (step, rate) in rates(&[
        "--schedule",
        "step",
        "--step-epochs",
        "1",
        "--step-factor",
        "0.5",
    ]) {
        let exact = 0.1 * 0.5_f64.powi(i32::try_from(step / 17).unwrap());
        assert!((f64::from(rate) - exact).abs() < 1e-8, "{step}");
    }
}

/// Every probe at many moments, in a small form.
const ALL_PROBES: &[&str] = &[
    "--probe-gradient",
    "every 10",
    "--probe-eigenvalues",
    "every 10",
    "--probe-trace",
    "every 10",
    "--probe-sharpness",
    "every 10",
    "--probe-density",
    "every 20",
    "--probe-density-starts",
    "1",
    "--probe-line",
    "every 20",
    "--probe-surface",
    "every 20",
    "--probe-grid",
    "5",
];

#[test]
fn pictures_are_files_and_events_and_histograms_and_texts_are_events() {
    let place = Workplace::new();
    let ended = place.landscape(&[&["run", "one"], ALL_PROBES].concat());
    let ended = ended.expect(0, &[]);
    assert!(ended.out.contains("runs/one/*.png"), "{}", ended.out);
    let summary = summary(&place.path("runs/one"));
    let pictures = summary["pictures"].as_array().unwrap();
    // Line, surface, density, and the density over time.
    assert_eq!(pictures.len(), 4);
    for picture in pictures {
        let bytes = std::fs::read(place.path("runs/one").join(picture.as_str().unwrap())).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
    }
    let events = &event_files(&place.path("runs/one"))[0];
    let has = |wanted: fn(&tensorboard::SummaryValue) -> bool| {
        events.points.iter().any(|p| wanted(&p.value))
    };
    assert!(has(|value| matches!(
        value,
        tensorboard::SummaryValue::Histogram(_)
    )));
    assert!(has(|value| matches!(
        value,
        tensorboard::SummaryValue::Image(_)
    )));
    assert!(has(|value| matches!(
        value,
        tensorboard::SummaryValue::Text(_)
    )));
}

#[test]
fn probes_do_not_change_the_training() {
    let place = Workplace::new();
    let network = ["run", "one", "--model", "cnn-batch-norm", "--method", "sam"];
    let with = [&network, ALL_PROBES, &["--output", "with"]].concat();
    place.landscape(&with).expect(0, &[]);
    let never = [
        "--probe-loss",
        "never",
        "--probe-eigenvalues",
        "never",
        "--output",
        "without",
    ];
    place
        .landscape(&[&network[..], &never].concat())
        .expect(0, &[]);
    let (with, without) = (place.path("with"), place.path("without"));
    assert_eq!(
        summary(&with)["weights_crc32c"],
        summary(&without)["weights_crc32c"]
    );
    let losses = |directory| event_files(directory)[0].scalars("loss/train");
    assert_eq!(losses(&with), losses(&without));
}

#[test]
fn repository_has_its_five_runs() {
    let place = Workplace::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../workspace.toml");
    let json = place
        .landscape(&["list", "--json", "--workspace", file])
        .expect(0, &[])
        .json();
    let names: Vec<_> = json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["name"].as_str().unwrap())
        .collect();
    for name in [
        "quickstart",
        "digits-mlp-sgd",
        "digits-mlp-sam",
        "mnist-cnn-sgd",
        "mnist-cnn-sam",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(json["runs"][0]["trainings"].as_array().unwrap().len(), 2);
}

/// The rows of a CSV file, the header first.
fn table(path: &std::path::Path) -> (Vec<String>, Vec<Vec<f64>>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header = lines
        .next()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect();
    let rows = lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect());
    (header, rows.collect())
}

#[test]
fn numbers_of_the_pictures_lie_beside_them() {
    let place = Workplace::new();
    let all = ["run", "one", "--curvature-examples", "1079"];
    place
        .landscape(
            &[
                &all,
                &[
                    "--probe-line",
                    "end",
                    "--probe-surface",
                    "end",
                    "--probe-density",
                    "end",
                    "--probe-grid",
                    "5",
                ][..],
            ]
            .concat(),
        )
        .expect(0, &[]);
    let run = place.path("runs/one");
    let summary = summary(&run);
    assert_eq!(
        summary["numbers"],
        serde_json::json!([
            "curvature-density-nodes.csv",
            "curvature-density.csv",
            "curvature-density.json",
            "landscape-line.csv",
            "landscape-line.json",
            "landscape-surface.csv",
            "landscape-surface.json",
        ])
    );
    let json = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(run.join(name)).unwrap()).unwrap()
    };
    let losses = &summary["figures"];
    let near = |a: f64, b: &Value| (a / b.as_f64().unwrap() - 1.0).abs() < 1e-5;
    // The middle of both slices is the network itself: its losses were measured by other means.
    let (header, surface) = table(&run.join("landscape-surface.csv"));
    assert_eq!(header, ["a", "b", "loss"]);
    assert_eq!(surface.len(), 25);
    assert_eq!(surface[12][..2], [0.0, 0.0]);
    assert!(near(surface[12][2], &losses["training_loss"]));
    let (header, line) = table(&run.join("landscape-line.csv"));
    assert_eq!(header, ["a", "training sample", "validation"]);
    assert!(near(line[20][1], &losses["training_loss"]));
    assert!(near(line[20][2], &losses["validation_loss"]));
    // The trace is P times the mean of the density, and the first of its moments.
    let (_, nodes) = table(&run.join("curvature-density-nodes.csv"));
    let weight: f64 = nodes.iter().map(|row| row[1]).sum();
    assert!((weight - 1.0).abs() < 1e-12, "{weight}");
    let mean: f64 = nodes.iter().map(|row| row[0] * row[1]).sum();
    let trace = mean * summary["parameters"].as_f64().unwrap();
    let measured = &summary["figures"]["trace"];
    let (value, error) = (
        measured["value"].as_f64().unwrap(),
        measured["standard_error"].as_f64().unwrap(),
    );
    // Four starts of their own; the estimate of the other has the smaller error.
    assert!(
        (trace - value).abs() < 10.0 * error,
        "{trace} and {value} +- {error}"
    );
    let (_, density) = table(&run.join("curvature-density.csv"));
    let area: f64 = density
        .windows(2)
        .map(|w| (w[1][0] - w[0][0]) * (w[0][1] + w[1][1]) / 2.0)
        .sum();
    assert!((area - 1.0).abs() < 1e-3, "{area}");
    // JSON and CSV have the same numbers.
    let document = json("landscape-surface.json");
    assert_eq!(document["step"], 34);
    let losses: Vec<f64> = document["loss"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    assert_eq!(losses, surface.iter().map(|row| row[2]).collect::<Vec<_>>());
    assert!(json("curvature-density.json")["nodes"].is_array());
    assert!(json("landscape-line.json")["curves"].is_array());
}

#[test]
fn help_has_topics_and_a_short_form() {
    let place = Workplace::new();
    let out = |arguments: &[&str]| place.landscape(arguments).expect(0, &[]).out;
    let short = out(&["train", "-h"]);
    assert!(short.lines().count() < 50, "{short}");
    assert!(!short.contains("--probe-grid") && !short.contains("--sam-k"));
    assert!(short.contains("landscape help probes"));
    let long = out(&["train", "--help"]);
    for (topic, flag) in [("probes", "--probe-grid"), ("methods", "--sam-k")] {
        let help = out(&["help", topic]);
        assert!(help.contains(flag) && help.contains("Example:\n  landscape "));
        assert!(long.contains(flag));
    }
    let help = out(&["help", "landscapes"]);
    for command in ["surface", "line", "connect", "trajectory"] {
        assert!(help.contains(command), "{help}");
    }
    for (command, flag) in [
        (&["help", "measure"][..], &["measure", "--help"][..]),
        (&["help"], &["--help"]),
    ] {
        assert_eq!(out(command).trim_end(), out(flag).trim_end());
    }
    let ended = place.landscape(&["help", "probe"]);
    ended.expect(
        2,
        &[
            "did you mean `probes`?",
            "methods, files, landscapes, list, run",
        ],
    );
}

#[test]
fn help_names_the_devices_that_are_there_and_no_other() {
    let help = Workplace::new().landscape(&["train", "--help"]).out;
    let others = [
        ("ndarray", cfg!(feature = "ndarray")),
        ("wgpu", cfg!(feature = "wgpu")),
        ("cuda", cfg!(feature = "cuda")),
    ];
    for (device, built) in others {
        assert_eq!(help.contains(device), built, "{device}");
    }
}

#[test]
fn shells_get_completions() {
    let place = Workplace::new();
    for (shell, words) in [
        ("bash", "complete -F _landscape"),
        ("zsh", "#compdef landscape"),
        ("fish", "complete -c landscape"),
    ] {
        let ended = place.landscape(&["completions", shell]).expect(0, &[]);
        assert!(ended.out.contains(words) && ended.out.contains("eigenvalues"));
        for flag in [
            "gauss-newton",
            "adaptive-box",
            "gradient-tolerance",
            "orthogonal",
            "no-plane",
            "margin",
        ] {
            assert!(ended.out.contains(flag), "{shell}: {flag}");
        }
    }
    place
        .landscape(&["completions", "csh"])
        .expect(2, &["bash"]);
}

#[test]
fn dry_run_says_the_sizes_and_leaves_nothing_behind() {
    let place = Workplace::new();
    let ended = place
        .landscape(&["run", "pair", "--dry-run", "--json", "--keep=all"])
        .expect(0, &[]);
    let json = ended.json();
    let estimates = json["dry_run"].as_array().unwrap();
    assert_eq!(estimates.len(), 2);
    for estimate in estimates {
        // 64 x 16 + 16 + 16 x 10 + 10; 1,079 examples in batches of 64, twice; checkpoints at 0, 17
        // and 34.
        assert_eq!(estimate["parameters"], 1210);
        assert_eq!(estimate["steps"], 34);
        assert_eq!(estimate["checkpoints"], 3);
        assert_eq!(estimate["curvature_examples"], 32);
        let probes = estimate["probes"].as_array().unwrap();
        let times: Vec<_> = probes
            .iter()
            .map(|probe| (probe["probe"].as_str().unwrap(), &probe["times"]))
            .collect();
        // "every 10 + end" is 0, 10, 20, 30 and 34.
        assert_eq!(times[0], ("loss", &Value::from(5)));
        assert!(times.contains(&("eigenvalues", &Value::from(1))));
        assert!(!times.iter().any(|(probe, _)| *probe == "surface"));
    }
    let table = place
        .landscape(&["run", "pair", "--dry-run"])
        .expect(0, &[]);
    assert!(table.out.contains("nothing was written"));
    let left: Vec<_> = std::fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["workspace.toml"]);
    // The sizes of a checkpoint are those that a run writes, but for its manifest.
    place.landscape(&["run", "pair"]).expect(0, &[]);
    let folder = place.path("runs/pair/sam/checkpoints/step-00000034");
    let size = |file: &str| std::fs::metadata(folder.join(file)).unwrap().len();
    let written = size("model.bpk") + size("optimiser.bpk") + size("method.bpk");
    // The ids of parameters are random numbers, and are written with as many digits as they have.
    let estimated = estimates[1]["checkpoint_bytes"].as_u64().unwrap();
    assert!(
        written.abs_diff(estimated) * 20 < written,
        "{estimated} {written}"
    );
}

#[test]
fn train_needs_no_workspace() {
    let place = Workplace::new();
    std::fs::remove_file(place.path("workspace.toml")).unwrap();
    let arguments = ["train", "--epochs=1", "--no-probes"];
    place.landscape(&arguments).expect(0, &[]);
    let config = &summary(&place.path("runs/train"))["config"];
    assert_eq!(config["data"]["source"], "digits");
    assert_eq!(config["hidden"], serde_json::json!([128, 64]));
    let elsewhere = ["train", "--workspace", "elsewhere.toml"];
    place
        .landscape(&elsewhere)
        .expect(2, &["elsewhere.toml does not exist"]);
    place
        .landscape(&["run", "quickstart"])
        .expect(2, &["workspace.toml does not exist"]);
}

#[test]
fn run_without_probes_measures_losses_and_leaves_curvature_out() {
    let place = Workplace::new();
    let ended = place
        .landscape(&["run", "one", "--no-probes"])
        .expect(0, &[]);
    assert!(ended.out.contains("not measured") && !ended.out.contains("NaN"));
    let found = summary(&place.path("runs/one"));
    let figures = found["figures"].as_object().unwrap();
    let keys: Vec<_> = figures.keys().collect();
    assert_eq!(
        keys,
        [
            "test_accuracy",
            "test_loss",
            "training_accuracy",
            "training_loss",
            "validation_accuracy",
            "validation_loss"
        ]
    );
    let tags = found["last_scalars"].as_object().unwrap().keys();
    assert!(!tags.into_iter().any(|tag| tag.starts_with("curvature/")));
    // The training is that of a run with probes, and reading the summary is too.
    place
        .landscape(&["run", "one", "--output=probed"])
        .expect(0, &[]);
    let probed = summary(&place.path("probed"));
    assert_eq!(found["weights_crc32c"], probed["weights_crc32c"]);
    for (name, value) in figures {
        assert_eq!(*value, probed["figures"][name], "{name}");
    }
    let compared = place
        .landscape(&["compare", "runs/one", "probed"])
        .expect(0, &[]);
    assert!(compared.out.contains("not measured"));
    place
        .landscape(&["run", "one", "--no-probes", "--resume"])
        .expect(0, &[]);
}

#[test]
fn share_of_probes_is_one_number_everywhere() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let text = std::fs::read_to_string(place.path("runs/one/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let times = &summary["times"];
    let number = |value: &Value| value.as_f64().unwrap();
    let (seconds, probes) = (number(&times["seconds"]), number(&times["probe_seconds"]));
    let fraction = number(&times["probe_fraction"]);
    assert!((fraction - probes / seconds).abs() < 1e-12 * fraction);
    // TensorBoard's is that of the last step; the summary's time has the end of the run, too.
    let logged = number(&times["last_scalars"]["cost/probe_fraction"]["value"]);
    let logged_probes = number(&times["last_scalars"]["cost/probe_seconds"]["value"]);
    assert!(logged_probes <= probes, "{times}");
    assert!(logged_probes / logged <= seconds, "{times}");
}

#[test]
fn final_probes_are_announced_where_there_is_no_terminal() {
    let place = Workplace::new();
    let ended = place.landscape(&["run", "one"]).expect(0, &[]);
    let lines: Vec<&str> = ended.err.lines().collect();
    assert!(lines[0].starts_with("one: step 34/34  epoch 2  loss "));
    let count = lines[1]
        .strip_prefix("one: all 34 steps are done; ")
        .and_then(|rest| rest.strip_suffix(" probes at the end"));
    let count: usize = count.expect(lines[1]).parse().expect(lines[1]);
    // Loss, eigenvalues, trace, sharpness and the losses over all data, beside those that need
    // little: activations, weights, updates, the gap of BatchNorm.
    assert!(count >= 9, "{}", lines[1]);
}
