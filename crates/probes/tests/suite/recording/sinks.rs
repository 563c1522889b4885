//! What the sinks hold.

use pictures::Picture;
use probes::sink::{self, Folder, Hparams, JsonLines, Layout, Setting, Sink, TensorBoard};
use probes::{Error, Mesh, Record, Records, Value, tag};

/// A grey picture.
fn picture(width: u32, height: u32, shade: u8) -> Picture {
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>\
         <rect width='{width}' height='{height}' fill='rgb({shade}, {shade}, {shade})'/></svg>"
    );
    Picture::from_svg(svg).expect("the document is sound")
}

fn triangle() -> Mesh {
    Mesh {
        vertices: vec![[0.0; 3], [0.5, 0.0, 0.0], [0.0, 0.5, 0.25]],
        faces: vec![[0, 1, 2]],
        colors: vec![[1, 2, 3]; 3],
        ..Mesh::default()
    }
}

/// One record of each kind.
pub(crate) fn sample() -> Vec<Record> {
    let mut records = Records::new(7);
    records.scalar("loss/train", 0.25);
    records.scalar("loss/valid", f64::NAN);
    records.scalar("loss/test", f64::NEG_INFINITY);
    records.histogram("gradient/values", &[1.0, 2.0, f64::INFINITY]);
    records.picture("landscape/surface", picture(2, 1, 0));
    records.mesh("landscape/surface_mesh", triangle());
    records.text("diagnosis/report", "line one\nline two");
    records.data(
        "landscape/surface_data",
        probes::json_numbers(&[1.5, f64::INFINITY]),
    );
    records.into_vec()
}

#[test]
fn json_lines_hold_every_record_and_numbers_that_json_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut sink = JsonLines::create(&path).unwrap();
    sample().iter().for_each(|record| sink.write(record));
    Box::new(sink).finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = |tag: &str| lines.iter().find(|line| line["tag"] == tag).unwrap();
    assert!(lines.iter().all(|line| line["step"] == 7));
    assert_eq!(line("loss/train")["scalar"], 0.25);
    assert_eq!(line("loss/valid")["scalar"], "NaN");
    assert_eq!(line("loss/test")["scalar"], "-inf");
    assert_eq!(line("gradient/values_not_finite")["scalar"], 1.0);
    assert_eq!(
        line("gradient/values")["histogram"]
            .as_array()
            .unwrap()
            .len(),
        30
    );
    assert_eq!(line("diagnosis/report")["text"], "line one\nline two");
    assert_eq!(
        line("landscape/surface_data")["data"],
        serde_json::json!([1.5, "inf"])
    );
    assert_eq!(
        line("landscape/surface_mesh")["mesh"],
        serde_json::json!({
            "vertices": [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.5, 0.25]],
            "faces": [[0, 1, 2]],
            "colors": [[1, 2, 3], [1, 2, 3], [1, 2, 3]],
        })
    );
    let picture = &line("landscape/surface")["picture"];
    assert_eq!(
        (&picture["width"], &picture["height"]),
        (&2.into(), &1.into())
    );
    let png = std::fs::read(folder.path().join(picture["file"].as_str().unwrap())).unwrap();
    assert_eq!(png[..4], *b"\x89PNG");
    assert!(
        JsonLines::create(&path).is_err(),
        "an existing file is not overwritten"
    );
}

#[test]
fn appended_json_lines_begin_on_a_line_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, "{\"step\":1}\n{\"st").unwrap();
    let mut sink = JsonLines::append(&path).unwrap();
    sink.write(&sample()[0]);
    Box::new(sink).finish().unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "{\"step\":1}\n{\"st\n{\"scalar\":0.25,\"step\":7,\"tag\":\"loss/train\"}\n"
    );
}

