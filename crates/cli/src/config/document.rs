//! The text of workspace.toml with positions, for errors that name file, line, key and the allowed
//! values.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::suggestion::did_you_mean;
use crate::failure::usage;

/// The parser's message for a value that is no word where one of several is expected.
const NOT_A_CHOICE: &str = "wanted string or table";

/// A TOML file as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there or not text; a usage error.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            usage(match error.kind() {
                std::io::ErrorKind::NotFound => format!(
                    "{} does not exist; run the program where workspace.toml lies, or name the file with --workspace FILE",
                    path.display()
                ),
                _ => format!("{} cannot be read: {error}", path.display()),
            })
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// Returns the workspace.toml of the repository that the program was built from.
    pub(crate) fn built_in() -> Self {
        Self {
            path: "the built-in workspace.toml".into(),
            text: include_str!("../../../../workspace.toml").to_owned(),
        }
    }

    /// Returns the document of a program that needs none.
    pub(crate) fn empty() -> Self {
        Self {
            path: "no workspace.toml".into(),
            text: String::new(),
        }
    }

    /// Reads the content as a typed value.
    ///
    /// # Errors
    /// A usage error with file, line, key and what is allowed.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        toml::from_str(&self.text).map_err(|error| {
            let span = error.span();
            let start = span.as_ref().map_or(0, |span| span.start);
            let key = match self.key_at(start) {
                key if key.is_empty() => key,
                key => format!("{key}: "),
            };
            let message = match span.clone() {
                Some(span) if error.message() == NOT_A_CHOICE => self.choices::<T>(span),
                _ => None,
            };
            let message = message.unwrap_or_else(|| {
                let found = span.and_then(|span| self.text.get(span));
                explain(error.message(), found)
            });
            let (path, line) = (self.path.display(), self.line_of(start));
            usage(format!("{path}:{line}: {key}{message}"))
        })
    }

    /// Says which words are allowed in the place of a value that is no word. Of an unknown word in
    /// its place serde tells it.
    fn choices<T: DeserializeOwned>(&self, span: Range<usize>) -> Option<String> {
        let mut text = self.text.clone();
        text.replace_range(span, "\"?\"");
        let error = toml::from_str::<T>(&text).err()?;
        let (_, allowed) = error.message().split_once("expected ")?;
        Some(format!(
            "expected one word in quotes, {}",
            allowed.trim_end()
        ))
    }

    /// Returns a usage error about one key, with its position if the key is written in the file.
    pub(crate) fn error(&self, key: &[&str], message: &str) -> anyhow::Error {
        let position = match self.offset_of(key) {
            Some(offset) => format!("{}:{}", self.path.display(), self.line_of(offset)),
            None => self.path.display().to_string(),
        };
        usage(format!("{position}: {}: {message}", key.join(".")))
    }

    /// Returns where the file lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the key is written in the file.
    pub(crate) fn has(&self, key: &[&str]) -> bool {
        self.offset_of(key).is_some()
    }

    /// Returns the keys below `key` in the order of the file.
    ///
    /// # Errors
    /// When the text is no TOML at all.
    pub(crate) fn keys_in_order(&self, key: &[&str]) -> anyhow::Result<Vec<String>> {
        let root = DeTable::parse(&self.text).context("the file changed while it was read")?;
        let mut table = root.get_ref();
        for part in key {
            match table.get(*part).map(|value| value.get_ref()) {
                Some(DeValue::Table(inner)) => table = inner,
                _ => return Ok(Vec::new()),
            }
        }
        let mut keys: Vec<_> = table
            .iter()
            .map(|(name, _)| (name.span().start, name.get_ref().to_string()))
            .collect();
        keys.sort();
        Ok(keys.into_iter().map(|(_, name)| name).collect())
    }

    fn line_of(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    fn offset_of(&self, key: &[&str]) -> Option<usize> {
        let root = DeTable::parse(&self.text).ok()?;
        let mut table = root.get_ref();
        let (last, parents) = key.split_last()?;
        for part in parents {
            table = table.get(*part)?.get_ref().as_table()?;
        }
        let (name, _) = table.get_key_value(*last)?;
        Some(name.span().start)
    }

    /// Returns the dotted key whose name or value begins at or contains `offset`.
    fn key_at(&self, offset: usize) -> String {
        let mut path = Vec::new();
        if let Ok(root) = DeTable::parse(&self.text) {
            descend(root.get_ref(), offset, &mut path);
        }
        path.join(".")
    }
}

/// Follows the entries whose name or value contains the offset; of nested candidates the deepest
/// wins.
fn descend(table: &DeTable<'_>, offset: usize, path: &mut Vec<String>) -> bool {
    for (name, value) in table {
        path.push(name.get_ref().to_string());
        let inside = match value.get_ref() {
            DeValue::Table(inner) if descend(inner, offset, path) => true,
            _ => value.span().contains(&offset),
        };
        if inside || name.span().contains(&offset) {
            return true;
        }
        path.pop();
    }
    false
}

/// Returns serde's message in the words of a user.
fn explain(message: &str, found: Option<&str>) -> String {
    let message = message
        .trim_end()
        .replace('\n', "; ")
        .replace("missing field", "missing key")
        .replace(
            "expected u32",
            "expected a whole number from 0 to 4294967295",
        )
        .replace("a sequence", "a list of whole numbers")
        .replace("a map", "a table")
        .replace("path string", "a path in quotes");
    if let (true, Some(found)) = (message.contains("duplicate key"), found) {
        return format!("duplicate key `{found}`");
    }
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let Some((name, allowed)) = words.split_first().filter(|_| unknown) else {
        return message;
    };
    let what = if message.starts_with("unknown field") {
        "unknown key"
    } else {
        "unknown value"
    };
    let name = found.map_or(*name, |text| text.trim_matches('"'));
    format!(
        "{what} `{name}`{}; allowed: {}",
        did_you_mean(name, allowed.iter().copied()),
        allowed.join(", ")
    )
}
