//! Entry by entry: sums, products and other functions of two variables, with broadcasting.
//!
//! | primitive | value | derivative |
//! |---|---|---|
//! | `Add`, `Sub` | `x ± y` | `ẋ ± ẏ` (linear) |
//! | `Mul` | `x y` | `ẋ y + x ẏ` (linear in each) |
//! | `Pow` | `x^y` | `y x^(y−1) ẋ + x^y log(x) ẏ` |
//! | `Atan2` | `atan2(y, x)` | `(x ẏ − y ẋ) / (x² + y²)` |
//!
//! Axes of length 1 are repeated; the transpose of a repetition is a sum.

use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Primitive, Rules, Site, Stack, Unary, inputs};
use crate::graph::{Graph, NodeId, broadcast};
use crate::primitive::Layout;

/// A function of two variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Pow,
    Atan2,
}

impl Graph {
    /// Gives an input that is repeated along an axis unrepeated, if another input has the axis.
    fn unexpanded(&self, x: NodeId, other: NodeId) -> NodeId {
        if matches!(self.primitive(x), Primitive::Layout(Layout::Expand)) {
            let inner = self.input(x, 0);
            if broadcast(self.shape(inner), self.shape(other)) == self.shape(x) {
                return inner;
            }
        }
        x
    }

    /// Returns both operands before a permutation that both have, or that one has and that only
    /// moves axes of length 1 of the other.
    fn unpermuted(&mut self, x: NodeId, y: NodeId) -> Option<(NodeId, NodeId, Vec<usize>)> {
        let axes_of = |graph: &Self, x: NodeId| match graph.primitive(x) {
            Primitive::Layout(Layout::Permute(axes)) => Some(axes.clone()),
            _ => None,
        };
        let (of_x, of_y) = (axes_of(self, x), axes_of(self, y));
        match (of_x, of_y) {
            (Some(a), Some(b)) if a == b => Some((self.input(x, 0), self.input(y, 0), a)),
            (Some(axes), _) if self.is_small(y) => {
                let y = self.moved_back(y, &axes);
                Some((self.input(x, 0), y, axes))
            }
            (_, Some(axes)) if self.is_small(x) => {
                let x = self.moved_back(x, &axes);
                Some((x, self.input(y, 0), axes))
            }
            _ => None,
        }
    }

    /// Returns whether at most one axis is longer than 1: permuting such a tensor moves no entry.
    fn is_small(&self, x: NodeId) -> bool {
        self.shape(x).iter().filter(|&&len| len != 1).count() <= 1
    }

    /// Returns what becomes `x` when permuted by `axes`.
    fn moved_back(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let mut shape = vec![1; axes.len()];
        for (to, &from) in axes.iter().enumerate() {
            shape[from] = self.shape(x)[to];
        }
        self.reshape(x, shape)
    }

    fn negated(&self, x: NodeId) -> Option<NodeId> {
        match self.primitive(x) {
            #[expect(clippy::float_cmp, reason = "a sign is exactly -1")]
            Primitive::Unary(Unary::Scale(c)) if c.get() == -1.0 => Some(self.input(x, 0)),
            _ => None,
        }
    }

    fn binary(&mut self, function: Binary, x: NodeId, y: NodeId) -> NodeId {
        let x = self.unexpanded(x, y);
        let y = self.unexpanded(y, x);
        if let Some((x, y, axes)) = self.unpermuted(x, y) {
            let inner = self.binary(function, x, y);
            return self.permute(inner, &axes);
        }
        let shape = broadcast(self.shape(x), self.shape(y));
        let dtype = self.dtype(x);
        self.insert(function, vec![x, y], shape, dtype)
    }

    /// Returns `x + y`.
    pub(crate) fn add(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let shape = broadcast(self.shape(x), self.shape(y));
        if self.as_fill(x) == Some(0.0) {
            return self.expand(y, shape);
        }
        if self.as_fill(y) == Some(0.0) {
            return self.expand(x, shape);
        }
        if let Some(y) = self.negated(y) {
            return self.sub(x, y);
        }
        if let Some(x) = self.negated(x) {
            return self.sub(y, x);
        }
        self.binary(Binary::Add, x.min(y), x.max(y))
    }

    /// Returns `x − y`.
    pub(crate) fn sub(&mut self, x: NodeId, y: NodeId) -> NodeId {
        if self.as_fill(x) == Some(0.0) || self.as_fill(y) == Some(0.0) {
            let y = self.neg(y);
            return self.add(x, y);
        }
        self.binary(Binary::Sub, x, y)
    }

