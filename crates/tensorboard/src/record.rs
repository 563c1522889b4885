//! The record: how one event is framed in a file.
//!
//! ```text
//! u64 little endian   length of the data
//! u32 little endian   masked CRC-32C of the eight length bytes
//! data
//! u32 little endian   masked CRC-32C of the data
//! ```
//!
//! The mask keeps a checksum of data that itself contains checksums from being weak: with c the
//! CRC-32C, masked = rotate_right(c, 15) + 0xa282ead8 (mod 2^32).
//!
//! # References
//! TensorFlow, `core/lib/io/record_writer.h`; RFC 3720, section B.4, for the test vectors of
//! CRC-32C.

use std::io::{self, Read};

/// Bytes that frame the data: length, its checksum, and the checksum of the data.
pub(crate) const FRAME: usize = 16;

/// The most bytes that the data of a record may have, and what they decode to.
///
/// TensorBoard's server takes messages of up to 256 MiB from its data server, so nothing larger
/// could be shown; and a reader that takes no more than that stays within some hundred MiB whatever
/// a file says.
pub(crate) const LARGEST_RECORD: u64 = 256 << 20;

/// Returns the masked CRC-32C of some bytes.
pub(crate) fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Returns the bytes of the record that holds `data`.
pub(crate) fn frame(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + FRAME);
    record.extend_from_slice(&length);
    record.extend_from_slice(&masked_crc(&length).to_le_bytes());
    record.extend_from_slice(data);
    record.extend_from_slice(&masked_crc(data).to_le_bytes());
    record
}

/// The thing that a reader finds where a record should begin.
#[derive(Debug)]
pub(crate) enum Found {
    /// The data of a whole record.
    Record(Vec<u8>),
    /// The end of the file, between two records.
    End,
    /// The end of the file, within a record: the writer was killed, or is writing it now.
    Truncated,
    /// A part (`length` or `data`) that does not match its checksum.
    Corrupt(&'static str),
    /// A length of more than [`LARGEST_RECORD`].
    TooLarge(u64),
}

/// Reads records one after the other and remembers where the last good one ended.
#[derive(Debug)]
pub(crate) struct RecordReader<R> {
    input: R,
    offset: u64,
}

impl<R: Read> RecordReader<R> {
    /// Returns a reader at the beginning of a file.
    pub(crate) fn new(input: R) -> Self {
        Self { input, offset: 0 }
    }

    /// Returns the number of bytes up to the end of the last good record.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next record. What follows anything but a [`Found::Record`] has no meaning.
    pub(crate) fn next_record(&mut self) -> io::Result<Found> {
        let header = self.take(12)?;
        let Some((length, crc)) = header.split_first_chunk::<8>() else {
            return Ok(if header.is_empty() {
                Found::End
            } else {
                Found::Truncated
            });
        };
        if crc.len() < 4 {
            return Ok(Found::Truncated);
        }
        if crc != masked_crc(length).to_le_bytes() {
            return Ok(Found::Corrupt("length"));
        }
        let length = u64::from_le_bytes(*length);
        if length > LARGEST_RECORD {
            return Ok(Found::TooLarge(length));
        }
        let data = self.take(length)?;
        let crc = self.take(4)?;
        if (data.len() as u64) < length || crc.len() < 4 {
            return Ok(Found::Truncated);
        }
        if crc != masked_crc(&data).to_le_bytes() {
            return Ok(Found::Corrupt("data"));
        }
        self.offset += length + FRAME as u64;
        Ok(Found::Record(data))
    }

    /// Reads up to `count` bytes; fewer only at the end. Memory grows with what is there, not with
    /// what a length promises.
    fn take(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.input.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> (Vec<Vec<u8>>, Found, u64) {
        let mut reader = RecordReader::new(bytes);
        let mut records = Vec::new();
        loop {
            match reader.next_record().unwrap() {
                Found::Record(data) => records.push(data),
                end => return (records, end, reader.offset()),
            }
        }
    }

    #[test]
    fn crc_gives_the_answers_of_rfc_3720() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        let mut read_command = [0_u8; 48];
        read_command[0] = 0x01;
        read_command[1] = 0xc0;
        read_command[16] = 0x14;
        read_command[22] = 0x04;
        read_command[27] = 0x14;
        read_command[31] = 0x18;
        read_command[32] = 0x28;
        read_command[40] = 0x02;
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c::crc32c(&ascending), 0x46dd_794e);
        assert_eq!(crc32c::crc32c(&descending), 0x113f_db5c);
        assert_eq!(crc32c::crc32c(&read_command), 0xd996_3a56);
    }

    #[test]
    fn length_of_a_tensorflow_header_has_its_known_checksum() {
        // Every event file of TensorFlow begins with these twelve bytes: 24 bytes of data follow.
        let record = frame(&[0; 24]);
        assert_eq!(record[..12], *b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22");
    }

    #[test]
    fn promised_length_beyond_the_file_is_a_truncation_and_beyond_the_limit_is_too_large() {
        for promised in [
            6,
            LARGEST_RECORD,
            LARGEST_RECORD + 1,
            u64::MAX - 64,
            u64::MAX,
        ] {
            let length = promised.to_le_bytes();
            let mut bytes = length.to_vec();
            bytes.extend_from_slice(&masked_crc(&length).to_le_bytes());
            bytes.extend_from_slice(b"short");
            let (records, end, offset) = read_all(&bytes);
            assert!(records.is_empty());
            match end {
                Found::Truncated => assert!(promised <= LARGEST_RECORD),
                Found::TooLarge(length) => assert!(length == promised && promised > LARGEST_RECORD),
                other => panic!("{other:?}"),
            }
            assert_eq!(offset, 0);
        }
    }

    proptest! {
        #[test]
        fn records_come_back_as_they_were(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..12)) {
            let bytes: Vec<u8> = records.iter().flat_map(|data| frame(data)).collect();
            let (read, end, offset) = read_all(&bytes);
            prop_assert_eq!(read, records);
            prop_assert!(matches!(end, Found::End));
            prop_assert_eq!(offset, bytes.len() as u64);
        }

        #[test]
        fn any_flipped_bit_is_found_at_its_record(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6),
            place in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut bytes: Vec<u8> = records.iter().flat_map(|data| frame(data)).collect();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let (read, end, offset) = read_all(&bytes);
            prop_assert!(matches!(end, Found::Corrupt(_)), "{:?}", end);
            prop_assert_eq!(&read[..], &records[..read.len()]);
            let offset = usize::try_from(offset).unwrap();
            let next = offset + records[read.len()].len() + FRAME;
            prop_assert!(offset <= place && place < next);
        }
    }
}
