//! Losses at points of a line or a plane.
//!
//! Each batch is captured, perhaps in parts, and each part becomes a [`Plane`]. What that keeps
//! between points may be more than memory holds, so parts are done in groups: all of them, if they
//! fit; otherwise a block of points is done for one group after the other, and every group is
//! prepared again for the next block. A loss is the sum over the parts in their order, whichever
//! core had which.

use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Plane, Workers};

use super::Evaluation;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Batches, Cutter, Objective, Part, Risk, first_part};
use crate::vector::{dot, download};

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

/// What a slice asks of quantities that share their data. Points are flat: D coordinates each.
pub(super) trait Source {
    /// Says within which coordinates the points lie; what was prepared for others is dropped.
    fn within(&mut self, extent: &[(f64, f64)]);

    /// Returns how many points are best done at once.
    fn block(&self) -> usize;

    /// Returns for each point the value.
    fn values(&self, points: &[f64]) -> Result<Vec<f64>, Error>;

    /// Returns for each point the value and the derivatives by the coordinates.
    fn slopes(&self, points: &[f64]) -> Result<Vec<(f64, Vec<f64>)>, Error>;

    /// Returns how the values are obtained.
    fn evaluation(&self) -> Evaluation;
}

/// A risk on the slice through one model.
#[derive(Debug)]
pub(super) struct OnSlice<M, B, const D: usize> {
    objective: Objective<M, B>,
    directions: [Tensor<1>; D],
    workers: Workers,
    extent: [(f64, f64); D],
    /// What is kept between points, or why there is nothing.
    groups: OnceLock<Result<Groups<D>, String>>,
}

impl<M: Module, B: Batch, const D: usize> OnSlice<M, B, D> {
    /// Makes the source of a risk along directions.
    ///
    /// # Errors
    /// As [`Objective::at`], and directions that are none.
    pub(super) fn new(
        model: &M,
        risk: &Risk<M, B>,
        directions: [&Tensor<1>; D],
    ) -> Result<Self, Error> {
        let objective = Objective::at(model, risk)?;
        let domain = &objective.space().domain;
        let directions: Vec<_> = directions
            .into_iter()
            .map(|direction| domain.adopt(direction))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            objective,
            directions: directions.try_into().expect("as many as were given"),
            workers: Workers::default(),
            extent: [(-1.0, 1.0); D],
            groups: OnceLock::new(),
        })
    }

    fn prepare(&self) -> &Result<Groups<D>, String> {
        self.groups.get_or_init(|| self.grouped(KEPT_BYTES))
    }
}

impl<M: Module, B: Batch, const D: usize> Source for OnSlice<M, B, D> {
    fn within(&mut self, extent: &[(f64, f64)]) {
        self.extent.copy_from_slice(extent);
        self.groups = OnceLock::new();
    }

    fn block(&self) -> usize {
        self.prepare().as_ref().map_or(1, Groups::block)
    }

    fn values(&self, points: &[f64]) -> Result<Vec<f64>, Error> {
        let (points, _) = points.as_chunks::<D>();
        match self.prepare() {
            Ok(groups) => self.at(groups, points),
            Err(_) => points.iter().map(|&point| self.forward(point)).collect(),
        }
    }

    fn slopes(&self, points: &[f64]) -> Result<Vec<(f64, Vec<f64>)>, Error> {
        let (points, _) = points.as_chunks::<D>();
        let slopes = |&point: &[f64; D]| {
            let (value, gradient) = self.objective.gradient(&self.moved(point))?;
            let gradient = download(&gradient);
            let along = |d: &Tensor<1>| dot(&gradient, &download(d));
            Ok((value, self.directions.iter().map(along).collect()))
        };
        points.iter().map(slopes).collect()
    }

    fn evaluation(&self) -> Evaluation {
        match self.prepare() {
            Ok(_) => Evaluation::Captured,
            Err(because) => Evaluation::Model {
                because: because.clone(),
            },
        }
    }
}

/// The parts of the held batches in groups.
#[derive(Debug)]
enum Groups<const D: usize> {
    /// One group, prepared.
    Kept(Vec<Prepared<D>>),
    /// Several, to be prepared when it is their turn.
    InTurn(Vec<Vec<Part>>),
}

/// A part on the plane, with its share of the examples.
#[derive(Debug)]
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

impl<M: Module, B: Batch, const D: usize> OnSlice<M, B, D> {
    /// Returns the parts in groups that keep at most `bytes`, or one part; or why there are none.
    fn grouped(&self, bytes: usize) -> Result<Groups<D>, String> {
        let message = |error: Error| match error {
            Error::Derivatives(reason) => reason.to_string(),
            error => error.to_string(),
        };
        let Batches::Held(batches) = self.objective.risk().batches() else {
            return Err("the batches are streamed".to_owned());
        };
        let mut parts = self.parts(batches).map_err(message)?;
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
    fn parts(&self, batches: &[B]) -> Result<Vec<Part>, Error> {
        let Some(first) = batches.first() else {
            return Err(Error::NoData);
        };
        let cutter = Cutter::like(&self.objective, first, MOST)?;
        let mut all = Vec::new();
        let checked = probes(&self.extent);
        for (index, batch) in batches.iter().enumerate() {
            let of_all = self.objective.share(batch)?;
            let parts = cutter.capture(&self.objective, index, batch.clone(), &self.workers)?;
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
        let (origin, directions) = (self.objective.origin(), &self.directions);
        let prepared = self.workers.map(parts, |part| {
            let plane = part.loss.on_plane(origin, directions.each_ref());
            plane.map(|plane| Prepared {
                share: part.share,
                plane,
            })
        });
        Ok(prepared.into_iter().collect::<Result<_, _>>()?)
    }

    /// Returns the losses at some points.
    fn at(&self, groups: &Groups<D>, points: &[[f64; D]]) -> Result<Vec<f64>, Error> {
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
        let workers = self.workers;
        let values = workers.map(&jobs, |&(part, index)| part.plane.value(points[index]));
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
        .map(|corner| place(&|i| if corner >> i & 1 == 1 { 1.0 } else { 0.0 }))
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

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Device, TensorData};

    use super::*;

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
        let directions = [0.3, 0.4].map(|f| matrix(1, 30, f).reshape([30]));
        let points = [[0.0, 0.0], [1.0, -0.5], [-2.0, 0.25]];
        let mut seen: Vec<Vec<u64>> = Vec::new();
        for (cores, bytes) in [(0, 1 << 20), (1, 1 << 20), (3, 1 << 20), (3, 1), (1, 300)] {
            let mut slice = OnSlice::new(&model, &risk, directions.each_ref()).unwrap();
            slice.workers = Workers::new(cores);
            slice.within(&[(-2.0, 1.0), (-0.5, 0.25)]);
            let groups = slice.grouped(bytes).unwrap();
            let in_turn = match &groups {
                Groups::Kept(_) => 1,
                Groups::InTurn(groups) => groups.len(),
            };
            assert_eq!(in_turn > 1, bytes < 1 << 20, "{in_turn} groups");
            let losses = slice.at(&groups, &points).unwrap();
            for (&loss, &point) in losses.iter().zip(&points) {
                // Two orders of the same sums in f32.
                assert!((loss / slice.forward(point).unwrap() - 1.0).abs() < 1e-6);
            }
            seen.push(losses.into_iter().map(f64::to_bits).collect());
        }
        assert!(seen.iter().all(|losses| *losses == seen[0]));
    }
}
