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
    /// On white the palette of Okabe and Ito (2008) without its yellow, which is too light for a
    /// line; on the dark ground the same hues, lighter.
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
        [60, 218, 255],
        [230, 120, 30],
        [0, 161, 98],
        [202, 125, 168],
        [255, 217, 51],
        [82, 101, 239],
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::color::{contrast, linear};

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

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    #[test]
    fn lettering_and_lines_stand_out_from_their_ground() {
        for theme in THEMES {
            let palette = theme.palette();
            let against = |color| contrast(color, palette.ground);
            // WCAG 2.2: 7 for text at level AAA, 4.5 at AA, 3 for graphics.
            assert!(against(palette.ink) >= 7.0, "{theme:?}");
            assert!(against(palette.muted) >= 4.5, "{theme:?}");
            for index in 0..4 {
                assert!(
                    against(theme.series(index).color) >= 3.0,
                    "{theme:?} {index}"
                );
            }
            // Two of Okabe and Ito's colours are lighter; dashes set them apart as well.
            for index in 4..7 {
                assert!(
                    against(theme.series(index).color) >= 2.2,
                    "{theme:?} {index}"
                );
            }
            // Thin lines and hatching are seen and stay behind the data.
            let hatch = palette.hatch.map(against);
            assert!((1.2..3.0).contains(&against(palette.grid)), "{theme:?}");
            assert!(
                contrast(palette.hatch[0], palette.hatch[1]) >= 1.8,
                "{hatch:?}"
            );
        }
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        // Black and white: 21; #777777 on white: 4.48 (the usual example of just too little).
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([119; 3], [255; 3]) - 4.48).abs() < 5e-3);
    }

    /// Normal sight, protanopia, deuteranopia and tritanopia as linear maps of linear sRGB:
    /// Machado, Oliveira and Fernandes (2009), table of severity 1.
    const SIGHTS: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ];

    fn times(matrix: [[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row[0] * x + row[1] * y + row[2] * z)
    }

    /// Returns lightness and the two opponent axes (CIE 1976 L*a*b*, D65) of a colour as seen.
    fn lab(color: Color, sight: [[f64; 3]; 3]) -> [f64; 3] {
        const TO_XYZ: [[f64; 3]; 3] = [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ];
        let seen = times(sight, color.map(linear)).map(|c| c.clamp(0.0, 1.0));
        let [x, y, z] = times(TO_XYZ, seen);
        let root = |t: f64| {
            if t > 216.0 / 24389.0 {
                t.cbrt()
            } else {
                (24389.0 / 27.0 * t + 16.0) / 116.0
            }
        };
        let (x, y, z) = (root(x / 0.95047), root(y), root(z / 1.08883));
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn difference(one: Color, other: Color, sight: [[f64; 3]; 3]) -> f64 {
        let (p, q) = (lab(one, sight), lab(other, sight));
        (0..3).map(|k| (p[k] - q[k]).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn series_are_told_apart_with_every_form_of_colour_blindness() {
        // A difference of 2.3 is just noticed (Mahy, Van Eycken and Oosterlinck, 1994); 15 is
        // plain at a glance.
        for theme in THEMES {
            for sight in SIGHTS {
                for i in 0..7 {
                    for j in 0..i {
                        let [p, q] = [i, j].map(|k| theme.series(k).color);
                        let difference = difference(p, q, sight);
                        assert!(difference >= 15.0, "{theme:?} {i} {j}: {difference}");
                    }
                }
            }
        }
    }

    #[test]
    fn red_and_green_are_hardly_told_apart_in_the_simulation_of_deuteranopia() {
        // The check above would not fail without this: a simulation that changes nothing passes it.
        let (red, green) = ([190, 100, 40], [110, 130, 40]);
        let [normal, _, deutan, _] = SIGHTS.map(|sight| difference(red, green, sight));
        assert!(normal > 40.0 && deutan < 15.0, "{normal} {deutan}");
    }

    #[test]
    fn values_are_told_apart_with_every_form_of_colour_blindness() {
        // Steps of a tenth of the map.
        for sight in SIGHTS {
            let colors: Vec<Color> = (0..=10)
                .map(|k| crate::viridis(f64::from(k) / 10.0))
                .collect();
            for i in 0..colors.len() {
                for j in 0..i {
                    let difference = difference(colors[i], colors[j], sight);
                    assert!(difference >= 5.0, "{i} {j}: {difference}");
                }
            }
        }
    }
}
