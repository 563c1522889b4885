//! The course of `connect`: every pair of models, every path, one document, tables and pictures.

mod barriers;
mod connected;
mod course;
mod document;
mod pictures;
mod table;

pub(super) use connected::Course;
