//! The curvature that is shown beside the measures of sharpness.

use burn::config::Config;

use crate::error::Error;
use crate::operator::{LinearOperator, SymmetricMatrix};
use crate::spectrum::{
    EigenPair, Estimate, Lanczos, LanczosConfig, TraceConfig, Which, eigenvalue_error,
    hutchinson_trace, materialize,
};
use crate::vector::{largest_magnitude, norm};

/// Settings of [`curvature_summary`].
#[derive(Config, Debug, PartialEq)]
pub struct CurvatureConfig {
    /// Most coordinates for which the whole matrix is made, by P products, and all is exact.
    #[config(default = 500)]
    pub dense_up_to: usize,
    /// Lanczos steps for the ends of the spectrum and the negative eigenvalues, elsewhere:
    /// `max_steps` of them are made, and the tolerance says whether the ends have converged.
    #[config(default = "LanczosConfig::new().with_max_steps(60)")]
    pub lanczos: LanczosConfig,
    /// Probes for the trace and the Frobenius norm, elsewhere.
    #[config(default = "TraceConfig::new().with_max_probes(200)")]
    pub trace: TraceConfig,
    /// An eigenvalue counts as negative below minus this part of the largest magnitude, if that is
    /// above its error.
    #[config(default = 1e-8)]
    pub zero_tolerance: f64,
}

/// The result of [`curvature_summary`] for the Hessian H.
///
/// None of the numbers is invariant to rescaling ReLU layers, which makes `D⁻¹ H D⁻¹` of H with a
/// positive diagonal D. The number of all negative eigenvalues would be (Sylvester's law of
/// inertia), but one that leaves out those near zero is not: rescaling moves others there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvatureSummary {
    /// Number of coordinates P.
    pub dim: usize,
    /// Whether the whole matrix was made: every number is exact up to rounding.
    pub exact: bool,
    /// The largest eigenvalue, signs included.
    pub lambda_max: Eigenvalue,
    /// The smallest eigenvalue, the most negative one if there is any.
    pub lambda_min: Eigenvalue,
    /// The trace, the sum of all eigenvalues.
    pub trace: Estimate,
    /// The Frobenius norm, the root of the sum of all squared eigenvalues. Its standard error is
    /// that of the squared norm over twice the norm.
    pub frobenius: Estimate,
    /// Number of negative eigenvalues: exactly, or a lower bound, each negative Ritz value
    /// standing for one eigenvalue below it (Cauchy's interlacing).
    pub n_negative: usize,
    /// Magnitude up to which a negative eigenvalue is not counted.
    pub zero_tolerance: f64,
}

/// An eigenvalue with its residual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eigenvalue {
    /// The value.
    pub value: f64,
    /// The residual `‖Hv − λv‖`, or the rounding of the solver where the matrix is known.
    pub residual: f64,
    /// Whether it met the tolerance.
    pub converged: bool,
}

/// A summary, and the diagonal of the matrix where that was made.
pub(super) struct Found {
    pub(super) summary: CurvatureSummary,
    pub(super) diagonal: Option<Vec<f64>>,
}

/// Returns the largest and the smallest eigenvalue, the trace, the Frobenius norm and the number of
/// negative eigenvalues of a Hessian.
///
/// Cost: P products, `O(P³)` operations and `8 P²` bytes up to `dense_up_to` coordinates; elsewhere
/// a product for each probe of the trace and each Lanczos step and three more, and a vector of P
/// for each step.
///
/// # Errors
/// As [`hutchinson_trace`] and [`materialize`].
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::sharpness::{CurvatureConfig, curvature_summary};
///
/// let op = Dense::new(&[3.0, 0.0, 0.0, -4.0], (&Device::flex(), DType::F64))?;
/// let found = curvature_summary(&op, &CurvatureConfig::new())?;
/// assert_eq!(
///     (found.trace.mean, found.frobenius.mean, found.n_negative),
///     (-1.0, 5.0, 1)
/// );
/// assert_eq!((found.lambda_max.value, found.exact), (3.0, true));
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn curvature_summary<A: LinearOperator + ?Sized>(
    op: &A,
    config: &CurvatureConfig,
) -> Result<CurvatureSummary, Error> {
    Ok(curvature_of(op, config)?.summary)
}

