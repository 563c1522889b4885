//! The data of a risk in shares, one for each device.

use std::ops::Range;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::tensor::Device;
use derivatives::{Statistics, attempt};

use super::{Batches, Objective, Risk};
use crate::batch::Batch;
use crate::error::Error;

/// The positions that the batches of a share have in all the data.
#[derive(Debug, Clone, Default)]
pub(super) enum Numbering {
    /// The share is all the data.
    #[default]
    Own,
    /// A position for each batch.
    Listed(Arc<[usize]>),
    /// Each D-th of a stream.
    Strided { first: usize, step: usize },
}

impl Numbering {
    /// Returns the position in all the data of the batch at position `index` of the share.
    pub(super) fn of(&self, index: usize) -> usize {
        match self {
            Self::Own => index,
            Self::Listed(positions) => positions.get(index).copied().unwrap_or(index),
            Self::Strided { first, step } => first + index * step,
        }
    }
}

/// A share of the data.
pub(super) struct Share<B> {
    pub(super) batches: Batches<B>,
    pub(super) numbering: Numbering,
}

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns this risk over a share of its data, on one device.
    pub(super) fn share_of(&self, share: &Share<B>) -> Self {
        Self {
            batches: share.batches.clone(),
            numbering: share.numbering.clone(),
            devices: None,
            ..self.clone()
        }
    }

    /// Returns this risk with its held batches on a device, to which they then move once.
    pub(super) fn placed_on(&self, device: &Device) -> Self {
        let batches = match &self.batches {
            Batches::Held(batches) => {
                let placed = batches.iter().map(|batch| batch.clone().on_device(device));
                Batches::Held(placed.collect())
            }
            Batches::Streamed(_) => self.batches.clone(),
        };
        Self {
            batches,
            ..self.clone()
        }
    }

    /// Returns the position in all the data of the batch at position `index` of this risk.
    pub(crate) fn number(&self, index: usize) -> usize {
        self.numbering.of(index)
    }
}

/// Returns the data of some objectives of the same batches in at most `count` shares, in the order
/// of the data.
///
/// # Errors
/// No data, a batch that cannot be read or is empty.
pub(super) fn shares<M: Module, B: Batch>(
    objectives: &[&Objective<M, B>],
    count: usize,
) -> Result<Vec<Share<B>>, Error> {
    let risk = objectives.first().ok_or(Error::NoData)?.risk();
    match risk.batches() {
        Batches::Held(batches) => held(objectives, batches, count),
        Batches::Streamed(loader) => {
            let step = loader.iter().take(count).count().max(1);
            let share = |first| Share {
                batches: Batches::Streamed(Arc::new(Strided {
                    loader: Arc::clone(loader),
                    first,
                    step,
                })),
                numbering: Numbering::Strided { first, step },
            };
            Ok((0..step).map(share).collect())
        }
    }
}

/// Returns held batches in shares of about as many examples each.
fn held<M: Module, B: Batch>(
    objectives: &[&Objective<M, B>],
    batches: &[B],
    count: usize,
) -> Result<Vec<Share<B>>, Error> {
    let all: usize = batches.iter().map(Batch::examples).sum();
    let bounds: Vec<usize> = (1..count).map(|share| share * all / count).collect();
    let mut shares: Vec<(Vec<B>, Vec<usize>)> = vec![Default::default(); count];
    let (mut start, mut share) = (0, 0);
    for (index, batch) in batches.iter().enumerate() {
        let examples = batch.examples();
        let within = |bound: &usize| (start + 1..start + examples).contains(bound);
        let cuts: Vec<usize> = bounds
            .iter()
            .copied()
            .filter(within)
            .map(|bound| bound - start)
            .collect();
        let pieces = match pieces(objectives, batch, index, &cuts)? {
            Some(pieces) => pieces,
            None => vec![batch.clone()],
        };
        for piece in pieces {
            let length = piece.examples();
            // To the share that has the middle of the piece.
            while share + 1 < count && 2 * bounds[share] < 2 * start + length {
                share += 1;
            }
            start += length;
            shares[share].0.push(piece);
            shares[share].1.push(index);
        }
    }
    let some = shares
        .into_iter()
        .filter(|(batches, _)| !batches.is_empty());
    Ok(some
        .map(|(batches, positions)| Share {
            batches: Batches::Held(batches.into()),
            numbering: Numbering::Listed(positions.into()),
        })
        .collect())
}

