//! The diagonal of the Hessian, exact in the parameters where it can be.

use std::ops::Range;

use burn::module::Module;

use super::exact_trace::ExactParts;
use super::gauss_newton_squares::Squares;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;
use crate::spectrum::{Running, TraceConfig};

/// The diagonal of the Hessian H and of the Gauss-Newton matrix G of a risk.
#[derive(Debug, Clone, PartialEq)]
pub struct ExactDiagonal {
    /// diag(H), `[P]`.
    pub values: Vec<f64>,
    /// Standard errors of the entries, `[P]`: zero in the exact blocks.
    pub standard_errors: Vec<f64>,
    /// diag(G), `[P]`, exact always.
    pub gauss_newton: Vec<f64>,
    /// The parameter tensors, in the order of the parameter space.
    pub blocks: Vec<BlockDiagonal>,
    /// Backward passes over the data that diag(G) took.
    pub passes: usize,
    /// Products with H − G that the estimate took; zero where all is exact. One more is made to see
    /// that products do not change.
    pub products: usize,
    /// Whether the standard error of the trace met [`TraceConfig::relative_error`].
    pub converged: bool,
}

/// One parameter tensor's part of a diagonal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDiagonal {
    /// Path of the parameter, `conv1.weight`.
    pub path: String,
    /// Its coordinates.
    pub range: Range<usize>,
    /// Whether these entries of diag(H) are exact up to rounding.
    pub is_exact: bool,
}

impl ExactDiagonal {
    /// Returns whether every entry is exact up to rounding.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.blocks.iter().all(|block| block.is_exact)
    }
}

/// Returns the diagonal of the Hessian of a risk at a model, exact in all parameters in which the
/// outputs are affine for fixed others, and the diagonal of the Gauss-Newton matrix, exact in all.
///
/// ```text
/// diag(G) = Σₙ Σ_c ± (Jₙᵀ s_nc)²        H_f,n = Σ_c ± s_nc s_ncᵀ
/// ```
///
/// entry by entry; for a linear layer with inputs A and cotangents D the sum over n is
/// `(A*A)ᵀ(D*D)`. Everything that [`exact_trace`](super::exact_trace()) says holds here. In the
/// parameters where it is estimated, an entry `d_ii` of `D = H − G` has the variance
/// `Σ_{j≠i} d_ij²` over the probes, which is large beside a single entry: look at the standard
/// errors.
///
/// Memory: 24 P bytes more than the trace where anything is estimated.
///
/// # Errors
/// As [`exact_trace`](super::exact_trace()).
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Reduction, Risk, curvature::exact_diagonal};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 0.0]], &device);
/// let risk = Risk::of(
///     [batch],
///     |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
///     |outputs: Tensor<2>, _| outputs.square().mean(),
///     Reduction::Mean,
/// );
/// let diagonal = exact_diagonal(&model, &risk)?;
/// // 2 mean(x²) for each input x
/// assert!((diagonal.values[0] - 10.0).abs() < 1e-5);
/// assert!((diagonal.values[1] - 4.0).abs() < 1e-5);
/// assert!(diagonal.is_exact());
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Dangel, Kunstner, Hennig 2020, "BackPACK: Packing more into backprop", section 3; Bekas,
/// Kokiopoulou, Saad 2007 for the estimate.
pub fn exact_diagonal<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<ExactDiagonal, Error> {
    exact_diagonal_with(model, risk, &TraceConfig::new())
}

/// Returns the same as [`exact_diagonal`] with settings of the estimate where one is needed, whose
/// `relative_error` is that of the trace.
///
/// # Errors
/// As [`exact_diagonal`], and a setting out of range.
pub fn exact_diagonal_with<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &TraceConfig,
) -> Result<ExactDiagonal, Error> {
    let config = config.clone().with_diagonal(true);
    let parts = ExactParts::of(model, risk, Squares::Entries, &config)?;
    let gauss_newton = parts.gauss_newton;
    let mut values = gauss_newton.values.clone();
    let mut standard_errors = vec![0.0; values.len()];
    let estimates = parts
        .remainder
        .as_ref()
        .and_then(|rest| rest.diagonal.as_ref());
    for (block, &is_affine) in parts.blocks.iter().zip(&gauss_newton.affine) {
        let Some(estimates) = estimates.filter(|_| !is_affine) else {
            continue;
        };
        for i in block.range() {
            let estimate = Running::estimate(&estimates[i]);
            values[i] += estimate.mean;
            standard_errors[i] = estimate.standard_error;
        }
    }
    let blocks = parts.blocks.iter().zip(&gauss_newton.affine);
    let blocks = blocks.map(|(block, &is_exact)| BlockDiagonal {
        path: block.path.clone(),
        range: block.range(),
        is_exact,
    });
    Ok(ExactDiagonal {
        values,
        standard_errors,
        blocks: blocks.collect(),
        gauss_newton: gauss_newton.values,
        passes: gauss_newton.passes,
        products: parts.remainder.as_ref().map_or(0, |rest| rest.products),
        converged: parts.remainder.is_none_or(|rest| rest.converged),
    })
}
