//! Several seeds, and runs beside each other.

use std::fs;
use std::path::Path;

use crate::program::{SMALL, Workplace, event_files, summary, wait_for_checkpoint};
use serde_json::Value;

/// Pictures' numbers in a small form.
const SLICES: &[&str] = &[
    "--probe-line",
    "end",
    "--probe-surface",
    "end",
    "--probe-grid",
    "5",
    "--probe-density",
    "end",
    "--probe-density-starts",
    "1",
];

#[track_caller]
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

/// No line is wider.
#[track_caller]
fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(line.chars().count() <= columns, "{line:?} in\n{text}");
    }
}

#[test]
fn seeds_lie_in_folders_of_their_own_and_train_as_that_seed_does_alone() {
    let place = Workplace::new();
    let ended = place.landscape(&["run", "pair", "--seeds", "2"]);
    let ended = ended.expect(0, &["sgd/seed-42: step", "sam/seed-43: step"]);
    assert!(ended.out.contains("42..43"), "{}", ended.out);
    assert!(ended.out.contains("sam - sgd"), "{}", ended.out);
    place
        .landscape(&["run", "pair", "--seed", "43", "--output", "alone"])
        .expect(0, &[]);
    for member in ["sgd", "sam"] {
        let [first, second] = ["seed-42", "seed-43"]
            .map(|seed| summary(&place.path("runs/pair").join(member).join(seed)));
        let alone = summary(&place.path("alone").join(member));
        assert_eq!(second["weights_crc32c"], alone["weights_crc32c"]);
        assert_eq!(second["figures"], alone["figures"]);
        assert_ne!(first["weights_crc32c"], second["weights_crc32c"]);
    }
    // One seed is as without the flag.
    place
        .landscape(&["run", "one", "--seeds", "1"])
        .expect(0, &[]);
    assert!(place.path("runs/one/summary.json").exists());
    place
        .landscape(&["train", "--seeds", "2", "--output", "mine"])
        .expect(0, &[]);
    assert_eq!(summary(&place.path("mine/seed-43"))["config"]["seed"], 43);
}

#[test]
fn seeds_that_are_not_finished_are_resumed_and_the_others_only_shown() {
    let place = Workplace::new();
    let seeds = ["run", "pair", "--seeds", "2"];
    place.landscape(&seeds).expect(0, &[]);
    let run = place.path("runs/pair/sam/seed-42");
    let whole = summary(&run);
    fs::remove_file(run.join("summary.json")).unwrap();
    // What is not finished is said and left out.
    let ended = place.landscape(&["compare", "pair"]).expect(0, &[]);
    let said = "Not finished, and not in these figures: runs/pair/sam/seed-42.";
    assert!(ended.out.contains(said), "{}", ended.out);
    place.landscape(&seeds).expect(2, &["--resume"]);
    let resumed = place.landscape(&[&seeds[..], &["--resume"]].concat());
    resumed.expect(
        0,
        &[
            "sgd/seed-42: finished already",
            "sam/seed-42: resuming at step 34",
            "sam/seed-43: finished already",
        ],
    );
    assert_eq!(summary(&run), whole);
    // More seeds are added to those that are there.
    let more = place.landscape(&["run", "pair", "--seeds", "3", "--resume"]);
    more.expect(0, &["sam/seed-43: finished already", "sam/seed-44: step"]);
}

#[cfg(unix)]
#[test]
fn interrupted_seeds_end_with_complete_files_and_are_resumed() {
    let place = Workplace::new();
    let long = [
        "run",
        "one",
        "--epochs",
        "60",
        "--batch-size",
        "8",
        "--seeds",
        "2",
    ];
    let mut child = place
        .command(&long)
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for_checkpoint(&place.path("runs/one/seed-42"), &mut child);
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!place.path("runs/one/seed-43").exists());
    let resumed = place.landscape(&[&long[..], &["--resume"]].concat());
    resumed.expect(0, &["one/seed-42: resuming at step", "one/seed-43: step"]);
}

