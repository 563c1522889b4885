//! Quantities that share their data, at points of a line or a plane.
//!
//! Each batch is captured, perhaps in parts, and each part becomes a [`Plane`] of all quantities.
//! What that keeps between points may be more than memory holds, so parts are done in groups: all
//! of them, if they fit; otherwise a block of points is done for one group after the other, and
//! every group is prepared again for the next block. A value is the sum over the parts in their
//! order, whichever core had which.

mod groups;
mod pieces;
mod spread;

use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Plane, SlopedPlane, Workers};

use super::Evaluation;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};
use crate::vector::{dot, download};
use groups::{Groups, OnPlane, Piece};
pub(super) use spread::spread;

/// Bytes that the planes of one group of parts may keep.
const KEPT_BYTES: usize = 1 << 29;

/// Quantities that share their data, as a slice asks for them. Points are flat: D coordinates each.
pub(super) trait Source {
    /// Says within which coordinates the points lie; what was prepared for others is dropped.
    fn within(&mut self, extent: &[(f64, f64)]);

    /// Returns how many points are best done at once.
    fn block(&self) -> usize;

    /// Returns the values at each point.
    fn values(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error>;

    /// Returns the values at each point, and after each its derivatives: by the coordinates, then
    /// on a plane the mixed one, NaN where it is not known.
    fn slopes(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error>;

    /// Returns how each quantity is evaluated.
    fn evaluations(&self) -> Vec<Evaluation>;
}

/// Risks of the same batches on the slice through one model.
#[derive(Debug)]
pub(super) struct OnSlice<M, B, const D: usize> {
    objectives: Vec<Objective<M, B>>,
    directions: [Tensor<1>; D],
    workers: Workers,
    extent: [(f64, f64); D],
    values: OnceLock<Ready<Plane<D>>>,
    slopes: OnceLock<Ready<SlopedPlane<D>>>,
}

/// The parts that are kept between points, and for each quantity the reason if it is not captured.
#[derive(Debug)]
struct Ready<P> {
    groups: Groups<P>,
    because: Vec<Option<String>>,
}

impl<M: Module, B: Batch, const D: usize> OnSlice<M, B, D> {
    /// Makes the source of some risks along directions.
    ///
    /// # Errors
    /// As [`Objective::at`], and directions of another length.
    pub(super) fn new(
        model: &M,
        risks: &[&Risk<M, B>],
        directions: [&Tensor<1>; D],
    ) -> Result<Self, Error> {
        let objective = |risk: &&Risk<M, B>| Objective::at(model, risk);
        let objectives: Vec<_> = risks.iter().map(objective).collect::<Result<_, _>>()?;
        let domain = &objectives.first().ok_or(Error::NoData)?.space().domain;
        let adopt = |direction: &Tensor<1>| domain.adopt(direction);
        let adopted: Vec<_> = directions
            .into_iter()
            .map(adopt)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            directions: adopted.try_into().expect("as many as were given"),
            objectives,
            workers: Workers::default(),
            extent: [(-1.0, 1.0); D],
            values: OnceLock::new(),
            slopes: OnceLock::new(),
        })
    }

    fn first(&self) -> &Objective<M, B> {
        &self.objectives[0]
    }

    fn for_values(&self) -> &Ready<Plane<D>> {
        self.values.get_or_init(|| self.ready(KEPT_BYTES))
    }

    fn for_slopes(&self) -> &Ready<SlopedPlane<D>> {
        self.slopes.get_or_init(|| self.ready(KEPT_BYTES))
    }

    /// Captures the quantities and prepares what fits `bytes`.
    fn ready<P: OnPlane<D>>(&self, bytes: usize) -> Ready<P> {
        let (pieces, mut because) = self.pieces();
        let prepare = |pieces: &[Piece]| self.prepared(pieces);
        let groups = Groups::new(pieces, bytes, prepare).unwrap_or_else(|reason| {
            let reason = message(reason);
            because.fill(Some(reason));
            Groups::empty()
        });
        Ready { groups, because }
    }

