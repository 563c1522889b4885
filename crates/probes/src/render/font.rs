//! Lettering: the embedded font, the width of a text, and its coverage mask.
//!
//! Glyphs are drawn three times too large and averaged down, because the drawing library places each glyph on a whole pixel and
//! that would space small letters unevenly. Before that they are made a little bolder: TensorBoard scales thumbnails down by leaving rows and columns
//! of pixels out, and a stroke that is thinner than their distance is lost.

use std::sync::OnceLock;

use plotters::prelude::{BitMapBackend, DrawingBackend};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, IntoTextStyle as _, RGBColor, register_font,
};

use crate::Error;

/// DejaVu Sans 2.37 (its licence lies beside it): free, and it has the Greek letters, superscripts and signs that the labels use.
static DEJAVU_SANS: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
const FAMILY: &str = "probes-dejavu-sans";

/// How many times larger than shown glyphs are drawn.
const OVERSAMPLING: u32 = 3;

/// The share of the font's size that lies between the baseline and the top of a capital letter.
/// DejaVu Sans: capitals are 1493 units high, ascent plus descent, which is what the drawing library calls the size, 2384.
pub(crate) const CAPITAL: f64 = 1493.0 / 2384.0;
/// The share below the baseline that descending letters use: 483 units of 2384.
pub(crate) const DESCENT: f64 = 483.0 / 2384.0;

/// How much bolder strokes are made at either edge, as a share of the font's size. The horizontal strokes of DejaVu Sans are 0.072 of it
/// (172 units of 2384), and have to be at least 0.088: two pixels of a label of the default size.
const BOLDER: f64 = 1.0 / 72.0;

fn font(size: f64) -> Result<FontDesc<'static>, Error> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    if *REGISTERED.get_or_init(|| register_font(FAMILY, FontStyle::Normal, DEJAVU_SANS).is_ok()) {
        Ok(FontDesc::new(
            FontFamily::Name(FAMILY),
            size,
            FontStyle::Normal,
        ))
    } else {
        Err(Error::Drawing("the embedded font could not be read".into()))
    }
}

/// The width in pixels of `text` at `size` pixels.
pub(crate) fn width(text: &str, size: f64) -> Result<f64, Error> {
    let scale = f64::from(OVERSAMPLING);
    let (width, _) = font(size * scale)?
        .box_size(text)
        .map_err(|error| Error::Drawing(error.to_string()))?;
    Ok(f64::from(width) / scale)
}

/// How much of each pixel a text covers.
pub(crate) struct Mask {
    /// Columns.
    pub(crate) width: u32,
    /// Rows.
    pub(crate) height: u32,
    /// Row-major, `0..=1`.
    pub(crate) coverage: Vec<f32>,
    /// The column at which the text starts.
    pub(crate) origin: u32,
    /// The row of the baseline.
    pub(crate) baseline: u32,
}

/// Draws `text` at `size` pixels into a mask.
#[expect(
    clippy::cast_possible_truncation,
    reason = "sizes of lettering are a few thousand pixels at the most"
)]
pub(crate) fn mask(text: &str, size: f64) -> Result<Mask, Error> {
    let size = size.clamp(1.0, 400.0);
    let rows = size.ceil() as u32;
    // Half a size to the left and right leaves room for glyphs that overhang their advance.
    let (columns, height) = (
        width(text, size)?.ceil().min(20_000.0) as u32 + rows,
        2 * rows,
    );
    let (origin, baseline) = (rows / 2, rows + rows / 4);
    let (large_columns, large_height) = (columns * OVERSAMPLING, height * OVERSAMPLING);
    let mut large = vec![0_u8; large_columns as usize * large_height as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut large, (large_columns, large_height));
        let large_size = size * f64::from(OVERSAMPLING);
        let white = RGBColor(255, 255, 255).to_rgba();
        let style = font(large_size)?.into_text_style(&(1, 1)).color(&white);
        // The library puts the baseline half a size below the given point.
        let top = i64::from(baseline * OVERSAMPLING) - (large_size / 2.0) as i64;
        let position = ((origin * OVERSAMPLING) as i32, top as i32);
        backend
            .draw_text(text, &style, position)
            .map_err(|error| Error::Drawing(error.to_string()))?;
    }
    let bolder = (size * f64::from(OVERSAMPLING) * BOLDER).round() as usize;
    let grey: Vec<u8> = large.chunks_exact(3).map(|rgb| rgb[0]).collect();
    let large = grown(&grey, large_columns as usize, bolder);
    let samples = (OVERSAMPLING * OVERSAMPLING * 255) as f32;
    let mut coverage = Vec::with_capacity(columns as usize * height as usize);
    for y in 0..height {
        for x in 0..columns {
            let mut sum = 0_u32;
            for dy in 0..OVERSAMPLING {
                let start = (y * OVERSAMPLING + dy) as usize * large_columns as usize
                    + (x * OVERSAMPLING) as usize;
                sum += large[start..start + OVERSAMPLING as usize]
                    .iter()
                    .map(|grey| u32::from(*grey))
                    .sum::<u32>();
            }
            coverage.push(sum as f32 / samples);
        }
    }
    Ok(Mask {
        width: columns,
        height,
        coverage,
        origin,
        baseline,
    })
}

/// The largest grey within `by` pixels along a row and a column.
fn grown(grey: &[u8], columns: usize, by: usize) -> Vec<u8> {
    let largest = |values: &[u8]| values.iter().copied().fold(0, u8::max);
    let mut wide = vec![0; grey.len()];
    for (from, to) in grey.chunks(columns).zip(wide.chunks_mut(columns)) {
        for (x, to) in to.iter_mut().enumerate() {
            *to = largest(&from[x.saturating_sub(by)..(x + by + 1).min(columns)]);
        }
    }
    let mut high = wide.clone();
    for shift in 1..=by {
        for (at, grey) in high.iter_mut().enumerate() {
            let above = at.checked_sub(shift * columns).map_or(0, |k| wide[k]);
            let below = wide.get(at + shift * columns).copied().unwrap_or(0);
            *grey = above.max(below).max(*grey);
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_reaches_from_the_baseline_to_its_stated_height() {
        let mask = mask("H", 60.0).unwrap();
        let inked: Vec<u32> = (0..mask.height)
            .filter(|y| (0..mask.width).any(|x| mask.coverage[(y * mask.width + x) as usize] > 0.5))
            .collect();
        // A pixel of rounding at either end.
        assert!(
            inked[inked.len() - 1].abs_diff(mask.baseline - 1) <= 1,
            "baseline {} ink {:?}",
            mask.baseline,
            inked.last()
        );
        assert!(
            (inked.len() as f64 - (CAPITAL + 2.0 * BOLDER) * 60.0).abs() <= 2.0,
            "{} rows",
            inked.len()
        );
    }

    #[test]
    fn the_font_has_the_signs_that_labels_use() {
        for sign in "λρ‖−×⁰¹²³⁴⁵⁶⁷⁸⁹⁻·…σθ±∞".chars() {
            let mask = mask(&sign.to_string(), 40.0).unwrap();
            assert!(mask.coverage.iter().any(|c| *c > 0.3), "{sign} is blank");
        }
    }
}
