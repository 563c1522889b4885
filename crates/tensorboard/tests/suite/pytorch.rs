//! The habits of PyTorch's `SummaryWriter`.

use std::fs;
use std::path::Path;
use tensorboard::{
    Chart, Error, EventFile, Hparams, Layout, Margin, Mesh, Png, SummaryValue, SummaryWriter,
    SummaryWriterConfig, existing_event_files, read_events,
};

/// The only event file of a directory.
fn only_file(directory: &Path) -> EventFile {
    let files = existing_event_files(directory).unwrap();
    assert_eq!(files.len(), 1, "{}", directory.display());
    read_events(&files[0]).unwrap()
}

#[test]
fn every_call_writes_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut writer = SummaryWriter::new(&run).unwrap();
    assert_eq!(writer.log_dir(), run);
    let picture = Png::from_rgb(1, 1, &[1, 2, 3]).unwrap();
    writer.add_scalar("loss/train", 0.5, 3).unwrap();
    writer.add_histogram("weights", &[0.0, 1.0], 3).unwrap();
    writer.add_image("one", &picture, 3).unwrap();
    writer
        .add_images("two", &[picture.clone(), picture.clone()], 3)
        .unwrap();
    writer
        .add_figure("figure", picture.bytes().to_vec(), 3)
        .unwrap();
    writer.add_text("notes", "*falls*", 3).unwrap();
    let triangle = Mesh {
        vertices: vec![[0.0; 3]; 3],
        faces: vec![[0, 1, 2]],
        ..Mesh::default()
    };
    writer.add_mesh("triangle", &triangle, 3).unwrap();
    writer
        .add_pr_curve("seven", &[true, false], &[0.9, 0.2], 3)
        .unwrap();
    let settings = Hparams::new([("rate", 0.1.into())]);
    writer
        .add_hparams(&settings, &[("hparam/accuracy", 0.75)])
        .unwrap();
    assert!(matches!(
        writer.add_figure("figure", vec![1, 2], 4),
        Err(Error::NotPng { .. })
    ));
    writer.flush().unwrap();
    writer.close().unwrap();

    let file = only_file(&run);
    assert_eq!(file.start, Some(0));
    let of = |tag: &str| {
        let point = file.points.iter().find(|point| point.tag == tag).unwrap();
        assert_eq!(point.step, 3, "{tag}");
        point.value.clone()
    };
    assert_eq!(of("loss/train"), SummaryValue::Scalar(0.5));
    assert_eq!(of("one"), SummaryValue::Image(vec![picture.clone()]));
    assert_eq!(
        of("two"),
        SummaryValue::Image(vec![picture.clone(), picture.clone()])
    );
    assert_eq!(of("figure"), SummaryValue::Image(vec![picture]));
    assert_eq!(of("notes"), SummaryValue::Text("*falls*".into()));
    assert_eq!(of("triangle"), SummaryValue::Mesh(triangle));
    assert_eq!(of("hparam/accuracy"), SummaryValue::Scalar(0.75));
    let (SummaryValue::Histogram(weights), SummaryValue::PrCurve(curve)) =
        (of("weights"), of("seven"))
    else {
        panic!("other kinds");
    };
    assert_eq!(
        weights.bins().iter().map(|bin| bin.weight).sum::<f64>(),
        2.0
    );
    // PyTorch's number of thresholds.
    assert_eq!(curve.thresholds(), 127);
    assert_eq!(
        of("_hparams_/session_end_info"),
        SummaryValue::Other("hparams".into())
    );
}

#[test]
fn scalars_of_one_chart_are_runs_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SummaryWriter::new(folder.path()).unwrap();
    for step in 0..3 {
        writer
            .add_scalars("loss/all", &[("train", 1.0), ("valid", 2.0)], step)
            .unwrap();
    }
    writer.close().unwrap();
    for (name, value) in [("loss_all_train", 1.0), ("loss_all_valid", 2.0)] {
        let scalars = only_file(&folder.path().join(name)).scalars("loss/all");
        assert_eq!(scalars, [(0, value), (1, value), (2, value)]);
    }
}

#[test]
fn charts_are_added_to_those_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SummaryWriter::new(folder.path()).unwrap();
    writer
        .add_custom_scalars_multilinechart(&["a", "b"], "x", "lines")
        .unwrap();
    writer
        .add_custom_scalars_marginchart(["v", "l", "u"], "x", "band")
        .unwrap();
    writer.close().unwrap();
    let last = only_file(folder.path()).points.pop().unwrap().value;
    let expected = Layout::new()
        .with("x", Chart::lines("lines", ["a", "b"]))
        .with("x", Chart::margins("band", [Margin::new("v", "l", "u")]));
    assert_eq!(last, SummaryValue::Layout(expected));
}

