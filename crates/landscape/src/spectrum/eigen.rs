//! A few eigenpairs at the ends of the spectrum.

use burn::config::Config;
use burn::tensor::Tensor;

use super::checks::is_symmetric;
use super::product::unit_start;
use super::{Lanczos, LanczosConfig, TridiagonalEigen, rayleigh};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::normalize;

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
    /// The true residual `‖Av − θv‖`, from one more product with the vector returned: some
    /// eigenvalue lies within this distance of `value`. Never below the operator's relative error
    /// times `|θ|`.
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

/// Fewest steps before convergence is believed, and after the first space that is invariant to the
/// tolerance: eigenvectors given as start are invariant at once, and need not belong to the
/// eigenvalues wanted.
const MIN_STEPS: usize = 10;

/// Returns the `k` eigenpairs at the end of the spectrum that `config.which` names, by one Lanczos
/// run that grows until all have converged or `config.max_steps` is reached.
///
/// Returns k pairs, whether converged or not. Costs one product per step, one per pair
/// and one to see that products do not change, and the memory of [`Lanczos`]. A repeated eigenvalue
/// is found once unless the run meets an invariant subspace. A residual speaks for *some*
/// eigenvalue; that none further out was missed is overwhelmingly likely with a random start, not
/// certain.
///
/// # Errors
/// [`Error::Setting`] for k above P, a tolerance that is not positive, or `max_steps` below the
/// number of pairs, [`Error::NonFiniteVector`] for a product that is not finite, [`Error::ChangingProducts`]
/// and [`Error::NotSymmetric`] for an operator that is none, and the operator's own.
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
/// Parlett (1998), *The Symmetric Eigenvalue Problem*, chapter 13.
pub fn top_eigenpairs<A: LinearOperator + ?Sized>(
    op: &A,
    k: usize,
    config: &LanczosConfig,
) -> Result<Vec<EigenPair>, Error> {
    check_count(op, k)?;
    let run = Lanczos::new(op, config.seed)?;
    pairs_of(op, run, config, k, |values| select(values, k, config.which))
}

/// Returns the same as [`top_eigenpairs`], starting from the sum of the unit vectors along `start`,
/// each `[P]`: eigenvectors of an earlier, similar operator save products. Where their span is
/// still invariant to the tolerance, ten more steps explore what lies beyond it.
///
/// # Errors
/// As [`top_eigenpairs`]; also starts of a wrong length, zero, or not finite, and no start at all.
pub fn top_eigenpairs_from<A: LinearOperator + ?Sized>(
    op: &A,
    k: usize,
    start: &[Tensor<1>],
    config: &LanczosConfig,
) -> Result<Vec<EigenPair>, Error> {
    check_count(op, k)?;
    let run = warm(op, start, config.seed)?;
    pairs_of(op, run, config, k, |values| select(values, k, config.which))
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
    ends_of(op, Lanczos::new(op, config.seed)?, config)
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
    ends_of(op, warm(op, start, config.seed)?, config)
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
        let wanted = select(&eigen.values, k, config.which);
        wanted
            .into_iter()
            .map(|index| self.pair(op, &eigen, index, config.tolerance))
            .collect()
    }

    fn pair<A: LinearOperator + ?Sized>(
        &self,
        op: &A,
        eigen: &TridiagonalEigen,
        index: usize,
        tolerance: f64,
    ) -> Result<EigenPair, Error> {
        let coefficients = eigen.vector(index);
        let mut vector = self.combine(coefficients);
        normalize(&mut vector);
        fix_sign(&mut vector);
        let vector = op.domain().upload(&vector)?;
        let measured = rayleigh(op, &vector)?;
        let largest = largest_magnitude(&eigen.values);
        let resolution = measured.residual.max(op.relative_error() * largest);
        Ok(EigenPair {
            below_resolution: measured.quotient.abs() <= resolution,
            value: measured.quotient,
            residual: measured.residual,
            bound: (self.last_beta * coefficients[coefficients.len() - 1]).abs(),
            converged: measured.residual <= tolerance * largest,
            steps: self.steps(),
            vector,
        })
    }
}

