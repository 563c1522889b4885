//! Tests of event files: written, described, resumed, damaged, and made by others.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod about;
mod charts;
mod files;
mod foreign;
mod pytorch;
mod repairs;
mod surfaces;
