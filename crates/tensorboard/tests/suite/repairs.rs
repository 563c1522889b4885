//! Repair: what can be read of a damaged file is copied, and nothing else is touched.

use std::fs;
use std::path::Path;
use tensorboard::{Damage, Error, EventWriter, Png, Point, read_events, repair};

/// An offset in bytes that are in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// A run of scalars, texts and a picture: its bytes, and where each record ends.
fn run(directory: &Path) -> (Vec<u8>, Vec<u64>) {
    let mut writer = EventWriter::create(directory).unwrap();
    for step in 0..4 {
        writer.scalar("loss", step, 0.5).unwrap();
    }
    writer.text("notes", 0, &"word ".repeat(30)).unwrap();
    let picture = Png::from_rgb(9, 9, &[7; 243]).unwrap();
    writer.image("picture", 0, &[picture]).unwrap();
    writer.scalar("loss", 4, 0.25).unwrap();
    let bytes = fs::read(writer.finish().unwrap().path).unwrap();
    let mut ends = Vec::new();
    while index(*ends.last().unwrap_or(&0)) < bytes.len() {
        let at = index(*ends.last().unwrap_or(&0));
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        ends.push(at as u64 + length + 16);
    }
    (bytes, ends)
}

/// The points without the times, which a new header has of its own.
fn points(path: &Path) -> Vec<Point> {
    let file = read_events(path).unwrap();
    assert_eq!(file.version.as_deref(), Some("brain.Event:2"));
    assert!(!file.truncated);
    file.points
}

#[test]
fn flipped_byte_costs_its_record_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = run(&folder.path().join("run"));
    let sound = folder.path().join("sound");
    fs::write(&sound, &bytes).unwrap();
    let all = points(&sound);
    let damaged = folder.path().join("damaged");
    let into = folder.path().join("repaired");
    for place in (0..bytes.len()).step_by(3) {
        let mut copy = bytes.clone();
        copy[place] ^= 0xff;
        fs::write(&damaged, &copy).unwrap();
        let repaired = repair(&damaged, &into).unwrap();
        let hit = ends.iter().position(|&end| (place as u64) < end).unwrap();
        let start = if hit == 0 { 0 } else { ends[hit - 1] };
        let damage = Damage {
            offset: start,
            bytes: ends[hit] - start,
        };
        assert_eq!(repaired.damages, [damage], "byte {place}");
        assert_eq!(repaired.records, ends.len() as u64 - 1, "byte {place}");
        assert_eq!(repaired.new_header, hit == 0);
        // The header and the start stand before the first point.
        let mut expected = all.clone();
        if hit >= 2 {
            expected.remove(hit - 2);
        }
        assert_eq!(points(&into), expected, "byte {place}");
        assert_eq!(
            fs::read(&damaged).unwrap(),
            copy,
            "the damaged file is as it was"
        );
        fs::remove_file(&into).unwrap();
    }
}

#[test]
fn cut_rubbish_and_missing_pieces_leave_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = run(&folder.path().join("run"));
    let damaged = folder.path().join("damaged");
    let into = folder.path().join("repaired");
    let last = index(ends[ends.len() - 2]);
    for cut in last..bytes.len() {
        fs::write(&damaged, &bytes[..cut]).unwrap();
        let repaired = repair(&damaged, &into).unwrap();
        assert_eq!(points(&into).len(), 6);
        assert_eq!(repaired.bytes, last as u64);
        assert_eq!(repaired.damages.len(), usize::from(cut > last));
        fs::remove_file(&into).unwrap();
    }
    // Ten bytes are gone from the middle, and a block of rubbish has come in.
    let middle = index(ends[3]);
    let rubbish: Vec<u8> = (0..200_000_u32)
        .map(|i| (i.wrapping_mul(i) % 251).to_le_bytes()[0])
        .collect();
    let pieces = [&bytes[..middle], &rubbish, &bytes[middle + 10..]];
    fs::write(&damaged, pieces.concat()).unwrap();
    let repaired = repair(&damaged, &into).unwrap();
    assert_eq!(points(&into).len(), 6);
    let lost = 200_000 + ends[4] - ends[3] - 10;
    let damage = Damage {
        offset: ends[3],
        bytes: lost,
    };
    assert_eq!(repaired.damages, [damage]);
}

#[test]
fn records_that_would_end_a_loader_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, ends) = run(&folder.path().join("run"));
    let framed = |data: &[u8]| {
        let crc = |b: &[u8]| {
            let crc = crc32c::crc32c(b).rotate_right(15);
            crc.wrapping_add(0xa282_ead8).to_le_bytes()
        };
        let length = (data.len() as u64).to_le_bytes();
        [&length[..], &crc(&length), data, &crc(data)].concat()
    };
    // A time that is NaN, and a field that ends in the middle.
    let timeless = framed(&[&[9][..], &f64::NAN.to_le_bytes()].concat());
    let nonsense = framed(&[0x2a, 0x7f]);
    let at = index(ends[2]);
    let damaged = folder.path().join("damaged");
    fs::write(
        &damaged,
        [&bytes[..at], &timeless, &nonsense, &bytes[at..]].concat(),
    )
    .unwrap();
    let into = folder.path().join("repaired");
    let repaired = repair(&damaged, &into).unwrap();
    let damage = Damage {
        offset: ends[2],
        bytes: (timeless.len() + nonsense.len()) as u64,
    };
    assert_eq!(repaired.damages, [damage]);
    assert_eq!(fs::read(&into).unwrap(), bytes);
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("run"));
    let files = tensorboard::existing_event_files(folder.path().join("run")).unwrap();
    let before = fs::read(&files[0]).unwrap();
    let error = repair(&files[0], &files[0]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Io {
                action: "create",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(fs::read(&files[0]).unwrap(), before);
    let missing = repair(folder.path().join("missing"), folder.path().join("new"));
    assert!(matches!(missing, Err(Error::Io { action: "open", .. })));
    assert!(!folder.path().join("new").exists());
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    let repaired = repair(&empty, folder.path().join("new")).unwrap();
    assert_eq!((repaired.records, repaired.bytes), (0, 0));
}
