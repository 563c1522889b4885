//! Finished pictures side by side on one sheet.

use crate::drawing::Drawing;
use crate::drawing::geometry::Rect;
use crate::layout::{Legend, MARGIN, head_height, pixels, unit, write_head};
use crate::{Error, Picture, Theme};

/// The settings of [`sheet_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct SheetConfig {
    /// The title above all pictures.
    pub title: String,
    /// The number of pictures in a row. `None` for all of up to three, two of four, and about the
    /// root of more.
    pub columns: Option<usize>,
    /// The ground and the lettering, which should be that of the pictures.
    pub theme: Theme,
}

impl SheetConfig {
    /// Returns the usual settings: the usual number of columns, on white.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            columns: None,
            theme: Theme::Light,
        }
    }
}

/// Places finished pictures side by side, with the usual settings of [`sheet_with`].
///
/// # Errors
/// As [`sheet_with`].
///
/// # Examples
/// ```
/// use pictures::{contour, perspective, sheet};
///
/// let axis = [-1.0, 0.0, 1.0];
/// let bowl = [2.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 2.0];
/// let saddle = [0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0];
/// let pictures = [
///     contour((&axis[..], &axis[..], &bowl[..]), "A bowl")?,
///     perspective((&axis[..], &axis[..], &saddle[..]), "A saddle")?,
/// ];
/// let picture = sheet(&pictures, "Two functions")?;
/// assert!(picture.width() >= 2 * 640);
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn sheet(pictures: &[Picture], title: impl Into<String>) -> Result<Picture, Error> {
    sheet_with(pictures, &SheetConfig::new(title))
}

/// Places finished pictures side by side at their own sizes. Each keeps its title, axes and scale,
/// so nothing needs to be common to them. A row is as high as its highest picture, and a column as
/// wide as its widest.
///
/// # Errors
/// When there is no picture, or the sheet would be too large.
pub fn sheet_with(pictures: &[Picture], config: &SheetConfig) -> Result<Picture, Error> {
    if pictures.is_empty() {
        return Err(Error::Empty {
            what: "the list of pictures".into(),
        });
    }
    let columns = config
        .columns
        .unwrap_or_else(|| crate::contour::columns(pictures.len()))
        .clamp(1, pictures.len());
    let rows: Vec<&[Picture]> = pictures.chunks(columns).collect();
    let widths: Vec<f64> = (0..columns)
        .map(|column| {
            let column = rows.iter().filter_map(|row| row.get(column));
            f64::from(column.map(Picture::width).max().unwrap_or(0))
        })
        .collect();
    let heights: Vec<f64> = rows
        .iter()
        .map(|row| f64::from(row.iter().map(Picture::height).max().unwrap_or(0)))
        .collect();
    let largest = Rect::of_size(
        widths.iter().copied().fold(0.0, f64::max),
        heights.iter().copied().fold(0.0, f64::max),
    );
    let unit = 1.15 * unit(largest);
    let none = Legend::empty(unit);
    let (gap, head) = (MARGIN * unit, head_height(&config.title, &none, unit));
    let width = widths.iter().sum::<f64>() + gap * (columns as f64 + 1.0);
    let height = head + heights.iter().sum::<f64>() + gap * (rows.len() as f64 + 1.0);
    let mut drawing = Drawing::new(pixels(width), pixels(height), config.theme)?;
    write_head(&mut drawing, &config.title, &none, unit);
    let mut top = head + gap;
    for (row, height) in rows.iter().zip(&heights) {
        let mut left = gap;
        for (picture, width) in row.iter().zip(&widths) {
            let free = (
                width - f64::from(picture.width()),
                height - f64::from(picture.height()),
            );
            let at = ((left + free.0 / 2.0).round(), (top + free.1 / 2.0).round());
            drawing.nest(picture.svg(), at);
            left += width + gap;
        }
        top += height + gap;
    }
    Ok(Picture::of(drawing, &config.title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::tests::Pixels;

    /// A picture of one colour.
    fn plain(width: u32, height: u32, color: &str) -> Picture {
        let svg = format!(
            "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" \
             height=\"{height}\"><rect width=\"999\" height=\"999\" fill=\"{color}\"/></svg>"
        );
        Picture::from_svg(svg).unwrap()
    }

    #[test]
    fn pictures_lie_in_rows_at_their_own_sizes() {
        let pictures = [
            plain(300, 200, "#f00"),
            plain(300, 200, "#0f0"),
            plain(200, 200, "#00f"),
        ];
        let config = SheetConfig {
            columns: Some(2),
            ..SheetConfig::new("")
        };
        let sheet = sheet_with(&pictures, &config).unwrap();
        let pixels = Pixels::of(sheet.svg());
        let gap = f64::from(sheet.width() - 600) / 3.0;
        let middle = |column: f64, row: f64| {
            (
                gap + column * (300.0 + gap) + 150.0,
                gap + row * (200.0 + gap) + 100.0,
            )
        };
        assert_eq!(pixels.at(middle(0.0, 0.0)), [255, 0, 0]);
        assert_eq!(pixels.at(middle(1.0, 0.0)), [0, 255, 0]);
        assert_eq!(pixels.at(middle(0.0, 1.0)), [0, 0, 255]);
        // The third is narrower than its column and stands in its middle; the fourth place is free.
        let (x, y) = middle(0.0, 1.0);
        assert_eq!(pixels.at((x - 120.0, y)), [255, 255, 255]);
        assert_eq!(pixels.at(middle(1.0, 1.0)), [255, 255, 255]);
    }

    #[test]
    fn a_sheet_of_none_and_one_that_is_too_large_are_errors() {
        assert!(matches!(sheet(&[], "none"), Err(Error::Empty { .. })));
        let wide = vec![plain(4000, 300, "#fff"); 3];
        assert!(matches!(
            sheet(&wide, "wide"),
            Err(Error::PictureSize { .. })
        ));
    }

    #[test]
    fn sheets_can_be_placed_on_sheets() {
        let inner = sheet(&[plain(400, 300, "#123456")], "inner").unwrap();
        let outer = sheet(&[inner.clone(), inner], "outer").unwrap();
        assert!(Picture::from_svg(outer.svg()).is_ok());
        assert_eq!(outer.svg().matches("#123456").count(), 2);
    }
}
