//! Pixels from SVG text.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};

use super::font::{DEJAVU_SANS, FAMILY};
use crate::{Error, LARGEST_SIDE};

/// Returns the embedded font as the only one: no picture depends on the fonts of a machine.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        fonts.load_font_source(Source::Binary(Arc::new(DEJAVU_SANS)));
        fonts.set_sans_serif_family(FAMILY);
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

fn parse(svg: &str) -> Result<Tree, Error> {
    let options = Options {
        font_family: FAMILY.into(),
        fontdb: fonts(),
        ..Options::default()
    };
    Tree::from_str(svg, &options).map_err(|error| Error::Svg {
        reason: error.to_string(),
    })
}

/// Returns the width and the height of a document in whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a little over the largest side"
)]
pub(crate) fn size(svg: &str) -> Result<(u32, u32), Error> {
    let size = parse(svg)?.size();
    let pixels = |side: f32| side.round().clamp(0.0, LARGEST_SIDE as f32 + 1.0) as u32;
    let (width, height) = (pixels(size.width()), pixels(size.height()));
    let sides = 1..=LARGEST_SIDE;
    if sides.contains(&width) && sides.contains(&height) {
        Ok((width, height))
    } else {
        Err(Error::PictureSize { width, height })
    }
}

/// Rasterises a document.
pub(crate) fn pixels(svg: &str, width: u32, height: u32) -> Result<Pixmap, Error> {
    let tree = parse(svg)?;
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| Error::Raster {
        reason: format!("there is no memory for {width} x {height} pixels"),
    })?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    Ok(pixels)
}

/// Rasterises a document and encodes it as PNG.
pub(crate) fn png(svg: &str, width: u32, height: u32) -> Result<Vec<u8>, Error> {
    let pixels = pixels(svg, width, height)?;
    pixels.encode_png().map_err(|error| Error::Raster {
        reason: error.to_string(),
    })
}
