//! The sink that writes one JSON object per line.
//!
//! Every line has `step` and `tag`, and one of
//!
//! | key | value |
//! |---|---|
//! | `scalar` | a number, or `"NaN"`, `"inf"`, `"-inf"` |
//! | `histogram` | a list of `[left, right, weight]` |
//! | `mesh` | `{"vertices": [[x, y, z], ..], "faces": [[a, b, c], ..], "colors": [[r, g, b], ..]}` |
//! | `text` | markdown |
//! | `picture` | `{"width": .., "height": .., "file": ..}`; the PNG lies in that file, named relative to the JSON file's folder, and `file` is absent when the lines go to a stream |
//! | `data` | the numbers behind a picture, as the instrument says |
//!
//! Nothing in the file depends on the time, so equal runs give equal files as long as the cost of
//! probes is not recorded.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::lines::Lines;
use super::picture_names::PictureNames;
use super::{Sink, told};
use crate::Error;
use crate::disk::write_file;
use crate::record::{Record, Value, json_number};

/// Writes one JSON object per line; see the file's documentation for the keys. Each line is written
/// at once, so a killed run keeps all whole lines.
///
/// A line that a full disk cuts is taken back from a file. A stream keeps the piece, which then
/// stands on a line of its own. Either way the record counts as lost, and the next ones are written
/// when there is room again.
///
/// ```text
/// {"scalar":0.25,"step":10,"tag":"loss/valid"}
/// {"scalar":"NaN","step":20,"tag":"loss/valid"}
/// {"step":20,"tag":"diagnosis/probes","text":"- **loss/valid** failed: .."}
/// {"picture":{"file":"run-pictures/line-20.png","height":480,"width":640},"step":20,"tag":"line"}
/// ```
pub struct JsonLines {
    lines: Lines,
    path: Option<PathBuf>,
    pictures: PictureNames,
    /// The records that were taken since the stream was last flushed.
    unflushed: u64,
    lost: u64,
    failure: Option<Error>,
}

impl JsonLines {
    /// Begins a new file, and its folder where there is none. Pictures go into the folder
    /// `{name}-pictures` beside it, which is made when the first one comes.
    ///
    /// # Errors
    /// [`Error::Exists`] when the file exists, [`Error::File`] when it cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| failed("create", folder, source))?;
        }
        let lines = Lines::create(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists { path: path.into() },
            _ => failed("create", path, source),
        })?;
        Ok(Self::to(lines, Some(path)))
    }

    /// Goes on with a file, or begins it. A last line that a killed run left unfinished is ended
    /// first, and stays as it is, as do the records of steps that come again:
    /// [`resume`](Self::resume) takes these out.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be opened, read or written.
    pub fn append(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let lines = Lines::append(path).map_err(|source| failed("append to", path, source))?;
        Ok(Self::to(lines, Some(path)))
    }

    /// Goes on with a file at a step, or begins it: lines of that step and later ones, which the
    /// run wrote beyond its checkpoint before it was interrupted, are taken out, so that no step
    /// stands there twice. A last line that a killed run left unfinished goes too; lines without a
    /// step stay.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be opened, read or written; it is then as it was.
    pub fn resume(path: impl AsRef<Path>, step: u64) -> Result<Self, Error> {
        let path = path.as_ref();
        let is_earlier = |line: &[u8]| {
            let object: Option<Json> = serde_json::from_slice(line).ok();
            let its_step = object.as_ref().and_then(|object| object["step"].as_u64());
            its_step.is_none_or(|its_step| its_step < step)
        };
        let lines =
            Lines::resume(path, is_earlier).map_err(|source| failed("go on with", path, source))?;
        Ok(Self::to(lines, Some(path)))
    }

    /// Writes to a stream, for example standard output. Pictures are described, and their pixels
    /// left out.
    #[must_use]
    pub fn to_stream(output: impl Write + Send + 'static) -> Self {
        Self::to(Lines::stream(output), None)
    }

    fn to(lines: Lines, path: Option<&Path>) -> Self {
        Self {
            lines,
            path: path.map(Path::to_owned),
            pictures: PictureNames::default(),
            unflushed: 0,
            lost: 0,
            failure: None,
        }
    }

    fn try_write(&mut self, record: &Record) -> Result<(), Error> {
        let (key, value) = match &record.value {
            Value::Scalar(value) => ("scalar", json_number(*value)),
            Value::Histogram(histogram) => (
                "histogram",
                histogram
                    .bins()
                    .iter()
                    .map(|bin| json!([bin.left, bin.right, bin.weight]))
                    .collect(),
            ),
            Value::Mesh(mesh) => (
                "mesh",
                json!({ "vertices": mesh.vertices, "faces": mesh.faces, "colors": mesh.colors }),
            ),
            Value::Text(text) => ("text", Json::String(text.clone())),
            Value::Data(data) => ("data", data.clone()),
            Value::Picture(picture) => {
                let mut described = json!({ "width": picture.width(), "height": picture.height() });
                if let Some(path) = self.path.clone() {
                    let file = self.save_picture(&path, record, &picture.png()?)?;
                    described["file"] = Json::String(file);
                }
                ("picture", described)
            }
        };
        let mut line = json!({ "step": record.step, "tag": record.tag });
        line[key] = value;
        self.lines
            .write(&line.to_string())
            .map_err(|source| failed("write to", self.place(), source))
    }

    /// Returns the file, as messages name it.
    fn place(&self) -> &Path {
        self.path
            .as_deref()
            .unwrap_or_else(|| Path::new("the stream"))
    }

    /// Writes a PNG beside the JSON file and returns its path relative to the JSON file's folder.
    fn save_picture(&mut self, json: &Path, record: &Record, png: &[u8]) -> Result<String, Error> {
        let stem = json
            .file_stem()
            .expect("a path that was opened as a file has a name")
            .to_string_lossy();
        let folder = format!("{stem}-pictures");
        // A tag may contain any character; a file's name should not.
        let name: String = record
            .tag
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' || c == '.' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        self.pictures.claim(&name, &record.tag)?;
        let name = format!("{name}-{}.png", record.step);
        let directory = json.with_file_name(&folder);
        fs::create_dir_all(&directory).map_err(|source| failed("create", &directory, source))?;
        let path = directory.join(&name);
        write_file(&path, png).map_err(|source| failed("write to", &path, source))?;
        Ok(format!("{folder}/{name}"))
    }
}

impl Sink for JsonLines {
    fn name(&self) -> &'static str {
        NAME
    }

    fn write(&mut self, record: &Record) {
        match self.try_write(record) {
            Ok(()) => self.unflushed += 1,
            Err(error) => {
                self.lost += 1;
                self.failure.get_or_insert(error);
            }
        }
    }

    /// Hands on what a stream has kept back. What it cannot hand on counts as lost.
    fn flush(&mut self) {
        if let Some(path) = &self.path
            && self.failure.is_none()
            && !self.lines.is_at(path)
        {
            // Lines go on into a file that has no name.
            self.failure = Some(failed("find", path, io::ErrorKind::NotFound.into()));
            self.lost += 1;
        }
        if let Err(source) = self.lines.flush() {
            self.lost += self.unflushed;
            let error = failed("write to", self.place(), source);
            self.failure.get_or_insert(error);
        }
        self.unflushed = 0;
    }

    fn warning(&mut self) -> Option<String> {
        self.failure.as_ref().map(told)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.flush();
        match self.failure {
            Some(first) => Err(Error::rejected(NAME, self.lost, first)),
            None => Ok(()),
        }
    }
}

/// The sink in messages.
const NAME: &str = "JSON lines";

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}
