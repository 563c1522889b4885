//! The loss on a line and on a plane through a model.

mod between;
mod evaluation;
mod grid;
mod line;
mod plane;
mod points;

pub use between::{
    Buffers, line_between, line_between_observed, plane_between, plane_between_observed,
};
pub use evaluation::Evaluation;
pub use grid::{Grid, linspace};
pub use line::{Line, line, line_observed};
pub use plane::{Surface, plane, plane_observed};