/// Returns a batch in pieces, cut before these examples; none where that would change more than the
/// rounding.
fn pieces<M: Module, B: Batch>(
    objectives: &[&Objective<M, B>],
    batch: &B,
    index: usize,
    cuts: &[usize],
) -> Result<Option<Vec<B>>, Error> {
    if cuts.is_empty() {
        return Ok(None);
    }
    let ends = cuts.iter().copied().chain([batch.examples()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ranges: Vec<Range<usize>> = starts.zip(ends).map(|(start, end)| start..end).collect();
    let cut = || -> Option<Vec<B>> {
        let piece = |range: &Range<usize>| {
            let piece = batch.clone().narrow(range.clone());
            (piece.examples() == range.len()).then_some(piece)
        };
        ranges.iter().map(piece).collect()
    };
    let Ok(Some(pieces)) = attempt(cut) else {
        return Ok(None);
    };
    for objective in objectives {
        if !is_mean(objective, batch, index, &pieces)? {
            return Ok(None);
        }
    }
    Ok(Some(pieces))
}

/// Returns whether the loss of a batch is the mean of its pieces', weighted by what they count for,
/// at the weights and beside them: its value and the change of its value, up to their rounding. A
/// loss that does not change says nothing, and counts as none.
fn is_mean<M: Module, B: Batch>(
    objective: &Objective<M, B>,
    batch: &B,
    index: usize,
    pieces: &[B],
) -> Result<bool, Error> {
    let risk = objective.risk();
    if risk.statistics() == Statistics::Batch {
        return Ok(false);
    }
    let amounts: Vec<f64> = pieces.iter().map(|piece| risk.amount(piece)).collect();
    let of_batch = risk.amount(batch);
    let roundoff = objective.space().domain.unit_roundoff();
    let sum: f64 = amounts.iter().sum();
    // NaN is no sum either.
    let adds_up = (sum - of_batch).abs() <= 256.0 * roundoff * of_batch;
    if !adds_up {
        return Ok(false);
    }
    let mut before: Option<(f64, Vec<f64>)> = None;
    for theta in [objective.origin().clone(), objective.beside(1.0)?] {
        let whole = objective.batch_value(&theta, batch, index)?;
        let value = |piece: &B| objective.batch_value(&theta, piece, index);
        let values = attempt(|| pieces.iter().map(value).collect::<Result<Vec<_>, _>>());
        let Ok(Ok(values)) = values else {
            return Ok(false);
        };
        let agree = |whole: f64, of_pieces: &[f64]| {
            let terms = amounts.iter().zip(of_pieces).map(|(a, v)| a / of_batch * v);
            let (mean, size) = terms.fold((0.0, 0.0), |(mean, size), term| {
                (mean + term, size + f64::abs(term))
            });
            (mean - whole).abs() <= 256.0 * roundoff * size
        };
        if !agree(whole, &values) {
            return Ok(false);
        }
        if let Some((whole_before, values_before)) = before {
            let change: Vec<f64> = values
                .iter()
                .zip(&values_before)
                .map(|(after, before)| after - before)
                .collect();
            return Ok(agree(whole - whole_before, &change));
        }
        before = Some((whole, values));
    }
    Ok(false)
}

/// Each `step`-th batch of a stream.
struct Strided<B> {
    loader: Arc<dyn DataLoader<B>>,
    first: usize,
    step: usize,
}

impl<B: 'static> DataLoader<B> for Strided<B> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<B> + 'a> {
        Box::new(StridedBatches {
            batches: self.loader.iter(),
            skip: self.first,
            step: self.step,
        })
    }

    fn num_items(&self) -> usize {
        self.loader.num_items().div_ceil(self.step)
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self {
            loader: self.loader.to_device(device),
            ..*self
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<B>> {
        Arc::new(Self {
            loader: self.loader.slice(start, end),
            ..*self
        })
    }
}

/// The batches of a [`Strided`] loader.
struct StridedBatches<'l, B> {
    batches: Box<dyn DataLoaderIterator<B> + 'l>,
    skip: usize,
    step: usize,
}

impl<B> Iterator for StridedBatches<'_, B> {
    type Item = Result<B, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let skip = std::mem::replace(&mut self.skip, self.step - 1);
        self.batches.nth(skip)
    }
}

impl<B> DataLoaderIterator<B> for StridedBatches<'_, B> {
    fn progress(&self) -> Progress {
        self.batches.progress()
    }
}
