//! The loss on a line and on a plane through a model.

mod between;
mod evaluation;
mod grid;
mod line;
mod plane;
mod points;

pub use between::{Buffers, line_between, line_between_with, plane_between, plane_between_with};
pub use evaluation::Evaluation;
pub use grid::{Grid, linspace};
pub use line::{Line, line, line_with};
pub use plane::{Surface, plane, plane_with};
