//! Groups of hidden units that may be permuted, and models aligned by them.

mod align;
mod models;
mod symmetries;
