//! Rearranged entries: axes that are split, joined, cut, repeated and turned.

use super::Found;
use crate::graph::{Graph, Node};
use crate::primitive::{Layout, Range};
use crate::symmetry::axes::{Axis, Factor};

impl Found {
    pub(super) fn rearranged(&mut self, graph: &Graph, node: &Node, layout: &Layout) -> Vec<Axis> {
        match layout {
            Layout::Cast => self.input(graph, node, 0),
            Layout::Reshape => {
                let axes = self.input(graph, node, 0);
                self.reshaped(&axes, &node.shape)
            }
            Layout::Permute(order) => {
                let axes = self.input(graph, node, 0);
                order.iter().map(|&axis| axes[axis].clone()).collect()
            }
            Layout::Expand => {
                let mut axes = self.input(graph, node, 0);
                for (axis, &len) in axes.iter_mut().zip(&node.shape) {
                    if axis.is_empty() {
                        *axis = self.factors.free(len);
                    }
                }
                axes
            }
            Layout::Slice(ranges) => {
                let axes = self.input(graph, node, 0);
                let parts = axes.iter().zip(ranges);
                parts.map(|(axis, &range)| self.part(axis, range)).collect()
            }
            Layout::Embed(ranges) => {
                let axes = self.input(graph, node, 0);
                let parts = axes.iter().zip(ranges).zip(&node.shape);
                parts
                    .map(|((axis, &range), &len)| self.among_zeros(axis, range, len))
                    .collect()
            }
            Layout::Concat(axis) => {
                let mut inputs = self.inputs(graph, node);
                let parts = inputs
                    .iter_mut()
                    .map(|axes| std::mem::take(&mut axes[*axis]))
                    .collect();
                let mut joined = self.broadcast(&inputs);
                joined[*axis] = self.factors.sum(parts);
                joined
            }
            Layout::Flip(flipped) => {
                let axes = self.input(graph, node, 0);
                for &axis in flipped {
                    self.factors.fix(&axes[axis]);
                }
                axes
            }
        }
    }

    /// Splits the factors of all axes, which are row-major, into those of a shape.
    fn reshaped(&mut self, axes: &[Axis], shape: &[usize]) -> Vec<Axis> {
        let mut rest = axes.concat();
        let mut to = Vec::with_capacity(shape.len());
        for &len in shape {
            match self.factors.split_axis(&rest, len) {
                Some((first, others)) => {
                    to.push(first);
                    rest = others;
                }
                None => {
                    self.fix_all(axes);
                    return self.fixed(shape);
                }
            }
        }
        to
    }

    /// Returns the part of an axis in a range.
    fn part(&mut self, axis: &[Factor], range: Range) -> Axis {
        let len = self.factors.len(axis);
        if range.step != 1 {
            self.factors.fix(axis);
            return self.factors.fixed(range.len());
        }
        let end = range.start + range.len();
        let mut part = axis.to_vec();
        if end < len {
            part = self.factors.cut(&part, end).0;
        }
        if range.start > 0 {
            part = self.factors.cut(&part, range.start).1;
        }
        part
    }

    /// Returns the axis of `len` entries that has these in a range and zeros elsewhere.
    fn among_zeros(&mut self, axis: &[Factor], range: Range, len: usize) -> Axis {
        let inside = self.factors.len(axis);
        if inside == len {
            return axis.to_vec();
        }
        if range.step != 1 {
            self.factors.fix(axis);
            return self.factors.fixed(len);
        }
        let after = len - range.start - inside;
        let mut parts = Vec::with_capacity(3);
        if range.start > 0 {
            parts.push(self.factors.free(range.start));
        }
        parts.push(axis.to_vec());
        if after > 0 {
            parts.push(self.factors.free(after));
        }
        self.factors.sum(parts)
    }
}