    /// Returns some parts on the plane.
    fn prepared<P: OnPlane<D>>(&self, pieces: &[Piece]) -> Result<Vec<P>, Error> {
        let (origin, directions) = (self.first().origin(), &self.directions);
        let prepared = self.workers.map(pieces, |piece| {
            P::of(&piece.losses, origin, directions.each_ref())
        });
        Ok(prepared.into_iter().collect::<Result<_, _>>()?)
    }

    /// Returns for each point the sums over the parts of what a plane gives, `each` numbers for
    /// each quantity.
    fn sums<P: OnPlane<D>>(
        &self,
        groups: &Groups<P>,
        points: &[[f64; D]],
        each: usize,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let mut sums = vec![vec![0.0; each * self.objectives.len()]; points.len()];
        groups.for_each(
            |pieces| self.prepared(pieces),
            |parts| {
                // All points of a part one after the other: it stays in the cache.
                let jobs: Vec<_> = parts
                    .iter()
                    .flat_map(|part| (0..points.len()).map(move |index| (part, index)))
                    .collect();
                let values = self
                    .workers
                    .map(&jobs, |&((_, plane), index)| plane.numbers(points[index]));
                for (&((shares, _), index), numbers) in jobs.iter().zip(values) {
                    for (&(quantity, share), numbers) in shares.iter().zip(numbers.chunks(each)) {
                        let sums = &mut sums[index][quantity * each..][..each];
                        for (sum, number) in sums.iter_mut().zip(numbers) {
                            *sum += share * number;
                        }
                    }
                }
            },
        )?;
        Ok(sums)
    }

    /// Returns the value of the model at the moved parameters.
    fn forward(&self, quantity: usize, point: [f64; D]) -> Result<f64, Error> {
        self.objectives[quantity].value(&self.moved(point))
    }

    /// Returns value and slopes of the model at the moved parameters, by Burn's gradient.
    fn backward(&self, quantity: usize, point: [f64; D]) -> Result<Vec<f64>, Error> {
        let (value, gradient) = self.objectives[quantity].gradient(&self.moved(point))?;
        let gradient = download(&gradient);
        let along = |d: &Tensor<1>| dot(&gradient, &download(d));
        let mut numbers = vec![value];
        numbers.extend(self.directions.iter().map(along));
        numbers.resize(numbers_of_slopes(D), f64::NAN);
        Ok(numbers)
    }

    /// Returns the parameters at a point.
    fn moved(&self, point: [f64; D]) -> Tensor<1> {
        let mut theta = self.first().origin().clone();
        for (direction, coordinate) in self.directions.iter().zip(point) {
            theta = theta + direction.clone() * coordinate;
        }
        theta
    }

    fn at(&self, ready: &Ready<Plane<D>>, points: &[[f64; D]]) -> Result<Vec<Vec<f64>>, Error> {
        let mut all = self.sums(&ready.groups, points, 1)?;
        for (values, &point) in all.iter_mut().zip(points) {
            for (quantity, value) in values.iter_mut().enumerate() {
                // Far out a sum of parts may be no number where the moved parameters give one.
                if ready.because[quantity].is_some() || !value.is_finite() {
                    *value = self.forward(quantity, point)?;
                }
            }
        }
        Ok(all)
    }
}

impl<M: Module, B: Batch, const D: usize> Source for OnSlice<M, B, D> {
    fn within(&mut self, extent: &[(f64, f64)]) {
        self.extent.copy_from_slice(extent);
        self.values = OnceLock::new();
        self.slopes = OnceLock::new();
    }

    fn block(&self) -> usize {
        let ready = self.for_values();
        if ready.because.iter().all(Option::is_some) {
            return 1;
        }
        ready.groups.block()
    }

    fn values(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        self.at(self.for_values(), points.as_chunks::<D>().0)
    }

