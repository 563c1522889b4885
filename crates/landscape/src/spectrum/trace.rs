//! Hutchinson's stochastic trace, with the diagonal and the Frobenius norm from the same products.

use std::ops::Range;

use burn::config::Config;

use super::checks::FirstTwo;
use super::estimate::{Estimate, Running};
use super::probing::{Stopping, forms, products};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::check_dimension;
use crate::vector::dot;
use crate::vector::random::{Purpose, rademacher};

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
    /// Whether the squared Frobenius norm is estimated too. Where neither this nor the diagonal
    /// nor traces of blocks are wanted, probes after the second take quadratic forms in place
    /// of products: half the cost for a Hessian whose products are exact.
    #[config(default = false)]
    pub frobenius: bool,
}

impl TraceConfig {
    const fn stopping(&self) -> Stopping {
        Stopping {
            relative_error: self.relative_error,
            min_probes: self.min_probes,
            max_probes: self.max_probes,
        }
    }
}

/// The result of [`hutchinson_trace`] for an operator A.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Estimate of the trace: `zᵀAz` over the probes z.
    ///
    /// Its [`interval`](Estimate::interval) is approximate, since `zᵀAz` is not normal, and
    /// slightly short where the standard error decided when to stop.
    pub estimate: Estimate,
    /// Products made, or quadratic forms: one for each probe, and perhaps a few that were made
    /// together with the last ones and not needed. One more product is made to see that products
    /// do not change and are linear.
    pub products: usize,
    /// Whether the standard error met `relative_error`.
    pub converged: bool,
    /// Whether every product or quadratic form was zero, so that the trace is not told from zero.
    /// See [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
    /// Estimates of the diagonal, `[P]`: `zᵢ(Az)ᵢ` over the probes. Only where
    /// [`TraceConfig::diagonal`] asks for them.
    pub diagonal: Option<Vec<Estimate>>,
    /// Traces of the diagonal blocks asked for, in their order.
    pub blocks: Vec<BlockTrace>,
    /// Estimate of `‖A‖²_F`, the sum of the squared eigenvalues: `‖Az‖²` over the probes. Only
    /// where [`TraceConfig::frobenius`] asks for it; to an error of its own by
    /// [`squared_frobenius_norm`](super::squared_frobenius_norm).
    pub squared_frobenius: Option<Estimate>,
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
/// error, decides nothing.
///
/// Costs one product for each of the first two probes, one to check them, and for every further
/// probe a quadratic form ([`quadratic_form`](LinearOperator::quadratic_form)); where the diagonal
/// or the Frobenius norm is wanted too, a product. Takes the memory of five vectors of P.
///
/// Several are asked for at once ([`quadratic_forms`](LinearOperator::quadratic_forms),
/// [`apply_many`](LinearOperator::apply_many)): up to `min_probes`, and then as many as seem to be
/// needed, where P is some thousands at most. That changes neither the probes nor where it stops.
///
/// For a spectrum that decays fast, [`xtrace`](super::xtrace()) and
/// [`hutch_plus_plus`](super::hutch_plus_plus()) are far better at the same cost; for a flat one,
/// this is.
///
/// # Errors
/// [`Error::Setting`] for a negative `relative_error`, fewer than two probes, `max_probes` below
/// `min_probes` or an operator without coordinates, [`Error::NonFiniteVector`] for a product that
/// is not finite, [`Error::ChangingProducts`], [`Error::NotLinear`] and [`Error::NotSymmetric`] for
/// an operator that is none, and the operator's own.
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
/// ranges of coordinates from the same probes. Costs one product per probe, and one.
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
    check_dimension(op)?;
    let stopping = config.stopping();
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
    let forms_suffice = blocks.is_empty() && !config.diagonal && !config.frobenius;
    let mut sums = Sums::new(dim, blocks, config);
    let mut made = 0;
    let mut check = FirstTwo::default();
    loop {
        let mut count = stopping.next(&sums.trace.estimate(), dim);
        // The first two probes are checked by their products.
        if forms_suffice && made < 2 {
            count = count.min(2 - made);
        }
        let probes: Vec<Vec<f64>> = (made..made + count)
            .map(|probe| rademacher(config.seed, Purpose::Trace.stream(probe as u64), dim))
            .collect();
        let answers: Vec<Answer> = if forms_suffice && made >= 2 {
            forms(op, &probes)?.into_iter().map(Answer::Form).collect()
        } else {
            products(op, &probes)?
                .into_iter()
                .map(Answer::Product)
                .collect()
        };
        made += count;
        for (z, answer) in probes.iter().zip(answers) {
            match answer {
                Answer::Form(form) => sums.add_form(form),
                Answer::Product(image) => {
                    check.take_in(op, z, &image)?;
                    sums.add(z, &image);
                }
            }
            let estimate = sums.trace.estimate();
            let converged = stopping.is_met(&estimate);
            if converged || estimate.count == config.max_probes {
                return Ok(sums.into_trace(made, converged));
            }
        }
    }
}

/// The quantity that an operator is asked for at a probe z.
enum Answer {
    /// The product `Az`.
    Product(Vec<f64>),
    /// The quadratic form `zᵀAz`.
    Form(f64),
}

/// The sums over the probes.
struct Sums<'b> {
    trace: Running,
    frobenius: Option<Running>,
    diagonal: Option<Vec<Running>>,
    blocks: Vec<(&'b Range<usize>, Running)>,
    all_zero: bool,
}

impl<'b> Sums<'b> {
    fn new(dim: usize, blocks: &'b [Range<usize>], config: &TraceConfig) -> Self {
        Self {
            trace: Running::default(),
            frobenius: config.frobenius.then(Running::default),
            diagonal: config.diagonal.then(|| vec![Running::default(); dim]),
            blocks: blocks
                .iter()
                .map(|range| (range, Running::default()))
                .collect(),
            all_zero: true,
        }
    }

    fn add_form(&mut self, form: f64) {
        self.all_zero &= form == 0.0;
        self.trace.add(form);
    }

    fn add(&mut self, z: &[f64], image: &[f64]) {
        self.trace.add(dot(z, image));
        self.all_zero &= image.iter().all(|entry| *entry == 0.0);
        if let Some(frobenius) = &mut self.frobenius {
            frobenius.add(dot(image, image));
        }
        for (range, running) in &mut self.blocks {
            let range = Range::clone(range);
            running.add(dot(&z[range.clone()], &image[range]));
        }
        for (running, (z, image)) in self.diagonal.iter_mut().flatten().zip(z.iter().zip(image)) {
            running.add(z * image);
        }
    }

    fn into_trace(self, products: usize, converged: bool) -> Trace {
        let blocks = self.blocks.into_iter().map(|(range, running)| BlockTrace {
            range: range.clone(),
            estimate: running.estimate(),
        });
        Trace {
            estimate: self.trace.estimate(),
            products,
            converged,
            below_resolution: self.all_zero,
            diagonal: self
                .diagonal
                .map(|entries| entries.iter().map(Running::estimate).collect()),
            blocks: blocks.collect(),
            squared_frobenius: self.frobenius.as_ref().map(Running::estimate),
        }
    }
}

/// Checks the settings.
///
/// # Errors
/// [`Error::Setting`].
pub(crate) fn check(config: &TraceConfig) -> Result<(), Error> {
    config.stopping().check()
}
