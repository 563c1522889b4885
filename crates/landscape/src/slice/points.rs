//! Losses at points of a line or a plane.
//!
//! Each batch is captured, perhaps in parts, and each part becomes a [`Plane`]. What that keeps
//! between points may be more than memory holds, so parts are done in groups: all of them, if they
//! fit; otherwise a block of points is done for one group after the other, and every group is
//! prepared again for the next block. A loss is the sum over the parts in their order, whichever
//! core had which.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Plane, Workers};

use super::Evaluation;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Batches, Cutter, Objective, Part, first_part};

/// Bytes that the planes of one group of parts may keep.
const KEPT_BYTES: usize = 1 << 29;

/// Points done at once where groups have to be prepared again: preparing costs about as much as
/// the first layer of three points.
const POINTS_PER_TURN: usize = 64;

/// (Point, part) pairs that keep the cores busy; a callback may cancel after that many.
const JOBS: usize = 64;

/// Points for which a part stays in a core's cache, at least.
const POINTS_PER_VISIT: usize = 8;

/// Examples of a part, at most: there are points enough for all cores, so that only the cache
/// limits it.
const MOST: usize = 4096;

/// Returns the losses at `θ + Σᵢ aᵢ dᵢ` for the coordinates a of `points`, each handed to `each`,
/// and how they were obtained.
pub(super) fn values<M: Module, B: Batch, const D: usize>(
    objective: &Objective<M, B>,
    directions: &[Tensor<1>; D],
    points: &[[f64; D]],
    mut each: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<(Vec<f64>, Evaluation), Error> {
    check_points(points)?;
    let slice = Slice {
        objective,
        directions,
        workers: Workers::default(),
    };
    let mut groups = slice.groups(KEPT_BYTES, points);
    let mut losses = Vec::with_capacity(points.len());
    while losses.len() < points.len() {
        let rest = &points[losses.len()..];
        let done = match &groups {
            Ok(groups) => slice.block(groups, &rest[..groups.block().min(rest.len())]),
            Err(_) => Ok(vec![slice.forward(rest[0])?]),
        };
        match done {
            Ok(values) => {
                for value in values {
                    losses.push(value);
                    if each(losses.len() - 1, value).is_break() {
                        return Err(Error::Cancelled { done: losses.len() });
                    }
                }
            }
            // From here on by the model.
            Err(Error::Derivatives(reason)) => groups = Err(reason.to_string()),
            Err(error) => return Err(error),
        }
    }
    let evaluation = match groups {
        Ok(_) => Evaluation::Captured,
        Err(because) => Evaluation::Model { because },
    };
    Ok((losses, evaluation))
}

/// Checks that there are points, with finite coordinates.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_points<const D: usize>(points: &[[f64; D]]) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if points.is_empty() {
        return setting("number of grid points", "0".to_owned(), "at least 1");
    }
    let mut coordinates = points.iter().flatten();
    match coordinates.find(|coordinate| !coordinate.is_finite()) {
        Some(coordinate) => setting("coordinate", coordinate.to_string(), "finite"),
        None => Ok(()),
    }
}

struct Slice<'a, M, B, const D: usize> {
    objective: &'a Objective<M, B>,
    directions: &'a [Tensor<1>; D],
    workers: Workers,
}

/// The parts of the held batches in groups.
enum Groups<const D: usize> {
    /// One group, prepared.
    Kept(Vec<Prepared<D>>),
    /// Several, to be prepared when it is their turn.
    InTurn(Vec<Vec<Part>>),
}

/// A part on the plane, with its share of the examples.
struct Prepared<const D: usize> {
    share: f64,
    plane: Plane<D>,
}

impl<const D: usize> Groups<D> {
    /// Returns how many points are done at once.
    fn block(&self) -> usize {
        match self {
            Self::Kept(parts) => JOBS.div_ceil(parts.len().max(1)).max(POINTS_PER_VISIT),
            Self::InTurn(_) => POINTS_PER_TURN,
        }
    }
}

