//! The reader of one event file, for tests, for resuming and for comparing runs.

use crate::Error;
use crate::decoded_size::decoded_size;
use crate::proto;
use crate::record::{Found, LARGEST_RECORD, RecordReader};
use crate::summary::{self, SummaryValue};
use prost::Message;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// One event of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The time when it was written, in seconds since 1970.
    pub wall_time: f64,
    /// The step that it belongs to.
    pub step: i64,
    /// Its content.
    pub content: Content,
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// The header of a file: `brain.Event:2`.
    FileVersion(String),
    /// The run starts, or starts again, at the step of the event.
    Start,
    /// Tagged values.
    Values(Vec<(String, SummaryValue)>),
    /// Something that this crate does not write.
    Other,
}

/// A value in its place, as [`read_events`] lists them.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The tag.
    pub tag: String,
    /// The step.
    pub step: i64,
    /// The time when it was written, in seconds since 1970.
    pub wall_time: f64,
    /// The value.
    pub value: SummaryValue,
}

/// The content of one event file.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFile {
    /// The version of the header; none if the file has no whole record or begins otherwise.
    pub version: Option<String>,
    /// The step at which the file says that the run starts or starts again; none if it says
    /// nothing.
    pub start: Option<i64>,
    /// The values, in the order of the file.
    pub points: Vec<Point>,
    /// The offset of the end of the last good record, in bytes.
    pub good_bytes: u64,
    /// Whether the file ends within a record.
    pub truncated: bool,
}

impl EventFile {
    /// Returns the scalars of a tag, as pairs of step and value in the order of the file.
    #[must_use]
    pub fn scalars(&self, tag: &str) -> Vec<(i64, f32)> {
        let of_tag = self.points.iter().filter(|point| point.tag == tag);
        of_tag
            .filter_map(|point| {
                if let SummaryValue::Scalar(value) = point.value {
                    Some((point.step, value))
                } else {
                    None
                }
            })
            .collect()
    }
}

/// Reads a whole event file.
///
/// A file that ends within a record (its writer was killed) is read up to there and marked as
/// truncated.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Corrupt`] if a checksum is wrong;
/// [`Error::NotAnEvent`]; [`Error::RecordTooLarge`]. To have what comes before the damage, use
/// [`EventReader`].
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, SummaryValue, read_events};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path())?;
/// writer.scalar("loss/train", 3, 0.25)?;
/// let file = read_events(writer.path())?;
/// assert_eq!(file.start, Some(0));
/// assert_eq!(file.points[0].value, SummaryValue::Scalar(0.25));
/// assert_eq!(file.scalars("loss/train"), [(3, 0.25)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_events(path: impl AsRef<Path>) -> Result<EventFile, Error> {
    let mut reader = EventReader::open(path)?;
    let mut file = EventFile {
        version: None,
        start: None,
        points: Vec::new(),
        good_bytes: 0,
        truncated: false,
    };
    for event in reader.by_ref() {
        let Event {
            wall_time,
            step,
            content,
        } = event?;
        match content {
            Content::FileVersion(version) => file.version = Some(version),
            Content::Start => file.start = Some(step),
            Content::Values(values) => {
                file.points
                    .extend(values.into_iter().map(|(tag, value)| Point {
                        tag,
                        step,
                        wall_time,
                        value,
                    }))
            }
            Content::Other => {}
        }
    }
    file.good_bytes = reader.offset();
    file.truncated = reader.truncated();
    Ok(file)
}

/// Iterates over the events of a file.
///
/// Memory holds one event at a time. A record may have 256 MiB, and so may what it decodes to: a
/// file cannot make the reader take more than a small multiple of that.
///
/// The iteration ends at the end of the file, within the last record if that was cut, or after the
/// first error. [`repair`](crate::repair) finds what stands after the damage too.
#[derive(Debug)]
pub struct EventReader<R = BufReader<File>> {
    records: RecordReader<R>,
    path: PathBuf,
    ended: bool,
    truncated: bool,
}

impl EventReader {
    /// Opens an event file, which may still be growing.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref().to_path_buf();
        match File::open(&path) {
            Ok(file) => Ok(Self::of(BufReader::new(file), path)),
            Err(source) => Err(Error::Io {
                action: "open",
                path,
                source,
            }),
        }
    }
}

impl<R: Read> EventReader<R> {
    /// Reads events from bytes that may come from anywhere, under the name that errors give them.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::EventReader;
    ///
    /// let mut nothing = EventReader::of(&[0_u8; 3][..], "downloaded");
    /// assert!(nothing.next().is_none() && nothing.truncated());
    /// ```
    pub fn of(input: R, name: impl Into<PathBuf>) -> Self {
        Self {
            records: RecordReader::new(input),
            path: name.into(),
            ended: false,
            truncated: false,
        }
    }

    /// Returns the offset of the end of the last good record, in bytes.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.records.offset()
    }

    /// Tells whether the file was found to end within a record.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn too_large(&self, offset: u64, bytes: u64) -> Error {
        Error::RecordTooLarge {
            path: self.path.clone(),
            offset,
            bytes,
        }
    }

    fn next_event(&mut self) -> Result<Option<Event>, Error> {
        let offset = self.records.offset();
        match self.records.next_record() {
            Ok(Found::Record(data)) => match decode(&data) {
                Ok(event) => Ok(Some(Event::from(event))),
                Err(Undecoded::TooLarge(bytes)) => Err(self.too_large(offset, bytes)),
                Err(Undecoded::NotAnEvent(source)) => Err(Error::NotAnEvent {
                    path: self.path.clone(),
                    offset,
                    source,
                }),
            },
            Ok(Found::TooLarge(bytes)) => Err(self.too_large(offset, bytes)),
            Ok(Found::End) => Ok(None),
            Ok(Found::Truncated) => {
                self.truncated = true;
                Ok(None)
            }
            Ok(Found::Corrupt(part)) => Err(Error::Corrupt {
                path: self.path.clone(),
                offset,
                part,
            }),
            Err(source) => Err(Error::Io {
                action: "read",
                path: self.path.clone(),
                source,
            }),
        }
    }
}

/// The reason why the data of a record give no event.
pub(crate) enum Undecoded {
    /// It would take so many bytes of memory.
    TooLarge(u64),
    /// Another message, or none.
    NotAnEvent(prost::DecodeError),
}

/// Decodes the data of a record, after a look at the memory that it will take.
pub(crate) fn decode(data: &[u8]) -> Result<proto::Event, Undecoded> {
    let bytes = decoded_size(data);
    if bytes > LARGEST_RECORD {
        return Err(Undecoded::TooLarge(bytes));
    }
    proto::Event::decode(data).map_err(Undecoded::NotAnEvent)
}

impl<R: Read> Iterator for EventReader<R> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let event = self.next_event();
        self.ended = !matches!(event, Ok(Some(_)));
        event.transpose()
    }
}

impl From<proto::Event> for Event {
    fn from(event: proto::Event) -> Self {
        let content = if let Some(version) = event.file_version {
            Content::FileVersion(version)
        } else if event
            .session_log
            .is_some_and(|log| log.status == proto::SESSION_START)
        {
            Content::Start
        } else if let Some(summary) = event.summary {
            Content::Values(summary::decode(summary.value))
        } else {
            Content::Other
        };
        Self {
            wall_time: event.wall_time,
            step: event.step,
            content,
        }
    }
}
