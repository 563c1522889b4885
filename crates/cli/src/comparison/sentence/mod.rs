//! The sentence at the end of a comparison: what its numbers say, and what they do not.
//!
//! Each measure has a group with the lowest mean (an accuracy: the highest). It is told apart
//! from another group if the 95 % interval of their [`difference`](super::difference) does not hold
//! 0. Which groups diverged, were measured with errors too large, or with one seed, is said and not
//! left out.

mod best;
#[cfg(test)]
mod tests;

use best::{Best, best};

use super::difference::{Basis, Unknown, basis, difference};
use super::group::Group;
use super::measure::Measure;
use crate::report::number::significant;

/// Returns the sentence; none for less than two groups.
pub(crate) fn sentence(groups: &[Group]) -> Option<String> {
    if groups.len() < 2 {
        return None;
    }
    let (diverged, sound): (Vec<&Group>, Vec<&Group>) =
        groups.iter().partition(|group| group.diverged > 0);
    let mut clauses = Vec::new();
    if sound.len() >= 2 {
        clauses.extend(flatness(&sound));
        clauses.extend(test(&sound));
    }
    clauses.extend(diverged.iter().map(|group| {
        let of = match group.seeds.len() {
            1 => format!("{} diverged", group.name),
            n => format!(
                "{} of {n} trainings of {} diverged",
                group.diverged, group.name
            ),
        };
        format!("{of}, so nothing is said of it")
    }));
    if let [only] = sound.as_slice() {
        clauses.push(format!("there is nothing to compare {} with", only.name));
    }
    let mut sentence = clauses.join("; ");
    // Names stay as they are written; only the sentence's own words begin with a capital.
    let own = ["by ", "one ", "with ", "the ", "no ", "there "];
    if own.iter().any(|word| sentence.starts_with(word)) {
        sentence[..1].make_ascii_uppercase();
    }
    sentence.push('.');
    Some(sentence)
}

/// Returns which groups are flatter, and by what.
fn flatness(groups: &[&Group]) -> Vec<String> {
    let name = |group: usize| groups[group].name.as_str();
    let mut found: Vec<(Best, Vec<&str>)> = Vec::new();
    for measure in Measure::FLATNESS {
        let best = best(measure, groups);
        // Which of two is lower does not matter where they are not told apart.
        let same = |(other, _): &&mut (Best, Vec<&str>)| match (other, &best) {
            (Best::All(_), Best::All(_)) if groups.len() == 2 => true,
            (other, best) => *other == *best,
        };
        match found.iter_mut().find(same) {
            Some((_, measures)) => measures.push(measure.name()),
            None => found.push((best, vec![measure.name()])),
        }
    }
    let mut clauses: Vec<String> = found
        .into_iter()
        .map(|(best, measures)| {
            let by = list(&measures, "and");
            match (best, groups) {
                (Best::One(i), [_, _]) => {
                    format!("{} is flatter than {} by {by}", name(i), name(1 - i))
                }
                (Best::One(i), _) => {
                    format!("{} is the flattest of {} by {by}", name(i), groups.len())
                }
                (Best::Some(level), _) => {
                    let names: Vec<&str> = level.iter().map(|i| name(*i)).collect();
                    format!(
                        "by {by} {} are the flattest of {} and not told apart",
                        list(&names, "and"),
                        groups.len()
                    )
                }
                (Best::All(_), [a, b]) => format!(
                    "by {} {} and {} are not told apart",
                    list(&measures, "or"),
                    a.name,
                    b.name
                ),
                (Best::All(i), _) => format!(
                    "by {} none of the others is told apart from the flattest, {}",
                    list(&measures, "or"),
                    name(i)
                ),
                (Best::Unknown(reason), _) => {
                    let (was, are) = match measures.len() {
                        1 => ("was", "is"),
                        _ => ("were", "are"),
                    };
                    match reason {
                        Unknown::NotMeasured => format!("{by} {was} not measured in every run"),
                        Unknown::InDoubt => {
                            format!("{by} {are} in doubt, close to a kink of the loss")
                        }
                        Unknown::Radii => format!("{by} {was} measured with different radii"),
                    }
                }
            }
        })
        .collect();
    if let (Some(seed), Some(first)) = (one_seed(groups), clauses.first_mut()) {
        *first = format!("{seed}, {first}");
    }
    clauses
}

