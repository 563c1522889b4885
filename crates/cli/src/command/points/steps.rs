//! The checkpoints of each run that a command line asks for.

use std::fmt;
use std::str::FromStr;

use crate::engine::stored::Which;

/// The checkpoints of each run that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command) enum Steps {
    /// All that it has.
    All,
    /// The checkpoints named.
    Some(Vec<Which>),
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self::All);
        }
        let steps: Result<Vec<Which>, String> = text.split(',').map(str::parse).collect();
        let steps = steps.map_err(|_| {
            "expected steps with commas between them, `latest`, `best` or `all`".to_owned()
        })?;
        Ok(Self::Some(steps))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Some(steps) => {
                let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
                f.write_str(&steps.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbers_and_words() {
        let steps = |text: &str| text.parse::<Steps>();
        assert_eq!(steps("all"), Ok(Steps::All));
        let some = Steps::Some(vec![Which::Step(17), Which::Latest]);
        assert_eq!(steps("17, latest"), Ok(some.clone()));
        assert_eq!(some.to_string(), "17,latest");
        for text in ["", "17,", "all,17", "-1", "soon"] {
            assert!(steps(text).is_err(), "{text:?}");
        }
    }
}
