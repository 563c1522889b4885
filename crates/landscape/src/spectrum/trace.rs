//! Hutchinson's stochastic trace, with the diagonal and the Frobenius norm from the same products.

use std::ops::Range;

use burn::config::Config;

use super::checks::{is_symmetric, relative_difference, repeats};
use super::estimate::{Estimate, Running};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{checked, dot, download, norm};

/// Probes whose products are asked for at once, at most.
const TOGETHER: usize = 16;

/// Numbers of such probes, at most. Of a small operator the start of a product costs more than its
/// arithmetic, and 16 together take 0.4 to 0.9 of the time; with 17 thousand coordinates they take
/// as long or longer, since the vectors no longer stay in a core's cache.
const NUMBERS: usize = 1 << 15;

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
    /// Whether the diagonal is estimated too, which takes 24 P bytes.
    #[config(default = false)]
    pub diagonal: bool,
}

/// The result of [`hutchinson_trace`] for an operator A.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Estimate of the trace: `zᵀAz` over the probes z.
    ///
    /// Its [`interval`](Estimate::interval) is approximate, since `zᵀAz` is not normal, and
    /// slightly short where the standard error decided when to stop.
    pub estimate: Estimate,
    /// Products made: one for each probe, and perhaps a few that were made together with the last
    /// ones and not needed. One more is made to see that products do not change.
    pub products: usize,
    /// Whether the standard error met `relative_error`.
    pub converged: bool,
    /// Whether every product was zero, so that the trace is not told from zero. See
    /// [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
    /// Estimates of the diagonal, `[P]`: `zᵢ(Az)ᵢ` over the probes. Only where
    /// [`TraceConfig::diagonal`] asks for them.
    pub diagonal: Option<Vec<Estimate>>,
    /// Traces of the diagonal blocks asked for, in their order.
    pub blocks: Vec<BlockTrace>,
    /// Estimate of `‖A‖²_F`, the sum of the squared eigenvalues: `‖Az‖²` over the probes.
    pub squared_frobenius: Estimate,
}

/// The trace of a diagonal block: the part of the trace that belongs to a range of coordinates.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockTrace {
    /// Coordinates of the block.
    pub range: Range<usize>,
    /// Estimate of the block's trace.
    pub estimate: Estimate,
}

/// Returns the trace of an operator by Hutchinson's estimator with Rademacher probes.
///
/// ```text
/// tr A ≈ 1/m Σⱼ zⱼᵀ A zⱼ        variance  2/m (‖A‖²_F − Σᵢ aᵢᵢ²)
/// ```
///
/// Unbiased, and exact with one probe for a diagonal matrix. Probes are added until the standard
/// error is small enough; the movement of the running mean, which shrinks like 1/m whatever the
/// error, decides nothing. Costs one product per probe, and one.
///
/// Several products are asked for at once ([`apply_many`](LinearOperator::apply_many)): the first
/// `min_probes`, and then as many as seem to be needed, where P is some thousands at most. That
/// changes neither the probes nor where it stops.
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
/// let op = Dense::new(&[2.0, 0.0, 0.0, 5.0], (&Device::flex(), DType::F64))?;
/// let trace = hutchinson_trace(&op, &TraceConfig::new().with_seed(7))?;
/// assert_eq!(
///     (trace.estimate.mean, trace.estimate.standard_error),
///     (7.0, 0.0)
/// );
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