pub(super) fn check(config: &CurvatureConfig) -> Result<(), Error> {
    if config.zero_tolerance >= 0.0 && config.zero_tolerance < 1.0 {
        return Ok(());
    }
    Err(Error::Setting {
        name: "zero_tolerance",
        value: config.zero_tolerance.to_string(),
        allowed: "zero or more, and below 1",
    })
}

pub(super) fn curvature_of<A: LinearOperator + ?Sized>(
    op: &A,
    config: &CurvatureConfig,
) -> Result<Found, Error> {
    check(config)?;
    if op.dim() <= config.dense_up_to {
        return dense(op, config);
    }
    let trace = hutchinson_trace(op, &config.trace.clone().with_frobenius(true))?;
    let steps = config.lanczos.max_steps.min(op.dim());
    let mut run = Lanczos::new(op, config.lanczos.seed)?;
    run.extend(op, steps)?;
    let end = |which| -> Result<Eigenvalue, Error> {
        let lanczos = config.lanczos.clone().with_which(which);
        let pairs = run.eigenpairs(op, 1, &lanczos)?;
        Ok(pairs.first().map_or(NONE, Eigenvalue::of))
    };
    let (lambda_max, lambda_min) = (
        end(Which::LargestAlgebraic)?,
        end(Which::SmallestAlgebraic)?,
    );
    let ritz = run.ritz_values(config.lanczos.tolerance)?;
    let largest = largest_magnitude(ritz.iter().map(|ritz| &ritz.value));
    let zero_tolerance = largest * config.zero_tolerance.max(op.relative_error());
    let squared = trace.squared_frobenius.expect("it was asked for");
    let frobenius = squared.mean.sqrt();
    Ok(Found {
        summary: CurvatureSummary {
            dim: op.dim(),
            exact: false,
            lambda_max,
            lambda_min,
            trace: trace.estimate,
            frobenius: Estimate {
                mean: frobenius,
                standard_error: if frobenius > 0.0 {
                    squared.standard_error / (2.0 * frobenius)
                } else {
                    squared.standard_error
                },
                count: squared.count,
            },
            n_negative: ritz
                .iter()
                .filter(|ritz| ritz.value < -zero_tolerance)
                .count(),
            zero_tolerance,
        },
        diagonal: None,
    })
}

/// The eigenvalue of an operator without coordinates.
const NONE: Eigenvalue = Eigenvalue {
    value: f64::NAN,
    residual: f64::INFINITY,
    converged: false,
};

impl Eigenvalue {
    fn of(pair: &EigenPair) -> Self {
        Self {
            value: pair.value,
            residual: pair.residual,
            converged: pair.converged,
        }
    }
}

/// Returns the same from the whole matrix.
fn dense<A: LinearOperator + ?Sized>(op: &A, config: &CurvatureConfig) -> Result<Found, Error> {
    let matrix: SymmetricMatrix = materialize(op)?;
    let dim = op.dim();
    let allowed = op.relative_error().sqrt();
    if matrix.asymmetry > allowed {
        return Err(Error::NotSymmetric {
            what: "operator",
            asymmetry: matrix.asymmetry,
            allowed,
        });
    }
    let diagonal: Vec<f64> = (0..dim).map(|i| matrix.entries[i * dim + i]).collect();
    let exactly = |mean| Estimate {
        mean,
        standard_error: 0.0,
        count: dim,
    };
    let values = matrix.eigenvalues()?;
    let largest = largest_magnitude(&values);
    let error = eigenvalue_error(op, &matrix);
    let zero_tolerance = largest * config.zero_tolerance.max(error);
    let end = |value: Option<&f64>| {
        value.map_or(NONE, |&value| Eigenvalue {
            value,
            residual: error * largest,
            converged: true,
        })
    };
    Ok(Found {
        summary: CurvatureSummary {
            dim,
            exact: true,
            lambda_max: end(values.last()),
            lambda_min: end(values.first()),
            trace: exactly(diagonal.iter().sum()),
            frobenius: exactly(norm(&matrix.entries)),
            n_negative: values
                .iter()
                .filter(|&&value| value < -zero_tolerance)
                .count(),
            zero_tolerance,
        },
        diagonal: Some(diagonal),
    })
}
