//! What the files hold, also when they are cut, damaged or resumed.

use std::fs;
use std::path::Path;
use tensorboard::{
    Content, Error, EventReader, EventWriter, Histogram, Png, RunLock, SummaryValue,
    existing_event_files, read_events,
};

/// A small run with every kind of value.
fn small_run(directory: &Path) -> Vec<u8> {
    let mut writer = EventWriter::create(directory).unwrap();
    writer.scalar("loss/train", 0, 0.5).unwrap();
    let histogram = Histogram::of(&[-1.0, 1.0]).unwrap();
    writer.histogram("gradient", 0, &histogram).unwrap();
    let picture = Png::from_rgb(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    writer.image("picture", 0, &[picture]).unwrap();
    writer.text("report", 0, "**fine**, λ < 2/η").unwrap();
    writer.scalar("loss/train", 1, 0.25).unwrap();
    let written = writer.finish().unwrap();
    let bytes = fs::read(&written.path).unwrap();
    assert_eq!(written.values, 5);
    assert_eq!(written.bytes, bytes.len() as u64);
    bytes
}

/// Where each record of sound bytes ends, from the lengths alone.
fn record_ends(bytes: &[u8]) -> Vec<u64> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < bytes.len() as u64 {
        let start = usize::try_from(at).unwrap();
        let length = u64::from_le_bytes(bytes[start..start + 8].try_into().unwrap());
        at += length + 16;
        ends.push(at);
    }
    ends
}

#[test]
fn every_kind_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    small_run(folder.path());
    let files = existing_event_files(folder.path()).unwrap();
    let file = read_events(&files[0]).unwrap();
    let values: Vec<(&str, i64, &SummaryValue)> = file
        .points
        .iter()
        .map(|p| (p.tag.as_str(), p.step, &p.value))
        .collect();
    let picture = Png::from_rgb(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(
        values,
        [
            ("loss/train", 0, &SummaryValue::Scalar(0.5)),
            (
                "gradient",
                0,
                &SummaryValue::Histogram(Histogram::of(&[-1.0, 1.0]).unwrap())
            ),
            ("picture", 0, &SummaryValue::Image(vec![picture])),
            ("report", 0, &SummaryValue::Text("**fine**, λ < 2/η".into())),
            ("loss/train", 1, &SummaryValue::Scalar(0.25)),
        ]
    );
    assert_eq!(file.version.as_deref(), Some("brain.Event:2"));
    assert_eq!(file.start, Some(0));
    assert!(!file.truncated);
    assert!(file.points.iter().all(|p| p.wall_time > 1.6e9));
}

#[test]
fn file_cut_at_any_byte_gives_its_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = small_run(folder.path());
    let ends = record_ends(&bytes);
    assert_eq!(ends.len(), 7);
    let cut = folder.path().join("cut");
    for length in 0..=bytes.len() {
        fs::write(&cut, &bytes[..length]).unwrap();
        let mut reader = EventReader::open(&cut).unwrap();
        let events: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        let whole = ends.iter().filter(|&&end| end <= length as u64).count();
        let good = if whole == 0 { 0 } else { ends[whole - 1] };
        assert_eq!(events.len(), whole, "cut at {length}");
        assert_eq!(reader.offset(), good, "cut at {length}");
        assert_eq!(reader.truncated(), good < length as u64, "cut at {length}");
    }
}

#[test]
fn every_flipped_byte_is_found_at_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = small_run(folder.path());
    let ends = record_ends(&bytes);
    let damaged = folder.path().join("damaged");
    for place in 0..bytes.len() {
        let mut copy = bytes.clone();
        copy[place] ^= 0xff;
        fs::write(&damaged, &copy).unwrap();
        let whole = ends.iter().filter(|&&end| end <= place as u64).count();
        let start = if whole == 0 { 0 } else { ends[whole - 1] };
        let mut reader = EventReader::open(&damaged).unwrap();
        assert_eq!(
            reader.by_ref().take(whole).filter(Result::is_ok).count(),
            whole
        );
        match reader.next() {
            Some(Err(Error::Corrupt { offset, .. })) => assert_eq!(offset, start, "byte {place}"),
            other => panic!("byte {place}: {other:?}"),
        }
        assert!(reader.next().is_none(), "nothing is read after the damage");
        assert!(read_events(&damaged).is_err());
    }
}

#[test]
fn scalar_is_written_as_pytorch_writes_it_with_metadata_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    writer.scalar("loss/train", 7, 0.5).unwrap();
    let bytes = fs::read(writer.path()).unwrap();
    // TensorBoard's `event_pb2` gives these bytes for `SummaryValue(tag="loss/train",
    // simple_value=0.5, metadata=..)` at step 7.
    let event = b"\x10\x07\x2a\x22\x0a\x20\x0a\x0aloss/train\x15\0\0\0\x3f\x4a\x0d\x0a\x09\x0a\x07scalars\x20\x01";
    let end = bytes.len() - 4;
    assert_eq!(bytes[end - event.len()..end], event[..]);
}