#[test]
fn tensorboard_holds_every_record_that_it_can_show() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = TensorBoard::create(folder.path()).unwrap();
    let path = sink.path().to_owned();
    sample().iter().for_each(|record| sink.write(record));
    // A step that comes a second time is refused by the file and told at the end.
    sink.write(&sample()[0]);
    assert!(matches!(
        Box::new(sink).finish(),
        Err(Error::Rejected { rejected: 1, .. })
    ));
    let file = tensorboard::read_events(&path).unwrap();
    let tags: Vec<&str> = file.points.iter().map(|point| point.tag.as_str()).collect();
    assert_eq!(
        tags,
        [
            "loss/train",
            "loss/valid",
            "loss/test",
            "gradient/values_not_finite",
            "gradient/values",
            "landscape/surface",
            "landscape/surface_mesh",
            "diagnosis/report"
        ]
    );
    assert!(file.points.iter().all(|point| point.step == 7));
}

#[test]
fn charts_are_written_once_with_the_first_curvature_and_name_tags_that_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = TensorBoard::create(folder.path()).unwrap();
    let path = sink.path().to_owned();
    let mut write = |tag: &str, step| {
        let value = Value::Scalar(1.0);
        let tag = tag.to_owned();
        sink.write(&Record { tag, step, value });
    };
    write("loss/train", 0);
    for step in 1..4 {
        write("curvature/lambda_1", step);
        write("curvature/trace", step);
    }
    Box::new(sink).finish().unwrap();
    let points = tensorboard::read_events(&path).unwrap().points;
    let layouts: Vec<_> = points
        .iter()
        .filter(|point| point.tag == "custom_scalars__config__")
        .collect();
    assert_eq!(layouts.len(), 1);
    assert_eq!(layouts[0].step, 1);
    let tensorboard::SummaryValue::Layout(layout) = &layouts[0].value else {
        panic!("no layout");
    };
    assert_eq!(*layout, sink::layout());
    for chart in layout
        .categories
        .iter()
        .flat_map(|category| &category.charts)
    {
        match chart {
            tensorboard::Chart::Lines { tags, .. } => {
                assert!(tags.iter().all(|tag| tag.ends_with('$')), "{tags:?}");
            }
            tensorboard::Chart::Margins { series, .. } => {
                for tag in series.iter().flat_map(|s| [&s.value, &s.lower, &s.upper]) {
                    assert!(tag::description(tag).is_some(), "{tag}");
                }
            }
        }
    }

    // A program's own, or none.
    for (own, count) in [
        (Layout::new(), 0),
        (
            Layout::new().with("mine", tensorboard::Chart::lines("a", ["b"])),
            1,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sink = TensorBoard::create(folder.path()).unwrap();
        let mut sink = sink.with_layout(&own).unwrap();
        let path = sink.path().to_owned();
        let (tag, value) = ("curvature/trace".to_owned(), Value::Scalar(1.0));
        sink.write(&Record {
            tag,
            step: 3,
            value,
        });
        Box::new(sink).finish().unwrap();
        let points = tensorboard::read_events(&path).unwrap().points;
        let found: Vec<_> = points
            .into_iter()
            .filter(|point| point.tag == "custom_scalars__config__")
            .map(|point| point.value)
            .collect();
        assert_eq!(found.len(), count);
        assert!(
            found
                .iter()
                .all(|found| *found == tensorboard::SummaryValue::Layout(own.clone()))
        );
    }
}

/// A picture of one pixel.
fn pixel(tag: &str, step: u64, shade: u8) -> Record {
    Record {
        tag: tag.into(),
        step,
        value: Value::Picture(picture(1, 1, shade)),
    }
}

/// Its colour in a PNG file.
fn colour(path: &std::path::Path) -> [u8; 3] {
    let file = std::fs::File::open(path).expect("the sink has written it");
    let decoder = png::Decoder::new(std::io::BufReader::new(file));
    let mut reader = decoder.read_info().expect("it is a PNG");
    let mut rgba = [7; 4];
    reader.next_frame(&mut rgba).expect("it has four bytes");
    let [red, green, blue, _] = rgba;
    [red, green, blue]
}