    /// Returns `x y`.
    pub(crate) fn mul(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let shape = broadcast(self.shape(x), self.shape(y));
        if let Some(c) = self.as_fill(y) {
            let x = self.scale(x, c);
            return self.expand(x, shape);
        }
        if let Some(c) = self.as_fill(x) {
            let y = self.scale(y, c);
            return self.expand(y, shape);
        }
        self.binary(Binary::Mul, x.min(y), x.max(y))
    }

    /// Returns `x / y`.
    pub(crate) fn div(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let reciprocal = self.power(y, -1.0);
        self.mul(x, reciprocal)
    }

    /// Returns `x^y`.
    pub(crate) fn pow(&mut self, x: NodeId, y: NodeId) -> NodeId {
        self.binary(Binary::Pow, x, y)
    }

    /// Returns `atan2(y, x)`.
    pub(crate) fn atan2(&mut self, y: NodeId, x: NodeId) -> NodeId {
        self.binary(Binary::Atan2, y, x)
    }
}

impl Rules for Binary {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, _at: &Site<'_>) -> DispatchTensor {
        let [x, y] = inputs(tensors);
        match self {
            Self::Add => Dispatch::float_add(x, y),
            Self::Sub => Dispatch::float_sub(x, y),
            Self::Mul => Dispatch::float_mul(x, y),
            Self::Pow => Dispatch::float_powf(x, y),
            Self::Atan2 => Dispatch::float_atan2(x, y),
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let shape = graph.shape(out).to_vec();
        let (x, y) = (inputs[0], inputs[1]);
        let (first, second) = match self {
            Self::Add => (tangents[0], tangents[1]),
            Self::Sub => {
                if let (Some(dx), Some(dy)) = (tangents[0], tangents[1]) {
                    return Some(graph.sub(dx, dy));
                }
                (tangents[0], tangents[1].map(|dy| graph.neg(dy)))
            }
            Self::Mul => {
                if x == y {
                    // d(x^2) = 2 x dx
                    let dx = graph.scale(tangents[0]?, 2.0);
                    return Some(graph.mul(dx, x));
                }
                (
                    tangents[0].map(|dx| graph.mul(dx, y)),
                    tangents[1].map(|dy| graph.mul(dy, x)),
                )
            }
            Self::Pow => {
                let first = tangents[0].map(|dx| {
                    let lower = graph.offset(y, -1.0);
                    let power = graph.pow(x, lower);
                    let slope = graph.mul(power, y);
                    graph.mul(dx, slope)
                });
                let second = tangents[1].map(|dy| {
                    // x^y log x tends to 0 with x for y > 0: no logarithm of what is not positive.
                    let positive = graph.unary(Unary::Step, x);
                    let one = graph.fill(1.0, x);
                    let missing = graph.sub(one, positive);
                    let kept = graph.mul(x, positive);
                    let safe = graph.add(kept, missing);
                    let log = graph.unary(Unary::Log, safe);
                    let slope = graph.mul(out, log);
                    graph.mul(dy, slope)
                });
                (first, second)
            }
            Self::Atan2 => {
                // inputs are (y, x): d = (x dy - y dx) / (x^2 + y^2)
                let (a, b) = (graph.mul(x, x), graph.mul(y, y));
                let norm = graph.add(a, b);
                let inverse = graph.power(norm, -1.0);
                (
                    tangents[0].map(|dy| {
                        let slope = graph.mul(y, inverse);
                        graph.mul(dy, slope)
                    }),
                    tangents[1].map(|dx| {
                        let slope = graph.mul(x, inverse);
                        let product = graph.mul(dx, slope);
                        graph.neg(product)
                    }),
                )
            }
        };
        match (first, second) {
            (Some(first), Some(second)) => Some(graph.add(first, second)),
            (Some(one), None) | (None, Some(one)) => Some(graph.expand(one, shape)),
            (None, None) => None,
        }
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        (0..2)
            .map(|position| {
                if !linear[position] {
                    return None;
                }
                let other = inputs[1 - position];
                let contribution = match self {
                    Self::Add => cotangent,
                    Self::Sub if position == 0 => cotangent,
                    Self::Sub => graph.neg(cotangent),
                    Self::Mul => graph.mul(cotangent, other),
                    other => unreachable!("{other:?} is not linear"),
                };
                let shape = graph.shape(inputs[position]).to_vec();
                Some(graph.sum_to(contribution, shape))
            })
            .collect()
    }

    /// Repeats an input without the axis along it.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let [x, y] = [0, 1].map(|position| stack.broadcast(graph, position));
        match self {
            Self::Add => graph.add(x, y),
            Self::Sub => graph.sub(x, y),
            Self::Mul => graph.mul(x, y),
            Self::Pow | Self::Atan2 => graph.binary(*self, x, y),
        }
    }
}
