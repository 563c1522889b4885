//! program.
fn main() {}
