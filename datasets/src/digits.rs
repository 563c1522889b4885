//! The UCI "Optical Recognition of Handwritten Digits".

use std::io::Read;

use flate2::read::GzDecoder;

use crate::bundled::DIGITS;
use crate::split::divide;
use crate::{Error, Image, ImageDataset, Split, SplitConfig};

const SIDE: usize = 8;
const CLASSES: usize = 10;
/// A cell counts the ink in a square of 4 by 4 pixels of the original scan, so it lies in 0..=16.
const INK: u8 = 16;

/// 1,797 handwritten digits of 8 by 8 pixels, scaled to 0..=1, in ten classes: small enough for
/// exact curvature in seconds, real enough for a network to overfit.
///
/// # References
/// Alpaydin and Kaynak (1998), UCI Machine Learning Repository, the test part (13 writers); CC BY
/// 4.0.
#[derive(Clone, Debug)]
pub struct Digits {
    /// All of the images, in the order of the source.
    pub images: ImageDataset,
}

impl Digits {
    /// Reads the bundled file.
    ///
    /// # Errors
    /// [`Error::Checksum`] if the program was built with another file.
    ///
    /// # Examples
    /// ```
    /// let digits = datasets::Digits::load()?;
    /// assert_eq!(digits.images.len(), 1797);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn load() -> Result<Self, Error> {
        let mut table = String::new();
        GzDecoder::new(DIGITS.checked()?)
            .read_to_string(&mut table)
            .map_err(|source| Error::Read {
                file: DIGITS.name.to_owned(),
                source,
            })?;
        let images = table
            .lines()
            .enumerate()
            .map(|(index, line)| {
                parse(line).map_err(|reason| Error::Line {
                    file: DIGITS.name.to_owned(),
                    line: index + 1,
                    reason,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            images: ImageDataset {
                images,
                height: SIDE,
                width: SIDE,
                classes: CLASSES,
            },
        })
    }

    /// Divides the images by the seed of `config` into training, validation and test images.
    ///
    /// The source publishes no test set for these images, so `config.test` of them are set aside
    /// here. Use them once, at the end. The writers are not recorded: images of one writer fall
    /// into all three parts, and the test accuracy says nothing about new writers.
    ///
    /// # Errors
    /// [`Error::Fraction`] if the fractions are negative, not numbers, or leave nothing to train
    /// on.
    pub fn split(&self, config: &SplitConfig) -> Result<Split, Error> {
        let (train, [test, validation]) =
            divide(&self.images, [config.test, config.validation], config.seed)
                .ok_or_else(|| config.error(config.test))?;
        Ok(Split {
            train,
            validation,
            test,
        })
    }
}

/// One line: 64 cells of 0..=16, then the label.
fn parse(line: &str) -> Result<Image, String> {
    let mut cells = Vec::with_capacity(SIDE * SIDE + 1);
    for cell in line.split(',') {
        let value: u8 = cell
            .trim()
            .parse()
            .map_err(|_| format!("has the cell {cell:?}, which is no whole number"))?;
        cells.push(value);
    }
    if cells.len() != SIDE * SIDE + 1 {
        return Err(format!("has {} cells instead of 65", cells.len()));
    }
    let (pixels, label) = (&cells[..SIDE * SIDE], cells[SIDE * SIDE]);
    if let Some(ink) = pixels.iter().find(|&&ink| ink > INK) {
        return Err(format!("has the value {ink}, but the values are 0 to 16"));
    }
    if usize::from(label) >= CLASSES {
        return Err(format!("has the label {label}, but the classes are 0 to 9"));
    }
    // Sixteenths are exact in every float.
    let pixels = pixels
        .iter()
        .map(|&ink| f32::from(ink) / f32::from(INK))
        .collect();
    Ok(Image { pixels, label })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        let sound = ["0"; 65].join(",");
        assert!(parse(&sound).is_ok());
        for (line, words) in [
            (["0"; 64].join(","), "64 cells instead of 65"),
            (sound.replacen('0', "17", 1), "value 17"),
            (sound.replacen('0', "x", 1), "no whole number"),
            ([["0"; 64].join(","), "10".to_owned()].join(","), "label 10"),
        ] {
            let reason = parse(&line).unwrap_err();
            assert!(reason.contains(words), "{reason}");
        }
    }
}