#[test]
fn directory_that_holds_a_run_is_gone_on_with_and_purged_at_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SummaryWriter::new(folder.path()).unwrap();
    for step in 0..10 {
        writer.add_scalar("loss", 1.0, step).unwrap();
    }
    writer.close().unwrap();
    let config = SummaryWriterConfig::new()
        .with_log_dir(folder.path())
        .with_filename_suffix(".resumed-1");
    let mut writer = config.clone().with_purge_step(5).open().unwrap();
    assert!(writer.add_scalar("loss", 2.0, 4).is_err());
    writer.add_scalar("loss", 2.0, 5).unwrap();
    writer.close().unwrap();
    // Without a step any is taken, and nothing is purged.
    let mut writer = config.open().unwrap();
    writer.add_scalar("loss", 3.0, 2).unwrap();
    writer.close().unwrap();
    let files = existing_event_files(folder.path()).unwrap();
    let starts: Vec<_> = files
        .iter()
        .map(|file| read_events(file).unwrap().start)
        .collect();
    assert_eq!(starts, [Some(0), Some(5), None]);
    assert!(files[2].to_string_lossy().ends_with(".resumed-1"));
    for suffix in ["a/b", "..\\x", "é", " "] {
        let config = SummaryWriterConfig::new().with_log_dir(folder.path());
        let error = config.with_filename_suffix(suffix).open().unwrap_err();
        assert!(matches!(error, Error::Suffix { .. }), "{error}");
    }
    assert_eq!(existing_event_files(folder.path()).unwrap().len(), 3);
}

#[test]
fn run_without_a_directory_is_named_by_time_host_and_comment() {
    let config = SummaryWriterConfig::new().with_comment("_lr=0.1/a");
    assert_eq!(config.log_dir, None);
    let name = tensorboard::default_run_directory(&config.comment);
    let name = name.strip_prefix("runs").unwrap().to_str().unwrap();
    let shape: String = name
        .chars()
        .take(15)
        .map(|c| {
            if c.is_ascii_digit() {
                '0'
            } else if c.is_alphabetic() {
                'a'
            } else {
                c
            }
        })
        .collect();
    assert_eq!(shape, "aaa00_00-00-00_");
    assert!(name.ends_with("_lr=0.1-a"), "{name}");
}

#[test]
fn tensors_become_the_bytes_that_pytorch_gives_them() {
    // `convert_to_HWC(tensor, "CHW")`, then `(255 x).clip(0, 255).astype(uint8)`.
    let values = [
        0.0,
        0.5,
        1.0,
        2.0,
        -1.0,
        0.999,
        0.1,
        0.2,
        f32::NAN,
        1.0,
        0.0,
        0.004,
    ];
    let picture = Png::from_chw([3, 2, 2], &values).unwrap();
    let pixels = [0, 0, 0, 127, 254, 255, 255, 25, 0, 255, 51, 1];
    assert_eq!(picture, Png::from_rgb(2, 2, &pixels).unwrap());
    let batch = Png::from_nchw([2, 1, 1, 2], &[0.0, 1.0, 1.0, 0.0]).unwrap();
    let grey = |a, b| Png::from_rgb(2, 1, &[a, a, a, b, b, b]).unwrap();
    assert_eq!(batch, [grey(0, 255), grey(255, 0)]);
    assert!(matches!(
        Png::from_chw([2, 1, 1], &[0.0; 2]),
        Err(Error::Channels { channels: 2 })
    ));
    assert!(matches!(
        Png::from_chw([3, 2, 2], &[0.0; 11]),
        Err(Error::PixelCount {
            expected: 12,
            given: 11,
            ..
        })
    ));
    assert!(matches!(
        Png::from_nchw([2, 1, 0, 2], &[]),
        Err(Error::PixelCount { .. })
    ));
    let huge = [usize::MAX, 3, usize::MAX, 2];
    assert!(matches!(
        Png::from_nchw(huge, &[0.0]),
        Err(Error::PixelCount { .. })
    ));
}

#[test]
fn writer_of_a_directory_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        SummaryWriter::new(file.join("run")),
        Err(Error::Io { .. })
    ));
}
