//! What `landscape measure` finds on a checkpoint, and what it leaves alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::program::{Workplace, checkpoints, event_files, summary};
use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, SplitConfig, batches, fixed_sample};
use landscape::{Hessian, LanczosConfig, Risk, top_eigenpairs};
use models::{Mlp, MlpConfig};
use serde_json::Value;

/// Everything is measured at the end, as in the quickstart.
const ALL: [&str; 6] = [
    "--probe-density=end",
    "--probe-line=end",
    "--probe-surface=end",
    "--probe-grid=5",
    "--probe-density-starts=2",
    "--output=run",
];

/// A workplace with a finished run in `run`.
fn finished(more: &[&str]) -> Workplace {
    let place = Workplace::new();
    let arguments: Vec<&str> = ["train"].into_iter().chain(more.iter().copied()).collect();
    place.landscape(&arguments).expect(0, &[]);
    place
}

/// The files below a folder with their content, but for the folders of measurements and lock files.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.starts_with("measure-") {
            for (inner, bytes) in content(&path) {
                found.insert(format!("{name}/{inner}"), bytes);
            }
        } else if path.is_file() {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// The document of a measurement.
fn document(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("measurement.json")).unwrap()).unwrap()
}

#[test]
fn last_checkpoint_has_the_figures_of_the_run_on_the_runs_own_sample() {
    let place = finished(&ALL);
    let (run, folder) = (place.path("run"), place.path("run").join("measure-34"));
    let (before, summary) = (content(&run), summary(&run));
    let measured = place
        .landscape(&["measure", "run", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(measured, document(&folder));
    let (results, figures) = (&measured["results"], &summary["figures"]);
    for key in [
        "training_loss",
        "training_accuracy",
        "validation_loss",
        "validation_accuracy",
        "test_loss",
        "test_accuracy",
    ] {
        assert_eq!(results["losses"][key], figures[key], "{key}");
    }
    for key in ["value", "residual", "converged"] {
        let first = &results["eigenvalues"]["largest"][0];
        assert_eq!(first[key], figures["lambda_1"][key], "lambda_1 {key}");
    }
    for key in ["value", "standard_error"] {
        assert_eq!(results["trace"][key], figures["trace"][key], "trace {key}");
    }
    assert_eq!(
        results["sam_sharpness"]["value"],
        figures["sam_sharpness"]["value"]
    );
    assert_eq!(results["hessian"]["method"], summary["hessian"]["method"]);
    assert_eq!(measured["examples"], summary["hessian"]["examples"]);
    assert_eq!(measured["parameters"], summary["parameters"]);
    assert_eq!(measured["run"]["weights_crc32c"], summary["weights_crc32c"]);
    let scalar = |tag: &str| &summary["last_scalars"][tag]["value"];
    for (index, name) in ["lambda_1", "lambda_2", "lambda_3"].iter().enumerate() {
        let pair = &results["eigenvalues"]["largest"][index];
        assert_eq!(pair["value"], *scalar(&format!("curvature/{name}")));
    }
    assert_eq!(
        results["eigenvalues"]["smallest"]["value"],
        *scalar("curvature/lambda_min")
    );
    // Pictures, as PNG and as SVG, and numbers too, byte for byte.
    let files = measured["files"].as_array().unwrap();
    assert_eq!(files.len(), 13, "{files:?}");
    for file in files {
        let name = file.as_str().unwrap();
        let found = fs::read(folder.join(name)).unwrap();
        // The colours of a run's surfaces are those of its first one.
        if name == "landscape-surface.json" {
            let losses = |bytes: &[u8]| {
                let all: Value = serde_json::from_slice(bytes).unwrap();
                ["a", "b", "loss", "seed"].map(|key| all[key].clone())
            };
            assert_eq!(losses(&found), losses(&before[name]));
        } else if !name.starts_with("landscape-surface.") || name.ends_with(".csv") {
            assert!(found == before[name], "{name} differs");
        }
    }
    // Products are counted: 50 from each start of the density, and one to see that they do not
    // change.
    assert_eq!(results["density"]["products"], 101);
    assert_eq!(before, content(&run), "the run's own files have changed");
}

#[test]
fn figures_of_an_earlier_step_are_those_that_the_run_had_there() {
    let place = finished(&["--keep=all", "--probe-eigenvalues=at 17", "--output=run"]);
    let arguments = ["measure", "run", "--step=17", "--eigenvalues=3", "--json"];
    let measured = place.landscape(&arguments).expect(0, &[]).json();
    let found = measured["results"]["eigenvalues"]["largest"][0]["value"].as_f64();
    let [events] = &event_files(&place.path("run"))[..] else {
        panic!("one event file")
    };
    let (_, recorded) = events
        .scalars("curvature/lambda_1")
        .into_iter()
        .find(|(step, _)| *step == 17)
        .unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "as event files have it")]
    let found = found.unwrap() as f32;
    assert_eq!(found, recorded);
}

