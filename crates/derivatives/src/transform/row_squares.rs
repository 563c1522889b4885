//! The contributions of each row of a linear program's input, squared and summed:
//! `Σₙ (y⁽ⁿ⁾)²` entry by entry, or `Σₙ ‖y⁽ⁿ⁾‖²`.
//!
//! With `y = Jᵀu` for outputs `[N, ..]` of a model this is `Σₙ (Jₙᵀuₙ)²`, of which the diagonal of
//! the Gauss-Newton matrix is made. As long as the entries of a value belong to one row each
//! ([`RowAxis`]) nothing has to be done. Where rows are summed (the gradient of a weight is a
//! product that sums over the examples) the summands are kept apart, along a new leading axis
//! of length N, and what follows is applied to each. For a linear layer with inputs A and
//! cotangents D they are the outer products of rows, whose squares are summed by
//! `(A*A)ᵀ(D*D)` without being formed (Dangel, Kunstner, Hennig 2020, section 3), and whose squared
//! norms are `‖aₙ‖² ‖dₙ‖²` (Goodfellow 2015, "Efficient per-example gradient computations").
//!
//! Nothing is assumed of the program but that it is linear: rows that touch each other (the
//! statistics of a batch) or an operation without a rule for rows cost N times as much, and are as
//! exact.

use std::collections::HashMap;

use burn::tensor::TensorData;

use super::row_axis::RowAxis;
use crate::graph::{Graph, NodeId, elements};
use crate::primitive::{Index, Layout, MatMul, Primitive, Reduce, Stack, Unary, with_leading};

/// The contributions of single rows to a value.
#[derive(Debug, Clone, Copy)]
enum Rows {
    /// They stand side by side in the value itself.
    Apart(RowAxis),
    /// One after the other, `[N, ..]`.
    Stacked(NodeId),
}

/// Returns for each of `outputs`, all linear in `variable`, `[N, ..]`, the sum over the rows of the
/// squares of what the row gives by itself.
pub(super) fn row_squares(graph: &mut Graph, variable: NodeId, outputs: &[NodeId]) -> Vec<NodeId> {
    contributions(graph, variable, outputs)
        .into_iter()
        .zip(outputs)
        .map(|(rows, &output)| match rows {
            // A linear function that does not depend on its variable is zero.
            None => graph.fill(0.0, output),
            // Each entry belongs to one row.
            Some(Rows::Apart(_)) => graph.mul(output, output),
            Some(Rows::Stacked(rows)) => graph.sum_of_squares(rows),
        })
        .collect()
}

/// Returns for each of `outputs`, all linear in `variable`, `[N, ..]`, the sum over the rows of the
/// squared norm of what the row gives by itself, `[1]`.
pub(super) fn row_norms(graph: &mut Graph, variable: NodeId, outputs: &[NodeId]) -> Vec<NodeId> {
    contributions(graph, variable, outputs)
        .into_iter()
        .zip(outputs)
        .map(|(rows, &output)| match rows {
            None => {
                let zero = graph.fill(0.0, output);
                graph.total(zero)
            }
            Some(Rows::Apart(_)) => graph.squared_norm(output),
            Some(Rows::Stacked(rows)) => graph.squared_norm(rows),
        })
        .collect()
}

/// Returns what the rows give to each output; `None` for an output that does not depend on them.
fn contributions(graph: &mut Graph, variable: NodeId, outputs: &[NodeId]) -> Vec<Option<Rows>> {
    let count = graph.shape(variable)[0];
    let whole = Rows::Apart(RowAxis { axis: 0, inner: 1 });
    if count == 1 {
        return vec![Some(whole); outputs.len()];
    }
    let ancestors = graph.ancestors(outputs);
    let dependent = graph.dependent(&ancestors, &[variable]);
    let mut apart = KeptApart {
        graph,
        count,
        known: HashMap::from([(variable, whole)]),
    };
    for id in ancestors {
        if dependent.contains(&id) && !apart.known.contains_key(&id) {
            let rows = apart.rows(id);
            apart.known.insert(id, rows);
        }
    }
    let known = outputs
        .iter()
        .map(|output| apart.known.get(output).copied());
    known.collect()
}

/// Returns whether each entry of `output`, linear in `variable`, depends only on the entries of
/// `variable` that have the same position along `axis`.
pub(super) fn keeps_apart(graph: &Graph, variable: NodeId, axis: usize, output: NodeId) -> bool {
    let count = graph.shape(variable)[axis];
    if count == 1 {
        return true;
    }
    let ancestors = graph.ancestors(&[output]);
    let dependent = graph.dependent(&ancestors, &[variable]);
    let start = RowAxis { axis, inner: 1 };
    let mut known = HashMap::from([(variable, start)]);
    for id in ancestors {
        if !dependent.contains(&id) || known.contains_key(&id) {
            continue;
        }
        let inputs = &graph.node(id).inputs;
        let rows: Vec<_> = inputs
            .iter()
            .map(|input| known.get(input).copied())
            .collect();
        let Some(rows) = RowAxis::through(graph, id, &rows, count) else {
            return false;
        };
        known.insert(id, rows);
    }
    known.get(&output).is_none_or(|rows| *rows == start)
}

