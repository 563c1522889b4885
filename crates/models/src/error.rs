//! The error of this crate.

use std::fmt;

/// An error of this crate; each message is one sentence that names the field or the tensor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration describes no network.
    #[error("the {field} of {model} is {value}, but must be {rule}")]
    Config {
        /// The network.
        model: &'static str,
        /// The field of its configuration.
        field: &'static str,
        /// The value it has.
        value: String,
        /// The rule it must obey.
        rule: &'static str,
    },
    /// The weights cannot be read as safetensors.
    #[error("{origin} cannot be read as safetensors: {reason}")]
    Read {
        /// The path, or `the given bytes`.
        origin: String,
        /// The reader's message.
        reason: String,
    },
    /// A pattern for renaming is no regular expression.
    #[error("the pattern {pattern:?} for renaming tensors is no regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The parser's message.
        reason: String,
    },
    /// The tensors of the file are not those of the model.
    #[error(
        "the weights in {origin} do not fit the model: {}",
        differences(missing, unexpected, mismatched)
    )]
    Weights {
        /// The path, or `the given bytes`.
        origin: String,
        /// Tensors of the model that the file lacks, by their path in the model.
        missing: Vec<String>,
        /// Tensors of the file that the model lacks, by their name after prefix and renaming.
        unexpected: Vec<String>,
        /// Tensors that both have, but differently.
        mismatched: Vec<Mismatch>,
    },
}

/// A tensor that the model and the file both have, but differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Path in the model.
    pub path: String,
    /// The difference, with both sides, in the model's layout.
    pub reason: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.reason)
    }
}

fn differences(missing: &[String], unexpected: &[String], mismatched: &[Mismatch]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("the file lacks {}", missing.join(", ")));
    }
    if !unexpected.is_empty() {
        parts.push(format!(
            "the model has no place for {}",
            unexpected.join(", ")
        ));
    }
    if !mismatched.is_empty() {
        let list: Vec<String> = mismatched.iter().map(ToString::to_string).collect();
        parts.push(list.join(", "));
    }
    parts.join("; ")
}