impl<M: Module, B: Batch, const D: usize> Slice<'_, M, B, D> {
    /// Returns the parts in groups that keep at most `bytes`, or one part; or why there are none.
    fn groups(&self, bytes: usize, points: &[[f64; D]]) -> Result<Groups<D>, String> {
        let message = |error: Error| match error {
            Error::Derivatives(reason) => reason.to_string(),
            error => error.to_string(),
        };
        let Batches::Held(batches) = self.objective.risk().batches() else {
            return Err("the batches are streamed".to_owned());
        };
        let mut parts = self.parts(batches, points).map_err(message)?;
        let rest = parts.split_off(1.min(parts.len()));
        let Some(first) = parts.first() else {
            return Err("there is no batch".to_owned());
        };
        let mut kept = self.prepared(&parts).map_err(message)?;
        let of_first: usize = kept.iter().map(|part| part.plane.kept_bytes()).sum();
        let examples = bytes / (of_first / first.examples.max(1)).max(1);
        if self.objective.examples().map_err(message)? <= examples {
            kept.extend(self.prepared(&rest).map_err(message)?);
            return Ok(Groups::Kept(kept));
        }
        drop(kept);
        let mut groups: Vec<Vec<Part>> = Vec::new();
        let mut room: usize = 0;
        for part in parts.into_iter().chain(rest) {
            match groups.last_mut() {
                Some(group) if part.examples <= room => {
                    room -= part.examples;
                    group.push(part);
                }
                _ => {
                    room = examples.saturating_sub(part.examples);
                    groups.push(vec![part]);
                }
            }
        }
        Ok(Groups::InTurn(groups))
    }

    /// Returns the batches, captured in parts where that changes nothing but the rounding, each
    /// with its share of all examples.
    fn parts(&self, batches: &[B], points: &[[f64; D]]) -> Result<Vec<Part>, Error> {
        let Some(first) = batches.first() else {
            return Err(Error::NoData);
        };
        let cutter = Cutter::like(self.objective, first, MOST)?;
        let mut all = Vec::new();
        let checked = extremes(points);
        for (index, batch) in batches.iter().enumerate() {
            let of_all = self.objective.share(batch)?;
            let parts = cutter.capture(self.objective, index, batch.clone(), &self.workers)?;
            // All of them on the first batch, and each on some other.
            let here = match index {
                0 => &checked[..],
                _ => std::slice::from_ref(&checked[index % checked.len()]),
            };
            self.check(&parts, batch, here)?;
            all.extend(parts.into_iter().map(|part| Part {
                share: of_all * part.share,
                ..part
            }));
        }
        Ok(all)
    }

    /// Checks that the first part of a batch has the closure's value at some points: a number that
    /// the closure reads on the host is frozen in the recording, and may be another one there.
    fn check(&self, parts: &[Part], batch: &B, points: &[[f64; D]]) -> Result<(), Error> {
        let (part, rows) = first_part(parts, batch);
        let rounding = self.objective.rounding(&rows)?;
        points.iter().try_for_each(|&point| {
            let theta = self.moved(point);
            self.objective
                .check_value(&rows, &part.loss, &theta, rounding)
        })
    }

    /// Returns some parts on the plane.
    fn prepared(&self, parts: &[Part]) -> Result<Vec<Prepared<D>>, Error> {
        let origin = self.objective.origin();
        let prepared = self.workers.map(parts, |part| {
            let plane = part.loss.on_plane(origin, self.directions.each_ref());
            plane.map(|plane| Prepared {
                share: part.share,
                plane,
            })
        });
        Ok(prepared.into_iter().collect::<Result<_, _>>()?)
    }

    /// Returns the losses at some points.
    fn block(&self, groups: &Groups<D>, points: &[[f64; D]]) -> Result<Vec<f64>, Error> {
        let mut losses = vec![0.0; points.len()];
        match groups {
            Groups::Kept(parts) => self.add(parts, points, &mut losses),
            Groups::InTurn(groups) => {
                for group in groups {
                    let prepared = self.prepared(group)?;
                    self.add(&prepared, points, &mut losses);
                }
            }
        }
        for (loss, &point) in losses.iter_mut().zip(points) {
            // Far out a sum of parts may be no number where the moved parameters give one.
            if !loss.is_finite() {
                *loss = self.forward(point)?;
            }
        }
        Ok(losses)
    }

    /// Adds the share of some parts to the losses at some points.
    fn add(&self, parts: &[Prepared<D>], points: &[[f64; D]], losses: &mut [f64]) {
        // All points of a part one after the other: it stays in the cache.
        let jobs: Vec<(&Prepared<D>, usize)> = parts
            .iter()
            .flat_map(|part| (0..points.len()).map(move |index| (part, index)))
            .collect();
        let values = self
            .workers
            .map(&jobs, |&(part, index)| part.plane.value(points[index]));
        for (&(part, index), value) in jobs.iter().zip(values) {
            losses[index] += part.share * value;
        }
    }

    /// Returns the loss of the model at the moved parameters.
    fn forward(&self, point: [f64; D]) -> Result<f64, Error> {
        self.objective.value(&self.moved(point))
    }

    /// Returns the parameters at a point.
    fn moved(&self, point: [f64; D]) -> Tensor<1> {
        let mut theta = self.objective.origin().clone();
        for (direction, coordinate) in self.directions.iter().zip(point) {
            theta = theta + direction.clone() * coordinate;
        }
        theta
    }
}

