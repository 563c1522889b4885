//! The nearest of the known names: "did you mean".

/// Returns `, did you mean X?` for the known name nearest to `name`, or nothing when none is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known
        .map(|other| (strsim::levenshtein(name, other), other))
        .min();
    match nearest {
        // A third of the letters wrong is still a slip; more is another word.
        Some((d, other)) if d <= 1 + name.chars().count() / 3 => {
            format!(", did you mean `{other}`?")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_suggested_and_another_word_is_not() {
        let known = ["epochs", "batch_size"];
        assert!(did_you_mean("epoch", known.into_iter()).contains("`epochs`"));
        assert_eq!(did_you_mean("colour", known.into_iter()), "");
    }
}