/// Grows `run` until the bounds of the `count` pairs that `wanted` picks from the ascending Ritz
/// values are met, then measures those pairs.
fn pairs_of<A: LinearOperator + ?Sized>(
    op: &A,
    mut run: Lanczos,
    config: &LanczosConfig,
    count: usize,
    wanted: impl Fn(&[f64]) -> Vec<usize>,
) -> Result<Vec<EigenPair>, Error> {
    check(config)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    if config.max_steps < count {
        return Err(Error::Setting {
            name: "max_steps",
            value: config.max_steps.to_string(),
            allowed: "at least the number of pairs",
        });
    }
    let most = config.max_steps.min(op.dim());
    let mut target = MIN_STEPS.max(2 * count).min(most);
    run.begin(op, target)?;
    loop {
        run.extend(op, target - run.steps())?;
        let eigen = run.tridiagonal.eigen()?;
        let chosen = wanted(&eigen.values);
        let scale = largest_magnitude(&eigen.values);
        // Half of the tolerance: the other half is left to the operator's rounding, which the
        // true residual has in it.
        let met = chosen.iter().all(|&index| {
            let last = eigen.vector(index)[run.steps() - 1];
            (run.last_beta * last).abs() <= 0.5 * config.tolerance * scale
        });
        // Rounding may keep the beta of an invariant space above the level of a restart.
        let mut betas = run.tridiagonal.beta.iter().chain([&run.last_beta]);
        let invariant = betas.position(|beta| *beta <= config.tolerance * scale);
        let explored = invariant.is_none_or(|index| run.steps() > index + MIN_STEPS);
        if run.steps() == most || (met && explored) {
            is_symmetric(op, run.asymmetry)?;
            return chosen
                .into_iter()
                .map(|index| run.pair(op, &eigen, index, config.tolerance))
                .collect();
        }
        // The small eigenproblem is cheap beside products, but not free: a tenth more steps.
        target = (run.steps() + (run.steps() / 10).max(1)).min(most);
    }
}

fn ends_of<A: LinearOperator + ?Sized>(
    op: &A,
    run: Lanczos,
    config: &LanczosConfig,
) -> Result<Extremes, Error> {
    let mut pairs = pairs_of(op, run, config, 2.min(op.dim()), |values| {
        vec![0, values.len() - 1]
    })?;
    // The smallest comes first, the largest second.
    let max = pairs.swap_remove(1);
    let min = pairs.swap_remove(0);
    Ok(Extremes { min, max })
}

/// Returns a run from the sum of the unit vectors along `start`.
fn warm<A: LinearOperator + ?Sized>(
    op: &A,
    start: &[Tensor<1>],
    seed: u64,
) -> Result<Lanczos, Error> {
    let mut sum = vec![0.0; op.dim()];
    for vector in start {
        for (total, x) in sum.iter_mut().zip(unit_start(op, vector)?) {
            *total += x;
        }
    }
    if normalize(&mut sum) == 0.0 {
        return Err(Error::NoDirection {
            what: "sum of the start vectors",
            problem: "is zero",
        });
    }
    Ok(Lanczos::from_unit(sum, seed))
}

/// Checks that an operator has `k` eigenpairs.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_count<A: LinearOperator + ?Sized>(op: &A, k: usize) -> Result<(), Error> {
    if k <= op.dim() {
        return Ok(());
    }
    Err(Error::Setting {
        name: "the number of eigenpairs k",
        value: format!("{k} of an operator with {} coordinates", op.dim()),
        allowed: "at most the number of coordinates P",
    })
}

fn check(config: &LanczosConfig) -> Result<(), Error> {
    if config.tolerance > 0.0 {
        Ok(())
    } else {
        Err(Error::Setting {
            name: "tolerance",
            value: config.tolerance.to_string(),
            allowed: "positive",
        })
    }
}

/// Returns the positions in the ascending `values` of the `k` wanted, in the order of the result.
fn select(values: &[f64], k: usize, which: Which) -> Vec<usize> {
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

fn largest_magnitude(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0, |largest, value| value.abs().max(largest))
}

/// Turns the vector so that the first entry within 0.1 % of the largest magnitude is positive.
fn fix_sign(vector: &mut [f64]) {
    let threshold = 0.999 * largest_magnitude(vector);
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
