//! Hutch++: the trace of a sketched part exactly, of the rest by Hutchinson's estimator.

use burn::config::Config;

use super::basis::HostBasis;
use super::checks::FirstTwo;
use super::estimate::{Estimate, Running};
use super::probing::{check_budget, forms, products, room};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::check_dimension;
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{norm, normalize};

/// Settings of [`hutch_plus_plus`].
#[derive(Config, Debug, PartialEq)]
pub struct HutchPlusPlusConfig {
    /// Seed of the sketch and of the probes.
    #[config(default = 0)]
    pub seed: u64,
    /// Stops when the standard error is at most this part of |mean|. Zero asks for `max_products`.
    #[config(default = 0.01)]
    pub relative_error: f64,
    /// Products and quadratic forms after which the error is looked at for the first time; it is
    /// looked at again each time that they have doubled. At least 6.
    #[config(default = 60)]
    pub min_products: usize,
    /// Most products and quadratic forms together. A third of them is the number of vectors of P
    /// f64 numbers that are kept on the host.
    #[config(default = 480)]
    pub max_products: usize,
}

/// The result of [`hutch_plus_plus`] for an operator A.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HutchPlusPlus {
    /// Estimate of the trace: `tr(QᵀAQ) + gᵀAg` over the probes. `count` is the number of probes,
    /// and the [`interval`](Estimate::interval) is Student's with one degree of freedom less; the
    /// first term is exact for the basis Q that was drawn.
    pub estimate: Estimate,
    /// The part `tr(QᵀAQ)` of the mean.
    pub captured: f64,
    /// Dimension of the range of Q.
    pub rank: usize,
    /// Products and quadratic forms, at most `max_products`; the forms are at least half of them.
    /// One more product is made to see that products do not change and are linear.
    pub products: usize,
    /// Whether the standard error met `relative_error`.
    pub converged: bool,
    /// Whether every product and quadratic form was zero, so that the trace is not told from zero.
    /// See [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
}

/// Returns the trace of an operator by Hutch++.
///
/// With random signs S, `[P, k]`, an orthonormal basis Q of the range of AS, and m further probes z
/// of random signs:
///
/// ```text
/// tr A = tr(QᵀAQ) + tr((I − QQᵀ) A (I − QQᵀ))
///      ≈ tr(QᵀAQ) + 1/m Σⱼ gⱼᵀ A gⱼ,    g = (I − QQᵀ) z
/// ```
///
/// Unbiased. The variance is that of Hutchinson's estimator for what the sketch has left over: for
/// a spectrum that decays fast a small part, so that far fewer products do; for a flat one nothing
/// is gained, and two thirds of the products are spent on Q. The error falls at least like one over
/// the number of products for a positive semidefinite A, against the square root of it.
/// [`xtrace`](super::xtrace()) is more exact still for fast decay, but has no interval.
///
/// A third of the products make the sketch, a third are the quadratic forms of Q, and a third
/// those of the probes. Where the error is not reached, the sketch grows and keeps what it has; the
/// probes are drawn anew, since the old ones belong to another remainder. Keeps k vectors of P.
///
/// # Errors
/// [`Error::Setting`] for a negative `relative_error`, fewer than 6 `min_products`, `max_products`
/// below that, or an operator without coordinates, [`Error::NonFiniteVector`] for a product that
/// is not finite, [`Error::ChangingProducts`], [`Error::NotLinear`] and [`Error::NotSymmetric`] for
/// an operator that is none, and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{HutchPlusPlusConfig, hutch_plus_plus};
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 5.0], (&Device::flex(), DType::F64))?;
/// let trace = hutch_plus_plus(&op, &HutchPlusPlusConfig::new().with_seed(7))?;
/// // A sketch of the whole space leaves nothing over.
/// assert!((trace.estimate.mean - 7.0).abs() < 1e-14 && trace.rank == 2);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Meyer, Musco, Musco and Woodruff (2021), *Hutch++: optimal stochastic trace estimation*,
/// algorithm 1.
pub fn hutch_plus_plus<A: LinearOperator + ?Sized>(
    op: &A,
    config: &HutchPlusPlusConfig,
) -> Result<HutchPlusPlus, Error> {
    let fewest = config.min_products;
    check_budget(
        config.relative_error,
        [fewest, config.max_products],
        (6, "at least 6"),
    )?;
    check_dimension(op)?;
    let mut sketch = Sketch::new(op.dim());
    let (mut running, mut probes, mut target) = (Running::default(), 0, fewest);
    let mut all_zero = true;
    sketch.grow(op, target / 3, config.seed)?;
    loop {
        // A sketch of the whole space leaves only rounding to the probes.
        let mut missing = if sketch.basis.len() == op.dim() {
            2
        } else {
            target - sketch.products() - probes
        };
        while missing > 0 {
            let count = missing.min(room(op.dim()));
            let rests: Vec<Vec<f64>> = (probes..probes + count)
                .map(|probe| {
                    let stream = Purpose::Trace.stream(probe as u64);
                    let mut rest = rademacher(config.seed, stream, op.dim());
                    sketch.basis.orthogonalize(&mut rest);
                    rest
                })
                .collect();
            for form in forms(op, &rests)? {
                all_zero &= form == 0.0;
                running.add(sketch.captured + form);
            }
            probes += count;
            missing -= count;
        }
        let estimate = running.estimate();
        let converged = estimate.standard_error <= config.relative_error * estimate.mean.abs();
        if converged || target == config.max_products || sketch.basis.len() == op.dim() {
            return Ok(HutchPlusPlus {
                estimate,
                captured: sketch.captured,
                rank: sketch.basis.len(),
                products: sketch.products() + probes,
                converged,
                below_resolution: all_zero && sketch.all_zero,
            });
        }
        let next = config.max_products.min(2 * target);
        // Two products for each column of the sketch, and at least a sixth for new probes.
        let columns = (next / 3).min((next - probes - (next / 6).max(2)) / 2);
        // A little more is spent on further probes of the same remainder.
        if 2 * columns >= 3 * sketch.drawn && sketch.grow(op, columns, config.seed)? {
            running = Running::default();
        }
        target = next;
    }
}

