//! Every mistake ends with one clear sentence and an exit code, and with nothing lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::program::{SMALL, Workplace, event_files};

/// The small workspace with one more line in `[runs.one]`, and what must be said about it.
#[track_caller]
fn refused(line: &str, words: &[&str]) {
    let text = SMALL.replace("[runs.one]", &format!("[runs.one]\n{line}"));
    let last = line.lines().last().unwrap();
    let number = 1 + text.lines().position(|l| l == last).unwrap();
    let place = Workplace::with(&text);
    let ended = place.landscape(&["run", "one"]);
    let position = format!("workspace.toml:{number}: ");
    let ended = ended.expect(2, &[&position]).expect(2, words);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(ended.out.is_empty());
    assert!(!place.path("runs").exists());
}

#[test]
fn value_that_is_no_word_is_answered_with_the_words() {
    refused(
        "model = 3",
        &["runs.one.model", "in quotes", "`mlp`, `cnn`"],
    );
    refused(
        "optimiser = true",
        &["runs.one.optimiser", "in quotes", "`sgd` or `adam`"],
    );
    refused(
        "schedule = [1, 2]",
        &["runs.one.schedule", "in quotes", "`cosine`"],
    );
    refused("method = 0.5", &["runs.one.method", "in quotes", "`m-sam`"]);
}

#[test]
fn devices_that_are_none_are_named() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let spectrum = |devices: &str| {
        let ended = place.landscape(&["spectrum", "runs/one", "--devices", devices]);
        let ended = ended.expect(2, &["--devices"]);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
        ended
    };
    spectrum("ws://127.0.0.1:3000").expect(2, &["--features remote", "ws://127.0.0.1:3000"]);
    spectrum("flex,flax").expect(2, &["`flax` is no device", "there are flex"]);
    spectrum("flex,").expect(2, &["a name is empty"]);
    spectrum("wgpu").expect(2, &["`wgpu` is not compiled in"]);
    let served = place.landscape(&["serve", "--host", "0.0.0.0"]);
    served.expect(2, &["--host", "give a token"]);
    let served = place.landscape(&["serve"]);
    served.expect(2, &["--features remote"]);
}

#[test]
fn unknown_run_lists_the_known_ones() {
    let ended = Workplace::new().landscape(&["run", "pear"]);
    ended.expect(
        2,
        &["unknown run `pear`, did you mean `pair`?", "one, pair"],
    );
}

#[test]
fn unknown_key_is_named_with_its_neighbour_and_the_allowed_ones() {
    refused(
        "epoch = 3",
        &[
            "runs.one.epoch: unknown key",
            "did you mean `epochs`?",
            "batch_size",
        ],
    );
}

#[test]
fn unknown_value_is_named_with_the_allowed_ones() {
    refused(
        "method = \"sma\"",
        &[
            "runs.one.method",
            "`sma`, did you mean `sam`?",
            "plain, sam, asam",
        ],
    );
}

#[test]
fn wrong_type_is_named_with_what_is_expected() {
    refused(
        "epochs = \"many\"",
        &["runs.one.epochs", "\"many\"", "a whole number from 1"],
    );
    refused("method = 3", &["runs.one.method", "`plain`, `sam`, `asam`"]);
    refused(
        "probes = 3",
        &["runs.one.probes", "a table of probe settings"],
    );
    refused(
        "hidden = 3",
        &["runs.one.hidden", "a list of whole numbers"],
    );
    refused("seed = -1", &["runs.one.seed", "from 0 to 4294967295"]);
    refused(
        "learning_rate = true",
        &["runs.one.learning_rate", "a finite number greater than 0"],
    );
}

#[test]
fn values_out_of_range_are_named_with_their_range() {
    refused("epochs = 0", &["runs.one.epochs", "`0`", "from 1"]);
    refused("batch_size = 0", &["runs.one.batch_size", "from 1"]);
    refused("batch_size = 1080", &["runs.one.batch_size", "1 to 1079"]);
    refused(
        "learning_rate = 0.0",
        &["runs.one.learning_rate", "greater than 0"],
    );
    refused("learning_rate = inf", &["runs.one.learning_rate", "finite"]);
    refused("learning_rate = nan", &["runs.one.learning_rate", "finite"]);
    refused("rho = -0.1", &["runs.one.rho", "at least 0"]);
    refused("momentum = 1.0", &["runs.one.momentum", "below 1"]);
    refused(
        "probes = { budget = 1.5 }",
        &["runs.one.probes.budget", "at most 1"],
    );
    refused(
        "probes = { trace = \"soon\" }",
        &["runs.one.probes.trace", "every N"],
    );
}

