//! Case 7: one pre-LayerNorm self-attention block.

use burn::module::Module;
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Device, Int, Tensor};

use super::{floats, labels};
use crate::{Fixture, Net, cross_entropy};

const HEADS: usize = 2;
const WIDTH: usize = 16;
const HEAD_WIDTH: usize = WIDTH / HEADS;

/// Embedding, LayerNorm, two heads of attention, residual, LayerNorm, mean over tokens, linear.
#[derive(Module, Debug)]
pub struct Attention {
    embed: Linear,
    norm1: LayerNorm,
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    norm2: LayerNorm,
    fc: Linear,
}

impl Net for Attention {
    type Batch = (Tensor<3>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case7_attention";

    fn init(device: &Device) -> Self {
        let linear = |inputs, outputs| {
            LinearConfig::new(inputs, outputs)
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        let norm = || LayerNormConfig::new(WIDTH).init(device);
        Self {
            embed: linear(8, WIDTH),
            norm1: norm(),
            q: linear(WIDTH, WIDTH),
            k: linear(WIDTH, WIDTH),
            v: linear(WIDTH, WIDTH),
            o: linear(WIDTH, WIDTH),
            norm2: norm(),
            fc: linear(WIDTH, 10),
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let t = self.embed.forward(x.clone());
        let [examples, tokens, _] = t.dims();
        // [N, tokens, 16] to [N, heads, tokens, 8]: head h takes the features 8h to 8h + 7.
        let heads = |features: Tensor<3>| {
            features
                .reshape([examples, tokens, HEADS, HEAD_WIDTH])
                .swap_dims(1, 2)
        };
        let u = self.norm1.forward(t.clone());
        let q = heads(self.q.forward(u.clone()));
        let k = heads(self.k.forward(u.clone()));
        let v = heads(self.v.forward(u));
        // Burn's gradient of `div_scalar` takes the reciprocal in f32; that of `mul_scalar` is
        // exact.
        let scores = q
            .matmul(k.swap_dims(2, 3))
            .mul_scalar(8.0_f64.sqrt().recip());
        let c = softmax(scores, 3)
            .matmul(v)
            .swap_dims(1, 2)
            .reshape([examples, tokens, WIDTH]);
        let t = self.norm2.forward(t + self.o.forward(c));
        self.fc.forward(t.mean_dim(1).reshape([examples, WIDTH]))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
