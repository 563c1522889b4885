//! What the program tells: progress, tables, summary.json.

pub(crate) mod estimate;
pub(crate) mod forecast;
pub(crate) mod measurement;
pub(crate) mod number;
pub(crate) mod output;
pub(crate) mod paint;
pub(crate) mod progress;
pub(crate) mod settings;
pub(crate) mod sheet;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod width;
