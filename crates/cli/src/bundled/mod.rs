//! The bundled networks and data sets: workloads that settings choose.

mod classification;
mod images;
mod network;
mod source;
mod start;

pub(crate) use source::Bundled;
