//! Which groups are best by a measure, as far as can be told.

use crate::comparison::difference::{Standing, Unknown, standing};
use crate::comparison::group::Group;
use crate::comparison::measure::Measure;
use crate::comparison::statistics::mean;

/// Which groups are best by a measure.
#[derive(Debug, PartialEq)]
pub(super) enum Best {
    /// One, told apart from all others.
    One(usize),
    /// Several, and the best of them first; the rest is told apart from that one.
    Some(Vec<usize>),
    /// None is told apart from this one.
    All(usize),
    /// The measure says nothing.
    Unknown(Unknown),
}

/// Returns the best of at least two groups: the one with the lowest mean, of an accuracy the
/// highest, and those that are not told apart from it.
pub(super) fn best(measure: Measure, groups: &[&Group]) -> Best {
    let value = |group: &Group| {
        let values: Vec<f64> = group.figures.iter().map(|f| measure.of(f)).collect();
        let mean = mean(&values);
        if measure.is_accuracy() { -mean } else { mean }
    };
    let first = (0..groups.len())
        .min_by(|a, b| value(groups[*a]).total_cmp(&value(groups[*b])))
        .expect("there are two groups at least");
    let mut level = vec![first];
    for other in (0..groups.len()).filter(|other| *other != first) {
        match standing(measure, groups[first], groups[other]) {
            Ok(Standing::NotToldApart) => level.push(other),
            Ok(Standing::Lower | Standing::Higher) => {}
            Err(reason) => return Best::Unknown(reason),
        }
    }
    match level.len() {
        1 => Best::One(first),
        n if n == groups.len() => Best::All(first),
        _ => Best::Some(level),
    }
}
