//! The verdict on a point, and its evidence.

use std::fmt;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Escape, Inertia, SaddleIndex};
use crate::curvature::Method;
use crate::spectrum::SpectrumStatistics;

/// The kind of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CriticalKind {
    /// A critical point whose eigenvalues are all positive.
    LocalMinimum,
    /// A critical point whose eigenvalues are all negative.
    LocalMaximum,
    /// A critical point with negative and positive eigenvalues. Zero ones may stand beside them:
    /// they change nothing, since the loss falls in one direction and rises in another.
    Saddle,
    /// A critical point with a zero eigenvalue, and no two of different signs. Higher derivatives
    /// decide whether it is a minimum, a maximum or a saddle, such as the monkey's.
    Degenerate,
    /// A point whose gradient is not small.
    NotCritical,
    /// A point with a small gradient whose kind the evidence does not tell: the signs that matter
    /// lie within the error, or beyond the budget.
    Undecided,
}

impl CriticalKind {
    /// Returns the name in files: `local_minimum`, `saddle`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalMinimum => "local_minimum",
            Self::LocalMaximum => "local_maximum",
            Self::Saddle => "saddle",
            Self::Degenerate => "degenerate",
            Self::NotCritical => "not_critical",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for CriticalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalMinimum => "local minimum",
            Self::LocalMaximum => "local maximum",
            Self::Saddle => "saddle",
            Self::Degenerate => "degenerate",
            Self::NotCritical => "not critical",
            Self::Undecided => "undecided",
        })
    }
}

/// An eigenvalue at one end of the spectrum.
#[derive(Debug, Clone)]
pub struct Eigenvalue {
    /// Its value.
    pub value: f64,
    /// Some eigenvalue lies within this of `value`: the residual, or the error of the dense
    /// solution.
    pub error: f64,
    /// Its unit eigenvector, `[P]`.
    pub vector: Tensor<1>,
}

/// The size of a gradient beside that of the Hessian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientSize {
    /// The norm `‖g‖`.
    pub norm: f64,
    /// The norm up to which the gradient counts as small, `gradient_tolerance · ‖H‖ · length`.
    pub limit: f64,
    /// The length that the way to a critical point is compared with: `1 + ‖θ‖` of a model.
    pub length: f64,
    /// The change of the quadratic model by a step of Newton's method in `|H|`, `½ gᵀ|H|⁻¹g`, in
    /// units of the loss, over the eigenvectors whose eigenvalues are not zero. Above
    /// `dense_limit` by Gauss quadrature of a Lanczos run from the gradient, and approximate. None
    /// where only the norm is known.
    pub newton_decrease: Option<f64>,
    /// Norm of the part of the gradient along eigenvectors whose eigenvalues are zero, which
    /// `newton_decrease` leaves out.
    pub flat_norm: Option<f64>,
}

impl GradientSize {
    /// Returns whether the gradient counts as small.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.norm <= self.limit
    }
}

/// The condition number of the two ends of the spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// `λ_max / |λ_min|` of the largest and the smallest eigenvalue, signs included. Infinite, or
    /// NaN, where the smallest is exactly zero.
    pub value: f64,
    /// Largest departure from `value` as both eigenvalues vary within their errors; infinite where
    /// the smallest is not told from zero.
    pub error: f64,
}

impl Condition {
    pub(super) fn of(min: &Eigenvalue, max: &Eigenvalue) -> Self {
        let value = max.value / min.value.abs();
        let nearest = min.value.abs() - min.error;
        let error = if nearest > 0.0 {
            let farthest = min.value.abs() + min.error;
            let ends = [max.value - max.error, max.value + max.error]
                .map(|max| [max / nearest, max / farthest]);
            let ends = ends.as_flattened().iter();
            ends.fold(0.0_f64, |error, end| error.max((end - value).abs()))
        } else {
            f64::INFINITY
        };
        Self { value, error }
    }
}

/// The verdict on a point, with its evidence.
///
/// Its [`Display`](fmt::Display) is one line for people.
#[derive(Debug, Clone)]
pub struct CriticalPoint {
    /// The verdict.
    pub kind: CriticalKind,
    /// The evidence that decided, in one sentence.
    pub because: String,
    /// The loss at the point.
    pub loss: f64,
    /// The gradient's size.
    pub gradient: GradientSize,
    /// The smallest eigenvalue that was found; above `dense_limit` the true one may be smaller.
    pub min: Eigenvalue,
    /// The largest eigenvalue that was found; above `dense_limit` the true one may be larger.
    pub max: Eigenvalue,
    /// The interval that all eigenvalues lie in: certain but for rounding up to `dense_limit`, and
    /// with probability `confidence` above. Infinite where the steps were too few to say.
    pub range: [f64; 2],
    /// Magnitude up to which an eigenvalue counts as zero.
    pub zero_threshold: f64,
    /// The number of negative eigenvalues.
    pub index: SaddleIndex,
    /// Numbers of negative, zero and positive eigenvalues, where all were computed.
    pub inertia: Option<Inertia>,
    /// Every eigenvalue, ascending, where all were computed.
    pub eigenvalues: Option<Vec<f64>>,
    /// Statistics of the eigenvalues, where all were computed; of them what counts as zero is
    /// `zero_threshold`.
    pub statistics: Option<SpectrumStatistics>,
    /// The condition number.
    pub condition: Condition,
    /// The direction of the most negative curvature, where the smallest eigenvalue is below
    /// `-zero_threshold`, whatever the verdict.
    pub escape: Option<Escape>,
    /// Way in which the products were obtained; none for an operator.
    pub method: Option<Method>,
    /// Products that may be wrong, by differences across kinks: with any, nothing is decided.
    pub unresolved: usize,
    /// Products that were made.
    pub products: usize,
}

impl fmt::Display for CriticalPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.because)?;
        write!(
            f,
            "; loss {:.6e}, gradient norm {:.2e}, eigenvalues from {:.4e} to {:.4e}",
            self.loss, self.gradient.norm, self.min.value, self.max.value
        )?;
        write!(f, "; index {}", self.index)?;
        match &self.method {
            Some(Method::CentralDifference { .. }) => {
                write!(f, "; by differences, which are less certain")
            }
            _ => Ok(()),
        }
    }
}
