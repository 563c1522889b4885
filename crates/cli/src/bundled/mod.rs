//! The bundled networks and data sets: workloads that settings choose.

mod classification;
mod images;
mod network;
mod source;

pub(crate) use source::Bundled;
