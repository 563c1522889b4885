//! The table of slices, and the sentences above and below it.

use super::measured::{Course, Target};
use super::sampled::{Extreme, Sampled};
use crate::engine::slices::{Figure, Place};
use crate::report::number::{plain_number, significant};
use crate::report::sheet::{Item, Part, Sheet};

/// The multiple of the centre's loss above which the share of the points is told.
pub(super) const MULTIPLE: f64 = 2.0;

/// Returns the sentence above the table: the data, the points and the coordinates.
pub(super) fn heading<const D: usize>(
    title: &str,
    course: &Course<'_>,
    found: &[(&Target<'_>, &Sampled<D>)],
) -> String {
    let gathered = course.gathered;
    let axes = found.first().map(|(_, sampled)| &sampled.axes);
    let sides = axes
        .into_iter()
        .flatten()
        .map(|axis| axis.len().to_string());
    let sides: Vec<String> = sides.collect();
    let ends = |axis: &Vec<f64>| {
        let number = |value: Option<&f64>| value.map_or(f64::NAN, |value| rounded(*value));
        let (low, high) = (number(axis.first()), number(axis.last()));
        format!("from {} to {}", plain_number(low), plain_number(high))
    };
    let ends: Vec<String> = axes.into_iter().flatten().map(ends).collect();
    let ends = match ends.as_slice() {
        [first, second] if first != second => format!(", a {first}, b {second}"),
        [first, ..] => format!(" {first}"),
        [] => String::new(),
    };
    format!(
        "{title} of `{}`, {} points{ends}; training: a sample of {} examples",
        gathered.data_name,
        sides.join(" x "),
        gathered.examples()
    )
}

/// Returns a coordinate to four digits.
fn rounded(value: f64) -> f64 {
    significant(value, 4).parse().unwrap_or(value)
}

/// Returns the table: a row for each figure, a column for each slice.
pub(super) fn sheet<const D: usize>(
    found: &[(&Target<'_>, &Sampled<D>)],
    course: &Course<'_>,
) -> Sheet {
    let each = |of: &dyn Fn(&Target<'_>, &Sampled<D>) -> String| -> Vec<String> {
        found
            .iter()
            .map(|(target, of_it)| of(target, of_it))
            .collect()
    };
    let mut items = vec![
        Item::new(
            Part::Settings,
            "network",
            each(&|target, _| target.models[0].network.clone()),
        ),
        Item::new(
            Part::Settings,
            "parameters",
            each(&|target, _| target.models[0].point.parameters().to_string()),
        ),
    ];
    let columns = found
        .iter()
        .map(|(_, sampled)| &sampled.columns)
        .max_by_key(|columns| columns.len());
    for column in columns.into_iter().flatten() {
        let name = column.name();
        let cell = |of: &dyn Fn(&Sampled<D>, usize) -> String| {
            each(&|_, sampled| {
                let place = sampled.place_of(*column);
                place.map_or_else(|| "-".to_owned(), |place| of(sampled, place))
            })
        };
        let mut add = |label: String, cells: Vec<String>| {
            items.push(Item::new(Part::Loss, &label, cells));
        };
        let at_centre = match course.settings.place {
            Place::Along { .. } => "centre",
            Place::Through { .. } => "first model",
        };
        add(
            format!("{name}, {at_centre}"),
            cell(&|sampled, place| nearest(&sampled.centre(place))),
        );
        add(
            "  lowest".to_owned(),
            cell(&|sampled, place| extreme(sampled.lowest(place))),
        );
        add(
            "  highest".to_owned(),
            cell(&|sampled, place| extreme(sampled.highest(place))),
        );
        if column.figure == Figure::Loss {
            add(
                format!("  share above {MULTIPLE} times that"),
                cell(&|sampled, place| {
                    format!("{:.1} %", 100.0 * sampled.share_above(place, MULTIPLE))
                }),
            );
        }
        if found.iter().any(|(_, sampled)| {
            let place = sampled.place_of(*column);
            place.is_some_and(|place| sampled.not_finite(place) > 0)
        }) {
            add(
                "  not finite".to_owned(),
                cell(&|sampled, place| format!("{} points", sampled.not_finite(place))),
            );
        }
    }
    items.push(Item::new(
        Part::Cost,
        "points evaluated",
        each(&|_, sampled| sampled.evaluated_in_words()),
    ));
    if found.iter().any(|(_, sampled)| sampled.error.is_some()) {
        items.push(Item::new(
            Part::Cost,
            "  error of the others",
            each(&|_, sampled| {
                sampled.error.map_or_else(
                    || "-".to_owned(),
                    |error| format!("{} % of range", significant(100.0 * error, 2)),
                )
            }),
        ));
    }
    items.push(Item::new(
        Part::Cost,
        "seconds",
        each(&|_, sampled| format!("{:.2}", sampled.seconds)),
    ));
    Sheet {
        runs: found
            .iter()
            .map(|(target, _)| target.name.clone())
            .collect(),
        items,
    }
}

/// Returns the value at the centre; where no point of the grid is the centre, that of the nearest,
/// with its place.
fn nearest<const D: usize>(centre: &Extreme<D>) -> String {
    if centre.at == [0.0; D] {
        significant(centre.value, 4)
    } else {
        extreme(Some(*centre))
    }
}

/// Returns an extreme with its place.
fn extreme<const D: usize>(extreme: Option<Extreme<D>>) -> String {
    let Some(Extreme { value, at }) = extreme else {
        return "none is finite".to_owned();
    };
    let at: Vec<String> = at.iter().map(|x| significant(*x, 2)).collect();
    format!("{} at {}", significant(value, 4), at.join(", "))
}

/// Returns the sentences below the table.
pub(super) fn remarks<const D: usize>(
    course: &Course<'_>,
    found: &[(&Target<'_>, &Sampled<D>)],
) -> Vec<String> {
    let mut remarks = vec![directions(course, found.len(), D)];
    let ways: Vec<&str> = found
        .iter()
        .map(|(_, sampled)| sampled.evaluation.as_str())
        .collect();
    if let Some(first) = ways
        .first()
        .filter(|first| ways.iter().all(|way| way == *first))
    {
        remarks.push(format!("Values are exact up to rounding, from {first}."));
    } else {
        for ((target, _), way) in found.iter().zip(&ways) {
            remarks.push(format!(
                "{}: values are exact up to rounding, from {way}.",
                target.name
            ));
        }
    }
    remarks
}

/// Returns what the coordinates are multiples of.
fn directions(course: &Course<'_>, slices: usize, dimensions: usize) -> String {
    use crate::config::slice_choice::{Directions, Normalisation, Vectors};
    match &course.settings.place {
        Place::Along {
            directions,
            normalisation,
            vectors,
            orthogonal,
            rho,
            seed,
        } => {
            let plane = dimensions == 2;
            let what = match (directions, plane) {
                (Directions::Random, false) => format!("a random direction (seed {seed})"),
                (Directions::Random, true) => format!("two random directions (seed {seed})"),
                (Directions::Eigenvectors, false) => "the eigenvector of lambda_1".to_owned(),
                (Directions::Eigenvectors, true) => {
                    "the eigenvectors of lambda_1 and lambda_2".to_owned()
                }
                (Directions::Gradient, false) => "the gradient".to_owned(),
                (Directions::Gradient, true) => {
                    format!("the gradient and a random direction (seed {seed})")
                }
                (Directions::Ascent, false) => {
                    format!("SAM's ascent of radius {}", plain_number(*rho))
                }
                (Directions::Ascent, true) => format!(
                    "SAM's ascent of radius {} and a random direction (seed {seed})",
                    plain_number(*rho)
                ),
            };
            let vectors = match vectors {
                Vectors::Ignore => ", biases and norm layers at rest",
                Vectors::Copy => ", biases and norm layers as they are",
            };
            let scale = match normalisation {
                Normalisation::Filter => format!(", filter-normalised{vectors}"),
                Normalisation::Layer => format!(", normalised by layer{vectors}"),
                Normalisation::Global => ", of norm 1".to_owned(),
                Normalisation::None => String::new(),
            };
            let orthogonal = if *orthogonal {
                ", the second orthogonal to the first"
            } else {
                ""
            };
            let whose = if slices > 1 {
                " of each model's own"
            } else {
                ""
            };
            format!("Coordinates are multiples of {what}{whose}{scale}{orthogonal}.")
        }
        Place::Through { .. } if dimensions == 1 => {
            "The models are at 0 and 1; between, the weights are interpolated.".to_owned()
        }
        Place::Through { .. } => {
            "The models are at (0, 0), (1, 0) and (0, 1); between, the weights are interpolated."
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_beside_the_centre_says_where_it_is() {
        let at = |at| nearest(&Extreme { value: 0.5, at });
        assert_eq!(at([0.0, 0.0]), significant(0.5, 4));
        assert_eq!(at([0.0, 0.02]), "0.5000 at 0, 0.020");
    }
}
