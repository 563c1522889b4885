//! Every operation and layer of Burn that a loss may contain, one by one, in f64.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the table is shown with --nocapture")]
#![allow(clippy::cast_precision_loss, reason = "small numbers")]

mod activation;
mod backward;
mod elementwise;
mod harness;
mod indexing;
mod layers;
mod losses;
mod module;
mod paths;
mod random;
mod reduction;
mod refusal;
mod sampling;
mod sequence;
mod shape;
mod stateless;
mod valued;
mod weighted;
