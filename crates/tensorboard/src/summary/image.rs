//! The image: PNG pictures of a step.

use super::{Data, Kind};
use crate::proto::{DT_STRING, Tensor};
use crate::{Error, EventWriter};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// A picture: the bytes of a PNG file, and their size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Png {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
}

impl Png {
    /// Takes the bytes of a PNG file, of any colour type.
    ///
    /// Checked are the signature, the header with its size, and that the chunks go on to the end
    /// mark, so that a cut file is found; pixels are not decoded.
    ///
    /// # Errors
    /// [`Error::NotPng`] with the reason.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::Png;
    ///
    /// let bytes = Png::from_rgb(2, 1, &[255, 0, 0, 0, 0, 255])?.into_bytes();
    /// let picture = Png::from_bytes(bytes.clone())?;
    /// assert_eq!((picture.width(), picture.height()), (2, 1));
    /// assert!(Png::from_bytes(bytes[..bytes.len() - 1].to_vec()).is_err());
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        let no = |reason| Error::NotPng { reason };
        let mut rest = bytes
            .strip_prefix(SIGNATURE)
            .ok_or_else(|| no("no PNG signature"))?;
        let mut size = None;
        loop {
            let (kind, data, next) = chunk(rest).ok_or_else(|| no("cut before its end mark"))?;
            match (kind, size) {
                (b"IHDR", None) => {
                    size = Some(header(data).ok_or_else(|| no("a header without a size"))?)
                }
                (_, None) => return Err(no("no header")),
                (b"IEND", Some((width, height))) => {
                    return Ok(Self {
                        bytes,
                        width,
                        height,
                    });
                }
                _ => {}
            }
            rest = next;
        }
    }

    /// Encodes a picture `[C, H, W]` of 3 channels, red, green and blue, or of a single grey one,
    /// with values from 0 to 1.
    ///
    /// The values are brought to bytes as PyTorch's `add_image` does: `⌊255 x⌋`, cut off at 0 and
    /// 255. NaN becomes 0.
    ///
    /// # Errors
    /// [`Error::Channels`]; [`Error::PixelCount`] if there are not `C * H * W` values;
    /// [`Error::PngEncoding`] for an empty picture.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::Png;
    ///
    /// let grey = Png::from_chw([1, 1, 2], &[0.0, 1.0])?;
    /// assert_eq!(grey, Png::from_rgb(2, 1, &[0, 0, 0, 255, 255, 255])?);
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn from_chw([channels, height, width]: [usize; 3], values: &[f32]) -> Result<Self, Error> {
        if channels != 1 && channels != 3 {
            return Err(Error::Channels { channels });
        }
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let plane = height.saturating_mul(width);
        if plane.checked_mul(channels) != Some(values.len()) {
            return Err(Error::PixelCount {
                width: side(width),
                height: side(height),
                expected: (plane as u64).saturating_mul(channels as u64),
                given: values.len() as u64,
            });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from a float stays within the bytes"
        )]
        let byte = |value: f32| (value * 255.0) as u8;
        let mut pixels = Vec::with_capacity(3 * plane);
        for pixel in 0..plane {
            for color in 0..3 {
                pixels.push(byte(values[(color % channels) * plane + pixel]));
            }
        }
        Self::from_rgb(side(width), side(height), &pixels)
    }

    /// Encodes a batch `[N, C, H, W]` of pictures, each as by [`from_chw`](Self::from_chw).
    ///
    /// # Errors
    /// As [`from_chw`](Self::from_chw).
    pub fn from_nchw(
        [count, channels, height, width]: [usize; 4],
        values: &[f32],
    ) -> Result<Vec<Self>, Error> {
        let size = channels.saturating_mul(height).saturating_mul(width);
        if size == 0 || size.checked_mul(count) != Some(values.len()) {
            return Err(Error::PixelCount {
                width: u32::try_from(width).unwrap_or(u32::MAX),
                height: u32::try_from(height).unwrap_or(u32::MAX),
                expected: (size as u64).saturating_mul(count as u64),
                given: values.len() as u64,
            });
        }
        let pictures = values.chunks(size);
        pictures
            .map(|picture| Self::from_chw([channels, height, width], picture))
            .collect()
    }

    /// Encodes red, green and blue bytes, `[height, width, 3]` row by row from the top left.
    ///
    /// # Errors
    /// [`Error::PixelCount`] if `pixels` does not have `width * height * 3` bytes;
    /// [`Error::PngEncoding`] for an empty picture or one that is too large.
    ///
    /// # Examples
    /// ```
    /// let picture = tensorboard::Png::from_rgb(1, 2, &[255, 255, 255, 0, 0, 0])?;
    /// assert!(picture.bytes().starts_with(b"\x89PNG"));
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn from_rgb(width: u32, height: u32, pixels: &[u8]) -> Result<Self, Error> {
        let expected = (u64::from(width) * u64::from(height)).saturating_mul(3);
        let given = pixels.len() as u64;
        if expected != given {
            return Err(Error::PixelCount {
                width,
                height,
                expected,
                given,
            });
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()?;
        Ok(Self {
            bytes,
            width,
            height,
        })
    }

    /// Returns the width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the PNG file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the PNG file, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Returns the kind and data of the first chunk, and what follows it.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, bytes) = bytes.split_first_chunk::<4>()?;
    let (kind, bytes) = bytes.split_first_chunk::<4>()?;
    let (data, bytes) =
        bytes.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let (_crc, bytes) = bytes.split_first_chunk::<4>()?;
    Some((kind, data, bytes))
}

