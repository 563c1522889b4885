//! Reports: what a page shows of runs that are whole, damaged, unfinished, empty or many.

use std::fs;
use std::path::Path;
use std::time::Instant;

use probes::report::{Page, Run};
use probes::sink::{Folder, JsonLines, Sink, TensorBoard};
use probes::{Error, Record, Value};
use serde_json::json;
use tensorboard::existing_event_files;

fn scalar(tag: &str, step: u64, value: f64) -> Record {
    Record {
        tag: tag.into(),
        step,
        value: Value::Scalar(value),
    }
}

fn record(tag: &str, step: u64, value: Value) -> Record {
    Record {
        tag: tag.into(),
        step,
        value,
    }
}

/// A bowl on 3 x 4 points, times `factor`.
fn bowl(factor: f64) -> Value {
    let (a, b) = ([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0, 2.0]);
    let loss: Vec<f64> = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| factor * (0.5 + x * x + 2.0 * y * y)))
        .collect();
    Value::Data(json!({"a": a, "b": b, "loss": loss, "directions": "two of them"}))
}

fn training(factor: f64) -> Vec<Record> {
    let mut records: Vec<Record> = (0_u32..60)
        .flat_map(|k| {
            let step = 10 * u64::from(k);
            [
                scalar("loss/train", step, factor * (-0.1 * f64::from(k)).exp()),
                scalar("gradient/norm", step, factor),
            ]
        })
        .collect();
    records.push(record("landscape/surface_data", 0, bowl(3.0 * factor)));
    records.push(record("landscape/surface_data", 590, bowl(factor)));
    records.push(record(
        "diagnosis/report",
        590,
        Value::Text("The minimum is **flat**.".into()),
    ));
    records
}

/// The numbers that the page's script reads.
fn numbers(html: &str) -> serde_json::Value {
    let start = "<script type=\"application/json\" id=\"data\">";
    let from = html.find(start).expect("the page has numbers") + start.len();
    let length = html[from..].find("</script>").expect("they end");
    serde_json::from_str(&html[from..from + length]).expect("they are JSON")
}

fn write(sink: impl Sink + 'static, records: &[Record]) {
    let mut sink: Box<dyn Sink> = Box::new(sink);
    for record in records {
        sink.write(record);
    }
    sink.finish().expect("nothing is lost");
}

/// Asserts that a page asks for nothing from elsewhere and that all its text is text.
fn assert_harmless(html: &str) {
    for address in [
        "src=\"http",
        "src=\"//",
        "href=\"http",
        "url(http",
        "@import",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!html.contains(address), "{address}");
    }
    // Its own two scripts: the numbers and the code.
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script>").count(), 2);
}

#[test]
fn every_way_of_keeping_records_gives_the_same_curves() {
    let folder = tempfile::tempdir().unwrap();
    let records = training(1.0);
    let in_memory = Run::from_records("mine", &records);
    let place = |name: &str| folder.path().join(name);
    write(TensorBoard::create(place("events")).unwrap(), &records);
    write(
        JsonLines::create(place("lines/run.jsonl")).unwrap(),
        &records,
    );
    for name in ["events", "lines"] {
        let run = Run::read(place(name)).unwrap();
        assert_eq!(run.name(), name);
        assert!(run.missing().is_empty(), "{:?}", run.missing());
        let (step, value) = run.last("loss/train").unwrap();
        let (expected_step, expected) = in_memory.last("loss/train").unwrap();
        assert_eq!(step, expected_step);
        // An event file has single precision.
        assert!((value / expected - 1.0).abs() < 1e-6);
        assert!(run.tags().contains(&"diagnosis/report"));
    }
    assert_eq!(Run::read(place("lines")).unwrap().tags(), in_memory.tags());
}

#[test]
fn a_folder_of_pictures_and_numbers_is_a_run() {
    let folder = tempfile::tempdir().unwrap();
    write(Folder::create(folder.path()).unwrap(), &training(1.0));
    let html = Page::new().with(Run::read(folder.path()).unwrap()).html();
    assert_eq!(numbers(&html)["surfaces"].as_array().unwrap().len(), 1);
}

