//! The sink that writes event files through the crate `tensorboard-rs` (feature `tensorboard-rs`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tensorboard::{Histogram, Png, existing_event_files};
use tensorboard_proto::event::{Event, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::summary::Summary_Value;
use tensorboard_proto::tensor::TensorProto;
use tensorboard_proto::tensor_shape::TensorShapeProto_Dim;
use tensorboard_proto::types::DataType;
use tensorboard_rs::event_file_writer::EventFileWriter;

use super::Sink;
use crate::error::caught;
use crate::record::{Record, Value};
use crate::{Error, tag};

/// Writes an event file into a run's directory through `tensorboard-rs` 0.5, for programs that use
/// that crate already. [`TensorBoard`](super::TensorBoard) is the better choice everywhere else.
///
/// Scalars, histograms, pictures, texts and descriptions are what
/// [`TensorBoard`](super::TensorBoard) writes. That crate, its version of 2022, sets these limits:
///
/// - Meshes and charts are not written, nor settings. Only a fresh run can be begun.
/// - Values reach the file when a thread of the crate gets to it: [`Sink::flush`] asks for it, and
///   a program that ends by `std::process::exit` may leave nothing.
/// - Failed output is a panic of that thread. It is caught when the next value comes, told as a
///   warning, and is the error at the end; how many values were lost is counted from there. The
///   thread itself says so on standard error.
/// - No lock keeps another writer out of the directory, and a tag's steps are not checked.
///
/// Nothing is parsed with its `protobuf` 2.28, whose parser RUSTSEC-2024-0437 is about.
pub struct TensorBoardRs {
    writer: Option<EventFileWriter>,
    directory: PathBuf,
    described: BTreeSet<String>,
    lost: u64,
    failure: Option<Error>,
}

impl std::fmt::Debug for TensorBoardRs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TensorBoardRs")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl TensorBoardRs {
    /// Begins a fresh run in `directory`.
    ///
    /// # Errors
    /// [`tensorboard::Error::AlreadyHoldsRun`] where event files are; [`Error::File`] when the
    /// directory cannot be made; [`Error::SinkPanicked`] when the crate panics.
    pub fn create(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref().to_owned();
        let files = existing_event_files(&directory)?.len();
        if files > 0 {
            let directory = directory.clone();
            return Err(tensorboard::Error::AlreadyHoldsRun { directory, files }.into());
        }
        // Its own way of making the directory is to panic.
        std::fs::create_dir_all(&directory).map_err(|source| Error::File {
            action: "create",
            path: directory.clone(),
            source,
        })?;
        let writer = caught(|| {
            let mut writer = EventFileWriter::new(&directory);
            let mut start = event(0);
            let mut log = SessionLog::new();
            log.set_status(SessionLog_SessionStatus::START);
            start.set_session_log(log);
            writer.add_event(&start);
            writer
        });
        let writer = writer.map_err(panicked)?;
        Ok(Self {
            writer: Some(writer),
            directory,
            described: BTreeSet::new(),
            lost: 0,
            failure: None,
        })
    }

    fn try_write(&mut self, record: &Record) -> Result<(), Error> {
        let Some(mut value) = encode(record)? else {
            return Ok(());
        };
        if self.described.insert(record.tag.clone())
            && let Some(sentence) = tag::description(&record.tag)
        {
            value.mut_metadata().set_summary_description(sentence);
        }
        let step = i64::try_from(record.step);
        let step = step.map_err(|_| Error::StepTooLarge { step: record.step })?;
        let mut event = event(step);
        event.mut_summary().mut_value().push(value);
        self.ask(|writer| writer.add_event(&event))
    }

    /// Asks the writer for something; after its first panic it is not asked again.
    fn ask(&mut self, ask: impl FnOnce(&mut EventFileWriter)) -> Result<(), Error> {
        let Some(mut writer) = self.writer.take() else {
            self.lost += 1;
            return Ok(());
        };
        match caught(|| ask(&mut writer)) {
            Ok(()) => self.writer = Some(writer),
            Err(message) => {
                // Its drop panics too.
                let _ = caught(|| drop(writer));
                return Err(panicked(message));
            }
        }
        Ok(())
    }

    fn keep(&mut self, done: Result<(), Error>) {
        if let Err(error) = done {
            self.lost += 1;
            self.failure.get_or_insert(error);
        }
    }
}

