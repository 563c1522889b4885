//! The factors that each primitive joins, fixes or leaves: the condition under which permuted
//! inputs give the permuted value.

mod layout;
mod picking;

use std::collections::{HashMap, HashSet};

use super::AxisStructure;
use super::axes::{Axis, Factor, Factors};
use crate::graph::{Graph, Node, NodeId, Set, elements};
use crate::primitive::{Discrete, IntUnary, MatMul, Patches, Primitive, Reduce, Softmax};

/// The axes of the values that were met.
#[derive(Debug)]
pub(super) struct Found {
    factors: Factors,
    axes: HashMap<NodeId, Vec<Axis>>,
    /// Positions of extreme entries that are used for nothing but picking these.
    extremes: HashSet<NodeId>,
}

impl Found {
    /// Returns what is known before any of these nodes was added.
    pub(super) fn none(graph: &Graph, nodes: &[NodeId]) -> Self {
        Self {
            factors: Factors::default(),
            axes: HashMap::new(),
            extremes: picking::extremes(graph, nodes),
        }
    }

    /// Adds a node whose inputs were added.
    pub(super) fn through(&mut self, graph: &Graph, id: NodeId) {
        let node = graph.node(id);
        let axes = if self.extremes.contains(&id) {
            self.reduced(graph, node)
        } else {
            self.value(graph, node)
        };
        assert_eq!(
            axes.iter()
                .map(|axis| self.factors.len(axis))
                .collect::<Vec<_>>(),
            node.shape,
            "axes of {node:?}"
        );
        self.axes.insert(id, axes);
    }

    /// Says that a value must not be permuted.
    pub(super) fn fix(&mut self, id: NodeId) {
        self.fix_all(&self.axes[&id].clone());
    }

    /// Returns the structure of each axis of a parameter of this shape.
    pub(super) fn structures(
        &self,
        id: NodeId,
        shape: &[usize],
        groups: &mut Vec<(Factor, usize)>,
    ) -> Vec<AxisStructure> {
        match self.axes.get(&id) {
            Some(axes) => axes
                .iter()
                .map(|axis| self.factors.structure(axis, groups))
                .collect(),
            // The loss does not use it.
            None => shape.iter().map(|&len| AxisStructure::Fixed(len)).collect(),
        }
    }

    /// Returns the axes of an input. One number everywhere may be permuted at each use as its use
    /// likes.
    fn input(&mut self, graph: &Graph, node: &Node, position: usize) -> Vec<Axis> {
        let id = node.inputs[position];
        match graph.primitive(id) {
            Primitive::Fill(_) | Primitive::FillInt(_) => self.free(graph.shape(id)),
            _ => self.axes[&id].clone(),
        }
    }

    fn free(&mut self, shape: &[usize]) -> Vec<Axis> {
        shape.iter().map(|&len| self.factors.free(len)).collect()
    }

    fn fixed(&mut self, shape: &[usize]) -> Vec<Axis> {
        shape.iter().map(|&len| self.factors.fixed(len)).collect()
    }

    fn fix_all(&mut self, axes: &[Axis]) {
        for axis in axes {
            self.factors.fix(axis);
        }
    }

    fn value(&mut self, graph: &Graph, node: &Node) -> Vec<Axis> {
        match &node.primitive {
            // Any permutation of a parameter is one of its values.
            Primitive::Slot { set, .. } if *set == Set::POINT => self.free(&node.shape),
            Primitive::Slot { .. } | Primitive::Constant(_) => self.fixed(&node.shape),
            Primitive::Fill(_) | Primitive::FillInt(_) => self.free(&node.shape),
            Primitive::Barrier | Primitive::Stop | Primitive::Unary(_) => {
                self.input(graph, node, 0)
            }
            Primitive::Binary(_) => self.entry_by_entry(graph, node),
            Primitive::Softmax(Softmax::Plain(_) | Softmax::Log(_)) => self.input(graph, node, 0),
            Primitive::Reduce(Reduce::Sum) => self.reduced(graph, node),
            Primitive::Reduce(Reduce::Cumulative { axis, .. }) => self.in_order(graph, node, *axis),
            Primitive::Layout(layout) => self.rearranged(graph, node, layout),
            Primitive::Index(index) => self.picked(graph, node, *index),
            Primitive::MatMul(product) => self.product(graph, node, *product),
            Primitive::Patches(patches) => self.windows(graph, node, patches),
            Primitive::MaxPool(_) | Primitive::Maxima(_) => {
                // Images and channels apart; windows and positions count along the others.
                let mut axes = self.input(graph, node, 0);
                self.fix_all(&axes[2..]);
                axes.truncate(2);
                axes.extend(self.fixed(&node.shape[2..]));
                axes
            }
            Primitive::Discrete(discrete) => self.discrete(graph, node, discrete),
            Primitive::Combine(_) => self.unknown(graph, node),
        }
    }

    /// Fixes all that a node is made of, and itself.
    fn unknown(&mut self, graph: &Graph, node: &Node) -> Vec<Axis> {
        for position in 0..node.inputs.len() {
            let axes = self.input(graph, node, position);
            self.fix_all(&axes);
        }
        self.fixed(&node.shape)
    }

    /// Joins the axes of inputs of one rank, of which those of length 1 are repeated.
    fn entry_by_entry(&mut self, graph: &Graph, node: &Node) -> Vec<Axis> {
        let inputs = self.inputs(graph, node);
        self.broadcast(&inputs)
    }

