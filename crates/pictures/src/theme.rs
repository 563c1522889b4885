//! The ground of a picture, and the colours that stand out on it.

use crate::color::{Color, Style};

/// The ground of a picture. Values have the colours of [`viridis`](crate::viridis) on both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark lettering on white, for papers.
    #[default]
    Light,
    /// Light lettering on near black, for slides and dark pages.
    Dark,
}

/// The colours of a theme.
#[derive(Debug, PartialEq)]
pub(crate) struct Palette {
    pub(crate) ground: Color,
    /// Lettering, ticks and borders.
    pub(crate) ink: Color,
    /// Thin lines at the ticks.
    pub(crate) grid: Color,
    /// Lettering and lines of second rank.
    pub(crate) muted: Color,
    /// The two greys of the hatching for values that are not finite.
    pub(crate) hatch: [Color; 2],
    /// The area under a curve, and the band of one standard error around it.
    pub(crate) under: Color,
    pub(crate) band: Color,
    /// Okabe and Ito's palette, in tones that stand out on the ground.
    series: [Color; 7],
}

static LIGHT: Palette = Palette {
    ground: [255, 255, 255],
    ink: [34, 34, 34],
    grid: [226, 226, 226],
    muted: [110, 110, 110],
    hatch: [[214, 214, 214], [150, 150, 150]],
    under: [204, 226, 240],
    band: [140, 190, 220],
    series: [
        [0, 114, 178],
        [213, 94, 0],
        [0, 158, 115],
        [204, 121, 167],
        [230, 159, 0],
        [86, 180, 233],
        [0, 0, 0],
    ],
};

static DARK: Palette = Palette {
    ground: [18, 21, 26],
    ink: [232, 232, 232],
    grid: [52, 56, 63],
    muted: [160, 165, 172],
    hatch: [[62, 66, 73], [112, 117, 125]],
    under: [27, 52, 68],
    band: [44, 92, 124],
    series: [
        [86, 180, 233],
        [230, 120, 30],
        [0, 168, 125],
        [214, 135, 178],
        [240, 228, 66],
        [70, 120, 220],
        [255, 255, 255],
    ],
};

/// Whole, dashed, dotted, and dashed and dotted in turn. Strokes have round ends, which lengthen
/// what is drawn by their width.
const DASHES: [&[f64]; 4] = [&[], &[18.0, 14.0], &[0.5, 11.0], &[20.0, 12.0, 0.5, 12.0]];

impl Theme {
    pub(crate) fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }

    /// Returns the style of series number `index`. Neighbours differ in both colour and dashes,
    /// and no two of the first 28 are alike.
    pub(crate) fn series(self, index: usize) -> Style {
        let colors = &self.palette().series;
        Style {
            color: colors[index % colors.len()],
            dashes: DASHES[index % DASHES.len()],
        }
    }

    /// Returns a tone of `color`: `share` of it on the ground.
    pub(crate) fn tone(self, color: Color, share: f64) -> Color {
        mixed(color, self.palette().ground, share)
    }
}

/// Returns `share` of `color` mixed with `other`, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of bytes is a byte"
)]
pub(crate) fn mixed(color: Color, other: Color, share: f64) -> Color {
    [0, 1, 2].map(|k| {
        let mean = share * f64::from(color[k]) + (1.0 - share) * f64::from(other[k]);
        // A margin for the rounding of the mean.
        (mean - 1e-6).ceil().clamp(0.0, 255.0) as u8
    })
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
    fn the_first_28_series_differ_and_neighbours_differ_in_colour_and_dashes() {
        for theme in [Theme::Light, Theme::Dark] {
            for i in 0..28 {
                assert!((0..i).all(|j| theme.series(i) != theme.series(j)), "{i}");
                assert_ne!(theme.series(i).color, theme.series(i + 1).color);
                assert_ne!(theme.series(i).dashes, theme.series(i + 1).dashes);
            }
        }
    }
}
