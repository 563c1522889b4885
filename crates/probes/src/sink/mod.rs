//! Where records go: TensorBoard, JSON lines, memory.

mod json_lines;
mod lines;
mod memory;
mod tensorboard;

pub use json_lines::JsonLines;
pub use memory::Memory;
pub use tensorboard::TensorBoard;

use crate::Error;
use crate::record::Record;

/// A place where records go.
///
/// Writing never fails towards the training loop: a sink keeps its first error, counts what is lost, and tells at the end. A panic in a sink is caught, counts
/// as the loss of that record, and keeps nothing from the other sinks.
pub trait Sink: Send {
    /// The name of the sink in messages; that of its type, unless it has a better one.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Takes a record.
    fn write(&mut self, record: &Record);

    /// Makes what was written visible to readers, as far as the sink can.
    fn flush(&mut self) {}

    /// Ends the sink.
    ///
    /// # Errors
    ///
    /// The first thing that went wrong since the sink was made.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}
