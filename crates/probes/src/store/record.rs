//! The records of a store: the values of one point.

use super::Damage;

/// Bytes of an index, and of a checksum.
const WORD: usize = 4;

/// Returns the bytes of a record with so many values.
pub(super) fn length(values: usize) -> usize {
    WORD + 8 * values + WORD
}

/// Returns a record: index, values, and CRC-32C of these, all little-endian.
pub(super) fn encode(index: u32, values: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length(values.len()));
    bytes.extend(index.to_le_bytes());
    for value in values {
        bytes.extend(value.to_bits().to_le_bytes());
    }
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Reads whole records of `count` values for a slice of `points` points, and hands index and values
/// of each to `each`, which may refuse it. The piece of a record at the end is passed over. `start`
/// is the place of the first record in the file.
///
/// # Errors
/// The first record that was not written by [`encode`], or was refused.
pub(super) fn decode(
    bytes: &[u8],
    start: usize,
    count: usize,
    points: usize,
    mut each: impl FnMut(usize, Vec<f64>) -> Result<(), String>,
) -> Result<(), Damage> {
    let length = length(count);
    for (number, record) in bytes.chunks_exact(length).enumerate() {
        let damage = |what: &str| Damage {
            what: format!("record {} {what}", number + 1),
            sound: Some(((start + number * length) as u64, number)),
        };
        let (content, checksum) = record.split_at(length - WORD);
        if crc32c::crc32c(content).to_le_bytes() != checksum {
            return Err(damage("does not have its checksum"));
        }
        let (index, values) = content.split_at(WORD);
        let index = u32::from_le_bytes(index.try_into().expect("a word was split off")) as usize;
        if index >= points {
            let what = format!("is of point {index}, and there are {points}");
            return Err(damage(&what));
        }
        let value = |bytes: &[u8]| {
            let bits = bytes.try_into().expect("chunks of eight bytes");
            f64::from_bits(u64::from_le_bytes(bits))
        };
        let values = values.chunks_exact(8).map(value).collect();
        each(index, values).map_err(|what| damage(&what))?;
    }
    Ok(())
}