/// Returns an event of a step, without content.
fn event(step: i64) -> Event {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut event = Event::new();
    event.set_wall_time(now.map_or(0.0, |since| since.as_secs_f64()));
    event.set_step(step);
    event
}

/// Returns the value of a record; none for what this sink leaves out.
fn encode(record: &Record) -> Result<Option<Summary_Value>, Error> {
    let mut value = Summary_Value::new();
    value.set_tag(record.tag.clone());
    // Data classes: 1 is a scalar, 2 a tensor, 3 a sequence of blobs.
    let (plugin, class) = match &record.value {
        Value::Scalar(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "the format has f32")]
            value.set_simple_value(*number as f32);
            ("scalars", 1)
        }
        Value::Histogram(histogram) => {
            value.set_tensor(bins(histogram));
            ("histograms", 2)
        }
        Value::Picture(picture) => {
            let png = Png::from_bytes(picture.png()?)?;
            let sides = [png.width(), png.height()].map(|side| side.to_string().into_bytes());
            let [width, height] = sides;
            let strings = vec![width, height, png.into_bytes()];
            value.set_tensor(texts(strings, &[3]));
            ("images", 3)
        }
        Value::Text(text) => {
            value.set_tensor(texts(vec![text.clone().into_bytes()], &[]));
            ("text", 2)
        }
        Value::Mesh(_) | Value::Data(_) => return Ok(None),
    };
    let metadata = value.mut_metadata();
    metadata.mut_plugin_data().set_plugin_name(plugin.into());
    // The class is newer than that crate's description of the format, where it is field 4.
    metadata.unknown_fields.add_varint(4, class);
    Ok(Some(value))
}

fn bins(histogram: &Histogram) -> TensorProto {
    let bins = histogram.bins();
    let numbers = bins
        .iter()
        .flat_map(|bin| [bin.left, bin.right, bin.weight]);
    let mut tensor = tensor(DataType::DT_DOUBLE, &[bins.len(), 3]);
    tensor.set_tensor_content(numbers.flat_map(f64::to_le_bytes).collect());
    tensor
}

fn texts(strings: Vec<Vec<u8>>, sizes: &[usize]) -> TensorProto {
    let mut tensor = tensor(DataType::DT_STRING, sizes);
    for string in strings {
        tensor.mut_string_val().push(string);
    }
    tensor
}

fn tensor(dtype: DataType, sizes: &[usize]) -> TensorProto {
    let mut tensor = TensorProto::new();
    tensor.set_dtype(dtype);
    let shape = tensor.mut_tensor_shape();
    for &size in sizes {
        let mut dim = TensorShapeProto_Dim::new();
        dim.set_size(i64::try_from(size).expect("nothing in memory has more than 2^63 parts"));
        shape.mut_dim().push(dim);
    }
    tensor
}

fn panicked(message: String) -> Error {
    Error::SinkPanicked {
        sink: NAME,
        message: format!("its thread ended, as it does when it cannot write ({message})"),
    }
}

/// The sink in messages.
const NAME: &str = "tensorboard-rs";

impl Sink for TensorBoardRs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn write(&mut self, record: &Record) {
        let done = self.try_write(record);
        self.keep(done);
    }

    fn flush(&mut self) {
        let done = match &self.writer {
            Some(_) => self.ask(EventFileWriter::flush),
            None => Ok(()),
        };
        self.keep(done);
    }

    fn warning(&mut self) -> Option<String> {
        self.failure.as_ref().map(super::told)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        // Its drop waits for the thread, and panics where the thread did.
        if let Some(writer) = self.writer.take()
            && let Err(message) = caught(|| drop(writer))
        {
            self.keep(Err(panicked(message)));
        }
        match self.failure {
            Some(first) => Err(Error::rejected(NAME, self.lost, first)),
            None => Ok(()),
        }
    }
}
