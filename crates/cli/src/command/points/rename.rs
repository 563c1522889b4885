//! A change of the names of tensors.

use std::str::FromStr;

/// A change of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rename {
    /// The regular expression that finds a part of a name.
    pub(super) pattern: String,
    /// The part in its place.
    pub(super) new: String,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pattern, new) = text
            .split_once('=')
            .ok_or("expected PATTERN=NEW, such as '^fc1\\.=layers.0.'")?;
        Ok(Self {
            pattern: pattern.to_owned(),
            new: new.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rename_has_a_pattern_and_what_it_becomes() {
        let rename: Rename = "^fc1=layers.0".parse().unwrap();
        assert_eq!((&*rename.pattern, &*rename.new), ("^fc1", "layers.0"));
        assert!("fc1".parse::<Rename>().is_err());
    }
}
