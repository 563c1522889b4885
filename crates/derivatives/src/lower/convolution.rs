//! Convolutions and transposed convolutions of any dimension, as products with patches.

use burn_ir::{
    Conv1dOptionsIr, Conv2dOptionsIr, Conv3dOptionsIr, ConvTranspose1dOptionsIr,
    ConvTranspose2dOptionsIr, ConvTranspose3dOptionsIr, Unfold4dOpIr,
};

use super::{Lowered, Lowering, dims};
use crate::graph::{NodeId, elements};
use crate::primitive::{Range, Window};

/// The options of a recorded convolution.
pub(super) struct Geometry {
    stride: Vec<usize>,
    /// Before and after each axis.
    padding: Vec<(usize, usize)>,
    dilation: Vec<usize>,
    groups: usize,
}

macro_rules! geometry {
    ($($options:ident: $padding:expr,)*) => {$(
        impl From<&$options> for Geometry {
            fn from(options: &$options) -> Self {
                Self {
                    stride: options.stride.to_vec(),
                    padding: options.padding.iter().map($padding).collect(),
                    dilation: options.dilation.to_vec(),
                    groups: options.groups,
                }
            }
        }
    )*};
}

geometry! {
    Conv1dOptionsIr: |&pair| pair,
    Conv2dOptionsIr: |&pair| pair,
    Conv3dOptionsIr: |&both| (both, both),
    ConvTranspose1dOptionsIr: |&both| (both, both),
    ConvTranspose2dOptionsIr: |&both| (both, both),
    ConvTranspose3dOptionsIr: |&both| (both, both),
}

impl Lowering {
    /// Returns the convolution of `[N, C, in..]` by a weight `[O, C/G, k..]` to `out`,
    /// `[N, O, out..]`.
    pub(super) fn convolution(
        &mut self,
        mut x: NodeId,
        weight: NodeId,
        bias: Option<NodeId>,
        geometry: &Geometry,
        out: &[usize],
    ) -> NodeId {
        let mut window = self.window(weight, geometry);
        if geometry
            .padding
            .iter()
            .any(|(before, after)| before != after)
        {
            x = self.padded(x, &geometry.padding);
            window.padding.fill(0);
        }
        let x = self.channels_first(x);
        let patches = self.graph.patches(x, &window, &out[2..]);
        let [rows, columns] = [0, 1].map(|axis| self.graph.shape(patches)[axis]);
        let (groups, channels) = (geometry.groups, out[1]);
        // [G, O/G, C/G K] [G, C/G K, N L]
        let weight = self
            .graph
            .reshape(weight, vec![groups, channels / groups, rows / groups]);
        let patches = self
            .graph
            .reshape(patches, vec![groups, rows / groups, columns]);
        let y = self.grouped_product(weight, false, patches);
        self.laid_out(y, bias, out)
    }

    /// Writes a transposed convolution: what its patches would be is added up, `unpatches(Wᵀ X)`.
    pub(super) fn transposed(
        &mut self,
        x: NodeId,
        weight: NodeId,
        bias: Option<NodeId>,
        geometry: &Geometry,
        out: &[usize],
    ) -> NodeId {
        let window = self.window(weight, geometry);
        let x = self.channels_first(x);
        let shape = self.graph.shape(x).to_vec();
        let (groups, channels) = (geometry.groups, shape[0]);
        let rows = out[1] / groups * elements(&window.kernel);
        let columns = elements(&shape[1..]);
        // [G, C/G, O/G K]^T [G, C/G, N L]
        let weight = self
            .graph
            .reshape(weight, vec![groups, channels / groups, rows]);
        let x = self
            .graph
            .reshape(x, vec![groups, channels / groups, columns]);
        let patches = self.grouped_product(weight, true, x);
        let patches = self.graph.reshape(patches, vec![groups * rows, columns]);
        let mut to = vec![out[1], out[0]];
        to.extend_from_slice(&out[2..]);
        let y = self.graph.unpatches(patches, &window, &shape[2..], to);
        self.laid_out(y, bias, out)
    }

    fn window(&self, weight: NodeId, geometry: &Geometry) -> Window {
        Window {
            kernel: self.graph.shape(weight)[2..].to_vec(),
            stride: geometry.stride.clone(),
            padding: geometry.padding.iter().map(|&(before, _)| before).collect(),
            dilation: geometry.dilation.clone(),
        }
    }

    /// Moves the channels to the front, where patches want them.
    fn channels_first(&mut self, x: NodeId) -> NodeId {
        self.graph.swap(x, 0, 1)
    }

    /// Returns the product of the matrices of each group; a single group needs no batch axis.
    pub(super) fn grouped_product(&mut self, a: NodeId, transpose_a: bool, b: NodeId) -> NodeId {
        if self.graph.shape(a)[0] > 1 {
            return self.graph.matmul(a, transpose_a, b, false);
        }
        let [a, b] = [a, b].map(|x| {
            let shape = self.graph.shape(x)[1..].to_vec();
            self.graph.reshape(x, shape)
        });
        self.graph.matmul(a, transpose_a, b, false)
    }

    /// Returns channels by images and positions as `[N, O, out..]` with the bias.
    pub(super) fn laid_out(&mut self, y: NodeId, bias: Option<NodeId>, out: &[usize]) -> NodeId {
        let mut shape = vec![out[1], out[0]];
        shape.extend_from_slice(&out[2..]);
        let mut y = self.graph.reshape(y, shape);
        if let Some(bias) = bias {
            let mut shape = vec![1; out.len()];
            shape[0] = out[1];
            let bias = self.graph.reshape(bias, shape);
            y = self.graph.add(y, bias);
        }
        self.channels_first(y)
    }

    /// Returns x with zeros around its spatial axes.
    fn padded(&mut self, x: NodeId, padding: &[(usize, usize)]) -> NodeId {
        let mut shape = self.graph.shape(x).to_vec();
        let mut ranges = self.graph.whole(x);
        for (axis, (before, after)) in padding.iter().enumerate() {
            let len = shape[axis + 2];
            ranges[axis + 2] = Range::new(*before, before + len);
            shape[axis + 2] += before + after;
        }
        self.graph.embed(x, ranges, shape)
    }

    /// Lays the windows of `[N, C, H, W]` out as `[N, C kh kw, windows]`.
    pub(super) fn unfold(&mut self, op: &Unfold4dOpIr) -> Lowered {
        let x = self.get(&op.x)?;
        let o = &op.options;
        let padding: Vec<_> = o.padding.iter().map(|&p| (p, p)).collect();
        let x = self.padded(x, &padding);
        let rows = self.windows(x, 2, op.kernel_size[0], o.stride[0], o.dilation[0]);
        let both = self.windows(rows, 3, op.kernel_size[1], o.stride[1], o.dilation[1]);
        // [N, C, Ho, Wo, kh, kw]
        let ordered = self.graph.permute(both, &[0, 1, 4, 5, 2, 3]);
        Ok(self.graph.reshape(ordered, dims(&op.out)))
    }
}
