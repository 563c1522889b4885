//! Hutchinson's estimator of what the Hessian's diagonal has beside the Gauss-Newton matrix's.

use burn::tensor::Tensor;

use crate::error::Error;
use crate::operator::LinearOperator;
use crate::parameters::Block;
use crate::spectrum::{Estimate, Running, TraceConfig, repeats};
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{checked, dot, download};

/// Probes whose products are asked for at once.
const TOGETHER: usize = 8;

/// The trace of H − G over some blocks, from probes on these blocks alone.
#[derive(Debug)]
pub(super) struct Remainder {
    pub(super) total: Estimate,
    /// For each of the blocks, in order.
    pub(super) blocks: Vec<Estimate>,
    /// For each coordinate, those of other blocks included, where nothing was estimated.
    pub(super) diagonal: Option<Vec<Running>>,
    /// Products with H − G.
    pub(super) products: usize,
    pub(super) converged: bool,
}

/// Estimates the trace of the operator H − G over `blocks` to `relative_error` of it and `exact`
/// together.
///
/// A probe z is zero outside of the blocks, so that no entry of the matrix outside of them adds to
/// the variance, `2 Σ_{i≠j} d_ij²` over the coordinates of the blocks with `D = H − G`.
pub(super) fn remainder(
    operator: &impl LinearOperator,
    blocks: &[&Block],
    exact: f64,
    config: &TraceConfig,
) -> Result<Remainder, Error> {
    let dim = operator.dim();
    let mut total = Running::default();
    let mut of_blocks = vec![Running::default(); blocks.len()];
    let mut diagonal = config.diagonal.then(|| vec![Running::default(); dim]);
    let mut products = 0;
    loop {
        let missing = config.max_probes - total.estimate().count;
        let probes: Vec<Vec<f64>> = (products..products + missing.min(TOGETHER))
            .map(|probe| {
                masked(
                    &rademacher(config.seed, Purpose::Trace.stream(probe as u64), dim),
                    blocks,
                )
            })
            .collect();
        let vectors: Vec<Tensor<1>> = probes
            .iter()
            .map(|z| operator.domain().upload(z))
            .collect::<Result<_, _>>()?;
        let vectors = operator.apply_many(&vectors)?;
        if products == 0 {
            repeats(operator, &probes[0], &download(&vectors[0]))?;
        }
        products += probes.len();
        for (z, product) in probes.iter().zip(vectors) {
            let difference = checked(download(&product), "operator's product")?;
            total.add(dot(z, &difference));
            for (block, running) in blocks.iter().zip(&mut of_blocks) {
                let range = block.range();
                running.add(dot(&z[range.clone()], &difference[range]));
            }
            for (running, (z, entry)) in diagonal.iter_mut().flatten().zip(z.iter().zip(difference))
            {
                running.add(z * entry);
            }
            let estimate = total.estimate();
            let converged = estimate.count >= config.min_probes
                && estimate.standard_error <= config.relative_error * (exact + estimate.mean).abs();
            if converged || estimate.count == config.max_probes {
                return Ok(Remainder {
                    total: estimate,
                    blocks: of_blocks.iter().map(Running::estimate).collect(),
                    diagonal,
                    products,
                    converged,
                });
            }
        }
    }
}

/// Returns a probe that is zero outside of the blocks.
fn masked(probe: &[f64], blocks: &[&Block]) -> Vec<f64> {
    let mut masked = vec![0.0; probe.len()];
    for block in blocks {
        let range = block.range();
        masked[range.clone()].copy_from_slice(&probe[range]);
    }
    masked
}
