//! A risk whose batches have been captured: exact products over the data.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Linearized, Workers};

use super::ProductConfig;
use super::matrix::Matrix;
use super::spread_products::SpreadProducts;

use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::{Batches, Cutter, Objective, Part, first_part};
use crate::vector::{Domain, dot, download};

/// The products of all parts are made in at most this many jobs, whose results are added one after
/// the other: fixed, so that a sum does not depend on the number of cores.
const JOBS: usize = 32;

/// Examples of a part, at most: more leave too little to share between the cores.
const MOST: usize = 512;

/// Some examples, captured.
#[derive(Debug)]
pub(super) struct Held {
    /// Share of all examples.
    pub(super) share: f64,
    pub(super) point: Linearized,
    /// Whether what products need of the point is kept between them.
    kept: bool,
}

/// Numbers of captured parts of the data that are kept linearised, and of those that are computed
/// anew for each product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct KeptParts {
    pub(super) bytes: usize,
    pub(super) kept: usize,
    pub(super) recomputed: usize,
}

/// The captured batches of an objective, linearised at its origin.
///
/// Batches held in memory are captured once, perhaps in parts, keep what a product needs of the
/// point as far as there is room, and are spread over the cores. Streamed batches are captured
/// once for each product, and nothing of them is kept.
#[derive(Debug)]
pub(super) struct ExactProducts<M, B> {
    objective: Objective<M, B>,
    matrix: Matrix,
    /// The captured parts; none where batches are streamed.
    pub(super) held: Vec<Held>,
    bytes: usize,
    cutter: Cutter,
    pub(super) workers: Workers,
    /// Whether there is a limit of what may be kept.
    is_limited: bool,
    /// The shares of several devices, where there are any: then nothing is held here.
    pub(super) spread: Option<SpreadProducts<M, B>>,
}

impl<M: Module, B: Batch> ExactProducts<M, B> {
    /// Captures every batch, or, where they are streamed, the first, to see that it can be done.
    pub(super) fn of(
        objective: Objective<M, B>,
        matrix: Matrix,
        config: &ProductConfig,
    ) -> Result<Self, Error> {
        let workers = config.threads.map_or_else(Workers::default, Workers::new);
        Self::with_workers(objective, matrix, config, workers)
    }

