//! Losses at points of a line or a plane.
//!
//! Each batch is captured and becomes a [`Plane`]. What that keeps between points may be more than
//! memory holds, so batches are done in groups: all of them, if they fit; otherwise a block of
//! points is done for one group after the other, and every group is prepared again for the next
//! block. A loss is the sum over the batches in their order, whichever core had which.

use std::ops::{ControlFlow, Range};

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{CapturedLoss, Plane, Workers};

use super::Evaluation;
use crate::risk::Batches;
use crate::{Batch, Error, Objective};

/// Bytes that the planes of one group of batches may keep.
const KEPT_BYTES: usize = 1 << 29;

/// Points done at once where groups have to be prepared again: preparing costs about as much as
/// the first layer of three points.
const POINTS_PER_TURN: usize = 64;

/// (Point, batch) pairs that keep the cores busy; a callback may cancel after that many.
const JOBS: usize = 64;

/// Points for which a batch stays in a core's cache, at least.
const POINTS_PER_VISIT: usize = 8;

/// The losses at `origin + sum_i a_i d_i` for the coordinates a of `points`, each handed to `each`,
/// and how they were obtained.
pub(super) fn values<M: Module, B: Batch, const D: usize>(
    objective: &Objective<M, B>,
    directions: &[Tensor<1>; D],
    points: &[[f64; D]],
    mut each: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<(Vec<f64>, Evaluation), Error> {
    let slice = Slice {
        objective,
        directions,
        workers: Workers::per_core(),
    };
    let mut groups = slice.groups(KEPT_BYTES);
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

struct Slice<'a, M, B, const D: usize> {
    objective: &'a Objective<M, B>,
    directions: &'a [Tensor<1>; D],
    workers: Workers,
}

/// The held batches in groups.
enum Groups<'a, B, const D: usize> {
    /// One group, prepared.
    Kept(Vec<Prepared<D>>),
    /// Several, to be prepared when it is their turn.
    InTurn {
        batches: &'a [B],
        groups: Vec<Range<usize>>,
    },
}

/// A batch on the plane, with its share of the examples.
struct Prepared<const D: usize> {
    share: f64,
    plane: Plane<D>,
}

impl<B, const D: usize> Groups<'_, B, D> {
    /// How many points are done at once.
    fn block(&self) -> usize {
        match self {
            Self::Kept(batches) => JOBS.div_ceil(batches.len().max(1)).max(POINTS_PER_VISIT),
            Self::InTurn { .. } => POINTS_PER_TURN,
        }
    }
}

impl<'a, M: Module, B: Batch, const D: usize> Slice<'a, M, B, D> {
    /// The batches in groups that keep at most `bytes`, or one batch; or why there are none.
    fn groups(&self, bytes: usize) -> Result<Groups<'a, B, D>, String> {
        let Batches::Held(batches) = self.objective.risk().batches() else {
            return Err("the batches are streamed".to_owned());
        };
        let message = |error: Error| match error {
            Error::Derivatives(reason) => reason.to_string(),
            error => error.to_string(),
        };
        let Some((first, rest)) = batches.split_first() else {
            return Err("there is no batch".to_owned());
        };
        let mut kept = self
            .prepared(std::slice::from_ref(first))
            .map_err(message)?;
        let of_first: usize = kept.iter().map(|batch| batch.plane.kept_bytes()).sum();
        let examples = bytes / (of_first / first.examples().max(1)).max(1);
        if self.objective.examples() <= examples {
            kept.extend(self.prepared(rest).map_err(message)?);
            return Ok(Groups::Kept(kept));
        }
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut room = 0;
        for (index, batch) in batches.iter().enumerate() {
            match (groups.last_mut(), batch.examples() <= room) {
                (Some(group), true) => group.end = index + 1,
                _ => {
                    groups.push(index..index + 1);
                    room = examples;
                }
            }
            room = room.saturating_sub(batch.examples());
        }
        Ok(Groups::InTurn { batches, groups })
    }

    /// The batches on the plane.
    fn prepared(&self, batches: &[B]) -> Result<Vec<Prepared<D>>, Error> {
        let losses: Vec<(f64, CapturedLoss)> = batches
            .iter()
            .map(|batch| {
                let share = self.objective.share(batch);
                Ok((share, self.objective.capture(batch.clone())?))
            })
            .collect::<Result<_, Error>>()?;
        let origin = self.objective.origin();
        let prepared = self.workers.map(&losses, |(share, loss)| {
            let plane = loss.on_plane(origin, self.directions.each_ref());
            let share = *share;
            plane.map(|plane| Prepared { share, plane })
        });
        prepared
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(Error::Derivatives)
    }

    /// The losses at some points.
    fn block(&self, groups: &Groups<'_, B, D>, points: &[[f64; D]]) -> Result<Vec<f64>, Error> {
        let mut losses = vec![0.0; points.len()];
        match groups {
            Groups::Kept(batches) => self.add(batches, points, &mut losses),
            Groups::InTurn { batches, groups } => {
                for group in groups {
                    let prepared = self.prepared(&batches[group.clone()])?;
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

    /// Adds the share of some batches to the losses at some points.
    fn add(&self, batches: &[Prepared<D>], points: &[[f64; D]], losses: &mut [f64]) {
        // All points of a batch one after the other: it stays in the cache.
        let jobs: Vec<(&Prepared<D>, usize)> = batches
            .iter()
            .flat_map(|batch| (0..points.len()).map(move |index| (batch, index)))
            .collect();
        let values = self
            .workers
            .map(&jobs, |&(batch, index)| batch.plane.value(points[index]));
        for (&(batch, index), value) in jobs.iter().zip(values) {
            losses[index] += batch.share * value;
        }
    }

    /// The loss of the model at the moved parameters.
    fn forward(&self, point: [f64; D]) -> Result<f64, Error> {
        let mut theta = self.objective.origin().clone();
        for (direction, coordinate) in self.directions.iter().zip(point) {
            theta = theta + direction.clone() * coordinate;
        }
        self.objective.value(&theta)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::Risk;

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
            let groups = slice.groups(bytes).unwrap();
            let in_turn = match &groups {
                Groups::Kept(_) => 1,
                Groups::InTurn { groups, .. } => groups.len(),
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
