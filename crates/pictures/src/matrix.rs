//! A small matrix as coloured cells with their numbers.

use crate::axis::{Axis, AxisScale};
use crate::color::{readable, viridis};
use crate::drawing::geometry::Rect;
use crate::drawing::{Align, Drawing, Lettering, font};
use crate::layout::{Bar, Entry, Legend, MARGIN, NAME, SMALL, fitted, unit, write_head};
use crate::number::significant;
use crate::{Error, Picture, Theme};

/// The settings of [`matrix_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixConfig {
    /// The title.
    pub title: String,
    /// The name of the columns, below them.
    pub column_label: String,
    /// The name of the rows, beside them.
    pub row_label: String,
    /// The name of the values, with their unit.
    pub value_label: String,
    /// The scale of the colours; the label of the colour bar says which was used.
    pub scale: AxisScale,
    /// The number of significant digits in the cells; fewer where there is no room for them.
    pub digits: usize,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl MatrixConfig {
    /// Returns the usual settings: values without names of rows and columns, the linear scale,
    /// three digits, 640 x 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            column_label: String::new(),
            row_label: String::new(),
            value_label: "value".into(),
            scale: AxisScale::Linear,
            digits: 3,
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }
}

/// Draws a square matrix whose rows and columns have the same names, such as the barriers between
/// pairs of models, with the usual settings of [`matrix_with`].
///
/// # Errors
/// As [`matrix_with`].
///
/// # Examples
/// ```
/// use pictures::matrix;
///
/// let barriers = [0.0, 1.25, 1.25, 0.0];
/// let picture = matrix(&barriers, &["seed 0", "seed 1"], "Barriers")?;
/// assert!(picture.svg().contains(">1.25</text>"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn matrix(values: &[f64], names: &[&str], title: impl Into<String>) -> Result<Picture, Error> {
    matrix_with(values, names, names, &MatrixConfig::new(title))
}