#[test]
fn runs_share_charts_and_one_scale() {
    let page = Page::new()
        .with(
            Run::from_records("small", &training(1.0))
                .with_settings([("lr", "0.1"), ("seed", "7")]),
        )
        .with(
            Run::from_records("large", &training(10.0))
                .with_settings([("lr", "0.3"), ("seed", "7")]),
        );
    let html = page.html();
    assert_harmless(&html);
    let data = numbers(&html);
    // The bowls have values from 0.5 to 0.5 + 1 + 8, times 1, 3, 10 and 30.
    let surface = &data["surfaces"][0];
    assert_eq!(
        (&surface["low"], &surface["high"]),
        (&json!(0.5), &json!(285.0))
    );
    assert_eq!(surface["steps"], json!([0, 590]));
    assert_eq!(surface["panels"].as_array().unwrap().len(), 2);
    assert_eq!(surface["log"], json!(true));
    let of_norm = data["charts"].as_array().unwrap().iter();
    let of_norm = of_norm.filter(|chart| chart["series"][0]["y"][0] == json!(1));
    assert!(
        of_norm
            .clone()
            .any(|chart| chart["series"][1]["y"][0] == json!(10)),
        "{of_norm:?}"
    );
    // What differs stands before what does not.
    let differs = html.find("What differs").unwrap();
    let same = html.find("The same in both runs").unwrap();
    assert!(differs < same);
    assert!(html[differs..same].contains("0.3") && html[same..].contains("seed"));
    assert!(html.contains("The minimum is <strong>flat</strong>."));
}

#[test]
fn names_texts_and_settings_are_never_markup() {
    let evil =
        "</script><script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover=\"alert(1)";
    let mut records = training(1.0);
    records.push(record("notes/evil", 1, Value::Text(evil.into())));
    records.push(scalar(evil, 1, 1.0));
    records.push(scalar(evil, 2, 2.0));
    let run = Run::from_records(evil, &records).with_settings([(evil, evil)]);
    let other = Run::from_records("other", &training(2.0));
    let html = Page::new().with_title(evil).with(run).with(other).html();
    assert_harmless(&html);
    assert!(
        !html.contains("<img"),
        "the only pictures of this page are drawings"
    );
    let text = &html[..html.find("<script").unwrap()];
    assert!(text.contains("&quot; onmouseover") && !text.contains("\" onmouseover"));
    assert_eq!(numbers(&html)["runs"][0], json!(evil));
}

