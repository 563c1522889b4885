//! The trace of the Hessian, exact in the parameters where it can be.

use std::ops::Range;

use burn::module::Module;

use super::GaussNewton;
use super::gauss_newton_squares::{GaussNewtonSquares, Squares};
use super::remainder::{Remainder, remainder};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::Block;
use crate::risk::Risk;
use crate::spectrum::{Estimate, TraceConfig, check_trace};

/// The way in which a number was obtained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exactness {
    /// Exact up to the rounding of the float type: the outputs are affine in these parameters for
    /// fixed others, piece by piece at least, and the loss depends on them through the outputs
    /// only.
    Exact,
    /// The Gauss-Newton part is exact, and the rest is estimated by random probes: the number with
    /// its standard error.
    Estimated(Estimate),
}

impl Exactness {
    /// Returns the standard error, zero where the number is exact.
    #[must_use]
    pub const fn standard_error(&self) -> f64 {
        match self {
            Self::Exact => 0.0,
            Self::Estimated(estimate) => estimate.standard_error,
        }
    }

    /// Returns whether nothing was estimated.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

/// The trace of the Hessian H and of the Gauss-Newton matrix G of a risk.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactTrace {
    /// tr(H).
    pub value: f64,
    /// Whether tr(H) is exact, which it is if it is in all blocks.
    pub exactness: Exactness,
    /// tr(G), exact always.
    pub gauss_newton: f64,
    /// The same for each parameter tensor, in the order of the parameter space.
    pub blocks: Vec<ExactBlock>,
    /// Backward passes over the data that tr(G) took.
    pub passes: usize,
    /// Products with H − G that the estimate took; zero where all is exact. One more is made to see
    /// that products do not change.
    pub products: usize,
    /// Whether the standard error met [`TraceConfig::relative_error`]; true where all is exact.
    pub converged: bool,
}

/// The part of the traces that belongs to one parameter tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactBlock {
    /// Path of the parameter, `conv1.weight`.
    pub path: String,
    /// Its coordinates.
    pub range: Range<usize>,
    /// The trace of the Hessian's diagonal block.
    pub value: f64,
    /// Whether it is exact.
    pub exactness: Exactness,
    /// The trace of the Gauss-Newton matrix's diagonal block, exact always.
    pub gauss_newton: f64,
}

/// Returns the trace of the Hessian `H = ∇²L(θ)` of a risk at a model: without a probe and without
/// variance in all parameters where that is possible, and the trace of the Gauss-Newton matrix
/// `G = Jᵀ H_f J` in all of them.
///
/// ```text
/// tr(G) = Σₙ Σ_c ± ‖Jₙᵀ s_nc‖²        H_f,n = Σ_c ± s_nc s_ncᵀ
/// ```
///
/// with the Jacobian `Jₙ` of row n of the outputs and the loss's Hessian `H_f,n` in them, which
/// holds the share of the row in the mean loss; the signs are plus where the loss is convex in
/// the outputs. One backward pass gives `‖Jₙᵀ s_nc‖²` for all n.
///
/// Where the outputs are affine in a parameter for fixed others, the diagonal blocks of H and G are
/// equal: in every weight and bias of a network of ReLU and max pooling with the running statistics
/// of BatchNorm, unless two layers share it. That is read off the recorded graph
/// ([`CapturedLoss::affine_blocks`](derivatives::CapturedLoss::affine_blocks)), not measured.
/// In the other parameters (before tanh, GELU, attention, LayerNorm; shared; in a penalty of the
/// loss) `tr(H − G)` over them is estimated by Hutchinson's probes, whose variance has only the
/// off-diagonal entries of H − G in these blocks.
///
/// The risk tells outputs and loss apart ([`Risk::of`]), and the loss is a sum over the rows of the
/// outputs. It needs not be convex in them. The model may be anything, as far as exactness goes.
///
/// Cost: as many backward passes as there are outputs in a row (K; one fewer for the cross entropy
/// of a softmax), each about a gradient where examples do not touch each other. For outputs `[N, T,
/// C]` K is T C. Weights that an example uses several times (convolutions, layers applied to the
/// tokens of a sentence) take the memory of a gradient for each example of a part; parts are cut
/// smaller for it where the data can be cut. Where examples touch each other (BatchNorm with the
/// statistics of the batch) a pass costs as many gradients as there are examples in a batch, and
/// the memory of as many backward passes. To that comes a product with H − G for each probe, where
/// anything is estimated. Memory: 3 vectors of P for each core.
///
/// # Errors
/// As [`GaussNewton::at`]; [`Error::OutputsNotApart`] for a risk made by [`Risk::mean`],
/// [`Error::CoupledOutputs`] for a loss that brings the rows of the outputs together.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Reduction, Risk, curvature::exact_trace};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.0], [2.0], [3.0]], &device);
/// // The mean of (w x + b)² has the second derivatives 2 mean(x²) and 2.
/// let risk = Risk::of(
///     [batch],
///     |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
///     |outputs: Tensor<2>, _| outputs.square().mean(),
///     Reduction::Mean,
/// );
/// let trace = exact_trace(&model, &risk)?;
/// assert!(trace.exactness.is_exact());
/// assert!((trace.value - (2.0 * 14.0 / 3.0 + 2.0)).abs() < 1e-5);
/// assert_eq!(trace.passes, 1);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Dangel, Kunstner, Hennig 2020, "BackPACK: Packing more into backprop", section 3 for the
/// diagonal of G; Schraudolph 2002 for `H = G` where the outputs are piecewise linear.
pub fn exact_trace<M: Module, B: Batch>(model: &M, risk: &Risk<M, B>) -> Result<ExactTrace, Error> {
    exact_trace_with(model, risk, &TraceConfig::new())
}

