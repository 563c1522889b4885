//! The folder of a measurement: its document, which lists its files, and these files. Nothing that
//! a run or somebody else has made is written over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tensorboard::RunLock;

use super::files::{PARTIAL, remove_file, write_atomically};
use super::manifest;
use crate::failure::usage;

/// A kind of measurement: its document, the schema in it, and its name in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The file.
    pub(crate) file: &'static str,
    /// The schema that this program writes and reads.
    pub(crate) schema: &'static str,
    /// The name.
    pub(crate) name: &'static str,
}

/// What `measure` finds.
pub(crate) const MEASUREMENT: Kind = Kind {
    file: "measurement.json",
    schema: "landscape-measurement/1",
    name: "a measurement",
};

/// The status of a measurement that has come to its end.
pub(crate) const FINISHED: &str = "finished";

/// The status of one that was stopped on the way.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// The status of a measurement that is going on, or was killed.
const UNFINISHED: &str = "unfinished";

/// A folder under lock.
pub(crate) struct MeasureDir {
    kind: Kind,
    lock: RunLock,
    files: BTreeSet<String>,
}

/// Returns the files of an earlier measurement in a folder; none where there is nothing.
///
/// # Errors
/// A usage error when a finished measurement is there and is not to be overwritten, or something
/// else.
pub(crate) fn inspect(
    folder: &Path,
    kind: Kind,
    overwrite: bool,
) -> anyhow::Result<BTreeSet<String>> {
    let Kind { file, schema, name } = kind;
    let shown = folder.display();
    let elsewhere = "choose another folder with --output DIR";
    if folder.is_file() {
        return Err(usage(format!("{shown} is a file; {elsewhere}")));
    }
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let cannot = || format!("{shown} cannot be read");
    let document = folder.join(file);
    if document.is_file() {
        let text = std::fs::read(&document).with_context(cannot)?;
        let earlier: Option<Value> = serde_json::from_slice(&text).ok();
        let text = |key: &str| earlier.as_ref()?.get(key)?.as_str().map(str::to_owned);
        if text("schema").as_deref() != Some(schema) {
            return Err(usage(format!(
                "{} is not {name} of this program (schema {schema}); {elsewhere}",
                document.display()
            )));
        }
        if !overwrite && text("status").as_deref() == Some(FINISHED) {
            return Err(usage(format!(
                "{shown} holds {name}; --overwrite replaces it, --output DIR writes elsewhere"
            )));
        }
        let listed = earlier.as_ref().and_then(|earlier| earlier.get("files"));
        let listed = listed.and_then(Value::as_array).into_iter().flatten();
        let plain = |name: &&str| {
            Path::new(name)
                .file_name()
                .is_some_and(|file| file == *name)
        };
        let names = listed.filter_map(Value::as_str).filter(plain);
        return Ok(names.map(str::to_owned).collect());
    }
    if folder.join(manifest::FILE).exists() {
        return Err(usage(format!("{shown} holds a training; {elsewhere}")));
    }
    let leftovers = [".writer.lock".to_owned(), format!("{file}{PARTIAL}")];
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?.file_name();
        if leftovers.iter().all(|leftover| entry != leftover.as_str()) {
            return Err(usage(format!(
                "{shown} holds files that are not {name}'s (there is no {file}); {elsewhere}"
            )));
        }
    }
    Ok(BTreeSet::new())
}

impl MeasureDir {
    /// Makes the folder, takes its lock, and removes the files of an earlier measurement.
    ///
    /// # Errors
    /// As [`inspect`], when another process has the lock, or when the folder cannot be made,
    /// emptied or written.
    pub(crate) fn take(folder: &Path, kind: Kind, overwrite: bool) -> anyhow::Result<Self> {
        Self::resume(folder, kind, overwrite, |_| false)
    }

    /// Does the same, but leaves the files of an earlier measurement that came to no end to this
    /// one where `is_kept` says so, unless that is overwritten.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(crate) fn resume(
        folder: &Path,
        kind: Kind,
        overwrite: bool,
        is_kept: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Self> {
        inspect(folder, kind, overwrite)?;
        let lock = RunLock::take(folder).with_context(|| {
            format!(
                "the folder {} cannot be made, written or locked; --output DIR writes elsewhere",
                folder.display()
            )
        })?;
        let mut files = BTreeSet::new();
        // Decided once more, now that nobody else can change it.
        for name in inspect(folder, kind, overwrite)? {
            let path = folder.join(&name);
            if !overwrite && is_kept(&name) {
                files.insert(name);
            } else if name != kind.file && !path.is_dir() {
                remove_file(&path)
                    .with_context(|| format!("{} cannot be removed", path.display()))?;
            }
        }
        let mut taken = Self { kind, lock, files };
        taken.list()?;
        Ok(taken)
    }

    /// Returns where it lies.
    pub(crate) fn path(&self) -> &Path {
        self.lock.directory()
    }

    /// Writes a file, which the list names before it is there.
    ///
    /// # Errors
    /// When there is a file of that name that is not the measurement's, or it cannot be written.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.claim(name)?;
        write_atomically(&path, bytes)
    }

    /// Puts a file that somebody else will write on the list. Returns its path.
    ///
    /// # Errors
    /// When there is a file of that name that is not the measurement's, or the list cannot be
    /// written.
    pub(crate) fn claim(&mut self, name: &str) -> anyhow::Result<PathBuf> {
        self.lock.check_in_place()?;
        let path: PathBuf = self.path().join(name);
        if !self.files.contains(name) {
            ensure!(
                !path.exists(),
                "{} is there already and not this measurement's; move it away",
                path.display()
            );
            self.files.insert(name.to_owned());
            self.list()?;
        }
        Ok(path)
    }

    /// Writes the document, with the names of the files in it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn conclude(&mut self, mut document: Value) -> anyhow::Result<Value> {
        self.lock.check_in_place()?;
        document["files"] = json!(self.files);
        let text = format!("{document:#}\n");
        write_atomically(&self.path().join(self.kind.file), text.as_bytes())?;
        Ok(document)
    }

    fn list(&mut self) -> anyhow::Result<()> {
        self.conclude(json!({"schema": self.kind.schema, "status": UNFINISHED}))
            .map(|_| ())
    }
}
