//! Recording the batches, in parts where that changes nothing but the rounding.

use burn::module::Module;
use derivatives::ProgramCache;

use super::groups::Piece;
use super::{OnSlice, message};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Batches, Cutter, Objective, Part, first_part};

/// Examples of a part, at most: there are points enough for all cores, so that only the cache
/// limits it.
const MOST: usize = 4096;

impl<M: Module, B: Batch, const D: usize> OnSlice<M, B, D> {
    /// Returns the parts of the batches with the quantities that are captured, and why the others
    /// are not.
    pub(super) fn pieces(&self) -> (Vec<Piece>, Vec<Option<String>>) {
        let mut because = vec![None; self.objectives.len()];
        let Batches::Held(batches) = self.first().risk().batches() else {
            because.fill(Some("the batches are streamed".to_owned()));
            return (Vec::new(), because);
        };
        let mut captured = Vec::new();
        for (index, objective) in self.objectives.iter().enumerate() {
            match self.parts(objective, batches) {
                Ok(parts) => captured.push((index, parts)),
                Err(error) => because[index] = Some(message(error)),
            }
        }
        let pieces = self
            .together(batches, &captured)
            .unwrap_or_else(|| apart(captured));
        (pieces, because)
    }

    /// Returns the parts of all captured quantities in one recording each; none where there is
    /// one quantity alone, or where they are cut in different ways.
    fn together(&self, batches: &[B], captured: &[(usize, Vec<Vec<Part>>)]) -> Option<Vec<Piece>> {
        let ((first, parts), others) = captured.split_first()?;
        let lengths = |parts: &[Vec<Part>]| -> Vec<Vec<usize>> {
            let of_batch = |parts: &Vec<Part>| parts.iter().map(|part| part.examples).collect();
            parts.iter().map(of_batch).collect()
        };
        let cut = lengths(parts);
        if others.is_empty() || others.iter().any(|(_, parts)| lengths(parts) != cut) {
            return None;
        }
        let objective = &self.objectives[*first];
        let others: Vec<_> = others
            .iter()
            .map(|(index, _)| &self.objectives[*index])
            .collect();
        let programs = ProgramCache::default();
        let mut pieces = Vec::new();
        for (number, (batch, lengths)) in batches.iter().zip(cut).enumerate() {
            let mut start = 0;
            for (part, &examples) in lengths.iter().enumerate() {
                let rows = match lengths.len() {
                    1 => batch.clone(),
                    _ => batch.clone().narrow(start..start + examples),
                };
                start += examples;
                let share =
                    |(index, parts): &(usize, Vec<Vec<Part>>)| (*index, parts[number][part].share);
                pieces.push(Piece {
                    shares: captured.iter().map(share).collect(),
                    examples,
                    losses: programs
                        .share_together(&objective.record_together(&others, rows).ok()?),
                });
            }
        }
        Some(pieces)
    }

    /// Returns the batches, captured in parts where that changes nothing but the rounding, each
    /// with its share of all examples.
    fn parts(&self, objective: &Objective<M, B>, batches: &[B]) -> Result<Vec<Vec<Part>>, Error> {
        let Some(first) = batches.first() else {
            return Err(Error::NoData);
        };
        let cutter = Cutter::like(objective, first, MOST)?;
        let mut all = Vec::new();
        let checked = probes(&self.extent);
        for (index, batch) in batches.iter().enumerate() {
            let of_all = objective.share(batch)?;
            let parts = cutter.capture(objective, index, batch.clone(), &self.workers)?;
            // All of them on the first batch, and each on some other.
            let here = match index {
                0 => &checked[..],
                _ => std::slice::from_ref(&checked[index % checked.len()]),
            };
            self.check(objective, &parts, batch, here)?;
            let of_batch = parts.into_iter().map(|part| Part {
                share: of_all * part.share,
                ..part
            });
            all.push(of_batch.collect());
        }
        Ok(all)
    }

    /// Checks that the first part of a batch has the closure's value at some points: a number that
    /// the closure reads on the host is frozen in the recording, and may be another one there.
    fn check(
        &self,
        objective: &Objective<M, B>,
        parts: &[Part],
        batch: &B,
        points: &[[f64; D]],
    ) -> Result<(), Error> {
        let (part, rows) = first_part(parts, batch);
        let rounding = objective.rounding(&rows)?;
        points.iter().try_for_each(|&point| {
            let theta = self.moved(point);
            objective.check_value(&rows, &part.loss, &theta, rounding)
        })
    }
}

/// Returns the parts of each quantity by themselves.
fn apart(captured: Vec<(usize, Vec<Vec<Part>>)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (quantity, parts) in captured {
        pieces.extend(parts.into_iter().flatten().map(|part| Piece {
            shares: vec![(quantity, part.share)],
            examples: part.examples,
            losses: part.loss.into(),
        }));
    }
    pieces
}

/// Returns the corners of an extent and two points within it, where a recording is compared with
/// its closure: at most 2ᴰ + 2.
fn probes<const D: usize>(extent: &[(f64, f64); D]) -> Vec<[f64; D]> {
    let place = |share: &dyn Fn(usize) -> f64| -> [f64; D] {
        std::array::from_fn(|i| {
            let (low, high) = extent[i];
            low * (1.0 - share(i)) + high * share(i)
        })
    };
    let mut found: Vec<[f64; D]> = (0..1_usize << D)
        .map(|corner| place(&|i| f64::from(u8::from(corner >> i & 1 == 1))))
        .collect();
    found.push(place(&|i| [0.37, 0.61][i % 2]));
    found.push(place(&|i| [0.71, 0.23][i % 2]));
    let mut distinct: Vec<[f64; D]> = Vec::new();
    for point in found {
        if !distinct.contains(&point) {
            distinct.push(point);
        }
    }
    distinct
}
