//! The places where records go: TensorBoard, JSON lines, a folder of pictures and numbers, memory.
//! Any number of them, side by side.
//!
//! | sink | keeps |
//! |---|---|
//! | [`TensorBoard`] | everything that TensorBoard can show, in an event file |
//! | `TensorBoardRs` | scalars, histograms, pictures, texts through the crate of that name (feature `tensorboard-rs`) |
//! | [`JsonLines`] | every record, a line each |
//! | [`Folder`] | the latest picture of each tag as PNG and SVG, and its numbers as JSON and CSV |
//! | [`Latest`] | the last point of each scalar, for the program itself |
//! | [`Memory`] | every record, for tests and notebooks |
//! | [`Shared`] | any of them, with a handle that the program keeps |

mod folder;
mod json_lines;
mod latest;
mod layout;
mod lines;
mod memory;
mod numbers;
mod picture_names;
mod shared;
mod tensorboard;
#[cfg(feature = "tensorboard-rs")]
mod tensorboard_rs;

pub use self::tensorboard::TensorBoard;
pub use ::tensorboard::{Hparams, Layout, Setting};
pub use folder::Folder;
pub use json_lines::JsonLines;
pub use latest::Latest;
pub use layout::layout;
pub use memory::Memory;
pub use shared::Shared;
#[cfg(feature = "tensorboard-rs")]
pub use tensorboard_rs::TensorBoardRs;

use crate::Error;
use crate::record::Record;

/// A place where records go.
///
/// Writing never fails towards the training loop: a sink keeps its first error, counts what is
/// lost, and tells at the end. A panic in a sink is caught, counts as the loss of that record, and
/// keeps nothing from the other sinks.
pub trait Sink: Send {
    /// Returns the name of the sink in messages; that of its type, unless it has a better one.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Takes a record.
    fn write(&mut self, record: &Record);

    /// Makes what was written visible to readers, as far as the sink can.
    fn flush(&mut self) {}

    /// Returns a sentence about what the sink has begun to lose, if it has: that its disk is full,
    /// or that its directory is gone. The probes ask after each step and tell it once, as a
    /// warning.
    fn warning(&mut self) -> Option<String> {
        None
    }

    /// Ends the sink.
    ///
    /// # Errors
    /// The first thing that went wrong since the sink was made.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// Returns an error with its cause, in one sentence.
fn told(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
