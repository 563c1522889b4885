//! Scaled dot-product attention.

use burn_ir::AttentionOpIr;

use super::{Lowered, Lowering};
use crate::Error;
use crate::graph::NodeId;
use crate::primitive::{Comparison, Discrete, Unary};

impl Lowering {
    /// Returns `softmax(scale · Q Kᵀ) V`, with Burn's order of soft cap, masks and bias.
    pub(super) fn attention(&mut self, op: &AttentionOpIr) -> Lowered {
        let (query, key) = (self.get(&op.query)?, self.get(&op.key)?);
        let value = self.get(&op.value)?;
        #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^53")]
        let width = self.graph.shape(query)[3] as f64;
        let scale = op
            .options
            .scale
            .map_or_else(|| width.sqrt().recip(), |scale| scale.elem());
        let scores = self.graph.matmul(query, false, key, true);
        let mut scores = self.graph.scale(scores, scale);
        if let Some(cap) = op.options.softcap {
            let cap: f64 = cap.elem();
            let scaled = self.graph.scale(scores, cap.recip());
            let bounded = self.graph.unary(Unary::Tanh, scaled);
            scores = self.graph.scale(bounded, cap);
        }
        if let Some(mask) = &op.mask {
            let mask = self.get(mask)?;
            scores = self.masked(scores, mask);
        }
        if op.options.is_causal {
            let [queries, keys] = [2, 3].map(|axis| self.graph.shape(scores)[axis]);
            // The last query sees the last key.
            let future: Vec<bool> = (0..queries)
                .flat_map(|query| (0..keys).map(move |key| key + queries > query + keys))
                .collect();
            let data = burn::tensor::TensorData::new(future, [1, 1, queries, keys]);
            let mask = self.graph.constant(data);
            scores = self.masked(scores, mask);
        }
        if let Some(bias) = &op.attn_bias {
            let bias = self.get(bias)?;
            scores = self.graph.add(scores, bias);
        }
        // A row that sees nothing has weights of zero: the shift and the sum stay finite.
        let dtype = self.graph.dtype(scores);
        let largest = self.graph.along(Discrete::MaxAlong(3), scores, 3, 1, dtype);
        let info = dtype.finfo().ok_or(Error::Type { dtype, near: None })?;
        let largest = self.bounded(largest, Comparison::Lower, info.min);
        let shifted = self.graph.sub(scores, largest);
        let exponentials = self.graph.unary(Unary::Exp, shifted);
        let sum = self.graph.sum_over(exponentials, &[3]);
        let sum = self.bounded(sum, Comparison::Lower, info.min_positive);
        let weights = self.graph.div(exponentials, sum);
        Ok(self.graph.matmul(weights, false, value, false))
    }

    fn masked(&mut self, scores: NodeId, mask: NodeId) -> NodeId {
        let (shape, dtype) = (vec![1; self.graph.rank(scores)], self.graph.dtype(scores));
        let hidden = self.filled(f64::NEG_INFINITY, shape, dtype);
        self.graph.replace_where(scores, mask, hidden)
    }
}
