//! Tests of event files: written, described, resumed, damaged, and made by others.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod about;
mod files;
mod foreign;
