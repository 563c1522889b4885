//! A finished picture.

use crate::Error;

/// An RGB picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `3 * width * height` bytes: red, green, blue, row by row from the top left.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The picture as the bytes of a PNG file, without a time stamp: equal pictures give equal bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Png`] when `rgb` does not have `3 * width * height` bytes or a side is zero.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgb)?;
        writer.finish()?;
        Ok(bytes)
    }

    /// Writes the picture as a PNG file, over one that is there.
    ///
    /// # Errors
    ///
    /// As [`png`](Self::png), and [`Error::File`] when the file cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        let path = path.as_ref();
        std::fs::write(path, self.png()?).map_err(|source| Error::File {
            action: "write",
            path: path.into(),
            source,
        })
    }

    /// The colour at column `x` and row `y`, or `None` outside the picture.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = 3 * (y as usize * self.width as usize + x as usize);
        self.rgb.get(start..start + 3)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_decodes_to_the_same_pixels() {
        let picture = Picture {
            width: 3,
            height: 2,
            rgb: (0..18).map(|i| i * 14).collect(),
        };
        let bytes = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        assert_eq!(rgb, picture.rgb);
        assert_eq!(picture.pixel(1, 1), Some([12 * 14, 13 * 14, 14 * 14]));
        assert_eq!(picture.pixel(3, 0), None);
    }

    #[test]
    fn png_of_a_wrong_buffer_is_an_error() {
        assert!(
            Picture {
                width: 3,
                height: 2,
                rgb: vec![0; 5]
            }
            .png()
            .is_err()
        );
        assert!(
            Picture {
                width: 0,
                height: 2,
                rgb: Vec::new()
            }
            .png()
            .is_err()
        );
    }
}
