//! A few eigenpairs at the ends of the spectrum.

use burn::config::Config;
use burn::tensor::Tensor;

use super::checks::is_symmetric;
use super::growth::{Finished, check, grow};
use super::product::unit_start;
use super::{Lanczos, LanczosConfig, Rayleigh, rayleigh};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::{largest_magnitude, normalize};

/// The eigenvalues that are wanted, and their order in the result.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Which {
    /// The largest, descending.
    LargestAlgebraic,
    /// The smallest, the most negative first, ascending.
    SmallestAlgebraic,
    /// The largest in magnitude, by descending magnitude.
    LargestMagnitude,
}

/// An approximate eigenpair.
#[derive(Debug, Clone)]
pub struct EigenPair {
    /// Rayleigh quotient of `vector`.
    pub value: f64,
    /// The true residual `‖Av − θv‖`, with the rounding of the products: some eigenvalue lies
    /// within this distance of `value`. Never below the operator's relative error times `|θ|`.
    pub residual: f64,
    /// Lanczos' estimate of the residual, without the operator's rounding. Where it is far below
    /// `residual`, the precision of the products is the limit and more steps do not help.
    pub bound: f64,
    /// Whether `residual` is at most the tolerance times the largest `|θ|` of the run.
    pub converged: bool,
    /// Whether the value is not told from zero: its magnitude is at most the residual, or the
    /// error of the products times the largest `|θ|` of the run. An eigenvalue of exactly zero
    /// with a residual of zero is of this kind: where a loss is nearly flat, f32 rounds all of
    /// its curvature away. Measure the model in f64 then ([`cast`](crate::cast)).
    pub below_resolution: bool,
    /// Lanczos steps of the run.
    pub steps: usize,
    /// Unit vector, `[P]`. Its sign: the first entry whose magnitude is within 0.1 % of the
    /// largest is positive (the margin keeps rounding from deciding between equal entries).
    pub vector: Tensor<1>,
}

impl EigenPair {
    /// Returns whether the sign of the eigenvalue that `residual` speaks of is known: the residual
    /// is less than the value. A `converged` pair need not have it, where the value is small beside
    /// the largest of the spectrum.
    #[must_use]
    pub fn has_certain_sign(&self) -> bool {
        self.residual < self.value.abs()
    }
}

/// Both ends of a spectrum.
///
/// Both are converged relative to the larger end: a smallest eigenvalue that is tiny beside the
/// largest may be far off relatively. Ask [`has_certain_sign`](EigenPair::has_certain_sign) before
/// calling a point a saddle.
#[derive(Debug, Clone)]
pub struct Extremes {
    /// The smallest eigenvalue's pair.
    pub min: EigenPair,
    /// The largest eigenvalue's pair.
    pub max: EigenPair,
}

/// Returns the `k` eigenpairs at the end of the spectrum that `config.which` names, by one Lanczos
/// run that grows until all have converged or `config.max_steps` is reached.
///
/// Returns k pairs, whether converged or not. Costs one product per step and one to see that
/// products do not change: value and residual of a pair come from the products of the steps,
/// `A(Vs) = (AV)s`. Keeps one vector of P numbers per step and one more,
/// in the precision of `config.basis`; with `config.max_vectors` no more than so many. Beside them
/// there are some five vectors in f64 on the host, two more for each vector of a block, and the
/// `k` returned.
///
/// A repeated eigenvalue is found as often as `config.block_size` says, or the run meets an
/// invariant subspace. A residual speaks for *some* eigenvalue; that none further out was missed is
/// overwhelmingly likely with a random start, not certain.
///
/// # Errors
/// [`Error::Setting`] for k above P, a tolerance that is not positive, a `block_size` of zero, and
/// `max_steps` or `max_vectors` too small for the number of pairs; [`Error::NonFiniteVector`] for a
/// product that is not finite, [`Error::ChangingProducts`] and [`Error::NotSymmetric`] for an
/// operator that is none, and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{LanczosConfig, top_eigenpairs};
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 2.0], (&Device::flex(), DType::F64))?;
/// let pairs = top_eigenpairs(&op, 1, &LanczosConfig::new().with_seed(7))?;
/// assert!((pairs[0].value - 3.0).abs() < 1e-14 && pairs[0].converged);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Parlett (1998), *The Symmetric Eigenvalue Problem*, chapter 13; Golub and Underwood (1977) for
/// blocks; Wu and Simon (2000), *Thick-restart Lanczos method for large symmetric eigenvalue
/// problems*, for restarts.
pub fn top_eigenpairs<A: LinearOperator + ?Sized>(
    op: &A,
    k: usize,
    config: &LanczosConfig,
) -> Result<Vec<EigenPair>, Error> {
    let rank = |values: &[f64], n| select(values, n, config.which);
    pairs_of(op, Vec::new(), config, k, rank)
}