#[test]
fn folders_of_seeds_and_a_run_of_one_do_not_mix() {
    let place = Workplace::new();
    place.landscape(&["run", "one"]).expect(0, &[]);
    let seeds = ["run", "one", "--seeds", "2"];
    let said = &[
        "runs/one holds a run of one seed",
        "--output",
        "--overwrite",
    ];
    place.landscape(&seeds).expect(2, said);
    place
        .landscape(&[&seeds[..], &["--resume"]].concat())
        .expect(2, said);
    assert!(!place.path("runs/one/seed-42").exists());
    fs::write(place.path("runs/one/notes.txt"), "mine").unwrap();
    place
        .landscape(&[&seeds[..], &["--overwrite"]].concat())
        .expect(0, &[]);
    assert!(!place.path("runs/one/summary.json").exists());
    assert!(!place.path("runs/one/run.json").exists());
    assert_eq!(fs::read(place.path("runs/one/notes.txt")).unwrap(), b"mine");
    for more in [&[][..], &["--overwrite"], &["--resume"]] {
        place.landscape(&[&["run", "one"], more].concat()).expect(
            2,
            &[
                "runs/one holds the runs of several seeds",
                "--seeds N --resume",
            ],
        );
    }
    assert!(place.path("runs/one/seed-42/summary.json").exists());
}