#[test]
fn settings_that_do_not_fit_together_are_named() {
    let text = SMALL.replace(
        "[runs.one]",
        "[runs.one]\nmodel = \"residual-mlp\"\nhidden = [16, 8]",
    );
    let ended = Workplace::with(&text).landscape(&["run", "one"]);
    ended.expect(2, &["runs.one.hidden", "equal widths"]);
    let ended = Workplace::with("[datasets.a]\nvalidation = 0.1\n").landscape(&["list"]);
    ended.expect(2, &["workspace.toml:1: datasets.a: missing key `source`"]);
    refused("seed = 1\nseed = 2", &["duplicate key `seed`"]);
}

#[test]
fn unknown_data_set_lists_the_known_ones() {
    refused(
        "dataset = \"digit\"",
        &["runs.one.dataset", "did you mean `digits`?", "other-split"],
    );
}

#[test]
fn device_that_is_not_compiled_in_is_named() {
    refused(
        "device = \"cuda\"",
        &[
            "runs.one.device",
            "not compiled in",
            "flex",
            "--features cuda",
        ],
    );
}

#[test]
fn text_that_is_no_toml_is_located() {
    let ended = Workplace::with("[runs.one\n").landscape(&["list"]);
    ended.expect(2, &["workspace.toml:1: ", "expected `]`"]);
}

#[test]
fn missing_workspace_says_where_it_is_looked_for() {
    let ended = Workplace::new().landscape(&["list", "--workspace", "elsewhere.toml"]);
    ended.expect(2, &["elsewhere.toml does not exist", "--workspace FILE"]);
}

#[test]
fn flags_have_the_ranges_of_the_file() {
    let place = Workplace::new();
    let ended = place.landscape(&["train", "--rho", "-1"]);
    ended.expect(2, &["--rho", "at least 0"]);
    let ended = place.landscape(&["train", "--batch-size", "5000"]);
    ended.expect(2, &["--batch-size", "1 to 1079"]);
}

#[test]
fn missing_data_file_is_named() {
    let place = Workplace::with(
        "[datasets.mine]\nsource = \"mnist-folder\"\npath = \"images\"\n[runs.one]\ndataset = \"mine\"\n",
    );
    let ended = place.landscape(&["run", "one"]);
    ended.expect(1, &["images", "train-images-idx3-ubyte"]);
    assert!(!place.path("runs").exists());
}

#[test]
fn corrupt_data_file_is_named() {
    let place = Workplace::with(
        "[datasets.mine]\nsource = \"mnist-folder\"\npath = \"images\"\n[runs.one]\ndataset = \"mine\"\n",
    );
    fs::create_dir(place.path("images")).unwrap();
    for name in [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ] {
        fs::write(place.path("images").join(name), b"not an idx file").unwrap();
    }
    let ended = place.landscape(&["run", "one"]);
    ended.expect(1, &["train-images-idx3-ubyte"]);
}

#[test]
fn finished_run_needs_resume_or_overwrite() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let before = fs::read(place.path("runs/one/summary.json")).unwrap();
    let ended = place.landscape(&["run", "one"]);
    ended.expect(
        2,
        &["runs/one holds a finished run", "--overwrite", "--resume"],
    );
    assert_eq!(
        fs::read(place.path("runs/one/summary.json")).unwrap(),
        before
    );
    place
        .landscape(&["run", "one", "--resume"])
        .expect(0, &["finished already"]);
    assert_eq!(
        fs::read(place.path("runs/one/summary.json")).unwrap(),
        before
    );
    place
        .landscape(&["run", "one", "--overwrite"])
        .expect(0, &[]);
    let ended = place.landscape(&["run", "one", "--overwrite", "--resume"]);
    ended.expect(2, &["cannot be used with"]);
}

#[test]
fn foreign_files_are_never_removed() {
    let place = Workplace::new();
    fs::create_dir_all(place.path("precious")).unwrap();
    fs::write(place.path("precious/thesis.txt"), "years of work").unwrap();
    let ended = place.landscape(&["run", "one", "--output", "precious", "--overwrite"]);
    ended.expect(2, &["not a run's"]);
    assert!(place.path("precious/thesis.txt").exists());
}

#[test]
fn output_that_is_a_file_is_refused() {
    let place = Workplace::new();
    fs::write(place.path("file"), "text").unwrap();
    let ended = place.landscape(&["run", "one", "--output", "file"]);
    ended.expect(2, &["is a file"]);
}

