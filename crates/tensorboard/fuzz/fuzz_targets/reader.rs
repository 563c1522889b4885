//! The reader of event files on arbitrary bytes: as a file, and as the data of one record.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tensorboard::{Content, EventReader, SummaryValue};

// The first byte says what the rest is, because a fuzzer does not find checksums.
fuzz_target!(|bytes: &[u8]| {
    let Some((form, rest)) = bytes.split_first() else {
        return;
    };
    match form % 2 {
        0 => read(rest, rest.len()),
        _ => read(&framed(rest), rest.len()),
    }
});

/// Reads everything, and checks what the reader promises of any file.
fn read(file: &[u8], bytes: usize) {
    let mut reader = EventReader::of(file, "fuzzed");
    let mut last = 0;
    while let Some(event) = reader.next() {
        let offset = reader.offset();
        assert!(offset <= file.len() as u64, "it read {offset} bytes");
        let Ok(event) = event else {
            break;
        };
        assert!(offset >= last + 16, "a record has 16 bytes at least");
        last = offset;
        if let Content::Values(values) = &event.content {
            for (_, value) in values {
                check(value, bytes);
            }
        }
    }
    assert!(reader.next().is_none(), "it has ended");
}

/// Checks what a value promises whatever was in the file.
fn check(value: &SummaryValue, bytes: usize) {
    match value {
        SummaryValue::Mesh(mesh) => mesh.check().expect("a mesh can be drawn"),
        SummaryValue::Histogram(histogram) => {
            for bin in histogram.bins() {
                assert!(bin.left.is_finite() && bin.right.is_finite() && bin.left <= bin.right);
            }
        }
        SummaryValue::PrCurve(curve) => assert!(6 * curve.thresholds() <= bytes),
        SummaryValue::Image(pictures) => {
            let held: usize = pictures.iter().map(|picture| picture.bytes().len()).sum();
            assert!(held <= bytes);
        }
        _ => {}
    }
}

/// A sound frame around any bytes.
fn framed(data: &[u8]) -> Vec<u8> {
    let masked = |bytes: &[u8]| {
        let crc = crc32c::crc32c(bytes).rotate_right(15);
        crc.wrapping_add(0xa282_ead8).to_le_bytes()
    };
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}
