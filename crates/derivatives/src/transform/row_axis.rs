//! The place of the rows of a linear program's input in its values.
//!
//! A program that is linear in u, `[N, ..]`, gives for row n of u alone (zeros elsewhere) a value
//! `y⁽ⁿ⁾`, and `y = Σₙ y⁽ⁿ⁾`. Often each entry of y belongs to one row: element by element
//! products, sums within a row, products with weights keep the rows apart. Then y itself holds all
//! the `y⁽ⁿ⁾`, and it only has to be known which entry belongs to which. That depends on what is
//! done to u and not on what it is multiplied with, so that it does not matter whether the rows of
//! the function that was differentiated touch each other.

use crate::graph::{Graph, NodeId, elements};
use crate::primitive::{Binary, Index, Layout, MatMul, Patches, Primitive, Range, Reduce, Unary};

/// An axis whose entries belong to rows: entry i to row `(i / inner) mod N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowAxis {
    pub(super) axis: usize,
    /// Neighbouring entries that belong to one row.
    pub(super) inner: usize,
}

impl RowAxis {
    /// Returns the same entries after an axis of its position was given another one.
    const fn at(self, axis: usize) -> Option<Self> {
        Some(Self { axis, ..self })
    }

    /// Returns where the rows are in a node whose inputs have them where `inputs` says (`None`: an
    /// input that does not depend on the rows), or `None` where the node brings rows together or
    /// this is not known. `count` is the number N of rows, two or more.
    pub(super) fn through(
        graph: &Graph,
        id: NodeId,
        inputs: &[Option<Self>],
        count: usize,
    ) -> Option<Self> {
        let node = graph.node(id);
        let mut present = inputs.iter().flatten();
        let rows = *present.next()?;
        let shape = |position: usize| graph.shape(node.inputs[position]);
        let kept = || {
            let position = inputs.iter().position(Option::is_some)?;
            let unchanged = shape(position).len() == node.shape.len()
                && shape(position)[rows.axis] == node.shape[rows.axis];
            unchanged.then_some(rows)
        };
        match &node.primitive {
            Primitive::Barrier | Primitive::Unary(Unary::Scale(_)) => Some(rows),
            Primitive::Binary(Binary::Add | Binary::Sub) => {
                present.all(|other| *other == rows).then(kept)?
            }
            Primitive::Binary(Binary::Mul) => present.next().is_none().then(kept)?,
            Primitive::Reduce(Reduce::Sum) => kept(),
            Primitive::Reduce(Reduce::Cumulative { axis, .. }) => {
                (*axis != rows.axis).then_some(rows)
            }
            Primitive::Layout(layout) => {
                rows.through_layout(layout, shape(0), &node.shape, inputs, count)
            }
            Primitive::Index(index) => {
                let (Index::Gather(axis)
                | Index::ScatterAdd(axis)
                | Index::Select(axis)
                | Index::SelectAdd(axis)) = *index;
                (axis != rows.axis).then(kept)?
            }
            Primitive::MatMul(product) => match *inputs {
                [Some(rows), None] => rows.through_product(*product, true, node.shape.len()),
                [None, Some(rows)] => rows.through_product(*product, false, node.shape.len()),
                _ => None,
            },
            Primitive::Patches(patches) => rows.through_patches(patches),
            _ => None,
        }
    }

    fn through_layout(
        self,
        layout: &Layout,
        from: &[usize],
        to: &[usize],
        inputs: &[Option<Self>],
        count: usize,
    ) -> Option<Self> {
        let is_whole = |ranges: &[Range], len: usize| {
            let range = ranges[self.axis];
            range.start == 0 && range.step == 1 && range.end == len
        };
        match layout {
            Layout::Reshape => {
                // Row-major, entry i of the whole tensor belongs to row `(i / run) mod N`.
                let run = self.inner * elements(&from[self.axis + 1..]);
                (0..to.len()).find_map(|axis| {
                    let below = elements(&to[axis + 1..]);
                    let here =
                        run.is_multiple_of(below) && (below * to[axis]).is_multiple_of(run * count);
                    here.then(|| Self {
                        axis,
                        inner: run / below,
                    })
                })
            }
            Layout::Permute(axes) => {
                let axis = axes.iter().position(|&axis| axis == self.axis)?;
                self.at(axis)
            }
            // The axis is longer than 1, so that it is none of those that are repeated.
            Layout::Expand | Layout::Cast => Some(self),
            Layout::Slice(ranges) => is_whole(ranges, from[self.axis]).then_some(self),
            Layout::Embed(ranges) => is_whole(ranges, to[self.axis]).then_some(self),
            Layout::Concat(axis) => {
                let alike = inputs.iter().all(|other| *other == Some(self));
                (alike && *axis != self.axis).then_some(self)
            }
            Layout::Flip(axes) => (!axes.contains(&self.axis)).then_some(self),
        }
    }

    /// Returns where the rows of one factor are in a matrix product; `None` if they are summed.
    fn through_product(self, product: MatMul, is_first: bool, rank: usize) -> Option<Self> {
        let batch = rank - 2;
        if self.axis < batch {
            return Some(self);
        }
        if self.axis == product.summed(is_first, rank) {
            return None;
        }
        self.at(if is_first { batch } else { batch + 1 })
    }

    fn through_patches(self, patches: &Patches) -> Option<Self> {
        // Channels come with the entries of the windows, images with the windows.
        let (Patches::Extract { window, output } | Patches::Add { window, output }) = patches;
        let below = match self.axis {
            0 => elements(&window.kernel),
            1 => elements(output),
            _ => return None,
        };
        let inner = match patches {
            Patches::Extract { .. } => self.inner * below,
            Patches::Add { .. } if self.inner.is_multiple_of(below) => self.inner / below,
            Patches::Add { .. } => return None,
        };
        Some(Self { inner, ..self })
    }
}
