//! Bare matrix products: those that a Hessian product of an MLP cannot do without, and a square
//! one, which shows what the processor's kernels give.

use anyhow::{Result, bail};
use burn::tensor::{DType, Device, Distribution, Tensor};
use derivatives::Workers;

use crate::case::{Case, Network};
use crate::timing::median;

/// Rows and columns of the square product.
const SIDE: usize = 1024;

/// The factors of one layer for a part of the examples.
struct Layer {
    input: Tensor<2>,
    input_tangent: Tensor<2>,
    weight: Tensor<2>,
    tangent: Tensor<2>,
    slope: Tensor<2>,
    slope_tangent: Tensor<2>,
    is_first: bool,
}

impl Layer {
    /// The products of a linearised Hessian product: `A V + Ȧ W` forward, `Aᵀ Δ̇ + Ȧᵀ Δ` for the
    /// weight, `Δ̇ Wᵀ + Δ Vᵀ` backward. The inputs of the first layer have no tangent and need no
    /// slope.
    fn products(&self) {
        let kept = [
            self.input.clone().matmul(self.tangent.clone()),
            self.input
                .clone()
                .transpose()
                .matmul(self.slope_tangent.clone()),
        ];
        std::hint::black_box(kept);
        if self.is_first {
            return;
        }
        let kept = [
            self.input_tangent.clone().matmul(self.weight.clone()),
            self.input_tangent
                .clone()
                .transpose()
                .matmul(self.slope.clone()),
            self.slope_tangent
                .clone()
                .matmul(self.weight.clone().transpose()),
            self.slope.clone().matmul(self.tangent.clone().transpose()),
        ];
        std::hint::black_box(kept);
    }
}

/// The matrix products of a linearised Hessian product of an MLP, over parts of so many examples.
pub(crate) struct Bare {
    parts: Vec<Vec<Layer>>,
}

impl Bare {
    pub(crate) fn of(case: &Case, part: usize) -> Result<Self> {
        let Network::Mlp(widths) = case.network else {
            bail!("{} is no MLP", case.name);
        };
        let random = |rows, columns| {
            let options = (&Device::flex(), DType::F32);
            Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, 1.0), options)
        };
        let starts: Vec<usize> = (0..case.examples).step_by(part).collect();
        let parts = starts.into_iter().map(|start| {
            let rows = part.min(case.examples - start);
            let layers = widths.windows(2).enumerate().map(|(index, pair)| Layer {
                input: random(rows, pair[0]),
                input_tangent: random(rows, pair[0]),
                weight: random(pair[0], pair[1]),
                tangent: random(pair[0], pair[1]),
                slope: random(rows, pair[1]),
                slope_tangent: random(rows, pair[1]),
                is_first: index == 0,
            });
            layers.collect()
        });
        Ok(Self {
            parts: parts.collect(),
        })
    }

    /// Each part on a core of its own, as Hessian products are.
    pub(crate) fn run(&self) {
        Workers::default().map(&self.parts, |layers| {
            layers.iter().for_each(Layer::products)
        });
    }
}

/// Operations a second of a square product, in 10⁹, on all cores: the median of so many.
pub(crate) fn gigaflops(times: usize) -> Result<f64> {
    let options = (&Device::flex(), DType::F32);
    let factor = Tensor::<2>::random([SIDE, SIDE], Distribution::Normal(0.0, 1.0), options);
    let product = || std::hint::black_box(factor.clone().matmul(factor.clone()));
    product();
    let seconds = median(times, || Ok::<_, anyhow::Error>(product()))?;
    Ok(2.0 * (SIDE as f64).powi(3) / seconds / 1e9)
}
