//! The parts that the commands on landscapes share: flags, the course from models to tables and
//! pictures, and the values of a slice.

mod course;
mod document;
mod evaluate;
mod files;
mod flags;
pub(super) mod line;
mod measured;
mod sampled;
pub(super) mod surface;
mod table;

pub(super) use course::checked;
pub(super) use evaluate::{around, evaluate, extent, open};
pub(super) use files::{capital, exported, file_name, picture_files, theme};
pub(super) use flags::{Shown, Slicing};
pub(super) use measured::{Course, STORE, Target};
pub(super) use sampled::Sampled;