    fn inputs(&mut self, graph: &Graph, node: &Node) -> Vec<Vec<Axis>> {
        (0..node.inputs.len())
            .map(|position| self.input(graph, node, position))
            .collect()
    }

    fn broadcast(&mut self, inputs: &[Vec<Axis>]) -> Vec<Axis> {
        let rank = inputs[0].len();
        (0..rank)
            .map(|axis| {
                // An axis of length 1 has no factor.
                let mut long = inputs.iter().map(|input| &input[axis]);
                let Some(first) = long.find(|axis| !axis.is_empty()) else {
                    return Vec::new();
                };
                for other in long.filter(|axis| !axis.is_empty()) {
                    self.factors.join(first, other);
                }
                first.clone()
            })
            .collect()
    }

    /// Leaves the axes that keep their length: a sum or a maximum is the same in any order.
    fn reduced(&mut self, graph: &Graph, node: &Node) -> Vec<Axis> {
        let mut axes = self.input(graph, node, 0);
        for (axis, &len) in axes.iter_mut().zip(&node.shape) {
            if len == 1 {
                axis.clear();
            }
        }
        axes
    }

    /// Fixes an axis along which the order matters; the value may have another length there.
    fn in_order(&mut self, graph: &Graph, node: &Node, axis: usize) -> Vec<Axis> {
        let mut axes = self.input(graph, node, 0);
        self.factors.fix(&axes[axis]);
        axes[axis] = self.factors.fixed(node.shape[axis]);
        axes
    }

    fn product(&mut self, graph: &Graph, node: &Node, product: MatMul) -> Vec<Axis> {
        let [mut a, mut b] = [0, 1].map(|position| self.input(graph, node, position));
        let rank = a.len();
        let (of_a, of_b) = (product.summed(true, rank), product.summed(false, rank));
        self.factors.join(&a[of_a], &b[of_b]);
        // The other of the last two axes.
        let rows = a.swap_remove(2 * rank - 3 - of_a);
        let columns = b.swap_remove(2 * rank - 3 - of_b);
        a.truncate(rank - 2);
        b.truncate(rank - 2);
        let mut axes = self.broadcast_of(a, b);
        axes.push(rows);
        axes.push(columns);
        axes
    }

    fn broadcast_of(&mut self, a: Vec<Axis>, b: Vec<Axis>) -> Vec<Axis> {
        if a.is_empty() {
            a
        } else {
            self.broadcast(&[a, b])
        }
    }

    /// Keeps channels and images apart: windows count along the other axes.
    fn windows(&mut self, graph: &Graph, node: &Node, patches: &Patches) -> Vec<Axis> {
        let axes = self.input(graph, node, 0);
        match patches {
            Patches::Extract { window, output } => {
                self.fix_all(&axes[2..]);
                [&window.kernel, output]
                    .into_iter()
                    .zip(&axes)
                    .map(|(inner, axis)| {
                        let inner = self.factors.fixed(elements(inner));
                        axis.iter().chain(&inner).copied().collect()
                    })
                    .collect()
            }
            Patches::Add { window, output } => {
                let mut to = Vec::with_capacity(node.shape.len());
                for (axis, inner) in axes.iter().zip([&window.kernel, output]) {
                    let outer = self.factors.len(axis) / elements(inner);
                    match self.factors.split_axis(axis, outer) {
                        Some((outer, inner)) => {
                            self.factors.fix(&inner);
                            to.push(outer);
                        }
                        None => {
                            self.factors.fix(axis);
                            to.push(self.factors.fixed(outer));
                        }
                    }
                }
                to.extend(self.fixed(&node.shape[2..]));
                to
            }
        }
    }

    fn discrete(&mut self, graph: &Graph, node: &Node, discrete: &Discrete) -> Vec<Axis> {
        match discrete {
            Discrete::Compare(_)
            | Discrete::CompareFloat(..)
            | Discrete::CompareInt(..)
            | Discrete::IsNan
            | Discrete::IsInf
            | Discrete::Not
            | Discrete::And
            | Discrete::Or
            | Discrete::Xor
            | Discrete::ToFloat
            | Discrete::ToInt
            | Discrete::Int(_)
            | Discrete::IntScalar(..)
            | Discrete::Where
            | Discrete::IntUnary(
                IntUnary::Abs
                | IntUnary::Sign
                | IntUnary::Not
                | IntUnary::AtLeast(_)
                | IntUnary::AtMost(_)
                | IntUnary::Power(_),
            ) => self.entry_by_entry(graph, node),
            Discrete::AnyAlong(_)
            | Discrete::AllAlong(_)
            | Discrete::MaxAlong(_)
            | Discrete::IntUnary(
                IntUnary::MaxAlong(_) | IntUnary::MinAlong(_) | IntUnary::ProdAlong(_),
            ) => self.reduced(graph, node),
            Discrete::ArgMax(axis)
            | Discrete::ArgMin(axis)
            | Discrete::ArgSort { axis, .. }
            | Discrete::CumMax(axis)
            | Discrete::CumMin(axis)
            | Discrete::IntUnary(
                IntUnary::CumSum(axis)
                | IntUnary::CumProd(axis)
                | IntUnary::CumMax(axis)
                | IntUnary::CumMin(axis)
                | IntUnary::Sort { axis, .. },
            ) => self.in_order(graph, node, *axis),
        }
    }
}
