//! Images read between their pixels: grid sampling and deformable convolution.
//!
//! Between four pixels the value is bilinear in the position, so it has derivatives in the image
//! and in the position; on the lines through the pixels it has a kink, and the derivative is that
//! of the cell to the right and below.

use burn::tensor::TensorData;
use burn_ir::{
    DeformConv2dOpIr, DeformableConv2dOptionsIr, GridSample2dOpIr, GridSamplePaddingModeIr,
    InterpolateModeIr,
};

use super::order::INDEX;
use super::{Lowered, Lowering, dims, unsupported};
use crate::graph::{NodeId, Real, elements, index_of};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, IntUnary, Unary};

/// The tensors of a deformable convolution.
pub(super) struct Deformable {
    pub(super) x: NodeId,
    /// `[N, 2 k D, out..]`: row and column for each tap of each of D groups of channels.
    pub(super) offset: NodeId,
    pub(super) weight: NodeId,
    /// A factor for each value read, `[N, k D, out..]`.
    pub(super) mask: Option<NodeId>,
    pub(super) bias: Option<NodeId>,
}

impl Lowering {
    /// Returns `[N, C, H, W]` at the positions of a grid, `[N, H', W', 2]`, each an (x, y) in [-1,
    /// 1].
    pub(super) fn grid_sample(&mut self, op: &GridSample2dOpIr) -> Lowered {
        let (image, grid) = (self.get(&op.tensor)?, self.get(&op.grid)?);
        let [rows, columns] = [2, 3].map(|axis| self.graph.shape(image)[axis]);
        let column = self.coordinate(grid, 0, columns, op);
        let row = self.coordinate(grid, 1, rows, op);
        let zeros = matches!(op.options.padding_mode, GridSamplePaddingModeIr::Zeros);
        let sample = match op.options.mode {
            InterpolateModeIr::Bilinear => self.bilinear(image, row, column, zeros),
            InterpolateModeIr::Nearest => {
                let [row, column] = [row, column].map(|x| self.graph.unary(Unary::Round, x));
                self.pixel(image, row, column, zeros)
            }
            InterpolateModeIr::NearestExact
            | InterpolateModeIr::Bicubic
            | InterpolateModeIr::Lanczos3 => {
                let option = format!("the mode {:?}, which Burn has not", op.options.mode);
                return Err(unsupported("GridSample2d", option));
            }
        };
        Ok(self.graph.reshape(sample, dims(&op.out)))
    }

    /// Returns one coordinate of a grid in pixels of an axis of length `len`, `[N, 1, P]`.
    fn coordinate(
        &mut self,
        grid: NodeId,
        entry: usize,
        len: usize,
        op: &GridSample2dOpIr,
    ) -> NodeId {
        let part = self.graph.narrow(grid, 3, entry, entry + 1);
        let shape = self.graph.shape(part);
        let shape = vec![shape[0], 1, shape[1] * shape[2]];
        let part = self.graph.reshape(part, shape);
        let part = self.graph.offset(part, 1.0);
        #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
        let size = len as f64;
        let align = op.options.align_corners;
        let pixel = if align {
            self.graph.scale(part, 0.5 * (size - 1.0))
        } else {
            let scaled = self.graph.scale(part, 0.5 * size);
            self.graph.offset(scaled, -0.5)
        };
        match op.options.padding_mode {
            GridSamplePaddingModeIr::Zeros => pixel,
            GridSamplePaddingModeIr::Border => {
                let below = self.bounded(pixel, Comparison::Greater, size - 1.0);
                self.bounded(below, Comparison::Lower, 0.0)
            }
            GridSamplePaddingModeIr::Reflection => {
                let (first, last) = if align {
                    (0.0, size - 1.0)
                } else {
                    (-0.5, size - 0.5)
                };
                self.reflected(pixel, first, last)
            }
        }
    }

    /// Returns x folded back into the interval between two mirrors.
    fn reflected(&mut self, x: NodeId, first: f64, last: f64) -> NodeId {
        let span = last - first;
        if span <= 0.0 {
            return self.graph.fill(first, x);
        }
        let distance = self.graph.offset(x, -first);
        let distance = self.graph.unary(Unary::Abs, distance);
        let period = 2.0 * span;
        let periods = self.graph.scale(distance, period.recip());
        let whole = self.graph.unary(Unary::Floor, periods);
        let whole = self.graph.scale(whole, period);
        let rest = self.graph.sub(distance, whole);
        let rest = self.graph.offset(rest, -span);
        let rest = self.graph.unary(Unary::Abs, rest);
        let folded = self.graph.neg(rest);
        self.graph.offset(folded, last)
    }

    /// Returns `[N, C, H, W]` between four pixels at rows and columns `[N, 1, P]`: `[N, C, P]`.
    fn bilinear(&mut self, image: NodeId, row: NodeId, column: NodeId, zeros: bool) -> NodeId {
        let [top, left] = [row, column].map(|x| self.graph.unary(Unary::Floor, x));
        let down = self.graph.sub(row, top);
        let right = self.graph.sub(column, left);
        let [up, back] = [down, right].map(|part| {
            let minus = self.graph.neg(part);
            self.graph.offset(minus, 1.0)
        });
        let [below, beside] = [top, left].map(|x| self.graph.offset(x, 1.0));
        let mut sum: Option<NodeId> = None;
        for (row, height) in [(top, up), (below, down)] {
            for (column, width) in [(left, back), (beside, right)] {
                let value = self.pixel(image, row, column, zeros);
                let weight = self.graph.mul(height, width);
                let part = self.graph.mul(value, weight);
                sum = Some(match sum {
                    Some(sum) => self.graph.add(sum, part),
                    None => part,
                });
            }
        }
        sum.expect("a place has four neighbours")
    }