#[test]
fn value_that_no_reader_would_take_is_refused_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    let text = "x".repeat((256 << 20) + 1);
    let error = writer.text("report", 0, &text).unwrap_err();
    assert!(
        matches!(&error, Error::ValueTooLarge { tag, bytes } if tag == "report" && *bytes > 256 << 20),
        "{error}"
    );
    writer.text("report", 0, "short").unwrap();
    assert_eq!(writer.finish().unwrap().values, 1);
}

#[test]
fn scalars_that_are_not_finite_are_written_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.0, 0.1];
    for (step, value) in (0..).zip(values) {
        writer.scalar("loss", step, value).unwrap();
    }
    let read = read_events(writer.path()).unwrap().scalars("loss");
    let bits: Vec<u32> = read.iter().map(|(_, value)| value.to_bits()).collect();
    let expected = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::INFINITY,
        -0.0,
        0.1,
    ]
    .map(f32::to_bits);
    assert_eq!(bits, expected);
}

#[test]
fn refused_values_leave_the_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    writer.scalar("loss", 5, 1.0).unwrap();
    let before = fs::read(writer.path()).unwrap();
    for step in [5, 4, 0] {
        match writer.scalar("loss", step, 1.0) {
            Err(Error::StepNotIncreasing {
                tag,
                last: 5,
                step: refused,
            }) => {
                assert_eq!((tag.as_str(), refused), ("loss", step));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        writer.scalar("other", -1, 1.0),
        Err(Error::StepBeforeStart {
            start: 0,
            step: -1,
            ..
        })
    ));
    assert!(matches!(
        writer.text("loss", 6, "text"),
        Err(Error::TagKind {
            first: "scalar",
            second: "text",
            ..
        })
    ));
    assert!(matches!(writer.scalar("", 6, 1.0), Err(Error::EmptyTag)));
    assert!(matches!(
        writer.image("none", 6, &[]),
        Err(Error::NoPicture { .. })
    ));
    let small = Png::from_rgb(1, 1, &[0; 3]).unwrap();
    let large = Png::from_rgb(2, 1, &[0; 6]).unwrap();
    assert!(matches!(
        writer.image("mixed", 6, &[small, large]),
        Err(Error::PictureSizes {
            first: (1, 1),
            other: (2, 1),
            ..
        })
    ));
    assert_eq!(fs::read(writer.path()).unwrap(), before);
    // What was refused does not count as the last step of its tag.
    writer.scalar("loss", 6, 1.0).unwrap();
    writer.scalar("other", 0, 1.0).unwrap();
    assert_eq!(writer.finish().unwrap().values, 3);
}

#[test]
fn value_can_be_read_while_the_writer_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    for step in 0..20 {
        writer.scalar("loss", step, 0.0).unwrap();
        let file = read_events(writer.path()).unwrap();
        assert_eq!(file.scalars("loss").last(), Some(&(step, 0.0)));
    }
}

#[test]
fn fresh_run_is_refused_where_a_run_is() {
    let folder = tempfile::tempdir().unwrap();
    EventWriter::create(folder.path())
        .unwrap()
        .finish()
        .unwrap();
    let error = EventWriter::create(folder.path()).unwrap_err();
    assert!(
        matches!(error, Error::AlreadyHoldsRun { files: 1, .. }),
        "{error}"
    );
}

#[test]
fn start_is_written_for_a_known_step_only() {
    let folder = tempfile::tempdir().unwrap();
    for (step, start) in [(Some(7), Some(7)), (None, None), (Some(0), Some(0))] {
        let writer = EventWriter::resume(folder.path(), step).unwrap();
        assert_eq!(read_events(writer.path()).unwrap().start, start);
        let events: Vec<_> = EventReader::open(writer.path())
            .unwrap()
            .map(|event| event.unwrap().content)
            .collect();
        assert_eq!(events[0], Content::FileVersion("brain.Event:2".into()));
        assert_eq!(events.len(), if step.is_some() { 2 } else { 1 });
    }
    let mut unknown = EventWriter::resume(folder.path(), None).unwrap();
    unknown.scalar("loss", -3, 1.0).unwrap();
    unknown.finish().unwrap();
    let mut known = EventWriter::resume(folder.path(), Some(7)).unwrap();
    assert!(matches!(
        known.scalar("loss", 6, 1.0),
        Err(Error::StepBeforeStart {
            start: 7,
            step: 6,
            ..
        })
    ));
    known.scalar("loss", 7, 1.0).unwrap();
}

