//! run.json: the list of the files that a run has made in its directory. Nothing else there is ever
//! written over or removed.
//!
//! A name is in the list before there is a file of that name, so a kill at any moment leaves no
//! file that the list does not know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::files::write_atomically;

/// The name of the list.
pub(crate) const FILE: &str = "run.json";

/// The schema that this program writes and reads.
const SCHEMA: &str = "landscape-run/1";

/// The files of a run.
pub(crate) struct Manifest {
    directory: PathBuf,
    files: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    schema: String,
    files: BTreeSet<String>,
}

impl Manifest {
    /// Returns the list of a run with these files, not written yet.
    pub(crate) fn of(directory: &Path, files: impl IntoIterator<Item = String>) -> Self {
        Self {
            directory: directory.to_owned(),
            files: files.into_iter().collect(),
        }
    }

    /// Returns the list in a directory; none if there is no file of that name.
    ///
    /// # Errors
    /// When the file is no such list.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Option<Self>> {
        let path = directory.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let text =
            std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let content: Content = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not the list of a run's files", path.display()))?;
        ensure!(
            content.schema == SCHEMA,
            "{} has the schema {:?}, and this program reads {SCHEMA:?}",
            path.display(),
            content.schema
        );
        // A list that climbs out of its directory is not one that this program has written.
        let plain = |name: &String| {
            Path::new(name)
                .file_name()
                .is_some_and(|file| file == name.as_str())
        };
        ensure!(
            content.files.iter().all(plain),
            "{} lists something that is not a file beside it",
            path.display()
        );
        Ok(Some(Self::of(directory, content.files)))
    }

    /// Returns the names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Returns whether a name is in the list.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    /// Adds a name, on the disk too, before there is a file of that name.
    ///
    /// # Errors
    /// When there is one already, which then is somebody else's, or the list cannot be written.
    pub(crate) fn claim(&mut self, name: &str) -> anyhow::Result<()> {
        if self.has(name) {
            return Ok(());
        }
        let path = self.directory.join(name);
        ensure!(
            !path.exists(),
            "{} is there already and not this run's; move it away",
            path.display()
        );
        self.files.insert(name.to_owned());
        self.write()
    }

    /// Writes the list.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let content = Content {
            schema: SCHEMA.to_owned(),
            files: self.files.clone(),
        };
        let mut text = serde_json::to_string_pretty(&content)?;
        text.push('\n');
        write_atomically(&self.directory.join(FILE), text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_that_climbs_out_of_its_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../thesis.txt", "/etc/passwd", "a/b", "..", ""] {
            let text = serde_json::json!({"schema": SCHEMA, "files": [name]}).to_string();
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert!(Manifest::read(folder.path()).is_err(), "{name}");
        }
    }

    #[test]
    fn name_that_somebody_else_has_taken_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = Manifest::of(folder.path(), ["summary.json".to_owned()]);
        std::fs::write(folder.path().join("summary.json"), "ours").unwrap();
        std::fs::write(folder.path().join("picture.png"), "theirs").unwrap();
        assert!(manifest.claim("summary.json").is_ok());
        assert!(manifest.claim("picture.png").is_err());
        manifest.claim("new.png").unwrap();
        let read = Manifest::read(folder.path()).unwrap().unwrap();
        assert_eq!(
            read.files().collect::<Vec<_>>(),
            ["new.png", "summary.json"]
        );
    }
}
