//! Every operation and layer of Burn that a loss may contain, one by one, in f64.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the table is shown with --nocapture")]
#![allow(clippy::cast_precision_loss, reason = "small numbers")]
#![allow(clippy::cast_possible_truncation, reason = "numbers that f32 has")]

mod activation;
mod backward;
mod burns;
mod device;
mod elementwise;
mod fault;
mod harness;
mod indexing;
mod layers;
mod losses;
mod mixed;
mod module;
mod paths;
mod random;
mod reduction;
mod refusal;
mod sampling;
mod sequence;
mod shape;
mod stateless;
mod table;
mod valued;
mod weighted;

pub(crate) use harness::flex;