#[test]
fn resumed_files_sort_in_the_order_in_which_they_were_opened() {
    let folder = tempfile::tempdir().unwrap();
    // A file of a host whose clock is a century ahead, with a name that sorts after ours.
    let ahead = folder
        .path()
        .join("events.out.tfevents.4900000000.zzz.999999.9.v2");
    fs::write(&ahead, "").unwrap();
    let mut opened = vec![ahead.clone()];
    for step in 0..25 {
        let writer = EventWriter::resume(folder.path(), Some(step)).unwrap();
        opened.push(writer.path().to_path_buf());
    }
    assert_eq!(existing_event_files(folder.path()).unwrap(), opened);
    // The earlier files were not touched.
    assert_eq!(fs::metadata(ahead).unwrap().len(), 0);
    let name = opened[1].file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("events.out.tfevents.4900000001."),
        "{name}"
    );
    assert!(name.ends_with(&format!(
        ".{}.{}",
        std::process::id(),
        name.rsplit('.').next().unwrap()
    )));
}

#[test]
fn foreign_file_that_sorts_last_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("zzz.tfevents"), "").unwrap();
    let error = EventWriter::resume(folder.path(), None).unwrap_err();
    assert!(error.to_string().contains("zzz.tfevents"), "{error}");
}

#[test]
fn second_writer_is_refused_until_the_first_ends() {
    let folder = tempfile::tempdir().unwrap();
    let writer = EventWriter::create(folder.path()).unwrap();
    for attempt in [
        EventWriter::create(folder.path()),
        EventWriter::resume(folder.path(), None),
    ] {
        let error = attempt.unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("share that writer, finish it first"),
            "{error}"
        );
    }
    // Another run is free.
    EventWriter::create(folder.path().join("other")).unwrap();
    writer.finish().unwrap();
    let dropped = EventWriter::resume(folder.path(), None).unwrap();
    drop(dropped);
    EventWriter::resume(folder.path(), None).unwrap();
}

#[test]
fn directory_that_cannot_be_made_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = EventWriter::create(file.join("run")).unwrap_err();
    assert!(
        matches!(
            &error,
            Error::Io {
                action: "create directory",
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("run"), "{error}");
}

#[test]
fn lock_that_was_taken_before_keeps_others_out_until_its_last_clone_ends() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let lock = RunLock::take(&run).unwrap();
    let busy = |result: Result<EventWriter, Error>| matches!(result, Err(Error::Busy { .. }));
    assert!(busy(EventWriter::create(&run)));
    let file = lock.next_event_file().unwrap();
    let mut writer = EventWriter::begin(lock.clone(), file.clone(), Some(5)).unwrap();
    writer.scalar("loss", 5, 0.5).unwrap();
    let bytes = writer.sync().unwrap();
    assert_eq!(bytes, fs::metadata(&file).unwrap().len());
    writer.finish().unwrap();
    assert!(busy(EventWriter::resume(&run, None)));
    drop(lock);
    EventWriter::resume(&run, None).unwrap();
    let read = read_events(&file).unwrap();
    assert_eq!(
        (read.start, read.scalars("loss")),
        (Some(5), vec![(5, 0.5)])
    );
}

#[cfg(unix)]
#[test]
fn file_or_directory_that_is_removed_or_replaced_is_noticed() {
    let replaced = |result| matches!(result, Err(Error::Replaced { .. }));
    type Change = fn(&Path, &Path);
    let changes: [(&str, Change); 4] = [
        ("file removed", |_, file| fs::remove_file(file).unwrap()),
        ("file replaced", |_, file| {
            fs::rename(file, file.with_extension("old")).unwrap();
            fs::write(file, "another").unwrap();
        }),
        ("directory removed", |run, _| {
            fs::remove_dir_all(run).unwrap()
        }),
        ("directory moved and made again", |run, _| {
            fs::rename(run, run.with_extension("old")).unwrap();
            drop(EventWriter::create(run).unwrap());
        }),
    ];
    for (name, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        let mut writer = EventWriter::create(&run).unwrap();
        writer.scalar("loss", 0, 0.5).unwrap();
        writer.check_in_place().unwrap();
        let file = writer.path().to_path_buf();
        change(&run, &file);
        assert!(replaced(writer.check_in_place()), "{name}");
        // Writing itself sees nothing of it.
        writer.scalar("loss", 1, 0.5).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn lock_of_a_directory_that_was_removed_keeps_nobody_out_of_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let old = RunLock::take(&run).unwrap();
    fs::remove_dir_all(&run).unwrap();
    let new = RunLock::take(&run).unwrap();
    assert!(old.check_in_place().is_err());
    new.check_in_place().unwrap();
    assert!(RunLock::take(&run).is_err());
}