#[test]
fn a_folder_keeps_the_latest_picture_of_each_tag_and_tells_what_it_lost() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::create(directory.path().join("run")).unwrap();
    let before = folder.clone().resume(["old.png".to_owned()], []);
    let mut sink: Box<dyn Sink> = Box::new(folder.clone());
    for (tag, step, shade) in [("a/b", 1, 0), ("a-b", 1, 128), ("a/b", 2, 255)] {
        sink.write(&pixel(tag, step, shade));
    }
    assert_eq!(
        before.pictures().into_iter().collect::<Vec<_>>(),
        ["a-b.png", "old.png"]
    );
    assert_eq!(colour(&directory.path().join("run/a-b.png")), [255; 3]);
    let svg = std::fs::read_to_string(directory.path().join("run/a-b.svg")).unwrap();
    assert_eq!(svg, picture(1, 1, 255).svg());
    let error = folder.failure().unwrap().to_string();
    assert!(
        error.contains("tag `a-b` would be named `a-b.png` as those of tag `a/b` are"),
        "{error}"
    );
    // Told once.
    assert!(folder.failure().is_none());
    // A place that takes nothing.
    let full = Folder::to(|_, _| Err("no room"));
    let mut sink: Box<dyn Sink> = Box::new(full);
    let data = serde_json::json!({"a": [0.0], "curves": []});
    sink.write(&Record {
        tag: "line_data".into(),
        step: 0,
        value: Value::Data(data),
    });
    let error = sink.finish().unwrap_err().to_string();
    assert!(
        error.contains("cannot write `line.json`: no room"),
        "{error}"
    );
}

#[test]
fn tags_that_probes_record_are_described_in_tensorboard() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Hparams::new([("rho", Setting::from(0.05))]);
    let sink = TensorBoard::create(directory.path()).unwrap();
    let path = sink.path().to_owned();
    let mut sink: Box<dyn Sink> = Box::new(sink.with_hparams(&settings).unwrap());
    for step in [1, 2] {
        sink.write(&Record {
            tag: tag::LAMBDA_1.into(),
            step,
            value: Value::Scalar(2.0),
        });
    }
    sink.finish().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let times = |text: &str| {
        bytes
            .windows(text.len())
            .filter(|part| *part == text.as_bytes())
            .count()
    };
    // Once for each tag and file.
    assert_eq!(times(&tag::description(tag::LAMBDA_1).unwrap()), 1);
    assert_eq!(
        (
            times("_hparams_/session_start_info"),
            times("_hparams_/session_end_info")
        ),
        (1, 1)
    );
    for (tag, begins) in [
        ("curvature/lambda_3", "Eigenvalue number 3"),
        ("curvature_check/lambda_1_residual", "Residual of lambda_1"),
        (
            "gradient/values/layers/0/weight",
            "Entries of the gradient of layers.0.weight",
        ),
    ] {
        assert!(tag::description(tag).unwrap().starts_with(begins));
    }
    assert_eq!(tag::description("mine/own"), None);
}

#[test]
fn pictures_of_two_tags_never_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = JsonLines::create(folder.path().join("run.jsonl")).unwrap();
    for (tag, step, shade) in [("a/b", 1, 0), ("a_b", 1, 128), ("a/b", 2, 255)] {
        sink.write(&pixel(tag, step, shade));
    }
    let error = Box::new(sink).finish().unwrap_err().to_string();
    assert!(
        error.starts_with("1 record(s) did not reach JSON lines")
            && error.contains("tag `a_b` would be named `a_b` as those of tag `a/b` are"),
        "{error}"
    );
    let shade = |name: &str| colour(&folder.path().join("run-pictures").join(name))[0];
    assert_eq!((shade("a_b-1.png"), shade("a_b-2.png")), (0, 255));
}