    /// Does the same as [`of`](Self::of), with workers in the place of the configured threads.
    pub(super) fn with_workers(
        objective: Objective<M, B>,
        matrix: Matrix,
        config: &ProductConfig,
        workers: Workers,
    ) -> Result<Self, Error> {
        if config.threads == Some(0) {
            return Err(Error::Setting {
                name: "threads",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        let spread = SpreadProducts::of(&objective, matrix, config)?;
        let mut captured = Self {
            objective,
            matrix,
            spread,
            held: Vec::new(),
            bytes: 0,
            cutter: Cutter::whole(),
            workers,
            is_limited: config.memory_limit.is_some(),
        };
        if captured.spread.is_some() {
            return Ok(captured);
        }
        let batches = captured.objective.risk().batches().clone();
        match batches {
            Batches::Held(batches) => {
                if config.cut_batches
                    && let Some(first) = batches.first()
                {
                    captured.cutter = Cutter::like(&captured.objective, first, MOST)?;
                }
                let limit = config.memory_limit.unwrap_or(usize::MAX);
                for (index, batch) in batches.iter().enumerate() {
                    captured.hold(index, batch, limit)?;
                }
            }
            Batches::Streamed(_) => {
                let mut first = Ok(());
                captured.objective.risk().batches().first(|batch| {
                    first = captured
                        .captured(0, batch.clone())
                        .and_then(|parts| captured.check(&parts, &batch));
                })?;
                first?;
            }
        }
        Ok(captured)
    }

    /// Captures a batch and decides what is kept of it.
    fn hold(&mut self, index: usize, batch: &B, limit: usize) -> Result<(), Error> {
        let of_all = self.objective.share(batch)?;
        let number = self.objective.risk().number(index);
        let parts = self.captured(number, batch.clone())?;
        if index == 0 {
            self.check(&parts, batch)?;
        } else {
            self.check_value(&parts, batch)?;
        }
        // A diverged model may have a finite Hessian, where the loss is a polynomial.
        let origin = self.objective.origin();
        let values = self.workers.map(&parts, |part| match part.value {
            Some(value) => Ok(value),
            None => part.loss.value(origin),
        });
        for (part, value) in parts.into_iter().zip(values) {
            let value = value?;
            if !value.is_finite() {
                let place = format!("in batch {number}");
                return Err(Error::NonFiniteLoss { value, place });
            }
            let point = part.loss.linearize(origin)?;
            let bytes = self.bytes.saturating_add(self.matrix.bytes(&point)?);
            let kept = bytes <= limit;
            if kept {
                self.bytes = bytes;
            }
            self.held.push(Held {
                share: of_all * part.share,
                point,
                kept,
            });
        }
        Ok(())
    }

    /// Checks the first part: what a closure reads on the host or detaches, it does so in every
    /// part.
    fn check(&self, parts: &[Part], batch: &B) -> Result<(), Error> {
        let (part, rows) = first_part(parts, batch);
        self.objective
            .check_captured(&rows, &part.loss, part.is_compared)
    }

    /// Checks the value of the first part of a further batch, where a number that is read on the
    /// host may be another one.
    fn check_value(&self, parts: &[Part], batch: &B) -> Result<(), Error> {
        let (part, rows) = first_part(parts, batch);
        if part.is_compared {
            return Ok(());
        }
        let beside = self.objective.beside(0.1)?;
        self.objective.check_values(&rows, &part.loss, &beside)
    }

    fn captured(&self, index: usize, batch: B) -> Result<Vec<Part>, Error> {
        let parts = self
            .cutter
            .capture(&self.objective, index, batch, &self.workers)?;
        for part in &parts {
            self.matrix.check_outputs(part)?;
        }
        Ok(parts)
    }

    /// Returns products with another matrix over the same captured data. Parts keep what products
    /// need of the point as they did; devices capture their shares anew.
    pub(super) fn of_matrix(self, matrix: Matrix) -> Result<Self, Error> {
        if self.spread.is_some() {
            return Self::of(self.objective, matrix, &ProductConfig::new());
        }
        Ok(Self { matrix, ..self })
    }

    pub(super) const fn objective(&self) -> &Objective<M, B> {
        &self.objective
    }

    /// Returns what is kept between products.
    pub(super) fn kept(&self) -> KeptParts {
        if let Some(spread) = &self.spread {
            return spread.kept();
        }
        let kept = self.held.iter().filter(|held| held.kept).count();
        KeptParts {
            bytes: self.bytes,
            kept,
            recomputed: self.held.len() - kept,
        }
    }

    /// Returns the share of all examples that each part has, if it is the same for all: the sum is
    /// scaled then, and not each term.
    #[expect(clippy::float_cmp, reason = "parts of one length have one share")]
    fn common_share(&self) -> Option<f64> {
        let share = self.held.first()?.share;
        self.held
            .iter()
            .all(|held| held.share == share)
            .then_some(share)
    }

    /// Returns neighbouring parts together, a job each.
    pub(super) fn jobs(&self) -> Vec<&[Held]> {
        let length = self.held.len().div_ceil(JOBS).max(1);
        self.held.chunks(length).collect()
    }

    /// Returns the sums of `products` over neighbouring parts; each core takes a sum, whose terms
    /// are in the order of the data, whoever was first.
    fn in_jobs(
        &self,
        products: impl Fn(&Held) -> Result<Vec<Tensor<1>>, Error> + Sync,
    ) -> Vec<Result<Vec<Tensor<1>>, Error>> {
        self.workers.map(&self.jobs(), |job| {
            let mut sums = Vec::new();
            for held in *job {
                add(&mut sums, products(held)?);
            }
            Ok(sums)
        })
    }
}

impl<M: Module, B: Batch> LinearOperator for ExactProducts<M, B> {
    fn domain(&self) -> &Domain {
        &self.objective.space().domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let products = self.apply_many(std::slice::from_ref(v))?;
        Ok(products
            .into_iter()
            .next()
            .expect("one product for one vector"))
    }

    /// Returns `vᵀAv` with the matrix A, by forward derivatives.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let v = self.domain().adopt(v)?;
        let matrix = self.matrix;
        let origin = self.objective.origin();
        let mut total = 0.0;
        if let Some(spread) = &self.spread {
            total = spread.form(&v)?;
        } else if self.held.is_empty() {
            let divisor = self.objective.for_each_share(|index, batch, of_all| {
                for part in self.captured(index, batch)? {
                    total +=
                        of_all * part.share * matrix.recomputed_form(&part.loss, origin, &v)?;
                }
                Ok(())
            })?;
            total /= divisor;
        } else {
            let forms = self.workers.map(&self.held, |held| {
                let form = if held.kept {
                    matrix.form(&held.point, &v)?
                } else {
                    matrix.recomputed_form(held.point.loss(), origin, &v)?
                };
                Ok::<_, Error>(held.share * form)
            });
            for form in forms {
                total += form?;
            }
        }
        if total.is_finite() {
            Ok(total)
        } else {
            Err(Error::NonFiniteVector {
                what: "quadratic form",
            })
        }
    }

    /// Returns the forms one after the other, but of streamed data from products that are made
    /// together: they share one pass over the data.
    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        if !self.held.is_empty() || self.spread.is_some() {
            return vectors.iter().map(|v| self.quadratic_form(v)).collect();
        }
        let products = self.apply_many(vectors)?;
        let pairs = vectors.iter().zip(&products);
        Ok(pairs
            .map(|(v, product)| dot(&download(v), &download(product)))
            .collect())
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        let vectors: Vec<Tensor<1>> = vectors
            .iter()
            .map(|v| self.domain().adopt(v))
            .collect::<Result<_, _>>()?;
        let totals = match &self.spread {
            Some(spread) => spread.products(self.domain(), &vectors)?,
            None => self.unchecked(&vectors)?,
        };
        // A sum is not finite if a term is not, and is quickly taken; it may overflow by itself.
        let is_suspect = |total: &Tensor<1>| {
            let sum = download(&total.clone().sum());
            !sum.iter().all(|sum| sum.is_finite())
        };
        let is_finite = |total| download(total).iter().all(|entry| entry.is_finite());
        if totals
            .iter()
            .any(|total| is_suspect(total) && !is_finite(total))
        {
            return Err(Error::NonFiniteVector { what: "product" });
        }
        Ok(totals)
    }
}

impl<M: Module, B: Batch> ExactProducts<M, B> {
    /// Returns the products with vectors of the domain, which may not be finite.
    pub(super) fn unchecked(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        let matrix = self.matrix;
        let origin = self.objective.origin();
        let mut totals = Vec::new();
        if self.held.is_empty() {
            let divisor = self.objective.for_each_share(|index, batch, of_all| {
                for part in self.captured(index, batch)? {
                    // Kept for as long as these products take, if anything may be.
                    let products = if self.is_limited || vectors.len() == 1 {
                        matrix.recomputed(&part.loss, origin, vectors)?
                    } else {
                        matrix.products(&part.loss.linearize(origin)?, vectors)?
                    };
                    add(&mut totals, scaled(products, of_all * part.share));
                }
                Ok(())
            })?;
            totals = scaled(totals, divisor.recip());
        } else {
            let common = self.common_share();
            let sums = self.in_jobs(|held| {
                let products = if held.kept {
                    matrix.products(&held.point, vectors)
                } else {
                    matrix.recomputed(held.point.loss(), origin, vectors)
                };
                let products = products?;
                Ok(match common {
                    Some(_) => products,
                    None => scaled(products, held.share),
                })
            });
            let sums = sums.into_iter().collect::<Result<Vec<_>, _>>()?;
            let share = common.unwrap_or(1.0);
            totals = (0..vectors.len())
                .map(|at| total(sums.iter().map(|sum| sum[at].clone()).collect(), share))
                .collect();
        }
        Ok(totals)
    }
}

fn scaled(products: Vec<Tensor<1>>, share: f64) -> Vec<Tensor<1>> {
    products
        .into_iter()
        .map(|product| product * share)
        .collect()
}

/// Adds to the sums, which are empty before the first terms.
fn add(sums: &mut Vec<Tensor<1>>, terms: Vec<Tensor<1>>) {
    if sums.is_empty() {
        *sums = terms;
        return;
    }
    // The sum is given up, so that the device may write over it.
    *sums = std::mem::take(sums)
        .into_iter()
        .zip(terms)
        .map(|(sum, term)| sum + term)
        .collect();
}

/// Returns the sum of the terms in their order, times `share`.
fn total(terms: Vec<Tensor<1>>, share: f64) -> Tensor<1> {
    flex_kernels::total(&terms, share).unwrap_or_else(|| {
        let sum = terms.into_iter().reduce(|sum, term| sum + term);
        sum.expect("there are parts, where any are held") * share
    })
}
