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

use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Kind, Primitive, Range, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId};

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

    /// Permutes axes: axis `i` of the result is axis `axes[i]` of `x`.
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

    /// Returns `x` with axes of length 1 repeated to `shape`, of the same rank.
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

    /// Returns `x` in another type of the same kind.
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

    /// Keeps the axis in front, whole.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        if let Self::Concat(axis) = *self {
            let parts = (0..stack.inputs.len())
                .map(|position| stack.repeated(graph, position))
                .collect();
            return graph.concat(parts, axis + 1);
        }
        let x = stack.inputs[0];
        let shape = stack.shape(graph);
        let shifted = |axes: &[usize]| axes.iter().map(|axis| axis + 1).collect::<Vec<_>>();
        let with_whole = |ranges: &[Range]| {
            let whole = Range::new(0, stack.len);
            std::iter::once(whole)
                .chain(ranges.iter().copied())
                .collect()
        };
        match self {
            Self::Reshape => graph.reshape(x, shape),
            Self::Permute(axes) => {
                let mut all = shifted(axes);
                all.insert(0, 0);
                graph.permute(x, &all)
            }
            Self::Expand => graph.expand(x, shape),
            Self::Slice(ranges) => graph.slice(x, with_whole(ranges)),
            Self::Embed(ranges) => graph.embed(x, with_whole(ranges), shape),
            Self::Flip(axes) => graph.flip(x, &shifted(axes)),
            Self::Cast => {
                let dtype = graph.dtype(stack.out);
                graph.cast(x, dtype)
            }
            Self::Concat(_) => unreachable!("done above"),
        }
    }
}