    fn slopes(&self, points: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let (points, _) = points.as_chunks::<D>();
        let ready = self.for_slopes();
        let each = numbers_of_slopes(D);
        let mut all = Vec::with_capacity(points.len());
        for block in points.chunks(ready.groups.block()) {
            let sums = self.sums(&ready.groups, block, each)?;
            for (mut numbers, &point) in sums.into_iter().zip(block) {
                for (quantity, numbers) in numbers.chunks_mut(each).enumerate() {
                    if ready.because[quantity].is_some() {
                        numbers.copy_from_slice(&self.backward(quantity, point)?);
                    } else if !numbers[0].is_finite() {
                        // The slopes of the sum are no numbers then either, and stay so.
                        numbers[0] = self.forward(quantity, point)?;
                        numbers[1..].fill(f64::NAN);
                    }
                }
                all.push(numbers);
            }
        }
        Ok(all)
    }

    fn evaluations(&self) -> Vec<Evaluation> {
        let because = &self.for_values().because;
        let evaluation = |because: &Option<String>| match because {
            None => Evaluation::Captured,
            Some(because) => Evaluation::Model {
                because: because.clone(),
            },
        };
        because.iter().map(evaluation).collect()
    }
}

/// Returns how many numbers a quantity has at a point: its value, its slopes, and on a plane the
/// mixed derivative.
pub(super) const fn numbers_of_slopes(dimension: usize) -> usize {
    if dimension > 1 {
        dimension + 2
    } else {
        dimension + 1
    }
}

/// Returns what an error says, without what it is an error of.
fn message(error: Error) -> String {
    match error {
        Error::Derivatives(reason) => reason.to_string(),
        error => error.to_string(),
    }
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
    fn values_are_the_same_bits_in_turns_and_at_once_and_on_any_number_of_cores() {
        let model = Layer {
            weight: Param::from_tensor(matrix(6, 5, 1.3)),
        };
        let batches: Vec<Tensor<2>> = [7, 3, 9, 1]
            .iter()
            .map(|&rows| matrix(rows, 6, 0.7))
            .collect();
        let outputs = |model: &Layer, x: &Tensor<2>| x.clone().matmul(model.weight.val());
        let risk = Risk::mean(batches, move |model: &Layer, x: &Tensor<2>| {
            outputs(model, x).tanh().square().mean()
        });
        let share = Risk::mean(
            risk.batches().clone(),
            move |model: &Layer, x: &Tensor<2>| outputs(model, x).greater_elem(0.5).float().mean(),
        );
        let directions = [0.3, 0.4].map(|f| matrix(1, 30, f).reshape([30]));
        let points = [[0.0, 0.0], [1.0, -0.5], [-2.0, 0.25]];
        let mut seen: Vec<Vec<u64>> = Vec::new();
        for (cores, bytes) in [(0, 1 << 20), (1, 1 << 20), (3, 1 << 20), (3, 1), (1, 300)] {
            let mut slice = OnSlice::new(&model, &[&risk, &share], directions.each_ref()).unwrap();
            slice.workers = Workers::new(cores);
            slice.within(&[(-2.0, 1.0), (-0.5, 0.25)]);
            let ready = slice.ready(bytes);
            assert_eq!(ready.because, [None, None]);
            let in_turn = match &ready.groups {
                Groups::Kept(parts) => {
                    assert_eq!(parts.len(), 4, "both quantities in one part");
                    1
                }
                Groups::InTurn(groups) => groups.len(),
            };
            assert_eq!(in_turn > 1, bytes < 1 << 20, "{in_turn} groups");
            let values = slice.at(&ready, &points).unwrap();
            for (values, &point) in values.iter().zip(&points) {
                // Two orders of the same sums in f32.
                for (quantity, value) in values.iter().enumerate() {
                    let forward = slice.forward(quantity, point).unwrap();
                    assert!((value / forward - 1.0).abs() < 1e-6, "{value} {forward}");
                }
            }
            seen.push(values.concat().into_iter().map(f64::to_bits).collect());
        }
        assert!(seen.iter().all(|values| *values == seen[0]));
    }
}
