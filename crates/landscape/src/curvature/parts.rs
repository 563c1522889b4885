//! Batches cut into parts that fit the cache, as captured losses.
//!
//! A mean over B examples is the mean of the means over parts, weighted by their lengths. Whether a
//! loss is such a mean cannot be read off a closure (a cross entropy with class weights divides by the
//! weights of the batch), so it is measured: the weighted sum of the parts' values has to be the value
//! of the batch up to rounding, at the weights and at a second point, and the weighted sum of their
//! gradients its gradient there: a large constant in the loss would hide a difference of values, but
//! not one of gradients. Otherwise the batch stays whole.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{CapturedLoss, ProgramCache, Workers, catch_quietly};

use crate::norm::norm;
use crate::operator::download;
use crate::risk::Statistics;
use crate::{Batch, Error, Objective};

/// The bytes that the largest tensor of a part may have. A forward pass reads one such tensor and
/// writes another, and a core has a cache of its own of 1 to 2 MiB. It gives parts of 256 rows of a
/// perceptron and of 16 images of a convolutional network, the fastest of those that were timed.
const LARGEST: usize = 1 << 20;

/// Fewer examples make matrix products inefficient, and more leave too little to share.
const FEWEST: usize = 8;
const MOST: usize = 512;

/// The captured loss of some examples of a batch.
#[derive(Debug)]
pub(super) struct Part {
    /// Of the batch.
    pub(super) share: f64,
    pub(super) examples: usize,
    pub(super) loss: CapturedLoss,
}

/// How batches are captured, whole or in parts.
#[derive(Debug)]
pub(super) struct Cutter {
    /// Examples of a part; none where batches stay whole.
    rows: Option<usize>,
    /// The points at which whole and parts are compared.
    points: Vec<Tensor<1>>,
    programs: ProgramCache,
}

impl Cutter {
    /// That captures batches as they are.
    pub(super) fn whole() -> Self {
        Self {
            rows: None,
            points: Vec::new(),
            programs: ProgramCache::default(),
        }
    }

    /// That cuts batches like `example`, where that is possible at all.
    pub(super) fn like<M: Module, B: Batch>(
        objective: &Objective<M, B>,
        example: &B,
    ) -> Result<Self, Error> {
        let mut cutter = Self::whole();
        let few = example.examples().min(4 * FEWEST);
        if few < FEWEST || objective.risk().statistics() == Statistics::Batch {
            return Ok(cutter);
        }
        let Ok(sample) = objective.capture(example.clone().narrow(0..few)) else {
            return Ok(cutter);
        };
        let rows = LARGEST * few / sample.largest_value().max(1);
        cutter.rows = Some(rows.clamp(FEWEST, MOST));
        cutter.points = vec![objective.origin().clone(), objective.beside()?];
        Ok(cutter)
    }

    /// The captured batch, in parts with their shares of it or whole.
    pub(super) fn capture<M: Module, B: Batch>(
        &self,
        objective: &Objective<M, B>,
        index: usize,
        batch: B,
        workers: &Workers,
    ) -> Result<Vec<Part>, Error> {
        if let Some(rows) = self.rows
            && batch.examples() > rows
            && let Some(parts) = self.parts(objective, index, &batch, rows, workers)?
        {
            return Ok(parts);
        }
        let examples = batch.examples();
        let loss = self.programs.share(objective.capture(batch)?);
        Ok(vec![Part {
            share: 1.0,
            examples,
            loss: loss.keeping_nothing(),
        }])
    }

    /// The parts, if their weighted sum is the loss of the batch.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 examples"
    )]
    fn parts<M: Module, B: Batch>(
        &self,
        objective: &Objective<M, B>,
        index: usize,
        batch: &B,
        rows: usize,
        workers: &Workers,
    ) -> Result<Option<Vec<Part>>, Error> {
        let examples = batch.examples();
        // A power of two, or a multiple of eight: the usual numbers of cores divide the work evenly.
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
            let Ok(loss) = objective.capture(part) else {
                return Ok(None);
            };
            parts.push(Part {
                share: (end - start) as f64 / examples as f64,
                examples: end - start,
                loss: self.programs.share(loss).keeping_nothing(),
            });
        }
        for point in &self.points {
            let whole = objective.batch_value(point, batch, index)?;
            // Cut are all tensors as long as the batch: where one of them does not hold examples (the
            // nodes of a graph, class weights of as many classes), an index may point outside its part.
            let values = workers.map(&parts, |part| {
                catch_quietly(|| part.loss.value(point).map(|value| part.share * value))
            });
            let Ok(values) = values.into_iter().collect::<Result<Vec<_>, String>>() else {
                return Ok(None);
            };
            let values: Vec<f64> = values
                .into_iter()
                .collect::<Result<_, _>>()
                .map_err(Error::Derivatives)?;
            let sum: f64 = values.iter().sum();
            let size: f64 = values.iter().map(|value| value.abs()).sum();
            // A sum of thousands of terms one after the other is off by some hundred roundings at
            // most; losses that are no means differ by parts in a hundred. NaN is not equal either.
            let tolerance = 256.0 * objective.space().domain.unit_roundoff() * size;
            let equal = (sum - whole).abs() <= tolerance;
            if !equal {
                return Ok(None);
            }
        }
        let Some(point) = self.points.last() else {
            return Ok(None);
        };
        let whole = objective.capture(batch.clone())?.keeping_nothing();
        let gradient = |loss: &CapturedLoss| {
            let gradient = loss.gradient(point).map_err(Error::Derivatives);
            gradient.map(|(_, gradient)| download(&gradient))
        };
        let mut gap = gradient(&whole)?;
        let mut size = 0.0;
        let gradients = workers.map(&parts, |part| gradient(&part.loss));
        for (part, gradient) in parts.iter().zip(gradients) {
            let gradient = gradient?;
            size += part.share * norm(&gradient);
            for (gap, entry) in gap.iter_mut().zip(gradient) {
                *gap -= part.share * entry;
            }
        }
        let tolerance = 256.0 * objective.space().domain.unit_roundoff() * size;
        Ok((norm(&gap) <= tolerance).then_some(parts))
    }
}