/// Products with S in vain after which Q is taken for the whole range of A: of a matrix of few
/// coordinates, single ones are so by chance.
const ENOUGH: usize = 8;

/// The sketch: an orthonormal basis Q of the range of AS.
#[derive(Debug)]
struct Sketch {
    basis: HostBasis<f64>,
    /// `tr(QᵀAQ)`.
    captured: f64,
    drawn: usize,
    /// Number of last products with S that left nothing but rounding.
    in_vain: usize,
    all_zero: bool,
    check: FirstTwo,
}

impl Sketch {
    fn new(dim: usize) -> Self {
        Self {
            basis: HostBasis::new(dim),
            captured: 0.0,
            drawn: 0,
            in_vain: 0,
            all_zero: true,
            check: FirstTwo::default(),
        }
    }

    const fn products(&self) -> usize {
        self.drawn + self.basis.len()
    }

    /// Draws columns of S until there are `columns`, and returns whether Q has grown.
    fn grow<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        columns: usize,
        seed: u64,
    ) -> Result<bool, Error> {
        let before = self.basis.len();
        while self.drawn < columns && self.in_vain < ENOUGH && self.basis.len() < op.dim() {
            let count = (columns - self.drawn)
                .min(op.dim() - self.basis.len())
                .min(room(op.dim()));
            let signs: Vec<Vec<f64>> = (self.drawn..self.drawn + count)
                .map(|column| rademacher(seed, Purpose::Sketch.stream(column as u64), op.dim()))
                .collect();
            self.drawn += count;
            let mut found = Vec::new();
            for (sign, mut image) in signs.iter().zip(products(op, &signs)?) {
                self.check.take_in(op, sign, &image)?;
                let length = norm(&image);
                self.all_zero &= length == 0.0;
                self.basis.orthogonalize(&mut image);
                // A rest at the level of the products' error has no direction; a hundred leaves
                // room for the sums in a product.
                if norm(&image) <= 100.0 * op.relative_error() * length {
                    self.in_vain += 1;
                } else {
                    self.in_vain = 0;
                    normalize(&mut image);
                    // Once more: the rest may be so small that rounding shows.
                    self.basis.orthogonalize(&mut image);
                    normalize(&mut image);
                    self.basis.push(&image);
                    found.push(image);
                }
            }
            self.captured += forms(op, &found)?.iter().sum::<f64>();
        }
        Ok(self.basis.len() > before)
    }
}
