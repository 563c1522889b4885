//! Entries moved, repeated or left out, values unchanged: all linear.
//!
//! | primitive | transpose |
//! |---|---|
//! | `Reshape` | `Reshape` back |
//! | `Permute` | `Permute` by the inverse |
//! | `Expand` (repeat axes of length 1) | `Sum` |
//! | `Slice` (a range with a step on each axis) | `Embed` (the range, zeros elsewhere) |
//! | `Embed` | `Slice` |
//! | `Concat` | the `Slice` of each part |
//! | `Flip` | `Flip` |
//! | `Cast` | `Cast` back |
//!
//! They act on integers and booleans as well.

use burn_backend::Slice as BurnSlice;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Kind, Primitive, Rules, Site, inputs};
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
        let index = |at: usize| isize::try_from(at).unwrap_or(isize::MAX);
        BurnSlice::new(index(self.start), Some(index(self.end)), index(self.step))
    }
}

/// A rearrangement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Layout {
    Reshape,
    Permute(Vec<usize>),
    Expand,
    Slice(Vec<Range>),
    Embed(Vec<Range>),
    Concat(usize),
    Flip(Vec<usize>),
    Cast,
}

impl Graph {
    pub(crate) fn reshape(&mut self, x: NodeId, shape: Vec<usize>) -> NodeId {
        if self.shape(x) == shape.as_slice() {
            return x;
        }
        let dtype = self.dtype(x);
        match self.primitive(x) {
            Primitive::Fill(_) | Primitive::FillInt(_) => {
                let fill = self.primitive(x).clone();
                return self.insert(fill, Vec::new(), shape, dtype);
            }
            Primitive::Layout(Layout::Reshape) => {
                let inner = self.input(x, 0);
                return self.reshape(inner, shape);
            }
            _ => {}
        }
        self.insert(Layout::Reshape, vec![x], shape, dtype)
    }

    /// Axis `i` of the result is axis `axes[i]` of `x`.
    pub(crate) fn permute(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        if axes.iter().copied().eq(0..axes.len()) {
            return x;
        }
        let dtype = self.dtype(x);
        let shape: Vec<usize> = axes.iter().map(|&axis| self.shape(x)[axis]).collect();
        match self.primitive(x) {
            Primitive::Fill(_) | Primitive::FillInt(_) => {
                let fill = self.primitive(x).clone();
                return self.insert(fill, Vec::new(), shape, dtype);
            }
            Primitive::Layout(Layout::Permute(first)) => {
                let composed: Vec<usize> = axes.iter().map(|&axis| first[axis]).collect();
                let inner = self.input(x, 0);
                return self.permute(inner, &composed);
            }
            _ => {}
        }
        self.insert(Layout::Permute(axes.to_vec()), vec![x], shape, dtype)
    }

    pub(crate) fn swap(&mut self, x: NodeId, first: usize, second: usize) -> NodeId {
        let mut axes: Vec<usize> = (0..self.rank(x)).collect();
        axes.swap(first, second);
        self.permute(x, &axes)
    }

    /// `x` with axes of length 1 repeated to `shape`, of the same rank.
    pub(crate) fn expand(&mut self, x: NodeId, shape: Vec<usize>) -> NodeId {
        if self.shape(x) == shape.as_slice() {
            return x;
        }
        let dtype = self.dtype(x);
        match self.primitive(x) {
            Primitive::Fill(_) | Primitive::FillInt(_) => {
                let fill = self.primitive(x).clone();
                return self.insert(fill, Vec::new(), shape, dtype);
            }
            Primitive::Layout(Layout::Expand) => {
                let inner = self.input(x, 0);
                return self.expand(inner, shape);
            }
            Primitive::Layout(Layout::Permute(axes)) => {
                let axes = axes.clone();
                let inner = self.input(x, 0);
                let mut to = vec![1; axes.len()];
                for (position, &axis) in axes.iter().enumerate() {
                    to[axis] = shape[position];
                }
                let expanded = self.expand(inner, to);
                return self.permute(expanded, &axes);
            }
            _ => {}
        }
        self.insert(Layout::Expand, vec![x], shape, dtype)
    }

    /// The entries in `ranges`, one for each axis.
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

    /// The entries `start..end` of one axis.
    pub(crate) fn narrow(&mut self, x: NodeId, axis: usize, start: usize, end: usize) -> NodeId {
        let mut ranges = self.whole(x);
        ranges[axis] = Range::new(start, end);
        self.slice(x, ranges)
    }

    /// The ranges that leave nothing out.
    pub(crate) fn whole(&self, x: NodeId) -> Vec<Range> {
        self.shape(x)
            .iter()
            .map(|&len| Range::new(0, len))
            .collect()
    }

    /// `x` in `ranges` of a tensor of `shape` that is zero elsewhere.
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

    /// `x` in another type of the same kind.
    pub(crate) fn cast(&mut self, x: NodeId, dtype: burn::tensor::DType) -> NodeId {
        if self.dtype(x) == dtype {
            return x;
        }
        let shape = self.shape(x).to_vec();
        self.insert(Layout::Cast, vec![x], shape, dtype)
    }
}

