//! Permutation symmetries of a network, and models permuted to be near one another.
//!
//! The hidden units of a layer may be renumbered without changing what the network computes, if
//! every tensor that counts them is renumbered alike: the columns of the weight that makes them,
//! their biases, normalisations and running statistics, the rows of the weights that use them. Two
//! networks trained separately number their units differently, and the line between their weights
//! crosses a barrier that is partly this numbering (Entezari et al. 2022).
//!
//! - [`symmetries`] finds the groups of units of any Burn module in the graph of its loss, and
//!   checks each on the model's own outputs;
//! - [`align`] renumbers the units of one model so that its weights are as near to another's as can
//!   be found: weight matching (Ainsworth et al. 2023, algorithm 1);
//! - [`Symmetries::permute`] applies permutations of one's own.
//!
//! # What is found
//!
//! Units of dense layers and channels of convolutions, through activations, batch, layer and
//! instance normalisation, pooling, dropout, residual connections (all layers that write to one
//! stream share one group), concatenation (a group for each part), flattening between convolution
//! and linear layer (a channel is a block of rows), hidden states of recurrent layers (the gates
//! share one group), embedding dimensions. Inputs, outputs, labels, positions and vocabularies are
//! never permuted. Group normalisation and attention heads are taken in part: groups and heads are
//! permuted whole, and entries within them alike in all, which misses symmetries and claims none
//! that is wrong.
//!
//! # References
//! Ainsworth, Hayase, Srinivasa 2023, "Git Re-Basin: Merging Models modulo Permutation Symmetries",
//! section 3.2 and algorithm 1. Entezari, Sedghi, Saukh, Neyshabur 2022, "The Role of Permutation
//! Invariance in Linear Mode Connectivity of Neural Networks".

mod align;
mod assignment;
mod check;
mod matching;
mod place;
mod symmetries;
mod tensors;

pub use align::{AlignConfig, Alignment, align};
pub use symmetries::{Group, Place, Refused, Symmetries, symmetries};