    /// Returns the pixels of `[N, C, H, W]` at whole rows and columns `[N, 1, P]`: `[N, C, P]`.
    /// Outside, the nearest pixel or zero.
    fn pixel(&mut self, image: NodeId, row: NodeId, column: NodeId, zeros: bool) -> NodeId {
        let shape = self.graph.shape(image).to_vec();
        let (rows, columns) = (shape[2], shape[3]);
        let row_index = self.inside(row, rows);
        let column_index = self.inside(column, columns);
        let stride = Discrete::IntScalar(IntBinary::Mul, index_of(columns));
        let start = self.graph.discrete(stride, vec![row_index], INDEX);
        let add = Discrete::Int(IntBinary::Add);
        let index = self.graph.discrete(add, vec![start, column_index], INDEX);
        let points = self.graph.shape(row)[2];
        let index = self.graph.expand(index, vec![shape[0], shape[1], points]);
        let flat = self
            .graph
            .reshape(image, vec![shape[0], shape[1], rows * columns]);
        let value = self.graph.gather(flat, 2, index);
        if !zeros {
            return value;
        }
        #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
        let bounds = [
            (row, Comparison::Lower, 0.0),
            (row, Comparison::Greater, (rows - 1) as f64),
            (column, Comparison::Lower, 0.0),
            (column, Comparison::Greater, (columns - 1) as f64),
        ];
        let zero = self.graph.fill(0.0, value);
        bounds.into_iter().fold(value, |value, (x, side, bound)| {
            let outside = Discrete::CompareFloat(side, Real::new(bound));
            let outside = self.graph.discrete(outside, vec![x], BOOL);
            self.graph.replace_where(value, outside, zero)
        })
    }

    /// Returns a whole number as the nearest index of an axis.
    fn inside(&mut self, x: NodeId, len: usize) -> NodeId {
        let index = self.graph.discrete(Discrete::ToInt, vec![x], INDEX);
        let least = Discrete::IntUnary(IntUnary::AtLeast(0));
        let index = self.graph.discrete(least, vec![index], INDEX);
        let most = Discrete::IntUnary(IntUnary::AtMost(index_of(len) - 1));
        self.graph.discrete(most, vec![index], INDEX)
    }

    pub(super) fn deformable(&mut self, op: &DeformConv2dOpIr) -> Lowered {
        let parts = Deformable {
            x: self.get(&op.x)?,
            offset: self.get(&op.offset)?,
            weight: self.get(&op.weight)?,
            mask: self.optional(op.mask.as_ref())?,
            bias: self.optional(op.bias.as_ref())?,
        };
        let out = dims(&op.out);
        Ok(self.deformed(&parts, &op.options, &out))
    }

    /// Returns a convolution whose taps are read at positions of their own, to `out`,
    /// `[N, O, H', W']`.
    pub(super) fn deformed(
        &mut self,
        parts: &Deformable,
        options: &DeformableConv2dOptionsIr,
        out: &[usize],
    ) -> NodeId {
        let shape = self.graph.shape(parts.x).to_vec();
        let kernel = self.graph.shape(parts.weight)[2..].to_vec();
        let (taps, points) = (elements(&kernel), out[2] * out[3]);
        let (images, moved) = (shape[0], options.offset_groups);
        // Each group of channels that moves together is an image of its own.
        let split = vec![images * moved, shape[1] / moved, shape[2], shape[3]];
        let image = self.graph.reshape(parts.x, split);
        let offset = vec![images * moved, taps, 2, points];
        let offset = self.graph.reshape(parts.offset, offset);
        let [row, column] = [0, 1].map(|axis| {
            let part = self.graph.narrow(offset, 2, axis, axis + 1);
            let part = self
                .graph
                .reshape(part, vec![images * moved, 1, taps * points]);
            let start = regular(axis, &kernel, options, out);
            let start =
                TensorData::new(start, [1, 1, taps * points]).convert_dtype(self.graph.dtype(part));
            let start = self.graph.constant(start);
            self.graph.add(part, start)
        });
        let mut read = self.bilinear(image, row, column, true);
        if let Some(mask) = parts.mask {
            let mask = self
                .graph
                .reshape(mask, vec![images * moved, 1, taps * points]);
            read = self.graph.mul(read, mask);
        }
        // [N, G, C/G K, L] to [G, C/G K, N L]
        let groups = options.weight_groups;
        let rows = shape[1] / groups * taps;
        let read = self.graph.reshape(read, vec![images, groups, rows, points]);
        let read = self.graph.permute(read, &[1, 2, 0, 3]);
        let read = self
            .graph
            .reshape(read, vec![groups, rows, images * points]);
        let weight = self
            .graph
            .reshape(parts.weight, vec![groups, out[1] / groups, rows]);
        let y = self.grouped_product(weight, false, read);
        self.laid_out(y, parts.bias, out)
    }
}

/// Returns where each tap of each window would be read without an offset, along an axis.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
fn regular(
    axis: usize,
    kernel: &[usize],
    options: &DeformableConv2dOptionsIr,
    out: &[usize],
) -> Vec<f64> {
    let mut positions = Vec::new();
    for first in 0..kernel[0] {
        for second in 0..kernel[1] {
            let tap = [first, second][axis] * options.dilation[axis];
            for row in 0..out[2] {
                for column in 0..out[3] {
                    let window = [row, column][axis] * options.stride[axis];
                    positions.push((window + tap) as f64 - options.padding[axis] as f64);
                }
            }
        }
    }
    positions
}
