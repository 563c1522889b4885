//! Colours: the viridis map for values, and the style of a curve.

/// A colour: red, green and blue.
pub(crate) type Color = [u8; 3];

/// The colours of marks, which lie on the map of colours whatever the ground.
pub(crate) const WHITE: Color = [255, 255, 255];
pub(crate) const BLACK: Color = [34, 34, 34];

/// The colour and the dashes of one of several curves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    pub(crate) color: Color,
    /// Lengths drawn and left out in turn, in units of the picture; empty for a line without gaps.
    pub(crate) dashes: &'static [f64],
}

/// Returns black or white, whichever stands out more from `ground`.
///
/// The product of the two contrasts is that of white and black, 15.9, so the larger is 4 or more.
pub(crate) fn readable(ground: Color) -> Color {
    if contrast(WHITE, ground) > contrast(BLACK, ground) {
        WHITE
    } else {
        BLACK
    }
}

/// Stretches of the map between which colours are interpolated linearly: within a byte of the map.
pub(crate) const VIRIDIS_STOPS: u32 = 32;

/// Returns the colour of the perceptually uniform map viridis at `t`, clamped to `0..=1`.
///
/// NaN has the colour of 0.
///
/// # References
/// The map is by Smith and van der Walt (2015, CC0); the polynomial of degree six is the fit of
/// Zucker (2019, CC0), within 6/255 of the table.
#[must_use]
pub fn viridis(t: f64) -> [u8; 3] {
    const COEFFICIENTS: [[f64; 3]; 7] = [
        [
            0.277_727_327_223_417_7,
            0.005_407_344_544_966_578,
            0.334_099_805_335_306_1,
        ],
        [
            0.105_093_043_108_577_4,
            1.404_613_529_898_575,
            1.384_590_162_594_685,
        ],
        [
            -0.330_861_828_725_556_3,
            0.214_847_559_468_213,
            0.095_095_163_028_236_59,
        ],
        [
            -4.634_230_498_983_486,
            -5.799_100_973_351_585,
            -19.332_440_956_279_87,
        ],
        [
            6.228_269_936_347_081,
            14.179_933_366_805_09,
            56.690_552_600_681_05,
        ],
        [
            4.776_384_997_670_288,
            -13.745_145_377_746_01,
            -65.353_032_633_372_34,
        ],
        [
            -5.435_455_855_934_631,
            4.645_852_612_178_535,
            26.312_435_249_583_2,
        ],
    ];
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
    [0, 1, 2].map(|channel| {
        let value = COEFFICIENTS
            .iter()
            .rev()
            .fold(0.0, |sum, c| sum * t + c[channel]);
        byte(255.0 * value)
    })
}

/// Rounds a channel to a byte.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to the range of a byte"
)]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Returns the contrast of two colours, from 1 to 21: the ratio of their luminances, each with a
/// twentieth for stray light (WCAG 2.2, "contrast ratio").
pub(crate) fn contrast(one: Color, other: Color) -> f64 {
    let [p, q] = [one, other].map(|color| luminance(color) + 0.05);
    p.max(q) / p.min(q)
}

/// Returns the relative luminance of a colour, from 0 to 1 (sRGB, IEC 61966-2-1).
fn luminance(color: Color) -> f64 {
    let [red, green, blue] = color.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// Returns a channel without the curve of sRGB.
pub(crate) fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.04045 {
        share / 12.92
    } else {
        ((share + 0.055) / 1.055).powf(2.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_agrees_with_its_published_table() {
        // Rows 0, 64, 128, 191 and 255 of the 256-row table; 6/255 is the stated error of the fit.
        for (t, expected) in [
            (0.0, [68, 1, 84]),
            (64.0 / 255.0, [59, 82, 139]),
            (128.0 / 255.0, [33, 145, 140]),
            (191.0 / 255.0, [94, 201, 98]),
            (1.0, [253, 231, 37]),
        ] {
            for (found, wanted) in viridis(t).into_iter().zip(expected) {
                assert!(
                    (i32::from(found) - wanted).abs() <= 6,
                    "viridis({t}) = {:?}, expected {expected:?}",
                    viridis(t)
                );
            }
        }
    }

    #[test]
    fn letters_stand_out_from_every_colour_of_the_map() {
        for k in 0..=100 {
            let ground = viridis(f64::from(k) / 100.0);
            // The root of 15.9, the contrast of the two inks.
            assert!(contrast(readable(ground), ground) >= 3.98, "{k}");
        }
    }

    #[test]
    fn viridis_grows_lighter() {
        let lightness = |t: f64| {
            let [r, g, b] = viridis(t).map(f64::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for i in 0..50 {
            assert!(lightness(f64::from(i + 1) / 50.0) > lightness(f64::from(i) / 50.0));
        }
    }
}