#[test]
fn table_fits_eighty_columns_and_states_errors_and_work() {
    let place = finished(&ALL);
    let ended = place.landscape(&["measure", "run"]).expect(0, &[]);
    for line in ended.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for words in [
        "run at step 34",
        "32 training examples of `digits`",
        "residual",
        "std. error",
        "101 products",
        "25 points",
        "run/measure-34",
    ] {
        assert!(ended.out.contains(words), "no {words:?} in {}", ended.out);
    }
}

#[test]
fn settings_are_those_of_the_flags() {
    let place = finished(&["--output=run"]);
    let measure = |flags: &[&str]| {
        let mut arguments = vec!["measure", "run", "--json", "--overwrite"];
        arguments.extend(flags);
        place.landscape(&arguments).expect(0, &[]).json()
    };
    let some = measure(&["--eigenvalues=5", "--smallest", "--examples=100"]);
    let results = some["results"].as_object().unwrap();
    let keys: Vec<&String> = results.keys().collect();
    assert_eq!(keys, ["eigenvalues", "hessian"]);
    let pairs = results["eigenvalues"]["largest"].as_array().unwrap();
    let values: Vec<f64> = pairs
        .iter()
        .map(|pair| pair["value"].as_f64().unwrap())
        .collect();
    assert!(values.len() == 5 && values.is_sorted_by(|a, b| a >= b));
    assert_eq!(some["examples"], 100);
    let exact = measure(&["--trace-error=0.005"]);
    let trace = &exact["results"]["trace"];
    let share = trace["standard_error"].as_f64().unwrap() / trace["value"].as_f64().unwrap();
    assert!(share <= 0.005 && trace["converged"] == true, "{trace}");
    let surface = measure(&["--grid=3", "--range=0.5"]);
    assert_eq!(surface["results"]["surface"]["points"], 9);
    let table = fs::read_to_string(place.path("run/measure-34/landscape-surface.csv")).unwrap();
    assert!(table.contains("-0.5,0.5,"), "{table}");
}

#[test]
fn line_between_runs_meets_both_and_states_its_barrier() {
    let place = finished(&["--output=a"]);
    let other = ["train", "--seed=7", "--output=b"];
    place.landscape(&other).expect(0, &[]);
    let measured = place
        .landscape(&["measure", "a", "--to", "b", "--points=11", "--json"])
        .expect(0, &[])
        .json();
    let folder = place.path("a/measure-34-to-b-34");
    assert_eq!(measured, document(&folder));
    let text = fs::read_to_string(folder.join("landscape-between.csv")).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let at = |a: f64| rows.iter().find(|row| row[0] == a).unwrap();
    // The validation losses at the ends are those that both runs have in their summaries, up to
    // f32.
    for (a, run) in [(0.0, "a"), (1.0, "b")] {
        let loss = summary(&place.path(run))["figures"]["validation_loss"].as_f64();
        let (found, loss) = (at(a)[2], loss.unwrap());
        assert!((found - loss).abs() < 1e-5 * loss, "{found} {loss}");
    }
    for (index, curve) in [(1, 0), (2, 1)] {
        let stated = &measured["results"]["between"]["curves"][curve]["barrier"];
        let rise = |row: &Vec<f64>| {
            let a = row[0];
            row[index] - (1.0 - a) * at(0.0)[index] - a * at(1.0)[index]
        };
        let between = rows.iter().filter(|row| (0.0..=1.0).contains(&row[0]));
        assert_eq!(between.clone().count(), 11);
        let highest = between.map(rise).fold(0.0, f64::max);
        let stated = stated.as_f64().unwrap();
        assert!((stated - highest).abs() < 1e-12, "{stated} {highest}");
        assert!(stated > 0.0, "networks of other seeds lie in other basins");
    }
    assert!(fs::read(folder.join("landscape-between.png")).is_ok());
}

