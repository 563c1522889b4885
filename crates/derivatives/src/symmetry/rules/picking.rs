//! Entries that are picked by their positions.

use std::collections::HashSet;

use super::Found;
use crate::graph::{Graph, Node, NodeId};
use crate::primitive::{Discrete, Index, Primitive};
use crate::symmetry::axes::{Axis, Factor};

impl Found {
    pub(super) fn picked(&mut self, graph: &Graph, node: &Node, index: Index) -> Vec<Axis> {
        // The largest entry along an axis is the same in any order.
        if self.extremes.contains(&node.inputs[1]) {
            return self.reduced(graph, node);
        }
        let [mut x, indices] = [0, 1].map(|position| self.input(graph, node, position));
        // Positions are numbers: what they point into keeps its order.
        match index {
            Index::Gather(axis) => {
                self.factors.fix(&x[axis]);
                self.beside(&x, &indices, axis);
                indices
            }
            Index::ScatterAdd(axis) => {
                self.beside(&x, &indices, axis);
                self.along(&x[axis], &indices[axis]);
                x[axis] = self.factors.fixed(node.shape[axis]);
                x
            }
            Index::Select(axis) => {
                self.factors.fix(&x[axis]);
                x[axis].clone_from(&indices[0]);
                x
            }
            Index::SelectAdd(axis) => {
                self.along(&x[axis], &indices[0]);
                x[axis] = self.factors.fixed(node.shape[axis]);
                x
            }
        }
    }

    /// Joins all axes but one.
    fn beside(&mut self, x: &[Axis], indices: &[Axis], axis: usize) {
        for other in (0..x.len()).filter(|&other| other != axis) {
            self.along(&x[other], &indices[other]);
        }
    }

    /// Joins two axes, or fixes both where they have not the same length.
    fn along(&mut self, a: &[Factor], b: &[Factor]) {
        if self.factors.len(a) == self.factors.len(b) {
            self.factors.join(a, b);
        } else {
            self.factors.fix(a);
            self.factors.fix(b);
        }
    }
}

/// Returns the positions of largest or smallest entries along an axis whose every use is to pick
/// these entries.
pub(super) fn extremes(graph: &Graph, nodes: &[NodeId]) -> HashSet<NodeId> {
    let axis_of = |id: NodeId| match *graph.primitive(id) {
        Primitive::Discrete(Discrete::ArgMax(axis) | Discrete::ArgMin(axis)) => Some(axis),
        _ => None,
    };
    let positions = nodes.iter().copied().filter(|&id| axis_of(id).is_some());
    let mut found: HashSet<NodeId> = positions.collect();
    for &id in nodes {
        let node = graph.node(id);
        for &input in &node.inputs {
            let Some(axis) = axis_of(input) else {
                continue;
            };
            let picks = node.primitive == Primitive::Index(Index::Gather(axis))
                && node.inputs == [graph.input(input, 0), input];
            if !picks {
                found.remove(&input);
            }
        }
    }
    found
}
