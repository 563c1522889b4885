//! Batches cut into parts that fit the cache, as captured losses.
//!
//! A mean over B examples is the mean of the means over parts, weighted by their lengths. Whether a
//! loss is such a mean cannot be read off a closure (a cross entropy with class weights divides by
//! the weights of the batch), so it is measured: the weighted sum of the parts' values has to be
//! the value of the batch up to rounding, at the weights and at a second point. A large constant in
//! the loss would hide a difference of values, so that from one point to the other they have to
//! change alike too, up to the rounding of the change. Where that is less than the rounding of the
//! values, a point farther away is tried, and then the gradients decide. Otherwise the batch stays
//! whole.
//!
//! The weight of a batch says what its loss counts for and plays no part in this: a mean over the
//! tokens of padded sentences is cut where all parts have as many tokens, and stays whole
//! elsewhere.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{CapturedLoss, ProgramCache, Statistics, Workers, attempt};

use super::Objective;
use crate::batch::Batch;
use crate::error::Error;
use crate::vector::{download, norm};

/// The bytes that the largest tensor of a part may have. A forward pass reads one such tensor and
/// writes another, and a core has a cache of its own of 1 to 2 MiB. It gives parts of 256 rows of a
/// perceptron and of 16 images of a convolutional network, the fastest of those that were timed.
const LARGEST: usize = 1 << 20;

/// Fewer examples make matrix products inefficient.
const FEWEST: usize = 8;

/// The captured loss of some examples of a batch.
#[derive(Debug)]
pub(crate) struct Part {
    /// Share of the examples of the batch, or of all data.
    pub(crate) share: f64,
    pub(crate) examples: usize,
    pub(crate) loss: CapturedLoss,
    /// The loss at the origin, where cutting has taken it already.
    pub(crate) value: Option<f64>,
    /// Whether the recorded values of all parts have been compared with the closure's value of the
    /// batch, at the origin and beside it.
    pub(crate) is_compared: bool,
}

/// Returns the first part of a captured batch, and its examples.
pub(crate) fn first_part<'p, B: Batch>(parts: &'p [Part], batch: &B) -> (&'p Part, B) {
    let first = parts
        .first()
        .expect("a batch is captured in a part or more");
    let rows = if parts.len() == 1 {
        batch.clone()
    } else {
        batch.clone().narrow(0..first.examples)
    };
    (first, rows)
}

/// The rule by which batches are captured, whole or in parts.
#[derive(Debug)]
pub(crate) struct Cutter {
    /// Examples of a part; none where batches stay whole.
    rows: Option<usize>,
    /// Points beside the origin at which whole and parts are compared, until the loss is another
    /// one.
    away: Vec<Tensor<1>>,
    programs: ProgramCache,
}

impl Cutter {
    /// Makes one that captures batches as they are.
    pub(crate) fn whole() -> Self {
        Self {
            rows: None,
            away: Vec::new(),
            programs: ProgramCache::default(),
        }
    }

    /// Makes one that cuts batches like `example` into parts of at most so many examples, where
    /// that is possible at all.
    pub(crate) fn like<M: Module, B: Batch>(
        objective: &Objective<M, B>,
        example: &B,
        most: usize,
    ) -> Result<Self, Error> {
        let mut cutter = Self::whole();
        let few = example.examples().min(4 * FEWEST);
        if few < FEWEST || objective.risk().statistics() == Statistics::Batch {
            return Ok(cutter);
        }
        let Ok(sample) = objective.record(example.clone().narrow(0..few)) else {
            return Ok(cutter);
        };
        let rows = LARGEST * few / sample.largest_value().max(1);
        cutter.rows = Some(rows.clamp(FEWEST, most));
        cutter.away = vec![objective.beside(1.0)?, objective.beside(10.0)?];
        Ok(cutter)
    }

    /// Returns the captured batch, in parts with their shares of it or whole.
    pub(crate) fn capture<M: Module, B: Batch>(
        &self,
        objective: &Objective<M, B>,
        index: usize,
        batch: B,
        workers: &Workers,
    ) -> Result<Vec<Part>, Error> {
        if let Some(rows) = self.rows
            && batch.examples() > rows
            && let Some(mut parts) = self.parts(objective, &batch, rows)?
            && self.is_mean(objective, index, &batch, &mut parts, workers)?
        {
            return Ok(parts);
        }
        let examples = batch.examples();
        let loss = self.programs.share(objective.record(batch)?);
        Ok(vec![Part {
            share: 1.0,
            examples,
            loss: loss.keeping_nothing(),
            value: None,
            is_compared: false,
        }])
    }