/// Returns the points farthest out in each coordinate, in their sum and in their difference, and
/// two from within: at most ten.
fn extremes<const D: usize>(points: &[[f64; D]]) -> Vec<[f64; D]> {
    let unit = |i: usize| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 });
    let alternating = std::array::from_fn(|i| if i % 2 == 0 { 1.0 } else { -1.0 });
    let mut weights: Vec<[f64; D]> = vec![[1.0; D], alternating];
    weights.extend((0..D).map(unit));
    let mut found = Vec::new();
    for weights in weights {
        let height = |point: &[f64; D]| -> f64 {
            let terms = point.iter().zip(&weights);
            terms.map(|(x, weight)| x * weight).sum()
        };
        let by = |a: &&[f64; D], b: &&[f64; D]| height(a).total_cmp(&height(b));
        found.extend(points.iter().min_by(by));
        found.extend(points.iter().max_by(by));
    }
    found.extend(points.get(points.len() / 3));
    found.extend(points.get(2 * points.len() / 3));
    let mut distinct: Vec<[f64; D]> = Vec::new();
    for &point in found {
        if !distinct.contains(&point) {
            distinct.push(point);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::risk::Risk;

    #[derive(Module, Debug)]
    struct Layer {
        weight: Param<Tensor<2>>,
    }

    fn matrix(rows: usize, columns: usize, frequency: f32) -> Tensor<2> {
        let values: Vec<f32> = (0..rows * columns)
            .map(|i| (i as f32 * frequency).sin())
            .collect();
        Tensor::from_data(TensorData::new(values, [rows, columns]), &Device::flex())
    }

    #[test]
    fn losses_are_the_same_bits_in_turns_and_at_once_and_on_any_number_of_cores() {
        let model = Layer {
            weight: Param::from_tensor(matrix(6, 5, 1.3)),
        };
        let batches: Vec<Tensor<2>> = [7, 3, 9, 1]
            .iter()
            .map(|&rows| matrix(rows, 6, 0.7))
            .collect();
        let risk = Risk::mean(batches, |model: &Layer, x: &Tensor<2>| {
            x.clone().matmul(model.weight.val()).tanh().square().mean()
        });
        let objective = Objective::at(&model, &risk).unwrap();
        let directions = [0.3, 0.4].map(|f| matrix(1, 30, f).reshape([30]));
        let points = [[0.0, 0.0], [1.0, -0.5], [-2.0, 0.25]];
        let mut seen: Vec<Vec<u64>> = Vec::new();
        for (cores, bytes) in [(0, 1 << 20), (1, 1 << 20), (3, 1 << 20), (3, 1), (1, 300)] {
            let slice = Slice {
                objective: &objective,
                directions: &directions,
                workers: Workers::new(cores),
            };
            let groups = slice.groups(bytes, &points).unwrap();
            let in_turn = match &groups {
                Groups::Kept(_) => 1,
                Groups::InTurn(groups) => groups.len(),
            };
            assert_eq!(in_turn > 1, bytes < 1 << 20, "{in_turn} groups");
            let losses = slice.block(&groups, &points).unwrap();
            for (&loss, &point) in losses.iter().zip(&points) {
                // Two orders of the same sums in f32.
                assert!((loss / slice.forward(point).unwrap() - 1.0).abs() < 1e-6);
            }
            seen.push(losses.into_iter().map(f64::to_bits).collect());
        }
        assert!(seen.iter().all(|losses| *losses == seen[0]));
    }
}
