//! VTK's legacy format, which ParaView, VisIt and PyVista read.
//!
//! # References
//! Kitware, "The VTK User's Guide", 11th edition, "Simple Legacy Formats".

use super::{Points, Samples};
use crate::Error;

/// The cells of VTK that are used: two points joined, and four.
const LINE: i32 = 3;
const QUADRILATERAL: i32 = 9;
const VERTEX: i32 = 1;

/// Returns an unstructured grid in which one quantity, or the first one, is the height: points
/// `(a, b, height)` of a surface, `(a, height, 0)` of a line or a path. All quantities are scalars
/// at the points, and so are further coordinates and `index`, the number of the point in the
/// samples.
///
/// Points that were not measured or whose height is not finite are left out, with the cells that
/// would touch them; the second line of the file counts them. Heights are as they are: the scale is
/// the viewer's. Names have `%20` in place of a space, as VTK writes them.
///
/// # Errors
/// [`Error::Slice`] for columns whose lengths or names do not fit, or a height that there is not.
///
/// # Examples
/// ```
/// use probes::export::{Column, Samples, vtk};
///
/// let axes = [
///     Column::new("a", vec![0.0, 1.0]),
///     Column::new("b", vec![0.0, 1.0]),
/// ];
/// let surface = Samples::on_grid(axes, [("loss", vec![1.0, 2.0, 3.0, f64::INFINITY])]);
/// let text = String::from_utf8_lossy(&vtk(&surface, None)?).into_owned();
/// assert!(
///     text.lines()
///         .nth(1)
///         .unwrap()
///         .starts_with("loss: 1 of 4 points left out")
/// );
/// assert!(text.contains("POINTS 3 double"));
/// # Ok::<(), probes::Error>(())
/// ```
pub fn vtk(samples: &Samples, height: Option<&str>) -> Result<Vec<u8>, Error> {
    samples.check()?;
    let named = |name| samples.quantities.iter().find(|column| column.name == name);
    let chosen = height.map_or(samples.quantities.first(), named);
    let height = chosen.ok_or_else(|| Error::Slice {
        name: "the height",
        value: format!("{:?}", height.unwrap_or_default()),
        allowed: "the name of a quantity, of which there must be one",
    })?;
    let kept: Vec<usize> = (0..samples.len())
        .filter(|&index| samples.recorded[index] && height.values[index].is_finite())
        .filter(|&index| samples.point(index).iter().all(|x| x.is_finite()))
        .collect();
    let mut place = vec![None; samples.len()];
    for (new, &old) in kept.iter().enumerate() {
        place[old] = Some(new);
    }
    let cells = cells(samples, &place);
    let mut file = Vec::new();
    let left_out = match samples.len() - kept.len() {
        0 => String::new(),
        count => format!(
            ": {count} of {} points left out, not measured or not finite",
            samples.len()
        ),
    };
    // A title is one line of at most 256 characters.
    let title: String = height
        .name
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    line(&mut file, "# vtk DataFile Version 3.0");
    line(&mut file, &format!("{title}{left_out}"));
    line(&mut file, "BINARY\nDATASET UNSTRUCTURED_GRID");
    line(&mut file, &format!("POINTS {} double", kept.len()));
    let mut points = Vec::with_capacity(3 * kept.len());
    for &index in &kept {
        let point = samples.point(index);
        match point[..] {
            [a] => points.extend([a, height.values[index], 0.0]),
            [a, b, ..] => points.extend([a, b, height.values[index]]),
            [] => unreachable!("samples have one coordinate at least"),
        }
    }
    doubles(&mut file, points);
    let size: usize = cells.iter().map(|(_, corners)| corners.len() + 1).sum();
    line(&mut file, &format!("CELLS {} {size}", cells.len()));
    let with_count = |(_, corners): &(i32, Vec<usize>)| {
        let whole = |&number: &usize| i32::try_from(number);
        let mut numbers = vec![whole(&corners.len())];
        numbers.extend(corners.iter().map(whole));
        numbers
    };
    let numbers: Result<Vec<i32>, _> = cells.iter().flat_map(with_count).collect();
    let numbers = numbers.map_err(|_| Error::Slice {
        name: "the number of points",
        value: kept.len().to_string(),
        allowed: "below 2^31 in this format",
    })?;
    integers(&mut file, numbers);
    line(&mut file, &format!("CELL_TYPES {}", cells.len()));
    integers(&mut file, cells.iter().map(|(kind, _)| *kind));
    line(&mut file, &format!("POINT_DATA {}", kept.len()));
    for column in &samples.quantities {
        scalars(
            &mut file,
            &column.name,
            kept.iter().map(|&index| column.values[index]),
        );
    }
    if let Points::Sequence { coordinates, .. } = &samples.points {
        for column in coordinates.iter().skip(2) {
            scalars(
                &mut file,
                &column.name,
                kept.iter().map(|&index| column.values[index]),
            );
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^31")]
    scalars(&mut file, "index", kept.iter().map(|&index| index as f64));
    Ok(file)
}

/// Returns the cells between the points that have a place, each with its type.
fn cells(samples: &Samples, place: &[Option<usize>]) -> Vec<(i32, Vec<usize>)> {
    let cell = |kind, corners: &[usize]| -> Option<(i32, Vec<usize>)> {
        let corners: Option<Vec<usize>> = corners.iter().map(|&corner| place[corner]).collect();
        Some((kind, corners?))
    };
    let along = |count: usize| (1..count).filter_map(|i| cell(LINE, &[i - 1, i])).collect();
    match &samples.points {
        Points::Grid { axes } => match &axes[..] {
            [a, b] if a.values.len() > 1 && b.values.len() > 1 => {
                let (rows, columns) = (a.values.len(), b.values.len());
                let corners = (1..rows).flat_map(|i| (1..columns).map(move |j| (i, j)));
                corners
                    .filter_map(|(i, j)| {
                        let [low, high] = [i - 1, i].map(|i| i * columns + j);
                        cell(QUADRILATERAL, &[low - 1, high - 1, high, low])
                    })
                    .collect()
            }
            _ => along(place.len()),
        },
        Points::Sequence { joined: true, .. } => along(place.len()),
        Points::Sequence { joined: false, .. } => (0..place.len())
            .filter_map(|i| cell(VERTEX, &[i]))
            .collect(),
    }
}

fn line(file: &mut Vec<u8>, text: &str) {
    file.extend(text.as_bytes());
    file.push(b'\n');
}

fn scalars(file: &mut Vec<u8>, name: &str, values: impl IntoIterator<Item = f64>) {
    let name: String = name
        .bytes()
        .map(|byte| match byte {
            b'!' | b'#'..=b'$' | b'&'..=b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    line(
        file,
        &format!("SCALARS {name} double 1\nLOOKUP_TABLE default"),
    );
    doubles(file, values);
}

/// Binary numbers of this format are big-endian.
fn doubles(file: &mut Vec<u8>, values: impl IntoIterator<Item = f64>) {
    file.extend(
        values
            .into_iter()
            .flat_map(|value| value.to_bits().to_be_bytes()),
    );
    file.push(b'\n');
}

fn integers(file: &mut Vec<u8>, values: impl IntoIterator<Item = i32>) {
    file.extend(values.into_iter().flat_map(i32::to_be_bytes));
    file.push(b'\n');
}