struct KeptApart<'g> {
    graph: &'g mut Graph,
    /// The number N of rows, two or more.
    count: usize,
    known: HashMap<NodeId, Rows>,
}

impl KeptApart<'_> {
    /// Returns the contributions to a node whose inputs have been visited.
    fn rows(&mut self, id: NodeId) -> Rows {
        let node = self.graph.node(id).clone();
        let known: Vec<Option<Rows>> = node
            .inputs
            .iter()
            .map(|input| self.known.get(input).copied())
            .collect();
        let axes: Option<Vec<Option<RowAxis>>> = known
            .iter()
            .map(|rows| match rows {
                Some(Rows::Apart(axis)) => Some(Some(*axis)),
                Some(Rows::Stacked(_)) => None,
                None => Some(None),
            })
            .collect();
        if let Some(axes) = axes {
            if let Some(rows) = RowAxis::through(self.graph, id, &axes, self.count) {
                return Rows::Apart(rows);
            }
            if let Some(summands) = self.summands(id, &axes) {
                return Rows::Stacked(summands);
            }
        }
        let inputs: Vec<NodeId> = node
            .inputs
            .iter()
            .zip(&known)
            .map(|(&input, rows)| match rows {
                Some(Rows::Apart(axis)) => self.masked(input, *axis),
                Some(Rows::Stacked(rows)) => *rows,
                None => input,
            })
            .collect();
        let mapped: Vec<bool> = known.iter().map(Option::is_some).collect();
        let stack = Stack {
            inputs: &inputs,
            mapped: &mapped,
            out: id,
            len: self.count,
        };
        let rows = node.primitive.batch(self.graph, &stack);
        Rows::Stacked(rows.expect("what depends on the rows has inputs, and a rule for a batch"))
    }

    /// Returns the contributions to a sum over rows, made from the entries of each row alone;
    /// `None` for other operations.
    fn summands(&mut self, id: NodeId, axes: &[Option<RowAxis>]) -> Option<NodeId> {
        let node = self.graph.node(id).clone();
        match node.primitive {
            Primitive::Reduce(Reduce::Sum) => {
                let split = self.split(node.inputs[0], axes[0]?);
                let shape = with_leading(self.count, &node.shape);
                Some(self.graph.sum_to(split, shape))
            }
            Primitive::MatMul(product) => {
                let (rows, is_first) = match *axes {
                    [Some(rows), None] => (rows, true),
                    [None, Some(rows)] => (rows, false),
                    _ => return None,
                };
                let rank = node.shape.len();
                if rows.axis != product.summed(is_first, rank) {
                    return None;
                }
                let [a, b] = [true, false].map(|first| {
                    let axis = product.summed(first, rank);
                    let input = node.inputs[usize::from(!first)];
                    self.split(input, RowAxis { axis, ..rows })
                });
                let MatMul {
                    transpose_a,
                    transpose_b,
                } = product;
                Some(self.graph.matmul(a, transpose_a, b, transpose_b))
            }
            Primitive::Index(Index::SelectAdd(axis)) if axes[0]?.axis == axis => {
                let rows = axes[0]?;
                let x = self.split(node.inputs[0], rows);
                let indices = self.split(node.inputs[1], RowAxis { axis: 0, ..rows });
                let stack = Stack {
                    inputs: &[x, indices],
                    mapped: &[true, true],
                    out: id,
                    len: self.count,
                };
                node.primitive.batch(self.graph, &stack)
            }
            _ => None,
        }
    }

    /// Returns `[N, ..]` where row n has those entries of an axis that belong to it.
    fn split(&mut self, x: NodeId, rows: RowAxis) -> NodeId {
        let RowAxis { axis, inner } = rows;
        let shape = self.graph.shape(x).to_vec();
        let outer = shape[axis] / (self.count * inner);
        if axis == 0 && outer == 1 {
            let mut shape = shape;
            shape[0] = inner;
            return self.graph.reshape(x, with_leading(self.count, &shape));
        }
        let mut parted = shape.clone();
        parted.splice(axis..=axis, [outer, self.count, inner]);
        let parted = self.graph.reshape(x, parted);
        let mut axes: Vec<usize> = (0..shape.len() + 2).collect();
        let row = axes.remove(axis + 1);
        axes.insert(0, row);
        let first = self.graph.permute(parted, &axes);
        let mut shape = with_leading(self.count, &shape);
        shape[axis + 1] = outer * inner;
        self.graph.reshape(first, shape)
    }

    /// Returns `[N, ..]` where row n has the whole tensor, with zeros where entries belong to other
    /// rows.
    fn masked(&mut self, x: NodeId, rows: RowAxis) -> NodeId {
        let shape = self.graph.shape(x).to_vec();
        let len = shape[rows.axis];
        let mut mask = vec![0.0; self.count * len];
        for entry in 0..len {
            mask[(entry / rows.inner) % self.count * len + entry] = 1.0;
        }
        let mut of_mask = vec![1; shape.len() + 1];
        (of_mask[0], of_mask[rows.axis + 1]) = (self.count, len);
        let mask = TensorData::new(mask, of_mask).convert_dtype(self.graph.dtype(x));
        let mask = self.graph.constant(mask);
        let x = self.graph.reshape(x, with_leading(1, &shape));
        self.graph.mul(x, mask)
    }
}