#[test]
fn values_that_are_not_finite_are_marked_and_the_rest_is_drawn() {
    let records: Vec<Record> = [1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        .iter()
        .zip(0..)
        .map(|(value, step)| scalar("loss/train", step, *value))
        .chain((0..3).map(|step| scalar("gradient/norm", step, f64::NAN)))
        .collect();
    let html = Page::new()
        .with(Run::from_records("diverged", &records))
        .html();
    assert!(html.contains("3 values are not finite"), "of the loss");
    let data = numbers(&html);
    let chart = data["charts"].as_array().unwrap().iter();
    let mut chart = chart.filter(|chart| chart["series"][0]["y"][0] == json!(1));
    assert_eq!(
        chart.next().unwrap()["series"][0]["y"],
        json!([1, 0.5, null, null, null])
    );
    assert!(!html.contains("NaN\"") && !html.contains("d=\"MNaN"));
}

#[test]
fn a_surface_without_finite_values_is_missing_and_one_with_holes_says_so() {
    let holes = json!({"a": [0, 1], "b": [0, 1], "loss": [1.0, 2.0, "NaN", 3.0]});
    let none = json!({"a": [0, 1], "b": [0, 1], "loss": ["NaN", "NaN", "inf", "NaN"]});
    let wrong = json!({"a": [0, 1], "b": [0, 1], "loss": [1.0]});
    let records = [
        record("landscape/holes_data", 0, Value::Data(holes)),
        record("landscape/none_data", 0, Value::Data(none)),
        record("landscape/wrong_data", 0, Value::Data(wrong)),
    ];
    let html = Page::new().with(Run::from_records("a", &records)).html();
    assert!(html.contains("1 points are not finite and left out."));
    assert!(html.contains("landscape/none_data: no value of the surface is finite"));
    assert!(html.contains("the numbers of landscape/wrong_data are of a kind that is not drawn"));
    assert_eq!(numbers(&html)["surfaces"].as_array().unwrap().len(), 1);
}

#[test]
fn one_step_is_a_table_and_missing_tags_are_named() {
    let run = Run::from_records(
        "short",
        &[scalar("loss/train", 3, 0.25), scalar("my/own", 3, 7.5)],
    );
    let html = Page::new().with(run).html();
    assert!(html.contains("0.25") && html.contains("7.5"));
    assert!(html.contains("not recorded: validation loss, gradient norm, largest eigenvalue"));
    assert_eq!(numbers(&html)["charts"], json!([]));
}

#[test]
fn a_cut_event_file_is_shown_up_to_the_cut_and_said_to_be_cut() {
    let folder = tempfile::tempdir().unwrap();
    write(TensorBoard::create(folder.path()).unwrap(), &training(1.0));
    let file = existing_event_files(folder.path()).unwrap().remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert!(
        run.missing()[0].contains("ends within a record"),
        "{:?}",
        run.missing()
    );
    let (step, _) = run.last("loss/train").unwrap();
    assert!(step > 50 && step < 590, "{step}");
    let html = Page::new().with(run).html();
    assert!(html.contains("ends within a record"));

    // A byte that changed in the middle: what is before it stays.
    let mut bytes = bytes;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&file, &bytes).unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert!(
        run.missing()[0].contains("is damaged"),
        "{:?}",
        run.missing()
    );
    assert!(run.last("loss/train").is_some());
}

#[test]
fn damaged_lines_and_files_are_counted_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"step\":1,\"tag\":\"loss/train\",\"scalar\":0.5}\nnot json\n{\"step\":2,\"tag\":\"loss/train\",\"scalar\":\"NaN\"}\n{\"step\":3,\"tag\":\"loss/tr";
    fs::write(folder.path().join("run.jsonl"), lines).unwrap();
    fs::write(folder.path().join("landscape-surface.json"), "{\"a\": [").unwrap();
    fs::write(
        folder.path().join("summary.json"),
        "{\"schema\": \"landscape-su",
    )
    .unwrap();
    let run = Run::read(folder.path()).unwrap();
    let missing = run.missing().join("\n");
    assert!(
        missing.contains("2 of 4 lines of run.jsonl are no records"),
        "{missing}"
    );
    assert!(missing.contains("summary.json was not read"), "{missing}");
    assert!(
        missing.contains("landscape-surface.json was not read"),
        "{missing}"
    );
    assert!(run.last("loss/train").unwrap().1.is_nan());
    assert!(Page::new().with(run).html().contains("no records"));
}

#[test]
fn an_unfinished_run_of_the_program_says_so() {
    let folder = tempfile::tempdir().unwrap();
    write(TensorBoard::create(folder.path()).unwrap(), &training(1.0));
    let checkpoint = folder.path().join("checkpoints/step-00000100");
    fs::create_dir_all(&checkpoint).unwrap();
    let manifest = json!({"state": {"plan": {"dataset": "digits", "rho": 0.1}}});
    fs::write(checkpoint.join("manifest.json"), manifest.to_string()).unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert!(
        run.missing()[0].contains("the run is not finished"),
        "{:?}",
        run.missing()
    );
    assert!(run.missing()[0].contains("590"), "{:?}", run.missing());
    assert!(Page::new().with(run).html().contains("digits"));
}

