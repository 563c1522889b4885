//! Products with several vectors at one point.

use std::sync::{Arc, PoisonError};

use burn::tensor::{Device, Tensor};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::linearized::StackedAtPoint;
use super::programs::Stacked;
use crate::graph::Set;
use crate::record::burn_names::is_cpu;
use crate::run::Workers;
use crate::transform::Linear;
use crate::{CapturedLoss, Error, Linearized};

/// The order in which several products are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Each by itself, spread over the cores.
    Jobs,
    /// All by one program of stacked vectors.
    Stacked,
}

/// Up to this many numbers for each vector, starting operations costs more than computing them: on
/// two cores the ways are equal between 20 and 50 thousand, for a net of two layers.
const SMALL: usize = 1 << 15;

/// A stacked program may compute this many numbers, 512 MiB in f64.
const LARGEST: usize = 1 << 26;

/// Returns how many vectors go into one stacked program that computes `entries` numbers for each.
pub(crate) fn chunk(entries: usize, vectors: usize) -> usize {
    (LARGEST / entries.max(1)).clamp(1, vectors.max(1))
}

impl Schedule {
    /// Returns the faster way for products that compute `entries` numbers each.
    ///
    /// On a CPU larger operations gain nothing, and lose their place in the cache; a GPU wants
    /// them.
    pub(crate) fn of(device: &Device, entries: usize) -> Self {
        if is_cpu(device) && entries > SMALL {
            Self::Jobs
        } else {
            Self::Stacked
        }
    }
}

impl Linearized {
    /// Returns `H v` for each of `vectors`, in their order: on a GPU by one program of all vectors
    /// at once, on a CPU over the cores.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vectors(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.products(Linear::Hessian, vectors)
    }

    /// Returns `Jᵀ H_f J v` for each of `vectors`, as [`hessian_vectors`](Self::hessian_vectors).
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vectors(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.products(Linear::GaussNewton, vectors)
    }

    /// Returns `F v` with the empirical Fisher matrix for each of `vectors`, as
    /// [`hessian_vectors`](Self::hessian_vectors).
    ///
    /// # Errors
    /// As [`fisher_vector`](Self::fisher_vector).
    pub fn fisher_vectors(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.products(Linear::Fisher, vectors)
    }

    pub(super) fn products(
        &self,
        map: Linear,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        let loss = self.loss();
        let entries = loss.programs().entries(map)?;
        self.products_by(Schedule::of(loss.device(), entries), entries, map, vectors)
    }

    fn products_by(
        &self,
        way: Schedule,
        entries: usize,
        map: Linear,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        let chunk = chunk(entries, vectors.len());
        if way == Schedule::Jobs || chunk == 1 {
            let product = match map {
                Linear::GaussNewton => Self::gauss_newton_vector,
                Linear::Fisher => Self::fisher_vector,
                Linear::HessianRemainder => Self::hessian_remainder_vector,
                _ => Self::hessian_vector,
            };
            return Workers::default()
                .map(vectors, |v| product(self, v))
                .into_iter()
                .collect();
        }
        let loss = self.loss();
        let mut products = Vec::with_capacity(vectors.len());
        for some in vectors.chunks(chunk) {
            let rows = loss.split_rows(&loss.rows(some)?);
            let blocks = self.stacked(map, some.len(), &rows)?;
            let matrix = loss.join_rows(blocks, some.len());
            products.extend((0..some.len()).map(|row| {
                let row: Tensor<2> = matrix.clone().slice_dim(0, row..row + 1);
                row.reshape([loss.dim()])
            }));
        }
        Ok(products)
    }

    /// Returns the outputs of `map` for `len` inputs stacked along the first axis.
    pub(crate) fn stacked(
        &self,
        map: Linear,
        len: usize,
        inputs: &[DispatchTensor],
    ) -> Result<Vec<DispatchTensor>, Error> {
        let kept = self.kept_stacked(map, len)?;
        let values = kept.plan.advance(&kept.values, Set::TANGENT, inputs);
        Ok(kept.plan.outputs(&values))
    }

    fn kept_stacked(&self, map: Linear, len: usize) -> Result<Arc<StackedAtPoint>, Error> {
        let lock = || self.last().0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = lock()
            .as_ref()
            .filter(|kept| (kept.map, kept.len) == (map, len))
        {
            return Ok(Arc::clone(kept));
        }
        let loss = self.loss();
        let plan = loss.programs().stacked(Stacked::Linear(map), len)?;
        // Not under the lock: the pool may give a thread that waits inside a kernel another product
        // at this point, and it would wait for itself. Plans of other lengths come and go: nothing
        // is kept with the data for them.
        let start = plan.start(&loss.data().keeping_nothing());
        let values = plan.advance(&start, Set::POINT, self.point());
        let kept = Arc::new(StackedAtPoint {
            map,
            len,
            plan,
            values,
        });
        *lock() = Some(Arc::clone(&kept));
        Ok(kept)
    }
}