/// Returns width and height of a header chunk.
fn header(data: &[u8]) -> Option<(u32, u32)> {
    let (width, rest) = data.split_first_chunk()?;
    let (height, rest) = rest.split_first_chunk()?;
    let size = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
    (rest.len() == 5 && size.0 > 0 && size.1 > 0).then_some(size)
}

impl EventWriter {
    /// Writes one or more pictures of the same size; TensorBoard shows several as `tag/image/0`,
    /// `/1`, ..
    ///
    /// # Errors
    /// [`Error::NoPicture`], [`Error::PictureSizes`], [`Error::EmptyTag`],
    /// [`Error::StepNotIncreasing`], [`Error::StepBeforeStart`], [`Error::TagKind`],
    /// [`Error::ValueTooLarge`]; nothing is written then. Failed output is not an error here, see
    /// [`EventWriter`].
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{EventWriter, Png};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = EventWriter::create(folder.path())?;
    /// writer.image(
    ///     "landscape/contour",
    ///     0,
    ///     &[Png::from_rgb(1, 1, &[0, 128, 255])?],
    /// )?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn image(&mut self, tag: &str, step: i64, pictures: &[Png]) -> Result<(), Error> {
        let Some(first) = pictures.first() else {
            return Err(Error::NoPicture {
                tag: tag.to_owned(),
            });
        };
        let size = |picture: &Png| (picture.width, picture.height);
        if let Some(other) = pictures.iter().find(|other| size(other) != size(first)) {
            return Err(Error::PictureSizes {
                tag: tag.to_owned(),
                first: size(first),
                other: size(other),
            });
        }
        self.write(
            Kind::Image,
            step,
            vec![(tag, Data::Tensor(encode(first, pictures)))],
        )
    }
}

/// Returns a `[2 + n]` tensor: width and height in ascii, then the pictures.
fn encode(first: &Png, pictures: &[Png]) -> Tensor {
    let mut string_val = vec![
        first.width.to_string().into_bytes(),
        first.height.to_string().into_bytes(),
    ];
    string_val.extend(pictures.iter().map(|picture| picture.bytes.clone()));
    Tensor {
        string_val,
        ..Tensor::of(DT_STRING, &[2 + pictures.len()])
    }
}

pub(super) fn decode(tensor: &Tensor) -> Option<Vec<Png>> {
    let [_width, _height, pictures @ ..] = tensor.string_val.as_slice() else {
        return None;
    };
    pictures
        .iter()
        .map(|bytes| Png::from_bytes(bytes.clone()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_a_picture_is_found() {
        let bytes = Png::from_rgb(3, 2, &[7; 18]).unwrap().into_bytes();
        for length in 0..bytes.len() {
            assert!(
                matches!(
                    Png::from_bytes(bytes[..length].to_vec()),
                    Err(Error::NotPng { .. })
                ),
                "{length}"
            );
        }
    }

    #[test]
    fn pixels_survive_the_encoding() {
        let pixels: Vec<u8> = (0..5 * 4 * 3).map(|i| i * 4).collect();
        let picture = Png::from_rgb(5, 4, &pixels).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(picture.bytes()))
            .read_info()
            .unwrap();
        let mut decoded = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.next_frame(&mut decoded).unwrap();
        assert_eq!(decoded, pixels);
    }

    #[test]
    fn pixels_that_do_not_fit_and_empty_pictures_are_refused() {
        assert!(matches!(
            Png::from_rgb(2, 2, &[0; 11]),
            Err(Error::PixelCount {
                expected: 12,
                given: 11,
                ..
            })
        ));
        assert!(matches!(
            Png::from_rgb(0, 2, &[]),
            Err(Error::PngEncoding(_))
        ));
        assert!(matches!(
            Png::from_rgb(u32::MAX, u32::MAX, &[0; 3]),
            Err(Error::PixelCount { .. })
        ));
    }
}