/// Returns the same as [`exact_trace`] with settings of the estimate where one is needed: its
/// `relative_error` is that of the whole trace, the exact part included.
///
/// # Errors
/// As [`exact_trace`], and a setting out of range.
pub fn exact_trace_with<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &TraceConfig,
) -> Result<ExactTrace, Error> {
    let config = config.clone().with_diagonal(false);
    let parts = ExactParts::of(model, risk, Squares::Blocks, &config)?;
    let mut estimates = parts
        .remainder
        .iter()
        .flat_map(|remainder| remainder.blocks.iter());
    let blocks: Vec<ExactBlock> = parts
        .blocks
        .iter()
        .zip(&parts.gauss_newton.affine)
        .zip(&parts.gauss_newton.values)
        .map(|((block, &is_affine), &of_gauss_newton)| {
            let estimate = if is_affine { None } else { estimates.next() };
            let exactness = exactness(of_gauss_newton, estimate);
            ExactBlock {
                path: block.path.clone(),
                range: block.range(),
                value: value(of_gauss_newton, &exactness),
                exactness,
                gauss_newton: of_gauss_newton,
            }
        })
        .collect();
    let gauss_newton = parts.gauss_newton.values.iter().sum();
    let total = parts.remainder.as_ref().map(|remainder| &remainder.total);
    let exactness = exactness(gauss_newton, total);
    Ok(ExactTrace {
        value: value(gauss_newton, &exactness),
        exactness,
        gauss_newton,
        blocks,
        passes: parts.gauss_newton.passes,
        products: parts
            .remainder
            .as_ref()
            .map_or(0, |remainder| remainder.products),
        converged: parts.remainder.is_none_or(|remainder| remainder.converged),
    })
}

/// Returns how a number is known that is `gauss_newton` and what was estimated of the rest.
fn exactness(gauss_newton: f64, rest: Option<&Estimate>) -> Exactness {
    rest.map_or(Exactness::Exact, |rest| {
        Exactness::Estimated(Estimate {
            mean: gauss_newton + rest.mean,
            ..*rest
        })
    })
}

const fn value(gauss_newton: f64, exactness: &Exactness) -> f64 {
    match exactness {
        Exactness::Exact => gauss_newton,
        Exactness::Estimated(estimate) => estimate.mean,
    }
}

/// The exact part of a diagonal, and what was estimated of the rest.
pub(super) struct ExactParts {
    pub(super) blocks: Vec<Block>,
    pub(super) gauss_newton: GaussNewtonSquares,
    /// None where all is exact.
    pub(super) remainder: Option<Remainder>,
}

impl ExactParts {
    pub(super) fn of<M: Module, B: Batch>(
        model: &M,
        risk: &Risk<M, B>,
        of: Squares,
        config: &TraceConfig,
    ) -> Result<Self, Error> {
        check_trace(config)?;
        let operator = GaussNewton::at(model, risk)?;
        let gauss_newton = operator.squares(of)?;
        let blocks = operator.space().blocks.clone();
        let curved: Vec<&Block> = blocks
            .iter()
            .zip(&gauss_newton.affine)
            .filter_map(|(block, &is_affine)| (!is_affine).then_some(block))
            .collect();
        let remainder = if curved.is_empty() {
            None
        } else {
            let exact = gauss_newton.values.iter().sum();
            let operator = operator.into_remainder()?;
            Some(remainder(&operator, &curved, exact, config)?)
        };
        Ok(Self {
            blocks,
            gauss_newton,
            remainder,
        })
    }
}
