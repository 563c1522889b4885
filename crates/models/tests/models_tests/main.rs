//! Tests of `models` from outside, one module for each subject, in one binary.

mod networks;
mod pytorch;
mod seeded;
