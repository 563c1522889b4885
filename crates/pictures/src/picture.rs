//! A finished picture.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::Error;
use crate::drawing::raster;

/// A picture: SVG text, from which PNG bytes are made when they are first asked for.
///
/// Clones share both.
#[derive(Debug, Clone)]
pub struct Picture {
    svg: Arc<str>,
    width: u32,
    height: u32,
    png: Arc<OnceLock<Vec<u8>>>,
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.svg == other.svg
    }
}

impl Picture {
    /// Takes an SVG document whose root element has a `width` and a `height` in pixels.
    ///
    /// # Errors
    /// [`Error::Svg`] when the text cannot be parsed, and [`Error::PictureSize`] when a side is
    /// empty or longer than [`LARGEST_SIDE`](crate::LARGEST_SIDE).
    ///
    /// # Examples
    /// ```
    /// use pictures::Picture;
    ///
    /// let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>"#;
    /// let picture = Picture::from_svg(svg)?;
    /// assert_eq!((picture.width(), picture.height()), (3, 2));
    /// assert!(Picture::from_svg("<p/>").is_err());
    /// # Ok::<(), pictures::Error>(())
    /// ```
    pub fn from_svg(svg: impl Into<String>) -> Result<Self, Error> {
        let svg = svg.into();
        let (width, height) = raster::size(&svg)?;
        Ok(Self::drawn(svg, width, height))
    }

    /// Takes a document of this crate.
    pub(crate) fn drawn(svg: String, width: u32, height: u32) -> Self {
        Self {
            svg: svg.into(),
            width,
            height,
            png: Arc::default(),
        }
    }

    /// Returns the picture as SVG text: one self-contained document, for papers and web pages.
    ///
    /// Letters are text, in DejaVu Sans where the viewer has it.
    #[must_use]
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Returns the picture as the bytes of a PNG file, without a time stamp: equal pictures give
    /// equal bytes.
    ///
    /// The first call rasterises the picture, which takes some 50 ms; later ones copy its result.
    ///
    /// # Errors
    /// [`Error::Raster`] when memory for the pixels is lacking.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        if let Some(bytes) = self.png.get() {
            return Ok(bytes.clone());
        }
        let bytes = raster::png(&self.svg, self.width, self.height)?;
        Ok(self.png.get_or_init(|| bytes).clone())
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

    /// Writes the picture to a file, as the file's suffix says: `.svg` or `.png`. A file that is
    /// there is replaced.
    ///
    /// # Errors
    /// [`Error::Suffix`] for another suffix, [`Error::File`] when the file cannot be written, and
    /// as [`png`](Self::png).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let suffix = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        let written = match suffix.as_ref().and_then(|suffix| suffix.to_str()) {
            Some("svg") => std::fs::write(path, self.svg.as_bytes()),
            Some("png") => std::fs::write(path, self.png()?),
            _ => return Err(Error::Suffix { path: path.into() }),
        };
        written.map_err(|source| Error::File {
            path: path.into(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A white ground of 3 x 2 pixels with a red pixel at column 1 of row 1.
    const SVG: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"><rect width="3" height="2" fill="#fff"/><rect x="1" y="1" width="1" height="1" fill="#f00"/></svg>"##;

    #[test]
    fn png_decodes_to_the_pixels_of_the_svg() {
        let picture = Picture::from_svg(SVG).unwrap();
        let bytes = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut rgba = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgba).unwrap();
        assert_eq!((info.width, info.height), (3, 2));
        let white = [255, 255, 255, 255];
        let red = [255, 0, 0, 255];
        assert_eq!(rgba, [white, white, white, white, red, white].concat());
    }

    #[test]
    fn the_suffix_chooses_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let picture = Picture::from_svg(SVG).unwrap();
        for (name, bytes) in [
            ("a.svg", SVG.as_bytes().to_vec()),
            ("a.png", picture.png().unwrap()),
            ("b.PNG", picture.png().unwrap()),
        ] {
            let path = folder.path().join(name);
            picture.save(&path).unwrap();
            assert_eq!(std::fs::read(path).unwrap(), bytes);
        }
        for name in ["a", "a.pdf"] {
            let refused = picture.save(folder.path().join(name));
            assert!(matches!(refused, Err(Error::Suffix { .. })));
        }
        let missing = picture.save(folder.path().join("no/a.svg"));
        assert!(matches!(missing, Err(Error::File { .. })));
    }

    #[test]
    fn texts_that_are_no_pictures_and_sizes_out_of_range_are_errors() {
        let sized = |width: &str| {
            Picture::from_svg(format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="9"/>"#
            ))
        };
        assert!(sized("9").is_ok());
        assert!(matches!(sized("9000"), Err(Error::PictureSize { .. })));
        assert!(matches!(sized("-1"), Err(Error::Svg { .. })));
        assert!(matches!(Picture::from_svg(""), Err(Error::Svg { .. })));
    }
}