/// One call for each kind of tensor.
macro_rules! by_kind {
    ($kind:expr, $float:expr, $int:expr, $bool:expr) => {
        match $kind {
            Kind::Float => $float,
            Kind::Int => $int,
            Kind::Bool => $bool,
        }
    };
}
pub(super) use by_kind;

impl Rules for Layout {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let kind = Kind::of(at.dtype);
        if let Self::Concat(axis) = *self {
            return by_kind!(
                kind,
                Dispatch::float_cat(tensors, axis),
                Dispatch::int_cat(tensors, axis),
                Dispatch::bool_cat(tensors, axis)
            );
        }
        let [x] = inputs(tensors);
        let shape = at.shape.to_vec().into();
        match self {
            Self::Reshape => by_kind!(
                kind,
                Dispatch::float_reshape(x, shape),
                Dispatch::int_reshape(x, shape),
                Dispatch::bool_reshape(x, shape)
            ),
            Self::Permute(axes) => by_kind!(
                kind,
                Dispatch::float_permute(x, axes),
                Dispatch::int_permute(x, axes),
                Dispatch::bool_permute(x, axes)
            ),
            Self::Expand => by_kind!(
                kind,
                Dispatch::float_expand(x, shape),
                Dispatch::int_expand(x, shape),
                Dispatch::bool_expand(x, shape)
            ),
            Self::Slice(ranges) => {
                let slices: Vec<_> = ranges.iter().map(|range| range.to_burn()).collect();
                by_kind!(
                    kind,
                    Dispatch::float_slice(x, &slices),
                    Dispatch::int_slice(x, &slices),
                    Dispatch::bool_slice(x, &slices)
                )
            }
            Self::Embed(ranges) => {
                let slices: Vec<_> = ranges.iter().map(|range| range.to_burn()).collect();
                by_kind!(
                    kind,
                    {
                        let zeros = Dispatch::float_zeros(shape, at.device, at.dtype.into());
                        Dispatch::float_slice_assign(zeros, &slices, x)
                    },
                    {
                        let zeros = Dispatch::int_zeros(shape, at.device, at.dtype.into());
                        Dispatch::int_slice_assign(zeros, &slices, x)
                    },
                    {
                        let zeros = Dispatch::bool_zeros(shape, at.device, at.bool_dtype());
                        Dispatch::bool_slice_assign(zeros, &slices, x)
                    }
                )
            }
            Self::Flip(axes) => by_kind!(
                kind,
                Dispatch::float_flip(x, axes),
                Dispatch::int_flip(x, axes),
                Dispatch::bool_flip(x, axes)
            ),
            Self::Cast => by_kind!(
                kind,
                Dispatch::float_cast(x, at.dtype.into()),
                Dispatch::int_cast(x, at.dtype.into()),
                x
            ),
            Self::Concat(_) => unreachable!("done above"),
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        if let Self::Concat(axis) = *self {
            if tangents.iter().all(Option::is_none) {
                return None;
            }
            let parts = inputs
                .iter()
                .zip(tangents)
                .map(|(&input, tangent)| tangent.unwrap_or_else(|| graph.fill(0.0, input)))
                .collect();
            return Some(graph.concat(parts, axis));
        }
        let tangent = tangents[0]?;
        let shape = graph.shape(out).to_vec();
        Some(match self {
            Self::Reshape => graph.reshape(tangent, shape),
            Self::Permute(axes) => graph.permute(tangent, axes),
            Self::Expand => graph.expand(tangent, shape),
            Self::Slice(ranges) => graph.slice(tangent, ranges.clone()),
            Self::Embed(ranges) => graph.embed(tangent, ranges.clone(), shape),
            Self::Flip(axes) => graph.flip(tangent, axes),
            Self::Cast => {
                let dtype = graph.dtype(out);
                graph.cast(tangent, dtype)
            }
            Self::Concat(_) => unreachable!("done above"),
        })
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        if let Self::Concat(axis) = *self {
            let mut start = 0;
            return inputs
                .iter()
                .zip(linear)
                .map(|(&input, linear)| {
                    let end = start + graph.shape(input)[axis];
                    let part = linear.then(|| graph.narrow(cotangent, axis, start, end));
                    start = end;
                    part
                })
                .collect();
        }
        let shape = graph.shape(inputs[0]).to_vec();
        vec![Some(match self {
            Self::Reshape => graph.reshape(cotangent, shape),
            Self::Permute(axes) => {
                let mut inverse = vec![0; axes.len()];
                for (to, &from) in axes.iter().enumerate() {
                    inverse[from] = to;
                }
                graph.permute(cotangent, &inverse)
            }
            Self::Expand => graph.sum_to(cotangent, shape),
            Self::Slice(ranges) => graph.embed(cotangent, ranges.clone(), shape),
            Self::Embed(ranges) => graph.slice(cotangent, ranges.clone()),
            Self::Flip(axes) => graph.flip(cotangent, axes),
            Self::Cast => {
                let dtype = graph.dtype(inputs[0]);
                graph.cast(cotangent, dtype)
            }
            Self::Concat(_) => unreachable!("done above"),
        })]
    }
}