/// Draws a matrix: `values[i * columns.len() + j]` in row i from above and column j from the left,
/// each cell with its number where there is room. A value that is not finite is hatched, and the
/// legend counts how many there are.
///
/// # Errors
/// When there is no row or no column, the length does not match, the scale is [`AxisScale::Log`]
/// and a finite value is not positive, or the picture's size is out of range.
pub fn matrix_with(
    values: &[f64],
    rows: &[&str],
    columns: &[&str],
    config: &MatrixConfig,
) -> Result<Picture, Error> {
    if rows.is_empty() || columns.is_empty() {
        return Err(Error::Empty {
            what: "the list of names".into(),
        });
    }
    let expected = rows.len() * columns.len();
    if values.len() != expected {
        return Err(Error::Length {
            what: "the matrix".into(),
            found: values.len(),
            expected,
        });
    }
    let axis =
        Axis::of(values.iter().copied(), config.scale).map_err(|value| Error::NotPositive {
            what: "the matrix".into(),
            value,
        })?;

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let bounds = drawing.bounds();
    let (unit, margin) = (unit(bounds), MARGIN * unit(bounds));
    let legend: Vec<Entry> = Entry::not_finite(values).into_iter().collect();
    let legend = Legend::arrange(&legend, bounds.width() - 30.0 * unit, unit);
    let top = write_head(&mut drawing, &config.title, &legend, unit) + 14.0 * unit;
    let bar = axis.map(|axis| Bar::new(0.7 * bounds.height(), unit, axis, 6));
    let right = bar.as_ref().map_or(margin, |bar| bar.room + margin);

    // Names are as small as their rows and columns need, down to what can be read.
    let most = (bounds.height() / rows.len() as f64).min(bounds.width() / columns.len() as f64);
    let size = (SMALL * unit)
        .min(0.6 * most)
        .max(11.0_f64.min(SMALL * unit));
    let widest = |names: &[&str], room: f64| {
        let fitting = names.iter().map(|name| fitted(name, size, room));
        let widths = fitting.map(|(name, size)| font::width(&name, size));
        widths.fold(0.0, f64::max)
    };
    let room = 0.25 * bounds.width();
    let name = |label: &str| {
        if label.trim().is_empty() {
            0.0
        } else {
            (NAME + 8.0) * unit
        }
    };
    let left = margin + name(&config.row_label) + widest(rows, room) + 12.0 * unit;
    let width = bounds.right - right - left;
    let cell_width = width / columns.len() as f64;
    // Names of columns that do not fit beside each other are written upwards.
    let is_upward = widest(columns, f64::INFINITY) > 0.94 * cell_width;
    let below = if is_upward {
        widest(columns, 0.25 * bounds.height())
    } else {
        font::CAPITAL * size
    };
    let bottom = bounds.bottom - margin - name(&config.column_label) - below - 16.0 * unit;
    let plot = Rect {
        left: left.round(),
        right: (bounds.right - right).round(),
        top: top.round(),
        bottom: bottom.round(),
    };
    let edge_x = |j: usize| (plot.left + plot.width() * j as f64 / columns.len() as f64).round();
    let edge_y = |i: usize| (plot.top + plot.height() * i as f64 / rows.len() as f64).round();
    let cell = |i: usize, j: usize| Rect {
        left: edge_x(j),
        right: edge_x(j + 1),
        top: edge_y(i),
        bottom: edge_y(i + 1),
    };
    let middle = |rect: Rect| {
        (
            f64::midpoint(rect.left, rect.right),
            f64::midpoint(rect.top, rect.bottom),
        )
    };

    let (numbers, text_size) = numbers(values, config.digits, cell(0, 0), SMALL * unit);
    for (k, value) in values.iter().enumerate() {
        let rect = cell(k / columns.len(), k % columns.len());
        let Some(share) = axis.map(|axis| axis.unit(*value)).filter(|t| t.is_finite()) else {
            drawing.hatch(rect);
            continue;
        };
        let color = viridis(share);
        drawing.fill(rect, color);
        if let Some(text_size) = text_size {
            let style = Lettering::new(text_size, Align::Middle, Align::Middle);
            drawing.text(&numbers[k], middle(rect), style.color(readable(color)));
        }
    }
    drawing.outline(plot, (3.2 * unit).ceil(), config.theme.palette().ink);

    for (i, name) in rows
        .iter()
        .enumerate()
        .filter(|(i, _)| is_shown(*i, rows.len(), plot.height() / size))
    {
        let (name, size) = fitted(name, size, room);
        let at = (plot.left - 12.0 * unit, middle(cell(i, 0)).1);
        drawing.text(&name, at, Lettering::new(size, Align::End, Align::Middle));
    }
    let fits = if is_upward {
        plot.width() / size
    } else {
        columns.len() as f64
    };
    for (j, name) in columns
        .iter()
        .enumerate()
        .filter(|(j, _)| is_shown(*j, columns.len(), fits))
    {
        let at = (middle(cell(0, j)).0, plot.bottom + 14.0 * unit);
        if is_upward {
            let (name, size) = fitted(name, size, below);
            let style = Lettering::new(size, Align::End, Align::Middle).upwards();
            drawing.text(&name, at, style);
        } else {
            drawing.text(name, at, Lettering::new(size, Align::Middle, Align::Start));
        }
    }
    let (label, label_size) = fitted(&config.column_label, NAME * unit, plot.width());
    let at = (
        f64::midpoint(plot.left, plot.right),
        bounds.bottom - margin - font::DESCENT * NAME * unit,
    );
    drawing.text(
        &label,
        at,
        Lettering::new(label_size, Align::Middle, Align::End),
    );
    let (label, label_size) = fitted(&config.row_label, NAME * unit, plot.height());
    let at = (margin, f64::midpoint(plot.top, plot.bottom));
    let style = Lettering::new(label_size, Align::Middle, Align::Start).upwards();
    drawing.text(&label, at, style);
    if let Some(bar) = &bar {
        bar.draw(&mut drawing, plot, unit, &config.value_label);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Returns the numbers of the cells and the height of their letters, which is the same in all
/// cells: at most `largest`, or none where they could not be read. Where they have no room they get
/// fewer digits.
fn numbers(values: &[f64], digits: usize, cell: Rect, largest: f64) -> (Vec<String>, Option<f64>) {
    let mut digits = digits.clamp(1, 17);
    loop {
        let numbers: Vec<String> = values.iter().map(|v| significant(*v, digits)).collect();
        let widths = numbers.iter().map(|text| font::width(text, 1.0));
        let widest = widths.fold(0.0, f64::max);
        let size = (0.86 * cell.width() / widest).min(0.8 * cell.height());
        let size = size.min(largest);
        if size >= SMALLEST_NUMBER {
            return (numbers, Some(size));
        } else if digits == 1 {
            return (numbers, None);
        }
        digits -= 1;
    }
}

/// The height in pixels of the smallest letters that can be read.
const SMALLEST_NUMBER: f64 = 9.0;

/// Tells whether name number `index` of `count` is written where `fits` have room: all, or every
/// second, and so on.
fn is_shown(index: usize, count: usize, fits: f64) -> bool {
    let stride = (count as f64 / fits.max(1.0)).ceil();
    (index as f64 % stride) == 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::drawing::tests::Pixels;

    #[test]
    fn rows_go_down_and_columns_to_the_right() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let config = MatrixConfig {
            // No number hides the colour.
            digits: 3,
            width: 900,
            height: 675,
            ..MatrixConfig::new("matrix")
        };
        let picture = matrix_with(&values, &["r0", "r1"], &["c0", "c1", "c2"], &config).unwrap();
        let pixels = Pixels::of(picture.svg());
        // The first row is darker than the second, and the first column than the last.
        let at = |x: f64, y: f64| pixels.at((x, y));
        assert_eq!(at(120.0, 100.0), viridis(0.0));
        assert_eq!(at(120.0, 600.0), viridis(3.0 / 5.0));
        assert_eq!(at(700.0, 100.0), viridis(2.0 / 5.0));
        assert_eq!(at(700.0, 600.0), viridis(1.0));
    }

    #[test]
    fn numbers_are_written_where_there_is_room_for_them() {
        let names: Vec<String> = (0..60).map(|k| format!("seed {k}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let count = |n: usize| {
            let values = vec![0.123; n * n];
            let picture = matrix(&values, &names[..n], "matrix").unwrap();
            picture.svg().matches(">0.123</text>").count()
        };
        // One more stands beside the colour bar.
        assert_eq!(count(4), 16 + 1);
        assert_eq!(count(60), 1);
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(matches!(matrix(&[], &[], "none"), Err(Error::Empty { .. })));
        assert!(matches!(
            matrix(&[1.0; 3], &["a", "b"], "short"),
            Err(Error::Length {
                found: 3,
                expected: 4,
                ..
            })
        ));
        let config = MatrixConfig {
            scale: AxisScale::Log,
            ..MatrixConfig::new("log")
        };
        assert!(matches!(
            matrix_with(&[0.0], &["a"], &["b"], &config),
            Err(Error::NotPositive { value: 0.0, .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_matrix_gives_a_picture(
            values in prop::collection::vec(prop::num::f64::ANY, 12),
            rows in 1_usize..13,
            name in "\\PC{0,80}",
            digits in 0_usize..30,
        ) {
            let columns = 12 / rows;
            let config = MatrixConfig {
                digits,
                row_label: name.clone(),
                column_label: name.clone(),
                width: 300,
                height: 300,
                ..MatrixConfig::new(name.clone())
            };
            let (row_names, column_names) = (vec![&*name; rows], vec![&*name; columns]);
            let values = &values[..rows * columns];
            let picture = matrix_with(values, &row_names, &column_names, &config).unwrap();
            let read = Picture::from_svg(picture.svg()).unwrap();
            prop_assert_eq!((read.width(), read.height()), (300, 300));
            prop_assert!(picture.png().unwrap().starts_with(b"\x89PNG"));
        }
    }
}
