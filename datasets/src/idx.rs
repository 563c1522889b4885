//! The idx format of MNIST: a magic number, big-endian sizes, then one byte per value.
//!
//! # References
//! LeCun, Cortes, Burges: "The MNIST database of handwritten digits", section "File formats".

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::{Error, Image, ImageDataset};

/// Type 8 (unsigned byte), three axes.
const IMAGES: u32 = 0x0000_0803;
/// Type 8 (unsigned byte), one axis.
const LABELS: u32 = 0x0000_0801;

/// Puts images and labels of so many classes together.
pub(crate) fn dataset(
    images: (&str, &[u8]),
    labels: (&str, &[u8]),
    count: usize,
) -> Result<ImageDataset, Error> {
    let pixels = parse_images(images.0, images.1)?;
    let classes = parse_labels(labels.0, labels.1, count)?;
    if pixels.count != classes.len() {
        return Err(Error::Counts {
            images_file: images.0.to_owned(),
            images: pixels.count,
            labels_file: labels.0.to_owned(),
            labels: classes.len(),
        });
    }
    let images = pixels
        .bytes
        .chunks_exact(pixels.height * pixels.width)
        .zip(classes)
        .map(|(bytes, label)| Image {
            pixels: bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect(),
            label,
        })
        .collect();
    Ok(ImageDataset {
        images,
        height: pixels.height,
        width: pixels.width,
        classes: count,
    })
}

struct Pixels {
    count: usize,
    height: usize,
    width: usize,
    bytes: Vec<u8>,
}

fn parse_images(file: &str, bytes: &[u8]) -> Result<Pixels, Error> {
    let mut reader = Reader::new(file, bytes);
    let [count, height, width] = reader.header(IMAGES, "images")?;
    let size = u64::from(count)
        .checked_mul(u64::from(height))
        .and_then(|n| n.checked_mul(u64::from(width)));
    let shape = || Error::Shape {
        file: file.to_owned(),
        count,
        height,
        width,
    };
    let size = size
        .filter(|&size| size > 0 && size < u64::MAX / 2)
        .ok_or_else(shape)?;
    let bytes = reader.body(16, size)?;
    Ok(Pixels {
        count: count as usize,
        height: height as usize,
        width: width as usize,
        bytes,
    })
}

fn parse_labels(file: &str, bytes: &[u8], classes: usize) -> Result<Vec<u8>, Error> {
    let mut reader = Reader::new(file, bytes);
    let [count] = reader.header(LABELS, "labels")?;
    let labels = reader.body(8, u64::from(count))?;
    match labels
        .iter()
        .position(|&label| usize::from(label) >= classes)
    {
        Some(index) => Err(Error::Label {
            file: file.to_owned(),
            index,
            label: labels[index],
            classes,
        }),
        None => Ok(labels),
    }
}

/// Reads a file that may be compressed, never further than its own header says.
struct Reader<'a> {
    file: &'a str,
    source: Box<dyn Read + 'a>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a str, bytes: &'a [u8]) -> Self {
        // The first two bytes tell a gzip file whatever it is called; an idx file begins with two
        // zeros.
        let source: Box<dyn Read> = if bytes.starts_with(&[0x1f, 0x8b]) {
            Box::new(MultiGzDecoder::new(bytes))
        } else {
            Box::new(bytes)
        };
        Self { file, source }
    }

    /// The magic number, checked, and the `N` sizes after it.
    fn header<const N: usize>(
        &mut self,
        expected: u32,
        kind: &'static str,
    ) -> Result<[u32; N], Error> {
        let size = 4 * (N as u64 + 1);
        let bytes = self.read(size)?;
        let mut words = bytes
            .chunks_exact(4)
            .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
        let found = words.next();
        if let Some(found) = found.filter(|&found| found != expected) {
            return Err(Error::Magic {
                file: self.file.to_owned(),
                kind,
                expected,
                found,
            });
        }
        if bytes.len() as u64 != size {
            return Err(self.length(size, bytes.len() as u64));
        }
        let mut sizes = [0; N];
        for (size, word) in sizes.iter_mut().zip(words) {
            *size = word;
        }
        Ok(sizes)
    }

    /// Exactly the `size` bytes that follow a header of `header` bytes, and then the end of the
    /// file.
    fn body(&mut self, header: u64, size: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.read(size + 1)?;
        let found = bytes.len() as u64;
        if found == size {
            Ok(bytes)
        } else {
            Err(self.length(header + size, header + found))
        }
    }

    /// At most `limit` bytes. Nothing is reserved in advance, so a nonsensical header costs no
    /// memory.
    fn read(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        match self.source.by_ref().take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(Error::Read {
                file: self.file.to_owned(),
                source,
            }),
        }
    }

    fn length(&self, expected: u64, found: u64) -> Error {
        Error::Length {
            file: self.file.to_owned(),
            expected,
            found,
            longer: found > expected,
        }
    }
}