    /// Returns the parts, captured; none where the batch or the closure cannot be cut.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 examples"
    )]
    fn parts<M: Module, B: Batch>(
        &self,
        objective: &Objective<M, B>,
        batch: &B,
        rows: usize,
    ) -> Result<Option<Vec<Part>>, Error> {
        let examples = batch.examples();
        // A power of two, or a multiple of eight: the usual numbers of cores divide the work
        // evenly.
        let count = match examples.div_ceil(rows) {
            count @ ..8 => count.next_power_of_two(),
            count => count.next_multiple_of(8),
        };
        let mut parts = Vec::with_capacity(count);
        for part in 0..count {
            // Lengths that differ by one at most: two programs serve all parts.
            let (start, end) = (part * examples / count, (part + 1) * examples / count);
            let part = batch.clone().narrow(start..end);
            if part.examples() != end - start {
                return Ok(None);
            }
            // A closure that works for one length only stays with the whole batch.
            let Ok(loss) = objective.record(part) else {
                return Ok(None);
            };
            parts.push(Part {
                share: (end - start) as f64 / examples as f64,
                examples: end - start,
                loss: self.programs.share(loss).keeping_nothing(),
                value: None,
                is_compared: false,
            });
        }
        Ok(Some(parts))
    }

    /// Returns whether the loss of the batch is the mean of its parts', weighted by their lengths.
    fn is_mean<M: Module, B: Batch>(
        &self,
        objective: &Objective<M, B>,
        index: usize,
        batch: &B,
        parts: &mut [Part],
        workers: &Workers,
    ) -> Result<bool, Error> {
        let tolerance = 256.0 * objective.space().domain.unit_roundoff();
        let origin = objective.origin();
        let whole_here = objective.batch_value(origin, batch, index)?;
        let Some(here) = values(parts, origin, workers)? else {
            return Ok(false);
        };
        if !agree(whole_here, &here, parts, tolerance) {
            return Ok(false);
        }
        let mut is_mean = false;
        for point in &self.away {
            let change = objective.batch_value(point, batch, index)? - whole_here;
            let Some(there) = values(parts, point, workers)? else {
                return Ok(false);
            };
            let changes: Vec<f64> = there.iter().zip(&here).map(|(b, a)| b - a).collect();
            is_mean = agree(change, &changes, parts, tolerance);
            if is_mean {
                break;
            }
        }
        let is_compared = is_mean;
        if !is_mean && let Some(point) = self.away.first() {
            is_mean = gradients_agree(objective, point, batch, parts, workers)?;
        }
        if is_mean {
            for (part, value) in parts.iter_mut().zip(here) {
                part.value = Some(value);
                part.is_compared = is_compared;
            }
        }
        Ok(is_mean)
    }
}

/// Returns the losses of the parts at a point. None where one of them panics: cut are all tensors
/// as long as the batch, and where one of them does not hold examples (the nodes of a graph, class
/// weights of as many classes), an index may point outside its part.
fn values(parts: &[Part], point: &Tensor<1>, workers: &Workers) -> Result<Option<Vec<f64>>, Error> {
    let values = workers.map(parts, |part| attempt(|| part.loss.value(point)));
    let Ok(values) = values.into_iter().collect::<Result<Vec<_>, String>>() else {
        return Ok(None);
    };
    Ok(Some(values.into_iter().collect::<Result<_, _>>()?))
}

/// Returns whether the gradient of the batch is the mean of its parts'. Costs the memory of a
/// backward pass over the whole batch.
fn gradients_agree<M: Module, B: Batch>(
    objective: &Objective<M, B>,
    point: &Tensor<1>,
    batch: &B,
    parts: &[Part],
    workers: &Workers,
) -> Result<bool, Error> {
    let whole = objective.record(batch.clone())?.keeping_nothing();
    let gradient = |loss: &CapturedLoss| {
        let (_, gradient) = loss.gradient(point)?;
        Ok::<_, Error>(download(&gradient))
    };
    let mut gap = gradient(&whole)?;
    let mut size = 0.0;
    let gradients = workers.map(parts, |part| gradient(&part.loss));
    for (part, gradient) in parts.iter().zip(gradients) {
        let gradient = gradient?;
        size += part.share * norm(&gradient);
        for (gap, entry) in gap.iter_mut().zip(gradient) {
            *gap -= part.share * entry;
        }
    }
    let tolerance = 256.0 * objective.space().domain.unit_roundoff() * size;
    Ok(norm(&gap) <= tolerance)
}

/// Returns whether the mean of the parts' numbers is that of the whole. A sum of thousands of terms
/// one after the other is off by some hundred roundings at most; losses that are no means differ by
/// parts in a hundred. NaN is not equal either.
fn agree(whole: f64, of_parts: &[f64], parts: &[Part], tolerance: f64) -> bool {
    let terms = || {
        parts
            .iter()
            .zip(of_parts)
            .map(|(part, value)| part.share * value)
    };
    let size: f64 = terms().map(f64::abs).sum();
    (terms().sum::<f64>() - whole).abs() <= tolerance * size
}
