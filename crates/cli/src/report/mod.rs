//! Output for people: numbers, tables, progress, what may be shown where.

pub(crate) mod forecast;
pub(crate) mod number;
pub(crate) mod output;
pub(crate) mod paint;
mod probing;
pub(crate) mod program;
pub(crate) mod progress;
pub(crate) mod sheet;
pub(crate) mod table;
pub(crate) mod width;
