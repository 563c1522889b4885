//! Parts of axes: taking them, putting them into zeros, joining them. The rules are
//! [`Layout`]'s.

use burn_backend::Slice as BurnSlice;

use super::{Layout, Primitive};
use crate::graph::{Graph, NodeId};

/// Entries `start, start + step, ...` before `end` of an axis; the step is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) step: usize,
}

impl Range {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end,
            step: 1,
        }
    }

    pub(crate) const fn len(self) -> usize {
        self.end.saturating_sub(self.start).div_ceil(self.step)
    }

    pub(crate) fn to_burn(self) -> BurnSlice {
        let index = |at: usize| isize::try_from(at).expect("no axis has 2^63 entries");
        BurnSlice::new(index(self.start), Some(index(self.end)), index(self.step))
    }
}

impl Graph {
    /// Returns the entries in `ranges`, one for each axis.
    pub(crate) fn slice(&mut self, x: NodeId, ranges: Vec<Range>) -> NodeId {
        let shape: Vec<usize> = ranges.iter().map(|range| range.len()).collect();
        let dtype = self.dtype(x);
        if self.shape(x) == shape.as_slice() {
            return x;
        }
        if let Primitive::Fill(_) | Primitive::FillInt(_) = self.primitive(x) {
            let fill = self.primitive(x).clone();
            return self.insert(fill, Vec::new(), shape, dtype);
        }
        self.insert(Layout::Slice(ranges), vec![x], shape, dtype)
    }

    /// Returns the entries `start..end` of one axis.
    pub(crate) fn narrow(&mut self, x: NodeId, axis: usize, start: usize, end: usize) -> NodeId {
        let mut ranges = self.whole(x);
        ranges[axis] = Range::new(start, end);
        self.slice(x, ranges)
    }

    /// Returns the ranges that leave nothing out.
    pub(crate) fn whole(&self, x: NodeId) -> Vec<Range> {
        self.shape(x)
            .iter()
            .map(|&len| Range::new(0, len))
            .collect()
    }

    /// Returns `x` in `ranges` of a tensor of `shape` that is zero elsewhere.
    pub(crate) fn embed(&mut self, x: NodeId, ranges: Vec<Range>, shape: Vec<usize>) -> NodeId {
        if self.shape(x) == shape.as_slice() {
            return x;
        }
        let dtype = self.dtype(x);
        if self.as_fill(x) == Some(0.0) {
            let fill = self.primitive(x).clone();
            return self.insert(fill, Vec::new(), shape, dtype);
        }
        self.insert(Layout::Embed(ranges), vec![x], shape, dtype)
    }

    pub(crate) fn concat(&mut self, parts: Vec<NodeId>, axis: usize) -> NodeId {
        if let [only] = parts.as_slice() {
            return *only;
        }
        let mut shape = self.shape(parts[0]).to_vec();
        shape[axis] = parts.iter().map(|&part| self.shape(part)[axis]).sum();
        let dtype = self.dtype(parts[0]);
        self.insert(Layout::Concat(axis), parts, shape, dtype)
    }

    pub(crate) fn flip(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        if axes.is_empty() || self.as_fill(x).is_some() {
            return x;
        }
        let (shape, dtype) = (self.shape(x).to_vec(), self.dtype(x));
        self.insert(Layout::Flip(axes.to_vec()), vec![x], shape, dtype)
    }
}