#[test]
fn a_resumed_run_shows_each_step_once() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |from: u64, to: u64, value: f64| -> Vec<Record> {
        (from..to)
            .map(|step| scalar("loss/train", step, value))
            .collect()
    };
    write(
        TensorBoard::create(folder.path()).unwrap(),
        &losses(0, 10, 1.0),
    );
    write(
        TensorBoard::resume(folder.path(), Some(5)).unwrap(),
        &losses(5, 8, 2.0),
    );
    let run = Run::read(folder.path()).unwrap();
    // Steps 8 and 9 of the first sitting are gone.
    assert_eq!(run.last("loss/train"), Some((7, 2.0)));
}

fn summary(folder: &Path, dataset: &str) {
    fs::create_dir_all(folder).expect("a folder");
    let summary = json!({
        "schema": "landscape-summary/2", "status": "finished", "steps": 10,
        "config": {"dataset": dataset, "probes": {"enabled": true}},
        "figures": {"test_loss": 0.5, "trace": {"value": 2.0, "standard_error": 0.25}},
    });
    fs::write(folder.join("summary.json"), summary.to_string()).expect("a file");
}

#[test]
fn runs_of_different_data_stand_in_one_report_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    summary(&folder.path().join("a"), "digits");
    summary(&folder.path().join("b"), "mnist");
    let page = Page::new()
        .with(Run::read(folder.path().join("a")).unwrap())
        .with(Run::read(folder.path().join("b")).unwrap());
    let html = page.html();
    assert!(html.contains("trained on different data (digits, mnist)"));
    assert!(html.contains("2 ± 0.25"), "figures have their errors");
}

#[test]
fn a_plain_method_has_no_radius() {
    let has_radius = |method: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({"method": method, "rho": 0.05});
        let summary = json!({
            "schema": "landscape-summary/2", "status": "finished", "steps": 1, "config": config,
        });
        fs::write(folder.path().join("summary.json"), summary.to_string()).unwrap();
        let page = Page::new().with(Run::read(folder.path()).unwrap());
        page.html().contains("0.05")
    };
    assert!(has_radius("sam") && !has_radius("plain"));
}

#[test]
fn a_hundred_runs_are_legible_and_small() {
    let begin = Instant::now();
    let page = (0..100).fold(Page::new(), |page, number| {
        let factor = 1.0 + f64::from(number);
        page.with(
            Run::from_records(format!("run {number}"), &training(factor))
                .with_settings([("seed", number.to_string())]),
        )
    });
    let html = page.html();
    println!("{} bytes in {:?}", html.len(), begin.elapsed());
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("93 more, all in this colour"));
    for number in [0, 50, 99] {
        assert!(
            html.contains(&format!("</i>run {number}</span>")),
            "the table has run {number}"
        );
    }
    // Heavy drawings are those of the first runs, and the page says so.
    assert!(html.contains("the first 6 runs that have it are drawn, of 100"));
    let data = numbers(&html);
    assert_eq!(data["surfaces"][0]["panels"].as_array().unwrap().len(), 6);
    assert!(
        data["charts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|chart| chart["series"].as_array().unwrap().len() == 100)
    );
}

#[test]
fn a_folder_without_a_run_is_an_error_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "hello").unwrap();
    fs::write(folder.path().join("package.json"), "{}").unwrap();
    for path in [folder.path().to_owned(), folder.path().join("not-there")] {
        let error = Run::read(&path).unwrap_err();
        assert!(
            matches!(&error, Error::NoRun { folder } if *folder == path),
            "{error}"
        );
        assert!(error.to_string().contains("holds no run"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_page_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::new().with(Run::from_records("a", &training(1.0)));
    let path = folder.path().join("report.html");
    let bytes = page.write(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), bytes);
    // Over an earlier one.
    page.write(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = page
        .write(folder.path().join("no/such/folder.html"))
        .unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
}

#[test]
fn a_page_without_runs_is_a_page() {
    let html = Page::new().html();
    assert!(html.contains("No runs"));
    assert_harmless(&html);
}
