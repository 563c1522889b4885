//! The loss on a line and on a plane through a model.

mod between;
mod evaluation;
mod extent;
mod grid;
mod line;
mod models;
mod plane;
mod prepared;
mod quantity;
mod source;

pub use between::{
    Buffers, line_between, line_between_observed, plane_between, plane_between_observed,
};
pub use evaluation::Evaluation;
pub use grid::{Grid, linspace};
pub use line::{Line, line, line_observed};
pub use plane::{Surface, plane, plane_observed};
pub use prepared::{Slice, Slopes};
pub use quantity::Quantity;
