//! XTrace: the trace by a sketch that leaves out each of its own vectors in turn.

use burn::config::Config;

use super::basis::HostBasis;
use super::checks::FirstTwo;
use super::estimate::{Estimate, Running};
use super::probing::{check_budget, products, room};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::check_dimension;
use crate::vector::random::{Purpose, sphere};
use crate::vector::{dot, norm, normalize};

/// Settings of [`xtrace`].
#[derive(Config, Debug, PartialEq)]
pub struct XTraceConfig {
    /// Seed of the test vectors.
    #[config(default = 0)]
    pub seed: u64,
    /// Stops when the error estimate is at most this part of |trace|. Zero asks for
    /// `max_products`.
    #[config(default = 0.01)]
    pub relative_error: f64,
    /// Products after which the error is looked at for the first time; it is looked at again each
    /// time that they have doubled. Two for each test vector, at least 4.
    #[config(default = 40)]
    pub min_products: usize,
    /// Most products. Half of them is the number of vectors of P f64 numbers that are kept on the
    /// host.
    #[config(default = 320)]
    pub max_products: usize,
}

/// The result of [`xtrace`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct XTrace {
    /// Estimate of the trace: the mean of one estimate for each test vector.
    pub trace: f64,
    /// Size of the error to be expected: with the estimates `tᵢ` of n test vectors and their mean
    /// t, `√(Σᵢ (tᵢ − t)² / (n (n − 1)))`; at least the error of the products.
    ///
    /// NOT a standard error, and no interval follows from it: the `tᵢ` share all test vectors but
    /// one, so that they are correlated. It is of the order of the root-mean-square error of
    /// `trace`. For an interval, use [`hutch_plus_plus`](super::hutch_plus_plus()).
    pub error_estimate: f64,
    /// Number of test vectors n.
    pub test_vectors: usize,
    /// Products made, two for each test vector. One more is made to see that products do not
    /// change and are linear.
    pub products: usize,
    /// Whether the error estimate met `relative_error`.
    pub converged: bool,
    /// Whether every product was zero, so that the trace is not told from zero. See
    /// [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
}

/// Returns the trace of an operator by XTrace, the exchangeable form of Hutch++.
///
/// For test vectors `ω₁ .. ωₙ`, uniform on the sphere of radius √P, let `Pᵢ` be the orthogonal
/// projector on the range of the products `Aωⱼ`, j ≠ i. Each test vector gives an estimate from the
/// sketch of the others, and their mean is the result:
///
/// ```text
/// tᵢ = tr(Pᵢ A Pᵢ) + (P − n + 1) gᵢᵀ A gᵢ / ‖gᵢ‖²,    gᵢ = (I − Pᵢ) ωᵢ
/// ```
///
/// Unbiased. Every product serves the sketch and the probing, so for a spectrum that decays fast
/// this is the most exact of the estimators here: n products of both kinds leave about the size of
/// the eigenvalues beyond the n-th. For a flat spectrum [`hutchinson_trace`] is better and half as
/// costly. The quotient by `‖gᵢ‖²` is the normalised form, which has less variance.
///
/// All n estimates come from one QR decomposition `A Ω = Q R`: `Pᵢ = Q (I − sᵢ sᵢᵀ) Qᵀ` with `sᵢ`
/// along the i-th row of `R⁻¹`. Since A is symmetric, `QᵀAQ`, R and `QᵀΩ` are all that is needed.
/// Costs 2n products, `O(n² P)` operations and n vectors of P f64 numbers on the host. Where the
/// error is not reached, n doubles, and all products are used again.
///
/// [`hutchinson_trace`]: super::hutchinson_trace
///
/// # Errors
/// [`Error::Setting`] for a negative `relative_error`, fewer than 4 `min_products`, `max_products`
/// below that, or an operator without coordinates, [`Error::NonFiniteVector`] for a product that
/// is not finite, [`Error::ChangingProducts`], [`Error::NotLinear`] and [`Error::NotSymmetric`] for
/// an operator that is none, and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{XTraceConfig, xtrace};
///
/// let op = Dense::new(&[2.0, 1.0, 1.0, 5.0], (&Device::flex(), DType::F64))?;
/// let found = xtrace(&op, &XTraceConfig::new().with_seed(7))?;
/// // Two test vectors span the whole space.
/// assert!((found.trace - 7.0).abs() < 1e-14 && found.test_vectors == 2);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Epperly, Tropp and Webber (2024), *XTrace: making the most of every sample in stochastic trace
/// estimation*, sections 2.1, 2.3 and 2.4.
pub fn xtrace<A: LinearOperator + ?Sized>(op: &A, config: &XTraceConfig) -> Result<XTrace, Error> {
    let fewest = config.min_products;
    check_budget(
        config.relative_error,
        [fewest, config.max_products],
        (4, "at least 4"),
    )?;
    check_dimension(op)?;
    let most = (config.max_products / 2).min(op.dim());
    let mut sketch = Sketch::new(op.dim());
    let mut vectors = (fewest / 2).min(most);
    loop {
        sketch.grow(op, vectors, config.seed)?;
        let estimate = sketch.estimate(op.dim(), config.seed);
        // The trace of the sketch is known no better than the products.
        let error = estimate
            .standard_error
            .max(op.relative_error() * sketch.magnitude());
        let converged = error <= config.relative_error * estimate.mean.abs();
        if converged || vectors == most || sketch.is_complete() {
            return Ok(XTrace {
                trace: estimate.mean,
                error_estimate: error,
                test_vectors: vectors,
                products: 2 * vectors,
                converged,
                below_resolution: sketch.scale == 0.0,
            });
        }
        vectors = (2 * vectors).min(most);
    }
}

