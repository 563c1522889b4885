//! The sink that keeps pictures and their numbers as files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::numbers;
use super::picture_names::PictureNames;
use super::{Sink, told};
use crate::Error;
use crate::disk::replace;
use crate::record::{Record, Value};

/// The reason why a file could not be written.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Takes a file's name and content.
type Write = dyn FnMut(&str, &[u8]) -> Result<(), Failure> + Send;

/// Keeps the latest picture of each tag as PNG and SVG files, and the numbers behind it as JSON and
/// CSV: `landscape/surface` becomes `landscape-surface.png`, `.svg`, `.json` and `.csv`. A later
/// step writes over the one before. Clones share their list of files.
///
/// ```
/// use probes::{Probes, Record, Value, sink::Folder};
///
/// # let directory = std::env::temp_dir().join(format!("probes-folder-{}", std::process::id()));
/// let folder = Folder::create(&directory)?;
/// let mut probes = Probes::<f64>::unlimited().with_sink(folder.clone());
/// let train = serde_json::json!({"name": "train", "loss": [0.5, 2.0]});
/// let data = serde_json::json!({"a": [0.0, 1.0], "curves": [train]});
/// probes.record(Record { tag: "landscape/line_data".into(), step: 3, value: Value::Data(data) });
/// assert!(folder.numbers().contains("landscape-line.csv"));
/// let numbers = std::fs::read_to_string(directory.join("landscape-line.csv")).unwrap();
/// assert_eq!(numbers, "a,train\r\n0.0,0.5\r\n1.0,2.0\r\n");
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Clone)]
pub struct Folder(Arc<Mutex<State>>);

struct State {
    write: Box<Write>,
    pictures: BTreeSet<String>,
    numbers: BTreeSet<String>,
    names: PictureNames,
    lost: u64,
    failure: Option<Error>,
}

impl Folder {
    /// Files in `directory`, which is made if it is not there. Each is written beside its place and
    /// then moved there, so that a reader never sees half of one.
    ///
    /// # Errors
    /// [`Error::File`] when the directory cannot be made.
    pub fn create(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory).map_err(|source| Error::File {
            action: "create",
            path: directory.clone(),
            source,
        })?;
        Ok(Self::to(move |name, bytes| {
            replace(&directory.join(name), |file| file.write_all(bytes))
        }))
    }

    /// Files that `write` puts wherever it likes, given name and content.
    #[must_use]
    pub fn to<E: Into<Failure>>(
        mut write: impl FnMut(&str, &[u8]) -> Result<(), E> + Send + 'static,
    ) -> Self {
        Self(Arc::new(Mutex::new(State {
            write: Box::new(move |name, bytes| write(name, bytes).map_err(Into::into)),
            pictures: BTreeSet::new(),
            numbers: BTreeSet::new(),
            names: PictureNames::default(),
            lost: 0,
            failure: None,
        })))
    }

    /// Names and contents of the files of a value: of a picture `landscape-surface.png` and `.svg`
    /// for the tag `landscape/surface`; of numbers JSON with all that is known, and tables as CSV
    /// (RFC 4180), in which numbers that are not finite are `NaN`, `inf` and `-inf`, in JSON as
    /// strings. Nothing for other values.
    ///
    /// # Errors
    /// A picture that cannot be encoded.
    pub fn files(tag: &str, step: u64, value: &Value) -> Result<Vec<(String, Vec<u8>)>, Error> {
        Ok(match value {
            Value::Picture(picture) => vec![
                (picture_name(tag, "png"), picture.png()?),
                (picture_name(tag, "svg"), picture.svg().into()),
            ],
            Value::Data(data) => numbers::files(tag, step, data),
            Value::Scalar(_) | Value::Histogram(_) | Value::Mesh(_) | Value::Text(_) => Vec::new(),
        })
    }

    /// Adds the files of a run that goes on to the lists.
    #[must_use]
    pub fn resume(
        self,
        pictures: impl IntoIterator<Item = String>,
        numbers: impl IntoIterator<Item = String>,
    ) -> Self {
        self.with(|state| {
            state.pictures.extend(pictures);
            state.numbers.extend(numbers);
        });
        self
    }

    /// Returns the names of the PNG files so far; each has an SVG file of its name beside it.
    #[must_use]
    pub fn pictures(&self) -> BTreeSet<String> {
        self.with(|state| state.pictures.clone())
    }

    /// Returns the names of the files of numbers so far.
    #[must_use]
    pub fn numbers(&self) -> BTreeSet<String> {
        self.with(|state| state.numbers.clone())
    }

    /// Takes what went wrong since it was last asked for.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.with(|state| {
            let first = state.failure.take()?;
            Some(Error::rejected(
                NAME,
                std::mem::take(&mut state.lost),
                first,
            ))
        })
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        // A panic in `write` leaves the lists whole.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        (self.write)(name, bytes).map_err(|reason| Error::Put {
            name: name.to_owned(),
            reason,
        })
    }

    fn take(&mut self, record: &Record) -> Result<(), Error> {
        let is_picture = matches!(record.value, Value::Picture(_));
        if is_picture {
            self.names
                .claim(&picture_name(&record.tag, "png"), &record.tag)?;
        }
        for (name, bytes) in Folder::files(&record.tag, record.step, &record.value)? {
            self.put(&name, &bytes)?;
            if !is_picture {
                self.numbers.insert(name);
            } else if name.ends_with(".png") {
                self.pictures.insert(name);
            }
        }
        Ok(())
    }
}

/// Returns the file of the pictures of a tag.
fn picture_name(tag: &str, suffix: &str) -> String {
    format!("{}.{suffix}", tag.replace('/', "-"))
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder")
            .field("pictures", &self.pictures())
            .finish_non_exhaustive()
    }
}

/// The sink in messages.
const NAME: &str = "the folder";

impl Sink for Folder {
    fn name(&self) -> &'static str {
        NAME
    }

    fn write(&mut self, record: &Record) {
        self.with(|state| {
            if let Err(error) = state.take(record) {
                state.lost += 1;
                state.failure.get_or_insert(error);
            }
        });
    }

    fn warning(&mut self) -> Option<String> {
        self.with(|state| state.failure.as_ref().map(told))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        self.failure().map_or(Ok(()), Err)
    }
}