/// Returns the same as [`top_eigenpairs`], starting from the sum of the unit vectors along `start`,
/// each `[P]`: eigenvectors of an earlier, similar operator save products. Where their span is
/// still invariant to the tolerance, ten more steps explore what lies beyond it.
///
/// A block starts from as many sums as it has vectors, over every so manieth of `start`, and from
/// random vectors where there are too few.
///
/// # Errors
/// As [`top_eigenpairs`]; also starts of a wrong length, zero, or not finite, and no start at all.
pub fn top_eigenpairs_from<A: LinearOperator + ?Sized>(
    op: &A,
    k: usize,
    start: &[Tensor<1>],
    config: &LanczosConfig,
) -> Result<Vec<EigenPair>, Error> {
    let rank = |values: &[f64], n| select(values, n, config.which);
    pairs_of(op, warm(op, start, config)?, config, k, rank)
}

/// Returns the smallest and the largest eigenvalue by one Lanczos run, which grows until both have
/// converged or `config.max_steps` is reached; `config.which` is not used.
///
/// # Errors
/// As [`top_eigenpairs`].
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{LanczosConfig, extremes};
///
/// let op = Dense::new(&[2.0, 0.0, 0.0, -5.0], (&Device::flex(), DType::F64))?;
/// let ends = extremes(&op, &LanczosConfig::new())?;
/// assert!((ends.min.value + 5.0).abs() < 1e-14 && (ends.max.value - 2.0).abs() < 1e-14);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn extremes<A: LinearOperator + ?Sized>(
    op: &A,
    config: &LanczosConfig,
) -> Result<Extremes, Error> {
    ends_of(op, Vec::new(), config)
}

/// Returns the same as [`extremes`], starting from the sum of the unit vectors along `start`, each
/// `[P]`.
///
/// # Errors
/// As [`top_eigenpairs_from`].
pub fn extremes_from<A: LinearOperator + ?Sized>(
    op: &A,
    start: &[Tensor<1>],
    config: &LanczosConfig,
) -> Result<Extremes, Error> {
    ends_of(op, warm(op, start, config)?, config)
}

impl Lanczos {
    /// Returns the pairs of the run as it stands, `min(k, m)` of them, without further steps: one
    /// product with `op`, the run's operator, for each. `config.which` and `config.tolerance` are
    /// used.
    ///
    /// # Errors
    /// [`Error::Decomposition`], [`Error::NonFiniteVector`], and the operator's own.
    pub fn eigenpairs<A: LinearOperator + ?Sized>(
        &self,
        op: &A,
        k: usize,
        config: &LanczosConfig,
    ) -> Result<Vec<EigenPair>, Error> {
        let eigen = self.tridiagonal.eigen()?;
        let found = Found {
            steps: self.steps(),
            largest: largest_magnitude(&eigen.values),
            tolerance: config.tolerance,
        };
        select(&eigen.values, k, config.which)
            .into_iter()
            .map(|index| {
                let coefficients = eigen.vector(index);
                let bound = (self.last_beta * coefficients[coefficients.len() - 1]).abs();
                let vector = ritz_vector(op, self.combine(coefficients))?;
                let measured = rayleigh(op, &vector)?;
                Ok(found.pair(op, vector, measured, bound))
            })
            .collect()
    }
}

/// The numbers that the pairs of a run share.
struct Found {
    steps: usize,
    /// The largest magnitude of a Ritz value.
    largest: f64,
    tolerance: f64,
}

impl Found {
    /// Returns the pair of `vector`, whose quotient and residual are `measured` and whose residual
    /// Lanczos bounds by `bound`.
    fn pair<A: LinearOperator + ?Sized>(
        &self,
        op: &A,
        vector: Tensor<1>,
        measured: Rayleigh,
        bound: f64,
    ) -> EigenPair {
        let Rayleigh { quotient, residual } = measured;
        let resolution = residual.max(op.relative_error() * self.largest);
        EigenPair {
            below_resolution: quotient.abs() <= resolution,
            value: quotient,
            residual,
            bound,
            converged: residual <= self.tolerance * self.largest,
            steps: self.steps,
            vector,
        }
    }
}

