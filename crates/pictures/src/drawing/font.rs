//! The embedded font and the widths of texts set in it.

use std::sync::OnceLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// DejaVu Sans 2.37 (its licence lies beside it): free, and it has the Greek letters, superscripts
/// and signs that the labels use.
pub(crate) static DEJAVU_SANS: &[u8] = include_bytes!("../../assets/DejaVuSans.ttf");
pub(crate) const FAMILY: &str = "DejaVu Sans";

// Sizes in this crate are heights of a line, from the top of the highest letter to the bottom of
// the lowest: 2384 units of DejaVu Sans (ascent 1901, descent 483).
const LINE: f64 = 2384.0;
/// The em of the font, which SVG calls the size, as a share of the height of a line.
pub(crate) const EM: f64 = 2048.0 / LINE;
/// The share of the height of a line between the baseline and the top of a capital letter.
pub(crate) const CAPITAL: f64 = 1493.0 / LINE;
/// The share below the baseline that descending letters use.
pub(crate) const DESCENT: f64 = 483.0 / LINE;

/// The width of the stroke around each letter, as a share of the height of a line.
///
/// TensorBoard makes thumbnails by leaving rows and columns of pixels out, and a stroke that is
/// thinner than their distance is lost. The horizontal strokes of DejaVu Sans are 0.072 of the
/// height of a line (172 units), and have to be 0.088: two pixels of a label of the default size.
pub(crate) const BOLDER: f64 = 1.0 / 36.0;

/// Returns the width of `text` in pixels where a line is `size` pixels high.
///
/// Letters are set at their advances. Kerning, which moves some of them closer, is left out.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    let font = FONT
        .get_or_init(|| FontRef::new(DEJAVU_SANS).expect("the embedded font is a whole font file"));
    // Without a size, advances are in units of the font.
    let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
    let letters = font.charmap();
    let advances = text.chars().map(|letter| {
        // A letter that the font lacks is drawn as its first glyph, an empty box.
        let glyph = letters.map(letter).unwrap_or_default();
        let advance = metrics.advance_width(glyph);
        f64::from(advance.expect("every glyph of the embedded font has an advance"))
    });
    advances.sum::<f64>() * size / LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Advances in the font's own table hmtx: H 1540, i 569; a line is 2384 units.
        assert!((width("H", 2384.0) - 1540.0).abs() < 1e-9);
        assert!((width("Hi", 1192.0) - (1540.0 + 569.0) / 2.0).abs() < 1e-9);
        assert_eq!(width("", 30.0), 0.0);
    }

    #[test]
    fn the_font_has_the_signs_that_labels_use() {
        let font = FontRef::new(DEJAVU_SANS).unwrap();
        for sign in "λρ‖−×⁰¹²³⁴⁵⁶⁷⁸⁹⁻·…σθ±∞".chars() {
            assert!(font.charmap().map(sign).is_some(), "{sign} is not there");
        }
    }
}
