//! A damaged event file, copied without what cannot be read.

use crate::Error;
use crate::record::{FRAME, Found, LARGEST_RECORD, RecordReader, masked_crc};
use crate::record_file::RecordFile;
use crate::{proto, reader, writer};
use prost::Message;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of the damaged file that the copy does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The place of the first one.
    pub offset: u64,
    /// Their number.
    pub bytes: u64,
}

/// The account of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The new file.
    pub path: PathBuf,
    /// The records that were copied.
    pub records: u64,
    /// The length of the new file in bytes.
    pub bytes: u64,
    /// What was left out, in the order of the damaged file; empty for a sound one.
    pub damages: Vec<Damage>,
    /// Whether the header was missing and was written anew.
    pub new_header: bool,
}

/// Copies all that can be read of a damaged event file into a new one.
///
/// TensorBoard shows a file up to the first damage, without a word. Here the next whole record is
/// looked for after it: a place where a length and its data both have the right checksums. Left out
/// are also records that would end the loaders of TensorBoard: those that are no events, and those
/// whose time is NaN.
///
/// Nothing is overwritten, and the damaged file is not touched: move it out of the run directory
/// afterwards, and the copy to its place. The search reads the damaged bytes once, and again for
/// each place that looks like a record.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, or if `into` exists or cannot be written; the part of
/// it that was written is then removed.
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, read_events, repair};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path().join("run"))?;
/// for step in 0..3 {
///     writer.scalar("loss", step, 0.5)?;
/// }
/// let damaged = writer.finish()?.path;
/// // A byte within the second of the values.
/// let mut bytes = std::fs::read(&damaged)?;
/// let middle = bytes.len() - 70;
/// bytes[middle] ^= 1;
/// std::fs::write(&damaged, &bytes)?;
/// assert!(read_events(&damaged).is_err());
///
/// let repaired = repair(&damaged, folder.path().join("repaired"))?;
/// assert_eq!(repaired.damages.len(), 1);
/// let steps: Vec<i64> = read_events(&repaired.path)?
///     .points
///     .iter()
///     .map(|p| p.step)
///     .collect();
/// assert_eq!(steps, [0, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn repair(damaged: impl AsRef<Path>, into: impl AsRef<Path>) -> Result<Repaired, Error> {
    let (damaged, into) = (damaged.as_ref(), into.as_ref());
    let cannot = |action, path: &Path, source| Error::Io {
        action,
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(damaged).map_err(|source| cannot("open", damaged, source))?;
    let length = file
        .metadata()
        .map_err(|source| cannot("read", damaged, source))?
        .len();
    let mut input = BufReader::new(file);
    let mut copy = RecordFile::create_new(into).map_err(|source| cannot("create", into, source))?;
    let mut repaired = Repaired {
        path: into.to_path_buf(),
        records: 0,
        bytes: 0,
        damages: Vec::new(),
        new_header: false,
    };
    let read = copy_records(&mut input, length, &mut copy, &mut repaired);
    repaired.bytes = copy.good();
    let failed = match (read, copy.close()) {
        (Err(source), _) => cannot("read", damaged, source),
        (Ok(()), Err(source)) => cannot("write", into, source),
        (Ok(()), Ok(())) => return Ok(repaired),
    };
    // It was made here, and a part of a copy helps nobody.
    let _ = std::fs::remove_file(into);
    Err(failed)
}

/// Copies records until the end of the input or the first failure of the copy.
fn copy_records(
    input: &mut BufReader<File>,
    length: u64,
    copy: &mut RecordFile,
    repaired: &mut Repaired,
) -> io::Result<()> {
    let mut place = 0;
    while place < length && copy.failure().is_none() {
        if let Some(data) = record_at(input, place)? {
            let size = (data.len() + FRAME) as u64;
            if let Some(event) = shown(&data) {
                if repaired.records == 0 && event.file_version.is_none() {
                    repaired.new_header = true;
                    copy.append(&writer::header().encode_to_vec());
                }
                copy.append(&data);
                repaired.records += 1;
            } else {
                leave_out(repaired, place, size);
            }
            place += size;
        } else {
            let next = next_record(input, place + 1, length)?;
            leave_out(repaired, place, next - place);
            place = next;
        }
    }
    Ok(())
}

/// Notes that some bytes are left out, together with those right before them.
fn leave_out(repaired: &mut Repaired, offset: u64, bytes: u64) {
    match repaired.damages.last_mut() {
        Some(last) if last.offset + last.bytes == offset => last.bytes += bytes,
        _ => repaired.damages.push(Damage { offset, bytes }),
    }
}

/// Returns the data of the record at a place, if there is a whole one.
fn record_at(input: &mut BufReader<File>, place: u64) -> io::Result<Option<Vec<u8>>> {
    input.seek(SeekFrom::Start(place))?;
    Ok(match RecordReader::new(input).next_record()? {
        Found::Record(data) => Some(data),
        _ => None,
    })
}

/// Returns the event of a record, if the loaders of TensorBoard take it.
fn shown(data: &[u8]) -> Option<proto::Event> {
    let event = reader::decode(data).ok()?;
    (!event.wall_time.is_nan()).then_some(event)
}

/// Returns the first place from `place` on where a whole record stands; `length` if there is none.
fn next_record(input: &mut BufReader<File>, place: u64, length: u64) -> io::Result<u64> {
    const HEADER: usize = 12;
    const BLOCK: usize = 1 << 16;
    let mut start = place;
    let mut block = Vec::with_capacity(BLOCK);
    while start + (FRAME as u64) <= length {
        input.seek(SeekFrom::Start(start))?;
        block.clear();
        input.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if block.len() < HEADER {
            break;
        }
        let starts = block.len() - HEADER + 1;
        for (at, header) in block.windows(HEADER).enumerate() {
            let (size, crc) = header.split_at(8);
            let size: [u8; 8] = size.try_into().expect("eight bytes were split off");
            let bytes = u64::from_le_bytes(size);
            let here = start + at as u64;
            // The length first, because it is cheap to see and almost always wrong.
            if bytes <= LARGEST_RECORD
                && here + bytes + FRAME as u64 <= length
                && crc == masked_crc(&size).to_le_bytes()
                && record_at(input, here)?.is_some()
            {
                return Ok(here);
            }
        }
        start += starts as u64;
    }
    Ok(length)
}
