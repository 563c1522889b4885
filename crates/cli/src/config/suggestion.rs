//! "did you mean": the nearest of the known names.

/// `, did you mean X?` for the known name nearest to `name`, or nothing when none is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|other| (distance(name, other), other)).min();
    match nearest {
        // A third of the letters wrong is still a slip; more is another word.
        Some((d, other)) if d <= 1 + name.chars().count() / 3 => {
            format!(", did you mean `{other}`?")
        }
        _ => String::new(),
    }
}

/// Levenshtein distance: insertions, deletions and replacements of letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn a_slip_is_suggested_and_another_word_is_not() {
        let known = ["epochs", "batch_size"];
        assert!(did_you_mean("epoch", known.into_iter()).contains("`epochs`"));
        assert_eq!(did_you_mean("colour", known.into_iter()), "");
    }
}
