//! Tests of `models` from outside, one module for each subject, in one binary.

mod altered;
mod he;
mod networks;
mod pytorch;
mod seeded;