#[test]
fn line_between_networks_with_batch_norm_recomputes_its_statistics() {
    let place = finished(&["--model=cnn-batch-norm", "--epochs=1", "--output=a"]);
    let other = [
        "train",
        "--model=cnn-batch-norm",
        "--epochs=1",
        "--seed=7",
        "--output=b",
    ];
    place.landscape(&other).expect(0, &[]);
    let ended = place
        .landscape(&["measure", "a", "--to", "b", "--points=3"])
        .expect(0, &[]);
    assert!(
        ended
            .out
            .contains("statistics of BatchNorm are recomputed at each point"),
        "{}",
        ended.out
    );
}

#[test]
fn runs_without_a_line_between_them_are_refused_with_what_differs() {
    let place = finished(&["--output=a"]);
    for (flags, words) in [
        (&["--hidden=8"][..], "different hidden widths (16 and 8)"),
        (
            &["--activation=tanh"],
            "different activations (relu and tanh)",
        ),
        (&["--model=cnn"], "different models (mlp and cnn)"),
        (&["--dataset=other-split"], "trained on different data"),
    ] {
        let mut arguments = vec!["train", "--overwrite", "--epochs=1", "--output=b"];
        arguments.extend(flags);
        place.landscape(&arguments).expect(0, &[]);
        place
            .landscape(&["measure", "a", "--to", "b"])
            .expect(2, &[words]);
    }
    assert!(!place.path("a/measure-34-to-b-17").exists());
}

#[test]
fn mistakes_are_said_and_leave_nothing_behind() {
    let place = finished(&["--output=run"]);
    let before = content(&place.path("."));
    for (arguments, words) in [
        (&["run", "--step=5"][..], "steps 17, 34"),
        (&["run", "--step=best"], "--keep best"),
        (&["run", "--step=soon"], "a step, `latest` or `best`"),
        (&["elsewhere"], "there is no run elsewhere"),
        (&["."], "name one: ./run"),
        (&["run", "--output=run"], "holds a training"),
        (&["run", "--output=."], "not a measurement's"),
        (
            &["run", "--output=workspace.toml"],
            "workspace.toml is a file",
        ),
        (&["run", "--device=cuda"], "--device: `cuda`"),
        (&["run", "--trace", "--range=2"], "--range: "),
        (&["run", "--trace", "--tolerance=1e-7"], "--tolerance: "),
        (&["run", "--to=run", "--trace"], "cannot be used with"),
        (&["run", "--grid=0"], "from 1 to"),
    ] {
        let mut all = vec!["measure"];
        all.extend(arguments);
        place.landscape(&all).expect(2, &[words]);
    }
    assert_eq!(before, content(&place.path(".")));
    assert!(!place.path("run/measure-34").exists());
}

#[test]
fn measurement_is_replaced_only_when_asked_and_somebody_elses_file_never() {
    let place = finished(&["--output=run"]);
    let folder = place.path("run/measure-34");
    place
        .landscape(&["measure", "run", "--grid=3"])
        .expect(0, &[]);
    let first = content(&folder);
    assert!(first.contains_key("landscape-surface.csv"));
    let again = ["measure", "run", "--trace"];
    place
        .landscape(&again)
        .expect(2, &["--overwrite", "--output DIR"]);
    assert_eq!(first, content(&folder));
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    fs::write(folder.join("landscape-line.png"), "mine too").unwrap();
    let overwritten = ["measure", "run", "--trace", "--overwrite"];
    place.landscape(&overwritten).expect(0, &[]);
    let second = content(&folder);
    let names: Vec<&String> = second.keys().collect();
    let kept = [
        ".writer.lock",
        "landscape-line.png",
        "measurement.json",
        "notes.txt",
    ];
    assert_eq!(names, kept);
    let line = ["measure", "run", "--line", "--overwrite"];
    place
        .landscape(&line)
        .expect(1, &["not this measurement's"]);
    assert_eq!(content(&folder)["landscape-line.png"], b"mine too");
    // The training is the run's, and a new one leaves the measurement alone.
    let training = ["train", "--overwrite", "--output=run"];
    place.landscape(&training).expect(0, &[]);
    assert_eq!(content(&folder)["notes.txt"], b"mine");
}