/// Returns a unit vector along `vector`, its sign fixed, as the operator sees it.
fn ritz_vector<A: LinearOperator + ?Sized>(
    op: &A,
    mut vector: Vec<f64>,
) -> Result<Tensor<1>, Error> {
    normalize(&mut vector);
    fix_sign(&mut vector);
    op.domain().upload(&vector)
}

/// Measures the `count` pairs wanted of a run that is grown for them by [`grow`].
fn pairs_of<A: LinearOperator + ?Sized>(
    op: &A,
    starts: Vec<Vec<f64>>,
    config: &LanczosConfig,
    count: usize,
    rank: impl Fn(&[f64], usize) -> Vec<usize>,
) -> Result<Vec<EigenPair>, Error> {
    check(config, count, op.dim())?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let Finished { run, eigen, chosen } = grow(op, starts, config, count, rank)?;
    is_symmetric(op, run.asymmetry())?;
    let found = Found {
        steps: run.steps(),
        largest: largest_magnitude(&eigen.values),
        tolerance: config.tolerance,
    };
    let measure = |index: usize| {
        let coefficients = &eigen.vectors[index];
        let vector = ritz_vector(op, run.combine(coefficients))?;
        let mut measured = run.measured(coefficients);
        // The vector returned is rounded once more than those that were multiplied, and an error
        // that all products have in common is not seen in them.
        let rounding = op.domain().unit_roundoff() * found.largest;
        let common = op.relative_error() * measured.quotient.abs();
        measured.residual = measured.residual.hypot(rounding).max(common);
        Ok(found.pair(op, vector, measured, run.bound(coefficients)))
    };
    chosen.into_iter().map(measure).collect()
}

fn ends_of<A: LinearOperator + ?Sized>(
    op: &A,
    starts: Vec<Vec<f64>>,
    config: &LanczosConfig,
) -> Result<Extremes, Error> {
    // The smallest comes first, the largest second; one coordinate has one eigenvalue.
    let pairs = pairs_of(op, starts, config, 2.min(op.dim()), ends)?;
    let [min, .., max] = &pairs[..] else {
        let only = pairs
            .into_iter()
            .next()
            .expect("an operator without coordinates is an error");
        return Ok(Extremes {
            min: only.clone(),
            max: only,
        });
    };
    Ok(Extremes {
        min: min.clone(),
        max: max.clone(),
    })
}

/// Returns the starts of a block: of each the sum of the unit vectors along every so manieth of
/// `start`.
fn warm<A: LinearOperator + ?Sized>(
    op: &A,
    start: &[Tensor<1>],
    config: &LanczosConfig,
) -> Result<Vec<Vec<f64>>, Error> {
    let columns = config.block_size.min(start.len()).max(1);
    let mut sums = vec![vec![0.0; op.dim()]; columns];
    for (index, vector) in start.iter().enumerate() {
        let unit = unit_start(op, vector)?;
        for (total, x) in sums[index % columns].iter_mut().zip(unit) {
            *total += x;
        }
    }
    for sum in &mut sums {
        if normalize(sum) == 0.0 {
            return Err(Error::NoDirection {
                what: "sum of the start vectors",
                problem: "is zero",
            });
        }
    }
    Ok(sums)
}

/// Returns the positions of the `n` values nearest to the ends: first, last, second, and so on.
fn ends(values: &[f64], n: usize) -> Vec<usize> {
    let last = values.len() - 1;
    let both = (0..values.len()).flat_map(|i| [i, last - i]);
    let mut order: Vec<usize> = both.take(values.len()).collect();
    order.truncate(n);
    order
}

/// Returns the positions in the ascending `values` of the `k` wanted, in the order of the result.
pub(super) fn select(values: &[f64], k: usize, which: Which) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    match which {
        Which::SmallestAlgebraic => {}
        Which::LargestAlgebraic => order.reverse(),
        Which::LargestMagnitude => {
            order.sort_by(|&i, &j| values[j].abs().total_cmp(&values[i].abs()))
        }
    }
    order.truncate(k);
    order
}

/// Turns the vector so that the first entry within 0.1 % of the largest magnitude is positive.
fn fix_sign(vector: &mut [f64]) {
    let threshold = 0.999 * largest_magnitude(&*vector);
    if vector
        .iter()
        .find(|x| x.abs() >= threshold)
        .is_some_and(|x| *x < 0.0)
    {
        for x in vector {
            *x = -*x;
        }
    }
}
