//! The whole spectrum of a symmetric matrix, for a few thousand coordinates.

use super::DenseSolver;
use super::checks::{adds_up, is_symmetric};
use super::product::on_host;
use super::tridiagonal::power_of_two_above;
use crate::error::Error;
use crate::operator::{LinearOperator, SymmetricMatrix};
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{add_scaled, largest_magnitude};

/// Eigenvalues and eigenvectors of a matrix of dimension P.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Unit eigenvectors in the order of the values, each `[P]`.
    pub vectors: Vec<Vec<f64>>,
}

/// All eigenvalues of an operator, with their statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseSpectrum {
    /// Eigenvalues, ascending, P of them.
    pub values: Vec<f64>,
    /// Their statistics.
    pub statistics: SpectrumStatistics,
    /// Relative asymmetry of the matrix of products: the size of the products' errors.
    pub asymmetry: f64,
}

/// Statistics of the eigenvalues of a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectrumStatistics {
    /// Smallest eigenvalue.
    pub min: f64,
    /// Largest eigenvalue.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Median; of an even number the mean of the middle two.
    pub median: f64,
    /// Standard deviation of the eigenvalues as a whole population (divisor P).
    pub std: f64,
    /// `λ_max / |λ_min|` of the largest and the smallest eigenvalue, signs included:
    /// the condition number for a positive definite matrix. Infinite, or NaN, when the smallest is
    /// exactly zero.
    pub condition: f64,
    /// Share of the eigenvalues below minus `zero_tolerance`.
    pub fraction_negative: f64,
    /// Sum.
    pub trace: f64,
    /// Sign of the determinant, -1, 0 or 1; 0 if an eigenvalue is within `zero_tolerance` of zero.
    pub determinant_sign: i8,
    /// Magnitude up to which an eigenvalue counts as zero.
    pub zero_tolerance: f64,
}

/// Returns the matrix of an operator by P products with unit vectors, symmetrised, and one more to
/// see that products do not change and are linear. Takes `8 P²` bytes.
///
/// How far it was from symmetric is in [`asymmetry`](SymmetricMatrix::asymmetry).
///
/// # Errors
/// [`Error::NonFiniteVector`] for a product that is not finite, [`Error::ChangingProducts`],
/// [`Error::NotLinear`], and the operator's own.
pub fn materialize<A: LinearOperator + ?Sized>(op: &A) -> Result<SymmetricMatrix, Error> {
    /// Products asked for at once, for operators that share work among them.
    const TOGETHER: usize = 16;
    let dim = op.dim();
    let mut columns = Vec::with_capacity(dim * dim);
    let mut unit = vec![0.0; dim];
    for first in (0..dim).step_by(TOGETHER) {
        let vectors = (first..dim.min(first + TOGETHER))
            .map(|i| {
                unit[i] = 1.0;
                let vector = op.domain().upload(&unit);
                unit[i] = 0.0;
                vector
            })
            .collect::<Result<Vec<_>, Error>>()?;
        for product in op.apply_many(&vectors)? {
            columns.extend(on_host(op, &product)?);
        }
    }
    if dim > 0 {
        // A product with all coordinates shows whether the columns still are what they were, and
        // whether they add up.
        let signs = rademacher(0, Purpose::Check.stream(0), dim);
        let mut sum = vec![0.0; dim];
        for (sign, column) in signs.iter().zip(columns.chunks(dim)) {
            add_scaled(&mut sum, *sign, column);
        }
        unit[0] = 1.0;
        adds_up(op, (&signs, &sum), (&unit, &columns[..dim]))?;
    }
    SymmetricMatrix::from_rows(columns, dim)
}

/// Returns all eigenvalues of an operator by [`materialize`] and the symmetric QR algorithm, for P
/// up to a few thousand: P products, `O(P³)` operations, `8 P²` bytes.
///
/// An eigenvalue counts as zero in the statistics up to the error to be expected of it: the larger
/// of P times the solver's rounding and `√P` times the operator's
/// [`relative_error`](LinearOperator::relative_error) (or the asymmetry found, if that is larger),
/// times the largest magnitude.
///
/// # Errors
/// As [`materialize`]; [`Error::NotSymmetric`] for an operator that is not, and
/// [`Error::Decomposition`] when the eigenproblem fails.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::dense_spectrum;
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 2.0], (&Device::flex(), DType::F64))?;
/// let spectrum = dense_spectrum(&op)?;
/// assert!(
///     (spectrum.values[0] - 1.0).abs() < 1e-14
///         && (spectrum.statistics.condition - 3.0).abs() < 1e-14
/// );
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn dense_spectrum<A: LinearOperator + ?Sized>(op: &A) -> Result<DenseSpectrum, Error> {
    let matrix = materialize(op)?;
    is_symmetric(op, matrix.asymmetry)?;
    let values = matrix.eigenvalues()?;
    let largest = largest_magnitude(&values);
    let statistics = SpectrumStatistics::of(&values, eigenvalue_error(op, &matrix) * largest);
    Ok(DenseSpectrum {
        values,
        statistics,
        asymmetry: matrix.asymmetry,
    })
}

