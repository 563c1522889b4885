//! What the files hold, also when they are cut, damaged or resumed.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::Path;
use tensorboard::{
    Content, Error, EventReader, EventWriter, Histogram, Png, Value, existing_event_files,
    read_events,
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
    let values: Vec<(&str, i64, &Value)> = file
        .points
        .iter()
        .map(|p| (p.tag.as_str(), p.step, &p.value))
        .collect();
    let picture = Png::from_rgb(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(
        values,
        [
            ("loss/train", 0, &Value::Scalar(0.5)),
            (
                "gradient",
                0,
                &Value::Histogram(Histogram::of(&[-1.0, 1.0]).unwrap())
            ),
            ("picture", 0, &Value::Image(vec![picture])),
            ("report", 0, &Value::Text("**fine**, λ < 2/η".into())),
            ("loss/train", 1, &Value::Scalar(0.25)),
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

/// A sound frame around any bytes.
fn framed(data: &[u8]) -> Vec<u8> {
    let crc = |b: &[u8]| {
        crc32c::crc32c(b)
            .rotate_right(15)
            .wrapping_add(0xa282_ead8)
            .to_le_bytes()
    };
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &crc(&length), data, &crc(data)].concat()
}

/// The bytes of hexadecimal digits.
fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn scalars_of_other_writers_are_read_in_each_of_their_forms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    // Made with TensorBoard's `event_pb2`: as PyTorch writes them (`simple_value`, no metadata; 0.5, and 0.0 under `z`), as
    // TensorFlow 2 does (a tensor with metadata, in either store), and as this crate did before (a data class too).
    let events = [
        "0900001040fc54d94110072a130a110a0a6c6f73732f747261696e150000003f",
        "0900001040fc54d94110072a0a0a080a017a1500000000",
        "0900001040fc54d94110082a270a250a0a6c6f73732f747261696e420a080112002a040000003f4a0b0a090a077363616c617273",
        "0900001040fc54d94110082a270a250a0a6c6f73732f747261696e420a0801120022040000003f4a0b0a090a077363616c617273",
        "0900001040fc54d94110072a290a270a0a6c6f73732f747261696e420a080112002a040000003f4a0d0a090a077363616c6172732001",
    ];
    let records: Vec<u8> = events.iter().flat_map(|e| framed(&bytes_of(e))).collect();
    fs::write(&path, records).unwrap();
    let file = read_events(&path).unwrap();
    assert_eq!(
        file.scalars("loss/train"),
        [(7, 0.5), (8, 0.5), (8, 0.5), (7, 0.5)]
    );
    assert_eq!(file.scalars("z"), [(7, 0.0)]);
}

#[test]
fn scalar_is_written_as_pytorch_writes_it_with_metadata_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    writer.scalar("loss/train", 7, 0.5).unwrap();
    let bytes = fs::read(writer.path()).unwrap();
    // TensorBoard's `event_pb2` gives these bytes for `Value(tag="loss/train", simple_value=0.5, metadata=..)` at step 7.
    let event =
        bytes_of("10072a220a200a0a6c6f73732f747261696e150000003f4a0d0a090a077363616c6172732001");
    let end = bytes.len() - 4;
    assert_eq!(bytes[end - event.len()..end], event);
}

#[test]
fn record_that_would_fill_the_memory_is_refused_before_it_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    // A summary of empty values, two bytes each: 290 bytes each in memory.
    let empty_values = |count: usize| {
        let length = u32::try_from(2 * count).unwrap();
        let varint: Vec<u8> = (0..5)
            .map(|i| u8::try_from(length >> (7 * i) & 0x7f).unwrap() | if i < 4 { 0x80 } else { 0 })
            .collect();
        framed(&[&[0x2a][..], &varint, &[0x0a, 0x00].repeat(count)].concat())
    };
    let sound = empty_values(1000);
    fs::write(&path, [sound.clone(), empty_values(8 << 20)].concat()).unwrap();
    let mut reader = EventReader::open(&path).unwrap();
    let Content::Values(values) = reader.next().unwrap().unwrap().content else {
        panic!("no values")
    };
    assert_eq!(values.len(), 1000);
    match reader.next() {
        Some(Err(Error::RecordTooLarge { offset, bytes, .. })) => {
            assert_eq!(offset, sound.len() as u64);
            assert!(bytes > 1 << 30, "{bytes}");
        }
        other => panic!("{:?}", other.map(|event| event.map(|event| event.step))),
    }
    assert!(reader.next().is_none());
    // A length beyond any record is refused without reading on.
    let length = (300_u64 << 20).to_le_bytes();
    let crc = crc32c::crc32c(&length)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
        .to_le_bytes();
    fs::write(&path, [&length[..], &crc].concat()).unwrap();
    let error = read_events(&path).unwrap_err();
    assert!(
        matches!(error, Error::RecordTooLarge { offset: 0, bytes, .. } if bytes == 300 << 20),
        "{error}"
    );
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
fn bytes_that_are_no_event_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    // Field 0 does not exist in any message; the frame around it is sound.
    fs::write(&path, framed(&[0, 0, 0])).unwrap();
    assert!(matches!(
        read_events(&path),
        Err(Error::NotAnEvent { offset: 0, .. })
    ));
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
