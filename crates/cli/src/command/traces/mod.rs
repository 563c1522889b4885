//! The course of `trajectory`: a run's checkpoints, the plane in which they lie, the loss on it.

mod course;
mod document;
mod pictures;
mod table;
mod traced;

pub(super) use traced::Course;
