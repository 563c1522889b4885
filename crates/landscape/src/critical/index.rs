//! The number of negative eigenvalues.

use std::fmt;

use crate::spectrum::{Estimate, Quadrature};

/// Numbers of eigenvalues by sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inertia {
    /// Eigenvalues below `-zero_threshold`.
    pub negative: usize,
    /// Eigenvalues of magnitude up to `zero_threshold`.
    pub zero: usize,
    /// Eigenvalues above `zero_threshold`.
    pub positive: usize,
}

impl Inertia {
    /// Returns the inertia of eigenvalues, where magnitudes up to `threshold` count as zero.
    #[must_use]
    pub fn of(values: &[f64], threshold: f64) -> Self {
        let negative = values.iter().filter(|value| **value < -threshold).count();
        let positive = values.iter().filter(|value| **value > threshold).count();
        Self {
            negative,
            zero: values.len() - negative - positive,
            positive,
        }
    }
}

/// The index of a point, the number of eigenvalues below `-zero_threshold`: bounds, and an
/// estimate where it is not known exactly.
///
/// # The certified bound
///
/// Let Q have orthonormal columns, k of them, and let `θ₁ ≤ … ≤ θₖ` be the eigenvalues of `QᵀHQ`.
/// By Cauchy's interlacing theorem `λᵢ ≤ θᵢ` for the eigenvalues `λ₁ ≤ …` of H: as many
/// eigenvalues of H lie below a number as Ritz values do, converged or not. A Lanczos run keeps
/// `QᵀHQ` up to the errors of its products, whose norm is at most 3 k times the larger of the
/// operator's relative error and the asymmetry that the run has seen, times `‖H‖`; by Weyl's
/// inequality no eigenvalue moves by more. Ritz values that lie lower by that much are counted, in
/// the run that has most of them. The same for positive ones gives the upper bound.
///
/// # The estimate
///
/// By stochastic Lanczos quadrature: a start vector v that is uniform on the sphere has on average
/// the share `index / P` of its square in the eigenvectors counted. The weights of the Ritz values
/// below the threshold estimate that share. Their spread between start vectors is the standard
/// error. Each run's own error is bounded by the separation theorem of Chebyshev, Markov and
/// Stieltjes: the true share of v lies between the weights of those Ritz values without the last,
/// and with the next. Means over the starts are `quadrature_bounds`.
///
/// # References
/// Parlett (1998), *The Symmetric Eigenvalue Problem*, theorem 10.1.1 (Cauchy) and fact 1.11
/// (Weyl); Szegő (1939), *Orthogonal Polynomials*, section 3.41; Lin, Saad and Yang (2016).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaddleIndex {
    /// Certified lower bound.
    pub at_least: usize,
    /// Certified upper bound.
    pub at_most: usize,
    /// Estimate from the spectral density, in eigenvalues, with its standard error between start
    /// vectors; none where the index is exact or no start was asked for.
    pub estimate: Option<Estimate>,
    /// The means of what each start vector proves below and above its own share, in eigenvalues.
    pub quadrature_bounds: Option<[f64; 2]>,
}

impl SaddleIndex {
    /// Returns the index where it is known exactly.
    #[must_use]
    pub fn exact(&self) -> Option<usize> {
        (self.at_least == self.at_most).then_some(self.at_least)
    }

    /// Returns an index that is known.
    pub(super) const fn known(index: usize) -> Self {
        Self {
            at_least: index,
            at_most: index,
            estimate: None,
            quadrature_bounds: None,
        }
    }

    /// Adds the estimate of eigenvalues below `bound` among `dim`.
    pub(super) fn with_estimate(self, quadratures: &[Quadrature], bound: f64, dim: usize) -> Self {
        if quadratures.is_empty() {
            return self;
        }
        let shares: Vec<Share> = quadratures
            .iter()
            .map(|quadrature| Share::below(quadrature, bound))
            .collect();
        let of_dim = |share: f64| share * dim as f64;
        let estimate = Estimate::of(shares.iter().map(|share| of_dim(share.weight)));
        let mean = |part: fn(&Share) -> f64| Estimate::of(shares.iter().map(part)).mean;
        Self {
            estimate: Some(estimate),
            quadrature_bounds: Some([
                of_dim(mean(|share| share.low)),
                of_dim(mean(|share| share.high)),
            ]),
            ..self
        }
    }
}

/// The share of a start vector in the eigenvectors below a number.
struct Share {
    /// Weights of the Ritz values below.
    weight: f64,
    /// Without the last of them.
    low: f64,
    /// With the next one.
    high: f64,
}

impl Share {
    fn below(quadrature: &Quadrature, bound: f64) -> Self {
        let count = quadrature.nodes.partition_point(|node| *node < bound);
        let sum = |count: usize| quadrature.weights.iter().take(count).sum::<f64>();
        Self {
            weight: sum(count),
            low: sum(count.saturating_sub(1)),
            high: sum(count + 1),
        }
    }
}

impl fmt::Display for SaddleIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.exact(), self.estimate) {
            (Some(index), _) => write!(f, "{index}"),
            (
                None,
                Some(Estimate {
                    mean,
                    standard_error,
                    ..
                }),
            ) => write!(
                f,
                "at least {}, about {mean:.0} ± {standard_error:.0}",
                self.at_least
            ),
            (None, None) => write!(f, "at least {}", self.at_least),
        }
    }
}