#[test]
fn number_of_seeds_is_a_key_of_a_run_but_not_of_a_member() {
    let place = Workplace::with(&SMALL.replace("[runs.pair]", "[runs.pair]\nseeds = 2"));
    let json = place.landscape(&["list", "--json"]).expect(0, &[]).json();
    let trainings = json["runs"][1]["trainings"].as_array().unwrap();
    let names: Vec<_> = trainings
        .iter()
        .map(|t| t["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["sgd/seed-42", "sgd/seed-43", "sam/seed-42", "sam/seed-43"]
    );
    let ended = place.landscape(&["list"]).expect(0, &[]);
    assert!(
        ended
            .out
            .contains("sam over sgd, rho 0.1, 2 epochs, 2 seeds"),
        "{}",
        ended.out
    );

    let member = SMALL.replace("rho = 0.1", "rho = 0.1\nseeds = 2");
    let place = Workplace::with(&member);
    let ended = place.landscape(&["list"]);
    ended.expect(
        2,
        &[
            "runs.pair.members.sam.seeds",
            "a member of a group cannot have this key",
        ],
    );
    let place = Workplace::with(&SMALL.replace("members.sam", "members.comparison"));
    place
        .landscape(&["list"])
        .expect(2, &["a member cannot have this name"]);
    let place = Workplace::new();
    for (count, words) in [("0", "from 1 to 1000"), ("1001", "from 1 to 1000")] {
        place
            .landscape(&["run", "one", "--seeds", count])
            .expect(2, &["--seeds", words]);
    }
    let ended = place.landscape(&["run", "one", "--seed", "4294967295", "--seeds", "2"]);
    ended.expect(
        2,
        &["--seeds", "2 seeds from 4294967295 go beyond the largest"],
    );
    assert!(!place.path("runs").exists());
}

#[test]
fn means_deviations_and_paired_differences_are_those_of_the_summaries() {
    let place = Workplace::new();
    let ended = place.landscape(&["run", "pair", "--seeds", "3", "--json"]);
    let json = ended.expect(0, &[]).json();
    let read = |member: &str, key: &str| -> Vec<f64> {
        let seeds = ["seed-42", "seed-43", "seed-44"].iter();
        seeds
            .map(|seed| {
                let figures = &summary(&place.path("runs/pair").join(member).join(seed))["figures"];
                number(figures[key].get("value").unwrap_or(&figures[key]))
            })
            .collect()
    };
    let mean = |values: &[f64]| (values[0] + values[1] + values[2]) / 3.0;
    let deviation = |values: &[f64]| {
        let square = |value: &f64| (value - mean(values)).powi(2);
        (values.iter().map(square).sum::<f64>() / 2.0).sqrt()
    };
    #[track_caller]
    fn near(found: &Value, expected: f64) {
        let found = number(found);
        // The largest figures are of order 10; sums of three are rounded.
        assert!((found - expected).abs() < 1e-13, "{found} and {expected}");
    }
    assert_eq!(json["groups"][0]["name"], "sgd");
    assert_eq!(json["groups"][1]["seeds"], serde_json::json!([42, 43, 44]));
    let pair = &json["differences"][0];
    assert_eq!(
        (&pair["of"], &pair["minus"], &pair["kind"]),
        (&"sam".into(), &"sgd".into(), &"paired".into())
    );
    for key in ["test_loss", "test_accuracy", "trace"] {
        let (sgd, sam) = (read("sgd", key), read("sam", key));
        for (group, values) in [(0, &sgd), (1, &sam)] {
            let figure = &json["groups"][group]["figures"][key];
            near(&figure["mean"], mean(values));
            near(&figure["standard_deviation"], deviation(values));
        }
        let differences: Vec<f64> = sgd.iter().zip(&sam).map(|(a, b)| b - a).collect();
        let figure = &pair["figures"][key];
        near(&figure["difference"], mean(&differences));
        // The 0.975 quantile of Student's distribution with two degrees of freedom, √(2 · 0.95² /
        // (1 − 0.95²)).
        let half = 4.302_652_729_749_462 * deviation(&differences) / 3f64.sqrt();
        near(&figure["low"], mean(&differences) - half);
        near(&figure["high"], mean(&differences) + half);
    }
    // Runs and compare say the same.
    let again = place
        .landscape(&["compare", "pair", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(again["groups"], json["groups"]);
    assert_eq!(again["differences"], json["differences"]);
    assert_eq!(again["sentence"], json["sentence"]);
}

#[test]
fn comparison_ends_with_a_sentence_that_knows_how_many_seeds_there_were() {
    let place = Workplace::new();
    let ended = place.landscape(&["run", "pair"]).expect(0, &[]);
    assert!(
        ended.out.contains("(--seeds 5\ntrains five)")
            || ended.out.contains("one seed says nothing"),
        "{}",
        ended.out
    );
    let compared = place.landscape(&["compare", "pair"]).expect(0, &[]);
    assert!(
        compared.out.trim_end().ends_with("trains five)."),
        "{}",
        compared.out
    );
    let ended = place.landscape(&["run", "one"]).expect(0, &[]);
    assert!(!ended.out.contains("one seed"), "{}", ended.out);
}

#[test]
fn members_are_in_the_order_of_the_file_also_two_levels_down() {
    let place = Workplace::new();
    place
        .landscape(&["run", "pair", "--seeds", "2"])
        .expect(0, &[]);
    for given in ["runs", "runs/pair", "pair", "."] {
        let json = place
            .landscape(&["compare", given, "--json"])
            .expect(0, &[])
            .json();
        let groups = json["groups"].as_array().unwrap();
        let names: Vec<_> = groups
            .iter()
            .map(|group| group["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["sgd", "sam"], "{given}");
    }
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
    let ended = place.landscape(&["compare", "runs"]);
    ended.expect(
        2,
        &[
            "cannot be compared",
            // By name, the other division comes first.
            "name those that belong together: landscape compare runs/other, or landscape compare runs/pair",
        ],
    );
}

#[test]
fn settings_that_differ_have_a_row_each() {
    let place = Workplace::new();
    let train = |more: &[&str], output: &str| {
        let arguments = [&["train", "--output", output], more].concat();
        place.landscape(&arguments).expect(0, &[]);
    };
    train(&[], "runs/a");
    train(
        &["--epochs", "1", "--hidden", "8,8", "--seed", "7"],
        "runs/b",
    );
    train(
        &[
            "--method", "sam", "--rho", "0.2", "--model", "cnn", "--epochs", "1",
        ],
        "runs/c",
    );
    let csv = place
        .landscape(&["compare", "runs/a", "runs/b", "runs/c", "--format", "csv"])
        .expect(0, &[])
        .out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| -> Vec<&str> {
        let place = header
            .iter()
            .position(|other| other == name)
            .unwrap_or_else(|| panic!("{name} in {header:?}"));
        rows.iter().map(|row| &row[place]).collect()
    };
    assert_eq!(column("run"), ["a", "b", "c"]);
    assert_eq!(column("method"), ["sgd", "sgd", "sam over sgd"]);
    assert_eq!(column("rho"), ["-", "-", "0.2"]);
    assert_eq!(column("epochs"), ["2", "1", "1"]);
    assert_eq!(column("hidden"), ["16", "8,8", "-"]);
    assert_eq!(column("seed"), ["42", "7", "42"]);
    assert!(!header.contains(&"batch_size".to_owned()), "{header:?}");
    // Numbers as they are in summary.json.
    let losses: Vec<f64> = column("test_loss")
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    for (loss, run) in losses.iter().zip(["a", "b", "c"]) {
        let summary = summary(&place.path("runs").join(run));
        assert_eq!(*loss, number(&summary["figures"]["test_loss"]));
    }
    let table = place
        .landscape(&["compare", "runs/a", "runs/b", "runs/c"])
        .expect(0, &[])
        .out;
    for word in ["epochs", "hidden", "8,8", "seed", "The networks differ"] {
        assert!(table.contains(word), "{word} in {table}");
    }
    let markdown = place.landscape(&["compare", "runs/a", "runs/b", "--format", "markdown"]);
    let markdown = markdown.expect(0, &[]).out;
    assert!(
        markdown.starts_with("|  | a | b |\n| --- | ---: | ---: |\n| method | sgd | sgd |\n"),
        "{markdown}"
    );
    place
        .landscape(&["compare", "runs/a", "--json", "--format", "csv"])
        .expect(2, &["--json and --format"]);
}

#[test]
fn tables_fit_the_width_that_is_asked_for() {
    let members = ["sgd", "sam", "asam", "gsam", "a-name-that-is-rather-long"];
    let members = members.map(|name| {
        let method = if name.contains("sam") {
            name
        } else {
            "looksam"
        };
        format!("[runs.pair.members.{name}]\nmethod = \"{method}\"\n")
    });
    let (head, _) = SMALL.split_once("[runs.pair.members.sgd]").unwrap();
    let place = Workplace::with(&format!("{head}{}", members.concat()));
    place
        .landscape(&["run", "pair", "--seeds", "2"])
        .expect(0, &[]);
    for columns in [40, 80, 120, 300] {
        for arguments in [&["compare", "pair"][..], &["list"]] {
            let mut command = place.command(arguments);
            let output = command
                .env("COLUMNS", columns.to_string())
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            fits(&text, columns);
            for name in ["sgd", "asam"] {
                assert!(text.contains(name), "{text}");
            }
        }
    }
    // Where nobody says a width, it is 80.
    let mut command = place.command(&["compare", "pair"]);
    let output = command.env_remove("COLUMNS").output().unwrap();
    fits(&String::from_utf8(output.stdout).unwrap(), 80);
}

fn pictures(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".png"))
        .collect();
    names.sort();
    names
}

#[test]
fn pictures_on_one_scale_are_files_and_a_run_of_tensorboard() {
    let place = Workplace::new();
    let ended = place.landscape(&[&["run", "pair", "--seeds", "2"], SLICES].concat());
    let ended = ended.expect(0, &[]);
    assert!(
        ended
            .out
            .contains("On one scale: runs/pair/comparison/*.png"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("The pictures show the runs of seed 42."),
        "{}",
        ended.out
    );
    let expected = [
        "density.png",
        "line-training-sample.png",
        "line-validation.png",
        "surface.png",
    ];
    let folder = place.path("runs/pair/comparison");
    assert_eq!(pictures(&folder), expected);
    // What is drawn is what the event file shows.
    let events = &event_files(&folder)[0];
    for name in expected {
        let tag = format!("comparison/{}", name.strip_suffix(".png").unwrap());
        let point = events.points.iter().find(|point| point.tag == tag).unwrap();
        let tensorboard::SummaryValue::Image(images) = &point.value else {
            panic!("{tag} is no image");
        };
        assert_eq!(images[0].bytes(), fs::read(folder.join(name)).unwrap());
    }
    // Again: the same pictures, and one event file.
    let before = fs::read(folder.join("surface.png")).unwrap();
    place
        .landscape(&["compare", "pair", "--pictures"])
        .expect(0, &[]);
    assert_eq!(fs::read(folder.join("surface.png")).unwrap(), before);
    assert_eq!(event_files(&folder).len(), 1);
    let given = [
        "compare",
        "runs/pair/sgd/seed-42",
        "runs/pair/sam/seed-43",
        "--pictures=drawn",
        "--json",
    ];
    let json = place.landscape(&given).expect(0, &[]).json();
    assert_eq!(json["pictures"].as_array().unwrap().len(), 4);
    assert_eq!(pictures(&place.path("drawn")), expected);
}

#[test]
fn pictures_never_take_the_place_of_something_else() {
    let place = Workplace::new();
    place
        .landscape(&[&["run", "pair"], SLICES].concat())
        .expect(0, &[]);
    let run = place.path("runs/pair/sgd");
    let before = summary(&run);
    let into =
        |folder: &str| place.landscape(&["compare", "pair", &format!("--pictures={folder}")]);
    into("runs/pair/sgd").expect(2, &["runs/pair/sgd holds a run"]);
    assert_eq!(summary(&run), before);
    fs::create_dir(place.path("thesis")).unwrap();
    fs::write(place.path("thesis/chapter.txt"), "mine").unwrap();
    into("thesis").expect(2, &["thesis holds files that are not a comparison's"]);
    into("workspace.toml").expect(2, &["workspace.toml is a file"]);
    // What would be in the way at the end is found before anything is trained.
    fs::create_dir_all(place.path("runs/new/comparison")).unwrap();
    fs::write(place.path("runs/new/comparison/mine.png"), "mine").unwrap();
    let ended = place.landscape(&["run", "pair", "--output", "runs/new"]);
    ended.expect(
        2,
        &["runs/new/comparison holds files that are not a comparison's"],
    );
    assert!(!place.path("runs/new/sgd").exists());
    assert_eq!(fs::read(place.path("thesis/chapter.txt")).unwrap(), b"mine");
}

#[test]
fn training_that_cannot_go_on_does_not_stop_the_others() {
    // A rate at which the loss is no number after some updates.
    let place = Workplace::with(&SMALL.replace("method = \"plain\"", "learning_rate = 1e30"));
    let ended = place.landscape(&["run", "pair", "--seeds", "2"]);
    let ended = ended.expect(
        1,
        &[
            "sgd/seed-42: the run stops at step",
            "sgd/seed-43: the run stops at step",
        ],
    );
    assert!(place.path("runs/pair/sam/seed-43/summary.json").exists());
    assert!(
        ended
            .out
            .contains("Not finished, and not in these figures: runs/pair/sgd/seed-42,"),
        "{}",
        ended.out
    );
}

#[test]
fn list_shows_what_lies_in_runs_and_which_data_is_missing() {
    let more = "\n[datasets.mine]\nsource = \"mnist-folder\"\npath = \"data/mine\"\n";
    let place = Workplace::with(&format!("{SMALL}{more}"));
    let ended = place.landscape(&["list"]).expect(0, &[]);
    assert!(ended.out.contains("data/mine is missing"), "{}", ended.out);
    assert!(!ended.out.contains("in runs/"), "{}", ended.out);
    fs::create_dir_all(place.path("data/mine")).unwrap();
    for part in ["train-images", "train-labels", "t10k-images"] {
        fs::write(
            place.path("data/mine").join(format!("{part}-idx-ubyte.gz")),
            "",
        )
        .unwrap();
    }
    let ended = place.landscape(&["list"]).expect(0, &[]);
    assert!(
        ended.out.contains("data/mine lacks t10k-labels"),
        "{}",
        ended.out
    );
    place
        .landscape(&["run", "pair", "--seeds", "2"])
        .expect(0, &[]);
    place.landscape(&["run", "one"]).expect(0, &[]);
    fs::remove_file(place.path("runs/one/summary.json")).unwrap();
    let ended = place.landscape(&["list"]).expect(0, &[]);
    fits(&ended.out, 80);
    for words in [
        "pair/sgd ×2",
        "pair/sam ×2",
        "finished",
        "one",
        "unfinished",
        "s ago",
    ] {
        assert!(ended.out.contains(words), "{words} in {}", ended.out);
    }
    let json = place.landscape(&["list", "--json"]).expect(0, &[]).json();
    let stored = json["stored"].as_array().unwrap();
    assert_eq!(stored.len(), 5);
    let of = |directory: &str| {
        stored
            .iter()
            .find(|run| run["directory"] == directory)
            .unwrap()
    };
    assert_eq!(of("runs/one")["status"], "unfinished");
    let run = of("runs/pair/sam/seed-43");
    let figures = &summary(&place.path("runs/pair/sam/seed-43"))["figures"];
    assert_eq!(run["lambda_1"], figures["lambda_1"]["value"]);
    assert_eq!(run["test_accuracy"], figures["test_accuracy"]);
    assert_eq!(json["missing"][0]["name"], "mine");
}
