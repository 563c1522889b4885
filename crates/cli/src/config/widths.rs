//! The widths of the hidden layers: a list in workspace.toml, `64,32` as a flag.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bounded::Count;
use super::limits;

/// Widths of the hidden layers, first to last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Widths(pub(crate) Vec<Count<{ limits::WIDTH }>>);

impl Widths {
    /// Returns the widths as numbers.
    pub(crate) fn to_vec(&self) -> Vec<usize> {
        self.0.iter().map(|width| width.get()).collect()
    }
}

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let widths: Result<Vec<_>, _> = text.split(',').map(str::parse).collect();
        widths.map(Self)
    }
}

impl fmt::Display for Widths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<_> = self.0.iter().map(|width| width.get().to_string()).collect();
        f.write_str(&widths.join(","))
    }
}
