//! The coordinates within which the points of a slice lie.

use std::ops::RangeInclusive;

use crate::error::Error;

/// Returns the ends of each range.
///
/// # Errors
/// [`Error::Setting`] for a range that is empty, reversed or not finite.
pub(super) fn checked<const D: usize>(
    extent: [RangeInclusive<f64>; D],
) -> Result<[(f64, f64); D], Error> {
    let ends = extent.map(RangeInclusive::into_inner);
    for (low, high) in ends {
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Err(Error::Setting {
                name: "range of a coordinate",
                value: format!("{low} to {high}"),
                allowed: "finite, with its start not above its end",
            });
        }
    }
    Ok(ends)
}

/// Returns the smallest extent that has all points.
///
/// # Errors
/// [`Error::Setting`] for no point, or a coordinate that is not finite.
pub(super) fn of_points<const D: usize>(
    points: &[[f64; D]],
) -> Result<[RangeInclusive<f64>; D], Error> {
    check_points(points)?;
    Ok(std::array::from_fn(|i| {
        let coordinates = || points.iter().map(|point| point[i]);
        let low = coordinates().fold(f64::INFINITY, f64::min);
        let high = coordinates().fold(f64::NEG_INFINITY, f64::max);
        low..=high
    }))
}

/// Checks that there are points, with finite coordinates.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_points<const D: usize>(points: &[[f64; D]]) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if points.is_empty() {
        return setting("number of grid points", "0".to_owned(), "at least 1");
    }
    let mut coordinates = points.iter().flatten();
    match coordinates.find(|coordinate| !coordinate.is_finite()) {
        Some(coordinate) => setting("coordinate", coordinate.to_string(), "finite"),
        None => Ok(()),
    }
}

/// Checks that all points lie within an extent.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_within<const D: usize>(
    points: &[[f64; D]],
    extent: &[(f64, f64); D],
) -> Result<(), Error> {
    for (coordinate, (low, high)) in points.iter().flat_map(|point| point.iter().zip(extent)) {
        if !(low..=high).contains(&coordinate) {
            return Err(Error::Setting {
                name: "coordinate",
                value: format!("{coordinate} on a slice from {low} to {high}"),
                allowed: "within the slice's extent: state a larger one by `Slice::within`",
            });
        }
    }
    Ok(())
}
