//! Padding.

use burn::tensor::TensorData;
use burn_ir::{PadModeIr, ScalarIr};

use super::Lowering;
use crate::graph::{NodeId, index_of};
use crate::primitive::Range;

impl Lowering {
    pub(super) fn pad(
        &mut self,
        x: NodeId,
        padding: &[(usize, usize)],
        mode: &PadModeIr,
    ) -> NodeId {
        // The padding is given for the last axes.
        let first = self.graph.rank(x) - padding.len();
        match mode {
            PadModeIr::Constant(value) => self.pad_constant(x, first, padding, *value),
            PadModeIr::Reflect => self.pad_by_index(x, first, padding, |position, len| {
                let last = 2 * (len - 1);
                let position = position.rem_euclid(last.max(1));
                if position < len {
                    position
                } else {
                    last - position
                }
            }),
            PadModeIr::Edge => self.pad_by_index(x, first, padding, |position, len| {
                position.clamp(0, len - 1)
            }),
        }
    }

    fn pad_constant(
        &mut self,
        x: NodeId,
        first: usize,
        padding: &[(usize, usize)],
        value: ScalarIr,
    ) -> NodeId {
        let mut shape = self.graph.shape(x).to_vec();
        let mut ranges = self.graph.whole(x);
        for (axis, (before, after)) in padding.iter().enumerate() {
            let len = shape[first + axis];
            ranges[first + axis] = Range::new(*before, before + len);
            shape[first + axis] += before + after;
        }
        let value = value.elem::<f64>();
        if value == 0.0 {
            return self.graph.embed(x, ranges, shape);
        }
        let dtype = self.graph.dtype(x);
        let background = self.filled(value, shape, dtype);
        self.assign(background, ranges, x)
    }

    fn pad_by_index(
        &mut self,
        mut x: NodeId,
        first: usize,
        padding: &[(usize, usize)],
        source: impl Fn(i64, i64) -> i64,
    ) -> NodeId {
        for (axis, &(before, after)) in padding.iter().enumerate() {
            if before + after == 0 {
                continue;
            }
            let len = index_of(self.graph.shape(x)[first + axis]);
            let positions: Vec<i64> = (-index_of(before)..len + index_of(after))
                .map(|position| source(position, len))
                .collect();
            let count = positions.len();
            let positions = self.graph.constant(TensorData::new(positions, [count]));
            x = self.graph.select(x, first + axis, positions);
        }
        x
    }
}
