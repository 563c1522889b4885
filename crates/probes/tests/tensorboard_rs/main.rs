//! The sink through the crate `tensorboard-rs`: its files hold what those of the default sink hold.
//! Built by `tests/devices`: in the workspace, that crate's features would have Burn built again.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::BTreeMap;
use std::path::Path;

use probes::sink::{Sink, TensorBoard, TensorBoardRs};
use probes::{Histogram, Mesh, Record, Value, show, tag};
use tensorboard::{EventFile, SummaryValue, existing_event_files, read_events};

/// Records of every kind at some steps.
fn records() -> Vec<Record> {
    let (a, loss) = (vec![-1.0, 0.0, 1.0], [2.0, 0.5, 2.5]);
    let picture = show::loss_line(&a, &[("train", &loss)], "Loss").unwrap();
    let mesh = Mesh {
        vertices: vec![[0.0; 3]],
        ..Mesh::default()
    };
    let values = |step: u64| {
        [
            ("loss/train", Value::Scalar(0.5_f64.powi(step as i32))),
            (tag::LAMBDA_1, Value::Scalar(f64::INFINITY)),
            (
                "weights",
                Value::Histogram(Histogram::of(&[0.0, 0.5, step as f64]).unwrap()),
            ),
            ("landscape/line", Value::Picture(picture.clone())),
            ("diagnosis/report", Value::Text("**λ** < 2/η".into())),
            ("landscape/surface_mesh", Value::Mesh(mesh.clone())),
            ("landscape/line_data", Value::Data(serde_json::json!([1.0]))),
        ]
    };
    let record = |step| {
        let of = move |(tag, value): (&str, Value)| Record {
            tag: tag.to_owned(),
            step,
            value,
        };
        values(step).map(of)
    };
    (0..20).flat_map(record).collect()
}

fn write(mut sink: impl Sink + 'static) -> Result<(), probes::Error> {
    for record in records() {
        sink.write(&record);
        sink.flush();
    }
    assert_eq!(sink.warning(), None);
    Box::new(sink).finish()
}

fn only_file(run: &Path) -> EventFile {
    let files = existing_event_files(run).unwrap();
    assert_eq!(files.len(), 1);
    read_events(&files[0]).unwrap()
}

/// What stands at each step under each tag, but for what the sink through the crate leaves out.
fn content(file: EventFile) -> BTreeMap<(String, i64), SummaryValue> {
    let both =
        |value: &SummaryValue| !matches!(value, SummaryValue::Mesh(_) | SummaryValue::Layout(_));
    let points = file.points.into_iter().filter(|point| both(&point.value));
    points
        .map(|point| ((point.tag, point.step), point.value))
        .collect()
}

#[test]
fn file_holds_what_that_of_the_default_sink_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (folder.path().join("own"), folder.path().join("other"));
    write(TensorBoard::create(&own).unwrap()).unwrap();
    write(TensorBoardRs::create(&other).unwrap()).unwrap();
    let read = only_file(&other);
    assert_eq!(read.version.as_deref(), Some("brain.Event:2"));
    assert_eq!((read.start, read.truncated), (Some(0), false));
    assert_eq!(read.points.len(), 5 * 20);
    assert_eq!(content(read), content(only_file(&own)));
    // The description stands with the first value, in both.
    let sentence = tag::description(tag::LAMBDA_1).unwrap();
    for run in [own, other] {
        let bytes = std::fs::read(&existing_event_files(run).unwrap()[0]).unwrap();
        let found = bytes
            .windows(sentence.len())
            .filter(|part| *part == sentence.as_bytes());
        assert_eq!(found.count(), 1);
    }
}

#[test]
fn directory_that_holds_a_run_or_cannot_be_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(TensorBoardRs::create(folder.path()).unwrap()).unwrap();
    let error = TensorBoardRs::create(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("already holds 1 event file"),
        "{error}"
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = TensorBoardRs::create(file.join("run")).unwrap_err();
    assert!(error.to_string().contains("file/run"), "{error}");
}

/// A disk that is full is told, and costs no more than the values.
#[cfg(target_os = "linux")]
#[test]
fn file_that_cannot_be_written_is_a_warning_and_an_error_at_the_end() {
    // Nobody, root neither, can make a file there.
    let mut sink = match TensorBoardRs::create("/proc/self") {
        Ok(sink) => sink,
        // The thread may have ended before the header was handed to it.
        Err(error) => return assert!(error.to_string().contains("cannot write"), "{error}"),
    };
    let began = std::time::Instant::now();
    let mut warning = None;
    while warning.is_none() && began.elapsed().as_secs() < 60 {
        for record in records() {
            sink.write(&record);
            sink.flush();
        }
        warning = sink.warning();
    }
    assert!(warning.unwrap().contains("cannot write"));
    let error = Box::new(sink).finish().unwrap_err();
    assert!(error.to_string().contains("tensorboard-rs"), "{error}");
}