#[test]
fn directory_that_cannot_be_written_is_named() {
    let place = Workplace::new();
    fs::create_dir(place.path("locked")).unwrap();
    fs::set_permissions(place.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    // Permissions do not bind root, for whom /proc is the folder that cannot be written.
    let root = fs::write(place.path("locked/probe"), "").is_ok();
    let output = if root {
        "/proc/landscape-test"
    } else {
        "locked/run"
    };
    let ended = place.landscape(&["run", "one", "--output", output]);
    ended.expect(1, &["output directory", output, "cannot be"]);
    fs::set_permissions(place.path("locked"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn loss_that_is_not_finite_stops_the_run_and_keeps_what_was_logged() {
    let place = Workplace::new();
    for method in ["plain", "sam"] {
        let ended = place.landscape(&[
            "run",
            "one",
            "--learning-rate",
            "1e30",
            "--method",
            method,
            "--schedule",
            "constant",
            "--output",
            method,
        ]);
        ended.expect(
            1,
            &["stops at step", "--learning-rate 1", "lower learning rate"],
        );
        let files = event_files(&place.path(method));
        assert!(!files[0].scalars("loss/train").is_empty());
        assert!(!files[0].truncated);
        assert!(!place.path(method).join("summary.json").exists());
    }
}

#[test]
fn file_size_limit_ends_the_run_with_a_sentence_and_keeps_the_files() {
    let place = Workplace::new();
    // 8 blocks of 1024 bytes: less than the weights of the wide network.
    let script = format!(
        "ulimit -f 8; exec {} run one --hidden 256,64",
        env!("CARGO_BIN_EXE_landscape")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    let ended = crate::program::Ended::from(output)
        .expect(1, &["cannot be written", "checkpoint of step 0"]);
    assert_eq!(
        ended.err.lines().filter(|l| l.contains("error:")).count(),
        1
    );
    assert!(!event_files(&place.path("runs/one")).is_empty());
}

#[test]
fn event_file_that_meets_a_limit_stops_the_run_and_resuming_loses_nothing() {
    let place = Workplace::new();
    let long = ["--epochs", "20", "--probe-loss", "never"];
    place
        .landscape(&[&["run", "one", "--output", "whole"], &long[..]].concat())
        .expect(0, &[]);
    // 48 kilobytes hold the checkpoints but not the 340 steps of the event file.
    let script = format!(
        "ulimit -f 48; exec {} run one {}",
        env!("CARGO_BIN_EXE_landscape"),
        long.join(" ")
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    crate::program::Ended::from(output).expect(
        1,
        &["the run stops at step", "resumed from step", "missing from"],
    );
    place
        .landscape(&[&["run", "one", "--resume"], &long[..]].concat())
        .expect(0, &[]);
    let (whole, parts) = (place.path("whole"), place.path("runs/one"));
    assert_eq!(
        crate::program::summary(&parts),
        crate::program::summary(&whole)
    );
    let files = event_files(&parts);
    let resumed = files[1].scalars("loss/train");
    let mut joined = files[0].scalars("loss/train");
    joined.retain(|point| point.0 < resumed[0].0);
    joined.extend(resumed);
    assert_eq!(joined, event_files(&whole)[0].scalars("loss/train"));
}

#[test]
fn compare_refuses_what_is_not_comparable() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    place
        .landscape(&[
            "run",
            "one",
            "--dataset",
            "other-split",
            "--output",
            "runs/other",
        ])
        .expect(0, &[]);
    let ended = place.landscape(&["compare", "runs/one", "runs/other"]);
    ended.expect(2, &["cannot be compared", "runs/other"]);
    let ended = place.landscape(&["compare", "runs/one", "nowhere"]);
    ended.expect(2, &["there is no run nowhere"]);
    fs::write(place.path("runs/other/summary.json"), "{").unwrap();
    let ended = place.landscape(&["compare", "runs/one", "runs/other"]);
    ended.expect(1, &["summary.json is not complete JSON"]);
}

#[test]
fn last_update_that_diverges_has_a_summary_that_says_so() {
    let place = Workplace::new();
    let arguments = [
        "run",
        "one",
        "--epochs",
        "1",
        "--batch-size",
        "1079",
        "--learning-rate",
        "1e38",
    ];
    // One update, whose own loss is finite: only what is measured after it is not.
    let ended = place.landscape(&arguments);
    ended.expect(1, &["diverged", "lower learning rate"]);
    let summary = crate::program::summary(&place.path("runs/one"));
    assert_eq!(summary["status"], "diverged");
    for figure in ["training_loss", "validation_loss", "test_loss"] {
        let value = summary["figures"][figure].as_str();
        assert!(
            matches!(value, Some("NaN" | "inf")),
            "{figure} is {value:?}"
        );
    }
    assert_eq!(summary["figures"]["lambda_1"]["value"], "NaN");
    assert_eq!(summary["figures"]["lambda_1"]["converged"], false);
    assert!(
        summary["hessian"]["method"]
            .as_str()
            .unwrap()
            .starts_with("none: ")
    );
    assert!(!event_files(&place.path("runs/one"))[0].truncated);
    let resumed = [&arguments[..], &["--resume"]].concat();
    let ended = place
        .landscape(&resumed)
        .expect(0, &["finished already", "diverged"]);
    assert!(ended.out.contains("NaN"), "{}", ended.out);
    place.landscape(&["compare", "runs/one"]).expect(0, &[]);
}

#[test]
fn members_of_a_group_are_trained_though_one_diverges() {
    let place = Workplace::with(&SMALL.replace("method = \"plain\"", "learning_rate = 1e38"));
    let ended = place.landscape(&["run", "pair", "--epochs", "1", "--batch-size", "1079"]);
    ended.expect(1, &["sgd: the loss after the last update"]);
    let status = |member: &str| {
        crate::program::summary(&place.path("runs/pair").join(member))["status"].clone()
    };
    assert_eq!(
        (status("sgd"), status("sam")),
        ("diverged".into(), "finished".into())
    );
}

#[test]
fn sizes_are_bounded_before_anything_is_made() {
    for (line, words) in [
        (
            "probes = { grid = 20000 }",
            &["runs.one.probes.grid", "from 1 to 2000"][..],
        ),
        (
            "probes = { grid = 4294967295 }",
            &["runs.one.probes.grid", "from 1 to 2000"],
        ),
        (
            "probes = { eigenvalue_count = 101 }",
            &["runs.one.probes.eigenvalue_count", "from 1 to 100"],
        ),
        (
            "probes = { density_starts = 4294967295 }",
            &["runs.one.probes.density_starts", "from 1 to 1000"],
        ),
        (
            "hidden = [4294967295]",
            &["runs.one.hidden", "from 1 to 65536"],
        ),
        (
            "hidden = [65536, 65536]",
            &[
                "runs.one.hidden",
                "4299948042 parameters",
                "at most 10000000",
            ],
        ),
        (
            "epochs = 4294967295",
            &["runs.one.epochs", "from 1 to 1000000"],
        ),
        (
            "epochs = 1000000\nbatch_size = 1\nprobes = { loss = \"end\", trace = \"every 1\" }",
            &[
                "runs.one.probes.trace",
                "1079000001 observations",
                "at most 1000000",
            ],
        ),
        (
            "epochs = 1000000\nbatch_size = 1\nprobes = { loss = \"log 4294967295\" }",
            &["runs.one.probes.loss", "1079000000 observations"],
        ),
        (
            "hidden = [1]\nprobes = { eigenvalue_count = 90 }",
            &["runs.one.probes.eigenvalue_count", "85 parameters"],
        ),
    ] {
        // The line that is wrong is the last of each.
        refused(line, words);
    }
    let layers = vec!["8"; 1001].join(", ");
    refused(
        &format!("hidden = [{layers}]"),
        &["runs.one.hidden", "1001 layers"],
    );
    let place = Workplace::new();
    for (flag, value, words) in [
        ("--probe-grid", "20000", "from 1 to 2000"),
        ("--hidden", "4294967295", "from 1 to 65536"),
        (
            "--hidden",
            "65536,65536",
            "--hidden: the widths 65536,65536",
        ),
        ("--probe-eigenvalue-count", "101", "from 1 to 100"),
        ("--epochs", "1000001", "from 1 to 1000000"),
    ] {
        place
            .landscape(&["run", "one", flag, value])
            .expect(2, &[flag, words]);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn settings_that_the_network_or_the_schedule_does_not_have_are_refused() {
    let place = Workplace::new();
    for (arguments, words) in [
        (
            &["--model", "cnn", "--hidden", "3"][..],
            &["--hidden", "the model is cnn"][..],
        ),
        (
            &["--schedule", "constant", "--step-epochs", "3"],
            &["--step-epochs", "the schedule is constant"],
        ),
        (
            &["--step-factor", "0.5"],
            &["--step-factor", "the schedule is cosine"],
        ),
    ] {
        place
            .landscape(&[&["train"], arguments].concat())
            .expect(2, words);
    }
    refused(
        "model = \"cnn\"\nhidden = [3]",
        &["runs.one.hidden", "the model is cnn"],
    );
    refused(
        "step_epochs = 3",
        &["runs.one.step_epochs", "the schedule is cosine"],
    );
}

#[test]
fn flag_that_would_make_the_members_of_a_group_equal_is_refused() {
    let ended = Workplace::new().landscape(&["run", "pair", "--method", "asam"]);
    ended.expect(2, &["--method", "sam: sam, sgd: plain", "landscape train"]);
}

#[test]
fn flags_that_change_nothing_are_refused() {
    let place = Workplace::new();
    for (flags, words) in [
        (&["--probe-grid=5"][..], "--probe-surface end"),
        (&["--probe-density-starts=5"], "--probe-density end"),
        (
            &["--no-probes", "--probe-loss=end"],
            "--probe-loss: there are no probes",
        ),
        (
            &["--no-probes", "--probe-sharpness-rho=1"],
            "--probe-sharpness-rho: ",
        ),
        (&["--keep=some"], "\"all\", \"best\""),
        (&["--keep=0"], "\"all\", \"best\""),
    ] {
        let mut arguments = vec!["train"];
        arguments.extend(flags);
        place.landscape(&arguments).expect(2, &[words]);
    }
    assert!(!place.path("runs").exists());
    // With what they belong to they are welcome.
    let together = [
        "train",
        "--dry-run",
        "--probe-grid=5",
        "--probe-surface=end",
    ];
    place.landscape(&together).expect(0, &[]);
}

#[test]
fn radius_of_a_run_without_a_method_is_refused_where_it_is_written() {
    refused("rho = 0.1", &["runs.one.rho", "the method is plain"]);
    refused("keep = \"some\"", &["runs.one.keep", "\"all\", \"best\""]);
    let text = SMALL.replace("method = \"plain\"", "method = \"plain\"\nrho = 0.1");
    let ended = Workplace::with(&text).landscape(&["list"]);
    ended.expect(2, &["runs.pair.members.sgd.rho", "the method is plain"]);
    // Defaults are for runs that have one.
    let text = SMALL.replace("epochs = 2", "epochs = 2\nrho = 0.1");
    let ended = Workplace::with(&text).landscape(&["list"]);
    ended.expect(0, &[]);
}

#[test]
fn mistake_in_a_flag_is_not_said_of_the_file() {
    let place = Workplace::with(&SMALL.replace("[defaults]", "[defaults]\ndevice = \"flex\""));
    let ended = place.landscape(&["run", "one", "--device", "cuda"]);
    let ended = ended.expect(2, &["--device: `cuda` is not compiled in"]);
    assert!(!ended.err.contains("workspace.toml"), "{}", ended.err);
    let help = place.landscape(&["train", "--help"]).expect(0, &[]);
    assert!(
        help.out.contains("this program was built with: flex"),
        "{}",
        help.out
    );
}

#[test]
fn what_would_steer_a_terminal_is_written_out() {
    let place = Workplace::with(&SMALL.replace("one training", "one \\u001b[31m\\u0007training"));
    let ended = place.landscape(&["list"]).expect(0, &[]);
    assert!(
        ended.out.contains("one \\u{1b}[31m\\u{7}training"),
        "{}",
        ended.out
    );
    for arguments in [
        &["run", "a\u{1b}[31mb"][..],
        &["run", "one", "--model", "a\u{1b}[31mb"],
        &["run", "one", "--a\u{1b}[31mb"],
        &["compare", "a\u{1b}[31mb"],
        &["list", "--workspace", "a\u{1b}[31mb"],
    ] {
        let ended = place.landscape(arguments).expect(2, &["\\u{1b}[31m"]);
        assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
    }
}

#[test]
fn great_numbers_are_said_with_an_exponent() {
    let place = Workplace::new();
    let ended = place.landscape(&[
        "run",
        "one",
        "--learning-rate",
        "1e308",
        "--method",
        "sam",
        "--rho",
        "1e300",
    ]);
    let ended = ended.expect(1, &["it is 1e308: --learning-rate 1e307"]);
    assert!(
        ended.err.lines().all(|line| line.len() < 500),
        "{}",
        ended.err
    );
    let ended = place.landscape(&["list", "--json"]).expect(0, &[]);
    assert!(ended.out.len() < 10_000);
}
