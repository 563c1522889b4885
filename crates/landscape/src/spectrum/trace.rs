//! Hutchinson's stochastic trace, with the diagonal and the Frobenius norm from the same products.

use std::ops::Range;

use burn::config::Config;

use super::checks::{is_symmetric, relative_difference, repeats};
use super::estimate::{Estimate, Running};
use super::product::product;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{dot, norm};

/// Settings of [`hutchinson_trace`].
#[derive(Config, Debug, PartialEq)]
pub struct TraceConfig {
    /// Seed of the probes.
    #[config(default = 0)]
    pub seed: u64,
    /// Stops when the standard error is at most this part of |mean|. Zero asks for `max_probes`,
    /// unless all probes agree exactly.
    #[config(default = 0.05)]
    pub relative_error: f64,
    /// Fewest probes, two or more. The standard error of 16 values is itself known to about 18 %.
    #[config(default = 16)]
    pub min_probes: usize,
    /// Most probes, each one product.
    #[config(default = 1000)]
    pub max_probes: usize,
}

/// What [`hutchinson_trace`] has found for an operator A.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Estimate of the trace: mean of z'Az over the probes.
    pub mean: f64,
    /// Standard error of the mean, from the spread of the probes.
    pub standard_error: f64,
    /// Probes, each one product. One more is made to see that products do not change.
    pub products: usize,
    /// Whether the standard error met `relative_error`.
    pub converged: bool,
    /// Whether every product was zero, so that the trace is not told from zero. See
    /// [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
    /// Estimates of the diagonal, `[P]`: means of $z_i(Az)_i$.
    pub diagonal: Vec<f64>,
    /// Their standard errors, `[P]`.
    pub diagonal_standard_error: Vec<f64>,
    /// Traces of the diagonal blocks asked for, in their order.
    pub blocks: Vec<BlockTrace>,
    /// Estimate of $\|A\|_F^2$, the sum of the squared eigenvalues: mean of $\|Az\|^2$.
    pub squared_frobenius: Estimate,
}

/// The trace of a diagonal block: the part of the trace that belongs to a range of coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockTrace {
    /// Coordinates of the block.
    pub range: Range<usize>,
    /// Estimate of the block's trace.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Trace {
    /// Student's interval for the trace with `products - 1` degrees of freedom. Approximate, since
    /// z'Az is not normal, and slightly short where the standard error decided when to stop.
    ///
    /// # Panics
    /// A confidence outside (0, 1).
    #[must_use]
    pub fn interval(&self, confidence: f64) -> [f64; 2] {
        let Self {
            mean,
            standard_error,
            products,
            ..
        } = *self;
        Estimate {
            mean,
            standard_error,
            count: products,
        }
        .interval(confidence)
    }
}

/// The trace of an operator by Hutchinson's estimator with Rademacher probes.
///
/// $$\mathrm{tr}\,A \approx \frac1m\sum_{j=1}^m z_j'Az_j,\qquad
/// \mathrm{Var} = \frac2m\Big(\|A\|_F^2 - \sum_i a_{ii}^2\Big)$$
///
/// Unbiased, and exact with one probe for a diagonal matrix. Probes are added until the standard
/// error is small enough; the movement of the running mean, which shrinks like 1/m whatever the
/// error, decides nothing. Costs one product per probe, and one.
///
/// # Errors
/// [`Error::Setting`] for a negative `relative_error`, fewer than two probes, or `max_probes` below
/// `min_probes`, [`Error::NonFiniteVector`] for a product that is not finite,
/// [`Error::ChangingProducts`] and [`Error::NotSymmetric`] for an operator that is none, and the
/// operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{TraceConfig, hutchinson_trace};
///
/// let op = Dense::new(&[2.0, 0.0, 0.0, 5.0], 2, DType::F64, &Device::flex())?;
/// let trace = hutchinson_trace(&op, &TraceConfig::new().with_seed(7))?;
/// assert_eq!((trace.mean, trace.standard_error), (7.0, 0.0));
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Hutchinson (1990), *A stochastic estimator of the trace of the influence matrix*; Bekas,
/// Kokiopoulou and Saad (2007) for the diagonal.
pub fn hutchinson_trace<A: LinearOperator + ?Sized>(
    op: &A,
    config: &TraceConfig,
) -> Result<Trace, Error> {
    hutchinson_trace_by_block(op, &[], config)
}

