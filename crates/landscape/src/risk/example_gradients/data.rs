//! The tensors of a batch that hold its examples. Others (class weights, say) are the same for all.

use std::ops::Range;
use std::slice::Iter;

use burn::tensor::{Bool, Int, Tensor};
use derivatives::{Examples, Outputs};

use crate::batch::{Batch, TensorMapper, for_each_kind, says_its_number};

/// Returns for each tensor of the batch whether its first axis counts the examples.
pub(super) fn counting<B: Batch>(batch: &B) -> Vec<bool> {
    let mut counting = Counting {
        examples: batch.examples(),
        found: Vec::new(),
    };
    let _ = batch.clone().map(&mut counting);
    counting.found
}

/// Returns whether a batch that says its number of examples has a tensor with so many entries along
/// an axis inside (a sequence with the time first): the first axis then does not take it apart.
pub(super) fn has_examples_inside<B: Batch>(batch: &B) -> bool {
    let mut inside = Inside {
        examples: batch.examples(),
        found: false,
    };
    let _ = batch.clone().map(&mut inside);
    inside.found && says_its_number(batch)
}

/// Returns the batch with some of its examples.
pub(super) fn rows<B: Batch>(batch: B, counts: &[bool], range: Range<usize>) -> B {
    let counts = counts.iter();
    batch.map(&mut Rows { range, counts })
}

/// Returns the batch, with its examples marked as data of the loss.
pub(super) fn marked<B: Batch>(batch: B, counts: &[bool], marks: &mut Outputs) -> B {
    let counts = counts.iter();
    batch.map(&mut Mark { marks, counts })
}

/// Returns the examples of the batch, in the order in which [`marked`] marks them.
pub(super) fn collected<B: Batch>(batch: B, counts: &[bool]) -> Examples {
    let mut collect = Collect {
        examples: Examples::default(),
        counts: counts.iter(),
    };
    let _ = batch.map(&mut collect);
    collect.examples
}

struct Counting {
    examples: usize,
    found: Vec<bool>,
}

impl TensorMapper for Counting {
    for_each_kind!(|mapper, tensor| {
        let counts = tensor.dims().first() == Some(&mapper.examples);
        mapper.found.push(counts);
        tensor
    });
}

struct Inside {
    examples: usize,
    found: bool,
}

impl TensorMapper for Inside {
    for_each_kind!(|mapper, tensor| {
        let dims = tensor.dims();
        mapper.found |= dims.iter().skip(1).any(|&axis| axis == mapper.examples);
        tensor
    });
}

struct Rows<'c> {
    range: Range<usize>,
    counts: Iter<'c, bool>,
}

impl TensorMapper for Rows<'_> {
    for_each_kind!(|mapper, tensor| match mapper.counts.next() {
        Some(true) => tensor.slice_dim(0, mapper.range.clone()),
        _ => tensor,
    });
}

struct Mark<'c> {
    marks: &'c mut Outputs,
    counts: Iter<'c, bool>,
}

impl TensorMapper for Mark<'_> {
    for_each_kind!(|mapper, tensor| {
        if mapper.counts.next() == Some(&true) {
            mapper.marks.data(tensor)
        } else {
            tensor
        }
    });
}

struct Collect<'c> {
    examples: Examples,
    counts: Iter<'c, bool>,
}

impl TensorMapper for Collect<'_> {
    for_each_kind!(|mapper, tensor| {
        if mapper.counts.next() == Some(&true) {
            mapper.examples.add(&tensor);
        }
        tensor
    });
}
