//! The memory that a record takes once decoded, told from its bytes alone.
//!
//! An empty message is two bytes in a file and hundreds in memory, so the length of a record does
//! not bound what it decodes to: 16 MiB of empty values would be gigabytes. Counted are the parts
//! that are repeated: values, the strings and dimensions of their tensors. All else is at most a
//! few times as large as its bytes.

use crate::proto;
use crate::summary;
use std::mem::size_of;

/// A value, as it was decoded and as it is handed on, with the allocations of its tag, tensor and
/// plugin.
const VALUE: usize = size_of::<proto::Value>() + size_of::<(String, summary::SummaryValue)>() + 64;
/// A string of a tensor, with its allocation.
const STRING: usize = size_of::<Vec<u8>>() + 16;

/// Returns the bytes of memory that the repeated parts of an event take.
pub(crate) fn decoded_size(event: &[u8]) -> u64 {
    let mut size = 0;
    for summary in parts(event, 5) {
        for value in parts(summary, 1) {
            size += VALUE as u64;
            for tensor in parts(value, 8) {
                size += (parts(tensor, 8).count() * STRING) as u64;
                // A packed integer is one byte or more in a file and four in memory.
                size += parts(tensor, 7)
                    .map(|packed| 4 * packed.len() as u64)
                    .sum::<u64>();
                for shape in parts(tensor, 2) {
                    size += (parts(shape, 2).count() * size_of::<proto::Dim>()) as u64;
                }
            }
        }
    }
    size
}

/// Returns the length-delimited fields of a message with a number, up to the first that is
/// malformed, which the decoder then names.
fn parts(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let (number, part) = field(&mut rest)?;
            if let (true, Some(part)) = (number == wanted, part) {
                return Some(part);
            }
        }
    })
}

/// Takes the next field: its number and, if it is length-delimited, its bytes. The marks of a group
/// are fields without content, so what a group holds is counted as if it stood outside.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let key = varint(rest)?;
    let length = match key & 7 {
        0 => {
            varint(rest)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        3 | 4 => 0,
        5 => 4,
        _ => return None,
    };
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((key >> 3, (key & 7 == 2).then_some(part)))
}

/// Takes an integer of up to ten bytes, seven bits in each, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in 0..10 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << (7 * shift);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn event(value: proto::Value, count: usize) -> Vec<u8> {
        let summary = Some(proto::Summary {
            value: vec![value; count],
        });
        proto::Event {
            wall_time: 1.5,
            step: -3,
            summary,
            ..Default::default()
        }
        .encode_to_vec()
    }

    #[test]
    fn repeated_parts_are_counted_wherever_they_stand() {
        let tensor = proto::Tensor {
            string_val: vec![Vec::new(); 5],
            tensor_content: vec![0x42; 300],
            float_val: vec![0.5; 100],
            ..proto::Tensor::of(proto::DT_STRING, &[1, 2, 3])
        };
        let value = proto::Value {
            tag: "loss".into(),
            tensor: Some(tensor),
            ..Default::default()
        };
        let one = (VALUE + 5 * STRING + 3 * size_of::<proto::Dim>()) as u64;
        assert_eq!(decoded_size(&event(value.clone(), 7)), 7 * one);
        assert_eq!(
            decoded_size(&event(proto::Value::default(), 1000)),
            1000 * VALUE as u64
        );
        // A second summary is merged with the first by a decoder; a group around it hides nothing.
        let twice = [event(value.clone(), 1), event(value.clone(), 2)].concat();
        assert_eq!(decoded_size(&twice), 3 * one);
        let group = [vec![0x7b], event(value, 1), vec![0x7c]].concat();
        assert_eq!(decoded_size(&group), one);
    }

    #[test]
    fn cut_and_malformed_messages_are_counted_up_to_the_fault() {
        let bytes = event(proto::Value::default(), 10);
        for length in 0..=bytes.len() {
            assert!(decoded_size(&bytes[..length]) <= 10 * VALUE as u64);
        }
        assert_eq!(decoded_size(&[0xff; 40]), 0);
        assert_eq!(decoded_size(&[0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f]), 0);
    }
}
