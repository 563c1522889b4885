//! TensorBoard event files, written and read.
//!
//! A run is a directory. [`EventWriter::create`] begins one, [`EventWriter::resume`] goes on with
//! it in a file of its own, and [`read_events`] gives back what a file holds, also while it grows
//! or after its writer was killed.
//!
//! ```
//! use tensorboard::{
//!     Bin, EventWriter, Histogram, Png, SummaryValue, existing_event_files, read_events,
//! };
//!
//! let runs = tempfile::tempdir()?;
//! let run = runs.path().join("sgd");
//!
//! let mut writer = EventWriter::create(&run)?;
//! for step in 0..10 {
//!     writer.scalar("loss/train", step, 1.0 / (1.0 + step as f64))?;
//! }
//! writer.histogram("gradient/values", 9, &Histogram::of(&[-0.5, 0.0, 0.25])?)?;
//! writer.histogram(
//!     "curvature/density",
//!     9,
//!     &Histogram::from_weighted_bins(&[Bin {
//!         left: 0.0,
//!         right: 2.0,
//!         weight: 0.5,
//!     }])?,
//! )?;
//! writer.image(
//!     "landscape/contour",
//!     9,
//!     &[Png::from_rgb(2, 1, &[255, 0, 0, 0, 0, 255])?],
//! )?;
//! writer.text("diagnosis/report", 9, "The loss falls like **1 / step**.")?;
//! let written = writer.finish()?;
//! assert_eq!(written.values, 14);
//!
//! // A resumed run writes a second file, which TensorBoard reads after the first.
//! let mut writer = EventWriter::resume(&run, Some(10))?;
//! writer.scalar("loss/train", 10, 1.0 / 11.0)?;
//! writer.finish()?;
//!
//! let files = existing_event_files(&run)?;
//! assert_eq!(files.len(), 2);
//! let first = read_events(&files[0])?;
//! assert_eq!(first.scalars("loss/train").len(), 10);
//! assert_eq!(
//!     first.points[13].value,
//!     SummaryValue::Text("The loss falls like **1 / step**.".into())
//! );
//! assert!(!first.truncated);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What goes wrong, and where it shows
//! A call with invalid input (a step that does not increase, an edge that is not finite) returns an
//! [`Error`] and writes nothing. Failed output (a full disk) never stops training: the writing
//! calls go on returning `Ok`, and [`EventWriter::finish`] returns the first failure with the
//! number of values that it cost. See [`EventWriter`].
//!
//! # How TensorBoard shows it
//! `tensorboard --logdir runs --samples_per_plugin images=200,text=200`: by default it keeps 1000
//! scalars, 100 histograms and 10 images of a tag, chosen at random. The browser reloads on demand
//! unless "Reload data" is turned on.
//!
//! Files are made for both of its loaders, the data server and the Python one; they were read back
//! with TensorBoard 2.21.
//!
//! [`EventWriter::describe`] gives a tag the sentence that its pages show behind the (i).
//! [`EventWriter::hparams`] gives the run a row on the page HParams, where runs are sorted and
//! filtered by their settings; [`EventWriter::end_session`] says how it ended.
//!
//! # How scripts read it
//! `EventAccumulator(run).Reload().Scalars(tag)`, and the scripts that are built on it, gives the
//! scalars, and gives a step that a resumed run has written again once. Histograms, images and
//! texts are tensors, as TensorFlow 2 writes them; that class lists such a step of theirs twice
//! under `Tensors(tag)`, the later value last. `tbparse` reads every file by itself, as if
//! the others were not there: `frame.drop_duplicates(["tag", "step"], keep="last")` leaves what was
//! written last.

mod decoded_size;
mod description;
mod directory;
mod disk;
mod error;
mod hparams;
mod proto;
mod reader;
mod record;
mod record_file;
mod repair;
mod run_name;
mod summary;
mod summary_writer;
mod writer;

pub use directory::{RunLock, existing_event_files};
pub use error::Error;
pub use hparams::{Columns, Hparams, Metric, Setting, SettingColumn, SettingKind, Status};
pub use reader::{Content, Event, EventFile, EventReader, Point, read_events};
pub use repair::{Damage, Repaired, repair};
pub use run_name::default_run_directory;
pub use summary::{
    Bin, Category, Chart, Histogram, Layout, Margin, Mesh, Png, PrCurve, PrCurveConfig,
    SummaryValue, SurfaceConfig,
};
pub use summary_writer::{SummaryWriter, SummaryWriterConfig};
pub use writer::{EventWriter, Written};