/// Directions at the level of the products' error after which a sketch grows no more.
const ENOUGH_NOISE: usize = 8;

/// The QR decomposition `AΩ = QR` as far as it has grown.
#[derive(Debug)]
struct Sketch {
    basis: HostBasis<f64>,
    /// Columns of R, as long as they are not zero.
    r: Vec<Vec<f64>>,
    /// Columns of `QᵀAQ`, down to the diagonal at least.
    h: Vec<Vec<f64>>,
    /// Largest norm of a product `Aω`.
    scale: f64,
    /// Number of columns that lie in the span of those before them, but for rounding.
    noise: usize,
    check: FirstTwo,
}

impl Sketch {
    fn new(dim: usize) -> Self {
        Self {
            basis: HostBasis::new(dim),
            r: Vec::new(),
            h: Vec::new(),
            scale: 0.0,
            noise: 0,
            check: FirstTwo::default(),
        }
    }

    /// Adds test vectors until there are `vectors`.
    fn grow<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        vectors: usize,
        seed: u64,
    ) -> Result<(), Error> {
        while self.r.len() < vectors {
            let start = self.r.len();
            let count = (vectors - start).min(room(op.dim()));
            let tests: Vec<Vec<f64>> = (start..start + count)
                .map(|index| test_vector(seed, index, op.dim()))
                .collect();
            let mut added = Vec::with_capacity(count);
            for (test, image) in tests.iter().zip(products(op, &tests)?) {
                self.check.take_in(op, test, &image)?;
                added.push(self.add(image, op.relative_error(), seed));
            }
            for mut image in products(op, &added)? {
                self.h.push(self.basis.orthogonalize(&mut image));
            }
        }
        Ok(())
    }

    /// Takes in a column of `AΩ` and returns the new column of Q.
    fn add(&mut self, mut column: Vec<f64>, relative_error: f64, seed: u64) -> Vec<f64> {
        self.scale = self.scale.max(norm(&column));
        let mut coefficients = self.basis.orthogonalize(&mut column);
        let mut rest = normalize(&mut column);
        let smallest = relative_error * self.scale;
        if rest <= 10.0 * smallest {
            self.noise += 1;
            // Nothing but rounding is left. Any direction will do, with a weight at its level: a
            // change of the products within their error.
            if rest == 0.0 {
                let stream = Purpose::Exchangeable.stream(SPARE + self.r.len() as u64);
                column = sphere(seed, stream, column.len());
            }
            rest = rest.max(smallest);
        }
        // Again, until nothing more is taken away: a small rest holds the rounding of the first
        // pass.
        for _ in 0..5 {
            self.basis.orthogonalize(&mut column);
            if normalize(&mut column) > 0.9 {
                break;
            }
        }
        coefficients.push(rest);
        self.r.push(coefficients);
        self.basis.push(&column);
        column
    }

    const fn is_complete(&self) -> bool {
        self.noise >= ENOUGH_NOISE || self.scale == 0.0
    }

    /// Returns the entry of the symmetric `QᵀAQ`.
    fn h(&self, i: usize, j: usize) -> f64 {
        self.h[i.max(j)][i.min(j)]
    }

    /// Returns the sum of the magnitudes on the diagonal of `QᵀAQ`.
    fn magnitude(&self) -> f64 {
        (0..self.h.len()).map(|i| self.h(i, i).abs()).sum()
    }

    /// Returns mean and error of the estimates of all test vectors.
    fn estimate(&self, dim: usize, seed: u64) -> Estimate {
        let n = self.r.len();
        let captured: f64 = (0..n).map(|i| self.h(i, i)).sum();
        // The whole space, and an operator of which nothing is seen.
        if n == dim || self.scale == 0.0 {
            return Estimate {
                mean: captured,
                standard_error: 0.0,
                count: n,
            };
        }
        let free = (dim - n + 1) as f64;
        let mut running = Running::default();
        for (i, s) in self.left_out().into_iter().enumerate() {
            let mut rest = test_vector(seed, i, dim);
            let w = self.basis.orthogonalize(&mut rest);
            let column = |j: usize| self.r[i].get(j).copied().unwrap_or(0.0);
            let h_of = |x: &[f64]| -> Vec<f64> {
                let row = |k| (0..n).map(|j| self.h(k, j) * x[j]).sum();
                (0..n).map(row).collect()
            };
            let (h_w, h_s) = (h_of(&w), h_of(&s));
            let s_h_s = dot(&s, &h_s);
            let c = dot(&s, &w);
            // QᵀA (I − QQᵀ) ω.
            let across: Vec<f64> = (0..n).map(|j| column(j) - h_w[j]).collect();
            // gᵀAg for g = (I − QQᵀ) ω + c Q s; ωᵀAω is wᵀr.
            let form = 2.0 * c * dot(&s, &across) - dot(&w, &across) + c * c * s_h_s;
            let length = dot(&rest, &rest) + c * c;
            running.add(captured - s_h_s + free * form / length);
        }
        running.estimate()
    }

    /// Returns for each i the unit vector orthogonal to all columns of R but the i-th: along the
    /// i-th row of `R⁻¹`.
    fn left_out(&self) -> Vec<Vec<f64>> {
        let n = self.r.len();
        let mut rows = vec![vec![0.0; n]; n];
        for (j, column) in self.r.iter().enumerate() {
            // R x = scale · e_j from the bottom up; the scale keeps the numbers near one.
            rows[j][j] = self.scale / column[j];
            for i in (0..j).rev() {
                let sum: f64 = (i + 1..=j).map(|k| self.r[k][i] * rows[k][j]).sum();
                rows[i][j] = -sum / self.r[i][i];
            }
        }
        for row in &mut rows {
            normalize(row);
        }
        rows
    }
}

/// First stream of the directions that replace what has none.
const SPARE: u64 = 1 << 39;

/// Returns a test vector: uniform on the sphere of radius √P.
fn test_vector(seed: u64, index: usize, dim: usize) -> Vec<f64> {
    let mut vector = sphere(seed, Purpose::Exchangeable.stream(index as u64), dim);
    let radius = (dim as f64).sqrt();
    for x in &mut vector {
        *x *= radius;
    }
    vector
}