impl Graph {
    /// Returns the sum over the first axis of the squares of `rows`, `[N, ..]`, as `[..]`.
    fn sum_of_squares(&mut self, rows: NodeId) -> NodeId {
        let node = self.node(rows).clone();
        let shape = node.shape[1..].to_vec();
        let inner = node.inputs.first().copied();
        let summed = match (&node.primitive, inner) {
            (Primitive::Unary(Unary::Scale(c)), Some(x)) => {
                let sum = self.sum_of_squares(x);
                Some(self.scale(sum, c.get() * c.get()))
            }
            (Primitive::Layout(Layout::Permute(axes)), Some(x)) if axes[0] == 0 => {
                let sum = self.sum_of_squares(x);
                let axes: Vec<usize> = axes[1..].iter().map(|axis| axis - 1).collect();
                Some(self.permute(sum, &axes))
            }
            (Primitive::Layout(Layout::Reshape), Some(x))
                if self.rank(x) > 1 && self.shape(x)[0] == node.shape[0] && !shape.is_empty() =>
            {
                let sum = self.sum_of_squares(x);
                Some(self.reshape(sum, shape.clone()))
            }
            (Primitive::MatMul(product), Some(a)) => {
                self.outer_squares(*product, a, node.inputs[1])
            }
            _ => None,
        };
        summed.unwrap_or_else(|| {
            let squares = self.mul(rows, rows);
            let sum = self.sum_over(squares, &[0]);
            self.reshape(sum, shape)
        })
    }

    /// Returns the sum of the squares of all entries of `rows`, `[N, ..]`, as `[1]`.
    fn squared_norm(&mut self, rows: NodeId) -> NodeId {
        let node = self.node(rows).clone();
        let inner = node.inputs.first().copied();
        let known = match (&node.primitive, inner) {
            (Primitive::Unary(Unary::Scale(c)), Some(x)) => {
                let norm = self.squared_norm(x);
                Some(self.scale(norm, c.get() * c.get()))
            }
            (Primitive::Layout(Layout::Permute(_) | Layout::Reshape), Some(x)) => {
                Some(self.squared_norm(x))
            }
            (Primitive::MatMul(product), Some(a)) => self.outer_norm(*product, a, node.inputs[1]),
            _ => None,
        };
        known.unwrap_or_else(|| {
            let squares = self.mul(rows, rows);
            self.total(squares)
        })
    }

    /// Returns the squared norm of N products of a column with a row: `Σₙ ‖aₙ‖² ‖bₙ‖²`.
    fn outer_norm(&mut self, product: MatMul, a: NodeId, b: NodeId) -> Option<NodeId> {
        let factors = self.outer_factors(product, a, b)?;
        let [a, b] = factors.map(|squares| self.sum_over(squares, &[1]));
        let norms = self.mul(a, b);
        Some(self.total(norms))
    }

    /// Returns the sum of squares of N products of a column with a row: `(A*A)ᵀ(B*B)`.
    fn outer_squares(&mut self, product: MatMul, a: NodeId, b: NodeId) -> Option<NodeId> {
        let [a, b] = self.outer_factors(product, a, b)?;
        Some(self.matmul(a, true, b, false))
    }

    /// Returns the squared factors, N rows each, of a product of a column with a row for each n;
    /// `None` for other products.
    fn outer_factors(&mut self, product: MatMul, a: NodeId, b: NodeId) -> Option<[NodeId; 2]> {
        let rank = self.rank(a);
        let [summed, other] = [product.summed(true, rank), product.summed(false, rank)];
        let is_outer = rank == 3
            && self.shape(a)[0] == self.shape(b)[0]
            && self.shape(a)[summed] == 1
            && self.shape(b)[other] == 1;
        is_outer.then(|| {
            [a, b].map(|factor| {
                let shape = self.shape(factor);
                let flat = vec![shape[0], elements(&shape[1..])];
                let flat = self.reshape(factor, flat);
                self.mul(flat, flat)
            })
        })
    }
}