impl CapturedLoss {
    /// Returns `H v` for each of `vectors`, in their order; see [`Linearized::hessian_vectors`].
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vectors(
        &self,
        theta: &Tensor<1>,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        self.linearize(theta)?.hessian_vectors(vectors)
    }

    /// Returns L and its gradient at several points, the rows of `[B, P]`: `[B]` and `[B, P]`, by
    /// one program of all points at once.
    ///
    /// # Errors
    /// Rows of another length than P.
    pub fn gradients(&self, points: &Tensor<2>) -> Result<(Vec<f64>, Tensor<2>), Error> {
        let [count, found] = points.dims();
        let expected = self.dim();
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let plan = self.programs().stacked(Stacked::Points, count)?;
        let points = self.split_rows(&self.adopt(points));
        let data = self.data().keeping_nothing();
        let mut outputs = plan.once(&data, &[(Set::POINT, &points)], None);
        let losses = Dispatch::float_reshape(outputs.remove(0), [count].into());
        let losses = Tensor::<1>::from_dispatch(losses).into_data();
        Ok((
            losses.iter::<f64>().collect(),
            self.join_rows(outputs, count),
        ))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::Capture;

    #[derive(Module, Debug)]
    struct Net {
        first: Linear,
        second: Linear,
    }

    #[test]
    fn vectors_one_by_one_and_stacked_have_the_same_products() {
        let device = Device::flex();
        let model = Net {
            first: LinearConfig::new(5, 7).init(&device),
            second: LinearConfig::new(7, 3).init(&device),
        };
        let x = Tensor::<2>::random([11, 5], Distribution::Default, &device);
        let loss = Capture::of(&model)
            .loss(|model: &Net, device| {
                let hidden = model.first.forward(x.clone().to_device(device)).tanh();
                model.second.forward(hidden).square().mean()
            })
            .expect("a capture");
        let vectors: Vec<Tensor<1>> = (0..4)
            .map(|_| Tensor::random([loss.dim()], Distribution::Default, &device))
            .collect();
        let point = loss.linearize(&loss.origin()).expect("a point");
        // The last pair of numbers leaves one vector for a second program.
        for (way, entries) in [
            (Schedule::Jobs, 1),
            (Schedule::Stacked, 1),
            (Schedule::Stacked, LARGEST / 3),
        ] {
            let products = point
                .products_by(way, entries, crate::transform::Linear::Hessian, &vectors)
                .expect("products");
            assert_eq!(products.len(), 4);
            for (v, product) in vectors.iter().zip(products) {
                let alone = point.hessian_vector(v).expect("a product");
                let gap: f32 = (product - alone.clone()).abs().max().into_scalar();
                let size: f32 = alone.abs().max().into_scalar();
                // Sums of f32 in another order.
                assert!(gap < 1e-5 * size, "{way:?}: {gap} of {size}");
            }
        }
        let none = point.hessian_vectors(&[]).expect("no products");
        assert!(none.is_empty());
    }

    #[test]
    fn processors_take_jobs_unless_they_are_small() {
        let device = Device::flex();
        assert_eq!(Schedule::of(&device, SMALL + 1), Schedule::Jobs);
        assert_eq!(Schedule::of(&device, SMALL), Schedule::Stacked);
    }
}