/// Returns the same as [`hutchinson_trace`], with the traces of the diagonal blocks at the given
/// ranges of coordinates from the same products.
///
/// # Errors
/// As [`hutchinson_trace`], and [`Error::Setting`] for a range that ends beyond P, or before its
/// start.
pub fn hutchinson_trace_by_block<A: LinearOperator + ?Sized>(
    op: &A,
    blocks: &[Range<usize>],
    config: &TraceConfig,
) -> Result<Trace, Error> {
    check(config)?;
    let dim = op.dim();
    for range in blocks {
        if range.start > range.end || range.end > dim {
            return Err(Error::Setting {
                name: "block",
                value: format!("{range:?}"),
                allowed: "a range of the operator's coordinates",
            });
        }
    }
    let mut sums = Sums::new(dim, blocks, config);
    let mut products = 0;
    let mut check = Check::default();
    loop {
        let probes: Vec<Vec<f64>> = (products..products + sums.next_block(dim, config))
            .map(|probe| rademacher(config.seed, Purpose::Trace.stream(probe as u64), dim))
            .collect();
        let vectors = probes.iter().map(|z| op.domain().upload(z));
        let images = op.apply_many(&vectors.collect::<Result<Vec<_>, _>>()?)?;
        products += probes.len();
        for (z, image) in probes.iter().zip(images) {
            let image = checked(download(&image), "operator's product")?;
            check.take_in(op, z, &image)?;
            sums.add(z, &image);
            let estimate = sums.trace.estimate();
            let converged = estimate.count >= config.min_probes
                && estimate.standard_error <= config.relative_error * estimate.mean.abs();
            if converged || estimate.count == config.max_probes {
                return Ok(sums.into_trace(products, converged));
            }
        }
    }
}

/// The sums over the probes.
struct Sums<'b> {
    trace: Running,
    frobenius: Running,
    diagonal: Option<Vec<Running>>,
    blocks: Vec<(&'b Range<usize>, Running)>,
}

impl<'b> Sums<'b> {
    fn new(dim: usize, blocks: &'b [Range<usize>], config: &TraceConfig) -> Self {
        Self {
            trace: Running::default(),
            frobenius: Running::default(),
            diagonal: config.diagonal.then(|| vec![Running::default(); dim]),
            blocks: blocks
                .iter()
                .map(|range| (range, Running::default()))
                .collect(),
        }
    }

    /// Returns how many probes to take next, at once. The result does not depend on it.
    ///
    /// The standard error shrinks with the root of the number of probes, so that the number needed
    /// can be foreseen; of those that are missing half are taken, since it may turn out to be less.
    fn next_block(&self, dim: usize, config: &TraceConfig) -> usize {
        let Estimate {
            mean,
            standard_error,
            count,
        } = self.trace.estimate();
        let missing = if count < config.min_probes {
            config.min_probes - count
        } else {
            let wanted = config.relative_error * mean.abs();
            let needed = count as f64 * (standard_error / wanted).powi(2);
            let half = (0.5 * (needed - count as f64)).min(TOGETHER as f64);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and `TOGETHER`"
            )]
            let half = half.max(1.0) as usize;
            half
        };
        let room = (NUMBERS / dim.max(1)).clamp(1, TOGETHER);
        missing.min(room).min(config.max_probes - count)
    }

    fn add(&mut self, z: &[f64], image: &[f64]) {
        self.trace.add(dot(z, image));
        self.frobenius.add(dot(image, image));
        for (range, running) in &mut self.blocks {
            let range = Range::clone(range);
            running.add(dot(&z[range.clone()], &image[range]));
        }
        for (running, (z, image)) in self.diagonal.iter_mut().flatten().zip(z.iter().zip(image)) {
            running.add(z * image);
        }
    }

    fn into_trace(self, products: usize, converged: bool) -> Trace {
        let squared_frobenius = self.frobenius.estimate();
        let blocks = self.blocks.into_iter().map(|(range, running)| BlockTrace {
            range: range.clone(),
            estimate: running.estimate(),
        });
        Trace {
            estimate: self.trace.estimate(),
            products,
            converged,
            below_resolution: squared_frobenius.mean == 0.0,
            diagonal: self
                .diagonal
                .map(|entries| entries.iter().map(Running::estimate).collect()),
            blocks: blocks.collect(),
            squared_frobenius,
        }
    }
}

/// The check of the first two probes and their products.
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
            // For independent signs u and v, uᵀAv − vᵀAu has the standard deviation
            // ‖A − Aᵀ‖ and Av the norm ‖A‖ (Frobenius): their quotient is the relative asymmetry.
            let scale = 0.5 * (norm(image) + norm(&of_first));
            let asymmetry = relative_difference(dot(&first, image), dot(z, &of_first), scale);
            is_symmetric(op, asymmetry)?;
        }
        Ok(())
    }
}

pub(crate) fn check(config: &TraceConfig) -> Result<(), Error> {
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