/// Returns what groups with one seed are introduced with.
fn one_seed(groups: &[&Group]) -> Option<String> {
    let single = groups.iter().filter(|group| group.seeds.len() == 1);
    match single.count() {
        0 => return None,
        n if n < groups.len() => return Some("with one seed only".to_owned()),
        _ => {}
    }
    let seed = &groups[0].seeds;
    Some(if groups.iter().all(|group| group.seeds == *seed) {
        "with this one seed".to_owned()
    } else {
        "with one seed each".to_owned()
    })
}

/// Returns what is known of the loss and the accuracy on data that no training has seen.
fn test(groups: &[&Group]) -> Vec<String> {
    let figures = groups.iter().flat_map(|group| &group.figures);
    let mut measures = Measure::of_runs(figures);
    measures.retain(|measure| matches!(measure, Measure::TestLoss | Measure::TestAccuracy));
    if one_seed(groups).is_some() {
        let names = match measures.as_slice() {
            [_, _] => "test loss or accuracy",
            _ => "test loss",
        };
        return vec![format!(
            "one seed says nothing about a typical difference, neither in sharpness nor in {names} (--seeds 5 trains five)"
        )];
    }
    let spread = spread(groups);
    let found: Vec<Best> = measures.iter().map(|m| best(*m, groups)).collect();
    if measures.len() > 1 && found.iter().all(|best| matches!(best, Best::All(_))) {
        return vec![if groups.len() == 2 {
            format!("the differences in test loss and test accuracy lie within the {spread}")
        } else {
            format!("no test loss or accuracy differs from the best by more than the {spread}")
        }];
    }
    if let [Best::One(i), Best::One(j)] = found.as_slice()
        && i == j
        && groups.len() > 2
    {
        return vec![format!(
            "{} has the lowest test loss and the highest test accuracy of {}, by more than the {spread}",
            groups[*i].name,
            groups.len()
        )];
    }
    let clause = |(measure, best): (Measure, &Best)| {
        let what = measure.name();
        let (more, most) = if measure.is_accuracy() {
            ("higher", "highest")
        } else {
            ("lower", "lowest")
        };
        let name = |group: usize| groups[group].name.as_str();
        match (best, groups) {
            (Best::One(i), [_, _]) => {
                let (of, than) = (groups[*i], groups[1 - *i]);
                let interval = difference(measure, than, of).expect("it was told apart before");
                let ends = [interval.low().abs(), interval.high().abs()];
                format!(
                    "the {what} of {} is {more} by {} (95 % interval {} to {}, {} seeds)",
                    of.name,
                    significant(interval.difference.abs(), 2),
                    significant(ends[0].min(ends[1]), 2),
                    significant(ends[0].max(ends[1]), 2),
                    counts(groups),
                )
            }
            (Best::One(i), _) => format!(
                "{} has the {most} {what} of {}, by more than the {spread}",
                name(*i),
                groups.len()
            ),
            (Best::Some(level), _) => {
                let names: Vec<&str> = level.iter().map(|i| name(*i)).collect();
                format!(
                    "{} have the {most} {what} of {}, within the {spread} of each other",
                    list(&names, "and"),
                    groups.len()
                )
            }
            (Best::All(_), [_, _]) => {
                format!("the difference in {what} lies within the {spread}")
            }
            (Best::All(_), _) => {
                format!("no {what} differs from the best by more than the {spread}")
            }
            (Best::Unknown(_), _) => format!("the {what} could not be measured in every run"),
        }
    };
    measures.into_iter().zip(&found).map(clause).collect()
}

/// Returns `spread of 5 seeds`.
fn spread(groups: &[&Group]) -> String {
    let unpaired = groups
        .windows(2)
        .any(|pair| basis(pair[0], pair[1]) == Basis::Welch);
    let each = if unpaired { " each, unpaired" } else { "" };
    format!("spread of {} seeds{each}", counts(groups))
}

/// Returns how many seeds groups have: `5`, or `3 to 5`.
fn counts(groups: &[&Group]) -> String {
    let counts = || groups.iter().map(|group| group.seeds.len());
    let (least, most) = counts()
        .min()
        .zip(counts().max())
        .expect("there are two groups at least");
    if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    }
}

/// Returns `a, b and c`; of many only how many there are.
fn list(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, .., _] if words.len() > 4 => format!("{first} and {} others", words.len() - 1),
        [others @ .., end] => format!("{} {last} {end}", others.join(", ")),
    }
}