#[test]
fn numbers_that_are_not_finite_and_empty_histograms_are_told_by_every_sink() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = Records::new(3);
    for (tag, value) in [
        ("nan", f64::NAN),
        ("inf", f64::INFINITY),
        ("minus", f64::NEG_INFINITY),
    ] {
        records.scalar(tag, value);
    }
    records.histogram("none", &[]);
    records.histogram("only_nan", &[f64::NAN; 4]);
    records.histogram("widest", &[f64::MIN, f64::MAX]);
    let records = records.into_vec();
    let path = folder.path().join("run.jsonl");
    let (mut lines, mut board) = (
        JsonLines::create(&path).unwrap(),
        TensorBoard::create(folder.path()).unwrap(),
    );
    let events = board.path().to_owned();
    for record in &records {
        lines.write(record);
        board.write(record);
    }
    Box::new(lines).finish().unwrap();
    Box::new(board).finish().unwrap();
    let points = tensorboard::read_events(events).unwrap().points;
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let tags: Vec<&str> = points.iter().map(|point| point.tag.as_str()).collect();
    assert_eq!(
        tags,
        [
            "nan",
            "inf",
            "minus",
            "none",
            "only_nan_not_finite",
            "only_nan",
            "widest"
        ]
    );
    let scalar = |k: usize| match points[k].value {
        tensorboard::SummaryValue::Scalar(value) => value,
        _ => panic!("{:?}", points[k]),
    };
    assert!(scalar(0).is_nan());
    assert_eq!(
        (scalar(1), scalar(2), scalar(4)),
        (f32::INFINITY, f32::NEG_INFINITY, 4.0)
    );
    for (k, expected) in [(0, "NaN"), (1, "inf"), (2, "-inf")] {
        assert_eq!(lines[k]["scalar"], expected);
    }
    let counted = |k: usize| match &points[k].value {
        tensorboard::SummaryValue::Histogram(histogram) => {
            let bins = histogram.bins();
            assert_eq!(lines[k]["histogram"].as_array().unwrap().len(), bins.len());
            bins.iter().map(|bin| bin.weight).sum::<f64>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((counted(3), counted(5), counted(6)), (0.0, 0.0, 2.0));
}

#[test]
fn resumed_json_lines_hold_no_step_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let scalar = |step: u64, value: f64| Record {
        tag: "loss".into(),
        step,
        value: Value::Scalar(value),
    };
    // Killed while it wrote step 9; the checkpoint is of step 6. A line of the user's stands
    // between.
    let mut sink = JsonLines::create(&path).unwrap();
    (0..9).for_each(|step| sink.write(&scalar(step, 1.0)));
    Box::new(sink).finish().unwrap();
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.insert_str(0, "{\"note\":\"mine\"}\n");
    // Cut within a letter of two bytes.
    text.push_str("{\"step\":9,\"tag\":\"λ");
    std::fs::write(&path, &text.as_bytes()[..text.len() - 1]).unwrap();
    let mut sink = JsonLines::resume(&path, 6).unwrap();
    (6..12).for_each(|step| sink.write(&scalar(step, 2.0)));
    Box::new(sink).finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["note"], "mine");
    let points: Vec<(u64, f64)> = lines[1..]
        .iter()
        .map(|line| {
            (
                line["step"].as_u64().unwrap(),
                line["scalar"].as_f64().unwrap(),
            )
        })
        .collect();
    let expected: Vec<(u64, f64)> = (0..12)
        .map(|step| (step, if step < 6 { 1.0 } else { 2.0 }))
        .collect();
    assert_eq!(points, expected);
    // Nothing else is left, and a file that is not there is begun.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let fresh = JsonLines::resume(folder.path().join("fresh.jsonl"), 3).unwrap();
    Box::new(fresh).finish().unwrap();
    assert!(JsonLines::resume(folder.path().join("missing/run.jsonl"), 3).is_err());
}