#[cfg(unix)]
#[test]
fn interrupted_measurement_keeps_what_it_has_and_can_be_made_again() {
    let place = finished(&["--output=run"]);
    let before = content(&place.path("run"));
    let mut child = place
        .command(&["measure", "run", "--trace", "--starts=1000"])
        .spawn()
        .unwrap();
    // The density takes 50,000 products, the trace before it some dozens.
    let folder = place.path("run/measure-34");
    while !folder.join("measurement.json").exists() {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(1500));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let stopped = document(&folder);
    assert_eq!(stopped["status"], "interrupted");
    assert!(stopped["results"]["trace"]["value"].is_number());
    assert!(stopped["results"].get("density").is_none());
    assert_eq!(before, content(&place.path("run")));
    place
        .landscape(&["measure", "run", "--trace"])
        .expect(0, &[]);
    assert_eq!(document(&folder)["status"], "finished");
}

#[test]
fn checkpoint_is_loaded_in_four_lines_and_measured_on_the_same_sample() {
    let place = finished(&["--output=run"]);
    let device = Device::flex().autodiff();
    let step = checkpoints(&place.path("run")).pop().unwrap();
    let path = place.path("run/checkpoints").join(step).join("model.bpk");
    // These two lines and the next three are those of crates/cli/README.md.
    let record = ModuleRecord::load(path).unwrap();
    let model: Mlp = MlpConfig::new(vec![64, 16, 10])
        .init(&device)
        .expect("a network")
        .load_record(record);
    let train = Digits::load()
        .unwrap()
        .split(&SplitConfig::new().with_validation(0.2).with_seed(0));
    let train = train.unwrap().train;
    let sample = train.select(&fixed_sample(0, 32, train.len()));
    let batches: Vec<_> = batches(&sample, 1024, &device.clone().inner())
        .unwrap()
        .into_iter()
        .map(|batch| (batch.images.flatten(1, 3), batch.labels))
        .collect();
    let risk = Risk::mean(
        batches,
        |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| {
            let logits = log_softmax(model.forward(x.clone()), 1);
            logits.gather(1, y.clone().unsqueeze_dim(1)).mean().neg()
        },
    );
    let hessian = Hessian::at(&model, &risk).unwrap();
    let config = LanczosConfig::new().with_seed(42);
    let found = top_eigenpairs(&hessian, 3, &config).unwrap()[0].value;
    let stated = &summary(&place.path("run"))["figures"]["lambda_1"];
    let stated = stated["value"].as_f64().unwrap();
    // The same loss written another way rounds otherwise in f32.
    assert!((found - stated).abs() < 1e-5 * stated, "{found} {stated}");
}

/// The losses in the event file are rounded to f32, and no two of a run are that close.
#[test]
fn checkpoints_are_kept_as_asked() {
    let place = Workplace::new();
    let train = |more: &[&str], output: &str| {
        let mut arguments = vec![
            "train",
            "--epochs=7",
            "--schedule=constant",
            "--learning-rate=0.4",
            "--probe-loss=every 17",
            "--output",
            output,
        ];
        arguments.extend(more);
        let ended = place.landscape(&arguments).expect(0, &[]);
        (checkpoints(&place.path(output)), ended.err)
    };
    let names =
        |steps: &[usize]| -> Vec<String> { steps.iter().map(|s| format!("step-{s:08}")).collect() };
    assert_eq!(train(&[], "two").0, names(&[102, 119]));
    assert_eq!(train(&["--keep=4"], "four").0, names(&[68, 85, 102, 119]));
    let all = [0, 17, 34, 51, 68, 85, 102, 119];
    assert_eq!(train(&["--keep=all"], "all").0, names(&all));
    let (kept, said) = train(&["--keep=best"], "best");
    let losses = event_files(&place.path("best"))[0].scalars("loss/valid");
    let best = losses.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let step = usize::try_from(best.0).unwrap();
    assert!(step < 102, "the best is one of the latest: {losses:?}");
    assert_eq!(kept, names(&[step, 102, 119]));
    assert!(said.contains(&format!("the best checkpoint is that of step {step}")));
    // Keeping does not change what is trained.
    let weights = |output: &str| summary(&place.path(output))["weights_crc32c"].clone();
    assert_eq!(weights("best"), weights("two"));
    let measured = place
        .landscape(&["measure", "best", "--step=best", "--losses", "--json"])
        .expect(0, &[])
        .json();
    assert_eq!(measured["run"]["step"], step);
    let loss = measured["results"]["losses"]["validation_loss"].as_f64();
    #[expect(clippy::cast_possible_truncation, reason = "as event files have it")]
    let loss = loss.unwrap() as f32;
    assert_eq!(loss, best.1);
}
