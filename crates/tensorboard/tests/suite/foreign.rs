//! Files that this crate did not write: of other writers, and made to do harm.

use std::fs;
use tensorboard::{Content, Error, EventReader, read_events};

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
    // Made with TensorBoard's `event_pb2`: as PyTorch writes them (`simple_value`, no metadata;
    // 0.5, and 0.0 under `z`), as TensorFlow 2 does (a tensor with metadata, in either store), and
    // as this crate did before (a data class too).
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
fn length_of_2_to_the_60_is_refused_without_a_byte_of_memory_for_it() {
    for length in [1_u64 << 60, u64::MAX, (256 << 20) + 1] {
        let bytes = length.to_le_bytes();
        let crc = crc32c::crc32c(&bytes).rotate_right(15);
        let crc = crc.wrapping_add(0xa282_ead8).to_le_bytes();
        let file = [&bytes[..], &crc, &[0; 100]].concat();
        let mut reader = EventReader::of(file.as_slice(), "memory");
        match reader.next() {
            Some(Err(Error::RecordTooLarge { offset, bytes, .. })) => {
                assert_eq!((offset, bytes), (0, length));
            }
            other => panic!("{other:?}"),
        }
        assert!(reader.next().is_none());
    }
}

#[test]
fn messages_within_messages_within_messages_end_at_a_depth() {
    // The mark of a group of field 15, a hundred thousand times; and a field 15 that holds all the
    // rest, again and again.
    let groups = [0x7b].repeat(100_000);
    let mut boxes = Vec::new();
    for _ in 0..2_000 {
        let length = u16::try_from(boxes.len()).unwrap();
        let varint = [
            (length & 0x7f) as u8 | 0x80,
            (length >> 7 & 0x7f) as u8 | 0x80,
            (length >> 14) as u8,
        ];
        boxes = [&[0x7a][..], &varint, &boxes].concat();
    }
    let file = framed(&groups);
    let mut reader = EventReader::of(file.as_slice(), "memory");
    assert!(matches!(reader.next(), Some(Err(Error::NotAnEvent { .. }))));
    // What is unknown is passed over whole.
    let file = framed(&boxes);
    let event = EventReader::of(file.as_slice(), "memory").next().unwrap();
    assert_eq!(event.unwrap().content, Content::Other);
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