/// Returns the error to be expected of an eigenvalue of the matrix that an operator's products
/// gave, relative to the largest magnitude: the solver's rounding, and the norm of the products'
/// errors, √P columns in quadrature.
pub(crate) fn eigenvalue_error<A: LinearOperator + ?Sized>(
    op: &A,
    matrix: &SymmetricMatrix,
) -> f64 {
    let dim = matrix.dim as f64;
    (dim * f64::EPSILON).max(dim.sqrt() * op.relative_error().max(matrix.asymmetry))
}

impl SymmetricMatrix {
    /// Returns all eigenvalues, ascending, by the solver that [`DenseSolver::default`] names.
    ///
    /// # Errors
    /// [`Error::Decomposition`] when the iteration fails.
    pub fn eigenvalues(&self) -> Result<Vec<f64>, Error> {
        self.eigenvalues_by(DenseSolver::default())
    }

    /// Returns all eigenvalues, ascending, by a chosen solver.
    ///
    /// # Errors
    /// As [`eigenvalues`](Self::eigenvalues).
    pub fn eigenvalues_by(&self, solver: DenseSolver) -> Result<Vec<f64>, Error> {
        if self.dim < 2 {
            return Ok(self.entries.clone());
        }
        let (entries, scale) = self.scaled();
        let values = solver
            .values(&entries, self.dim)
            .map_err(|reason| self.failed(reason))?;
        Ok(values.into_iter().map(|value| value * scale).collect())
    }

    /// Returns all eigenvalues, ascending, with unit eigenvectors, by the solver that
    /// [`DenseSolver::default`] names.
    ///
    /// # Errors
    /// [`Error::Decomposition`] when the iteration fails.
    pub fn eigen(&self) -> Result<DenseEigen, Error> {
        self.eigen_by(DenseSolver::default())
    }

    /// Returns all eigenvalues, ascending, with unit eigenvectors, by a chosen solver.
    ///
    /// # Errors
    /// As [`eigen`](Self::eigen).
    pub fn eigen_by(&self, solver: DenseSolver) -> Result<DenseEigen, Error> {
        if self.dim < 2 {
            return Ok(DenseEigen {
                values: self.entries.clone(),
                vectors: vec![vec![1.0]; self.dim],
            });
        }
        let (entries, scale) = self.scaled();
        let (values, vectors) = solver
            .pairs(&entries, self.dim)
            .map_err(|reason| self.failed(reason))?;
        Ok(DenseEigen {
            values: values.into_iter().map(|value| value * scale).collect(),
            vectors,
        })
    }

    /// Returns the entries divided by a power of two near the largest, and that power.
    fn scaled(&self) -> (Vec<f64>, f64) {
        let scale = power_of_two_above(self.entries.iter());
        (self.entries.iter().map(|x| x / scale).collect(), scale)
    }

    fn failed(&self, reason: String) -> Error {
        Error::Decomposition {
            dim: self.dim,
            reason,
        }
    }
}

impl SpectrumStatistics {
    /// Returns statistics of eigenvalues in ascending order; magnitudes up to `zero_tolerance`
    /// count as zero. NaN throughout where there is no value.
    #[must_use]
    pub fn of(values: &[f64], zero_tolerance: f64) -> Self {
        let count = values.len() as f64;
        let min = values.first().copied().unwrap_or(f64::NAN);
        let max = values.last().copied().unwrap_or(f64::NAN);
        let trace: f64 = values.iter().sum();
        let mean = trace / count;
        let middle = values.len() / 2;
        let median = match values.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => values[middle],
            _ => 0.5 * (values[middle - 1] + values[middle]),
        };
        let negative = values
            .iter()
            .filter(|value| **value < -zero_tolerance)
            .count();
        let singular = values.iter().any(|value| value.abs() <= zero_tolerance);
        Self {
            min,
            max,
            mean,
            median,
            std: (values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
                / count)
                .sqrt(),
            condition: max / min.abs(),
            fraction_negative: negative as f64 / count,
            trace,
            determinant_sign: match (singular, negative % 2) {
                (true, _) => 0,
                (false, 0) => 1,
                (false, _) => -1,
            },
            zero_tolerance,
        }
    }
}