/// As [`hutchinson_trace`], with the traces of the diagonal blocks at the given ranges of
/// coordinates from the same products.
///
/// # Errors
/// As [`hutchinson_trace`].
///
/// # Panics
/// A range that ends beyond P, or before its start.
pub fn hutchinson_trace_by_block<A: LinearOperator + ?Sized>(
    op: &A,
    blocks: &[Range<usize>],
    config: &TraceConfig,
) -> Result<Trace, Error> {
    check(config)?;
    let dim = op.dim();
    for range in blocks {
        assert!(
            range.start <= range.end && range.end <= dim,
            "block {range:?} is not a range of 0..{dim}"
        );
    }
    let mut trace = Running::default();
    let mut frobenius = Running::default();
    let mut block_traces = vec![Running::default(); blocks.len()];
    let mut diagonal = vec![Running::default(); dim];
    let mut products = 0;
    let mut check = Check::default();
    loop {
        let z = rademacher(config.seed, Purpose::Trace.stream(products as u64), dim);
        let image = product(op, &z)?;
        products += 1;
        check.take_in(op, &z, &image)?;
        trace.add(dot(&z, &image));
        frobenius.add(dot(&image, &image));
        for (running, range) in block_traces.iter_mut().zip(blocks) {
            running.add(dot(&z[range.clone()], &image[range.clone()]));
        }
        for (running, (z, image)) in diagonal.iter_mut().zip(z.iter().zip(&image)) {
            running.add(z * image);
        }
        let Estimate {
            mean,
            standard_error,
            ..
        } = trace.estimate();
        let converged =
            products >= config.min_probes && standard_error <= config.relative_error * mean.abs();
        if converged || products == config.max_probes {
            return Ok(Trace {
                mean,
                standard_error,
                products,
                converged,
                below_resolution: frobenius.estimate().mean == 0.0,
                diagonal: diagonal
                    .iter()
                    .map(|running| running.estimate().mean)
                    .collect(),
                diagonal_standard_error: diagonal
                    .iter()
                    .map(|running| running.estimate().standard_error)
                    .collect(),
                blocks: block_traces
                    .iter()
                    .zip(blocks)
                    .map(|(running, range)| block(running, range))
                    .collect(),
                squared_frobenius: frobenius.estimate(),
            });
        }
    }
}

/// Looks at the first two probes and their products.
#[derive(Default)]
struct Check {
    probes: usize,
    first: Option<(Vec<f64>, Vec<f64>)>,
}

impl Check {
    fn take_in<A: LinearOperator + ?Sized>(
        &mut self,
        op: &A,
        z: &[f64],
        image: &[f64],
    ) -> Result<(), Error> {
        self.probes += 1;
        if self.probes == 1 {
            repeats(op, z, image)?;
            self.first = Some((z.to_vec(), image.to_vec()));
        } else if let Some((first, of_first)) = self.first.take() {
            // For independent signs u and v, u'Av - v'Au has the standard deviation ||A - A'|| and Av the
            // norm ||A|| (Frobenius): their quotient is the relative asymmetry.
            let scale = 0.5 * (norm(image) + norm(&of_first));
            let asymmetry = relative_difference(dot(&first, image), dot(z, &of_first), scale);
            is_symmetric(op, asymmetry)?;
        }
        Ok(())
    }
}

fn block(running: &Running, range: &Range<usize>) -> BlockTrace {
    let Estimate {
        mean,
        standard_error,
        ..
    } = running.estimate();
    BlockTrace {
        range: range.clone(),
        mean,
        standard_error,
    }
}

fn check(config: &TraceConfig) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if config.relative_error.is_nan() || config.relative_error < 0.0 {
        return setting(
            "relative_error",
            config.relative_error.to_string(),
            "zero or more",
        );
    }
    if config.min_probes < 2 {
        return setting("min_probes", config.min_probes.to_string(), "at least 2");
    }
    if config.max_probes < config.min_probes {
        return setting(
            "max_probes",
            config.max_probes.to_string(),
            "at least min_probes",
        );
    }
    Ok(())
}
