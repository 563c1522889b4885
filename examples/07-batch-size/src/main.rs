#![allow(clippy::print_stdout, reason = "a program")]
fn main() {}
