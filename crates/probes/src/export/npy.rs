//! NumPy's formats.
//!
//! # References
//! NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays"; PKWARE's APPNOTE 6.3,
//! sections 4.3 and 4.4, for the zip file.

use super::{Column, Points, Samples};
use crate::Error;

/// Bytes to whose multiples the array in a file is aligned.
const ALIGNMENT: usize = 64;

/// Returns a file of NumPy's format `.npy` with 64-bit floats in row-major order, which
/// `numpy.load` gives back bit for bit.
///
/// # Errors
/// [`Error::Slice`] when the shape has another number of entries than there are values.
///
/// # Examples
/// ```
/// let file = probes::export::npy(&[2, 1], &[0.5, f64::NAN])?;
/// assert!(file.starts_with(b"\x93NUMPY\x01\x00"));
/// # Ok::<(), probes::Error>(())
/// ```
pub fn npy(shape: &[usize], values: &[f64]) -> Result<Vec<u8>, Error> {
    if shape.iter().product::<usize>() != values.len() {
        return Err(Error::Slice {
            name: "the number of values",
            value: format!("{} for an array of shape {shape:?}", values.len()),
            allowed: "the product of the shape",
        });
    }
    let bytes = values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes());
    Ok(array("<f8", shape, bytes))
}

/// Returns an uncompressed zip file of arrays, NumPy's `.npz`: one for each axis or coordinate and
/// each quantity, by name, and the boolean array `recorded`, false where a value means nothing. On
/// a grid, quantities and `recorded` have the shape `[len(a), len(b)]`.
///
/// # Errors
/// [`Error::Slice`] for columns whose lengths or names do not fit, one that is called `recorded`,
/// or more than 4 GiB.
///
/// # Examples
/// ```
/// use probes::export::{Column, Samples, npz};
///
/// // In Python: numpy.load("line.npz")["loss"]
/// let line = Samples::on_grid(
///     [Column::new("a", vec![0.0, 1.0])],
///     [("loss", vec![0.5, 2.0])],
/// );
/// std::fs::write(tempfile::tempdir()?.path().join("line.npz"), npz(&line)?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn npz(samples: &Samples) -> Result<Vec<u8>, Error> {
    samples.check()?;
    let shape: Vec<usize> = match &samples.points {
        Points::Grid { axes } => axes.iter().map(|axis| axis.values.len()).collect(),
        Points::Sequence { .. } => vec![samples.len()],
    };
    let mut files = Vec::new();
    for Column { name, values } in samples.columns() {
        files.push((name.as_str(), npy(&[values.len()], values)?));
    }
    for Column { name, values } in &samples.quantities {
        files.push((name.as_str(), npy(&shape, values)?));
    }
    if files.iter().any(|(name, _)| *name == RECORDED) {
        return Err(Error::Slice {
            name: "the name of a column",
            value: format!("{RECORDED:?}"),
            allowed: "another one, because the validity mask has it",
        });
    }
    let mask = samples.recorded.iter().map(|recorded| u8::from(*recorded));
    files.push((RECORDED, array("|b1", &shape, mask)));
    zip(&files).ok_or_else(|| Error::Slice {
        name: "the size of a .npz file",
        value: "over 4 GiB".to_owned(),
        allowed: "smaller: write the quantities one by one, as .npy files",
    })
}

/// The name of the validity mask.
const RECORDED: &str = "recorded";

/// Returns an array of version 1.0 of the format.
fn array(kind: &str, shape: &[usize], bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    // A tuple of one entry has a comma at its end.
    let shape: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let shape = shape.trim_end();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    let before = b"\x93NUMPY\x01\x00".len() + size_of::<u16>();
    while !(before + header.len() + 1).is_multiple_of(ALIGNMENT) {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a shape of one or two sides is short");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(length.to_le_bytes());
    file.extend(header.into_bytes());
    file.extend(bytes);
    file
}

/// Returns files, each named without the ending `.npy`, stored in a zip file without compression;
/// nothing if a size or a place does not fit into 32 bits.
fn zip(files: &[(&str, Vec<u8>)]) -> Option<Vec<u8>> {
    /// Version 2.0 of the format is needed to read it.
    const VERSION: u16 = 20;
    /// Names are UTF-8.
    const FLAGS: u16 = 1 << 11;
    /// Midnight of 1 January 1980, the earliest date: equal numbers give equal files.
    const TIME_AND_DATE: [u16; 2] = [0, (1 << 5) | 1];
    let short = |value: u16| value.to_le_bytes();
    let long = |value: usize| u32::try_from(value).ok().map(u32::to_le_bytes);
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let name = format!("{name}.npy");
        let start = long(out.len())?;
        // What both headers have alike.
        let mut fields = Vec::new();
        for value in [VERSION, FLAGS, 0, TIME_AND_DATE[0], TIME_AND_DATE[1]] {
            fields.extend(short(value));
        }
        fields.extend(crc32fast::hash(content).to_le_bytes());
        // The size, compressed and not.
        fields.extend([long(content.len())?, long(content.len())?].concat());
        fields.extend(short(u16::try_from(name.len()).ok()?));
        // No extra field.
        fields.extend(short(0));
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.as_bytes());
        out.extend(content);
        directory.extend(b"PK\x01\x02");
        directory.extend(short(VERSION));
        directory.extend(&fields);
        // No comment, the first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(start);
        directory.extend(name.as_bytes());
    }
    let count = short(u16::try_from(files.len()).ok()?);
    let (length, start) = (long(directory.len())?, long(out.len())?);
    out.extend(directory);
    out.extend(b"PK\x05\x06");
    out.extend([0; 4]);
    out.extend([count, count].concat());
    out.extend([length, start].concat());
    out.extend(short(0));
    Some(out)
}
