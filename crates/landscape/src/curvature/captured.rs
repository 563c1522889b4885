//! A risk whose batches have been captured: exact products over the data.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Linearized, Workers};

use crate::example_gradients::has_row_for_each;
use crate::operator::{Domain, download};
use crate::risk::Batches;
use crate::{Batch, Error, Objective};

/// Which matrix a product is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matrix {
    Hessian,
    GaussNewton,
    Fisher,
}

impl Matrix {
    fn product(self, point: &Linearized, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        match self {
            Self::Hessian => point.hessian_vector(v),
            Self::GaussNewton => point.gauss_newton_vector(v),
            Self::Fisher => point.fisher_vector(v),
        }
        .map_err(Error::Derivatives)
    }

    /// The products with several vectors.
    fn products(self, point: &Linearized, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        match self {
            Self::Hessian => point.hessian_vectors(vectors).map_err(Error::Derivatives),
            Self::GaussNewton | Self::Fisher => {
                vectors.iter().map(|v| self.product(point, v)).collect()
            }
        }
    }

    /// That a captured batch has what the matrix is made of.
    fn suits(self, loss: &CapturedLoss, examples: usize) -> Result<(), Error> {
        match self {
            Self::Hessian => Ok(()),
            Self::GaussNewton if loss.has_outputs() => Ok(()),
            Self::GaussNewton => Err(Error::OutputsNotApart),
            Self::Fisher => has_row_for_each(loss, examples),
        }
    }
}

/// The captured batches of an objective, linearised at its origin.
///
/// Batches held in memory are captured once, keep what a product needs of the point, and are spread over
/// the cores. Streamed
/// batches are captured anew for each product, and nothing of them is kept.
#[derive(Debug)]
pub(super) struct Captured<M, B> {
    objective: Objective<M, B>,
    matrix: Matrix,
    /// Each with its share of the examples; none where batches are streamed.
    held: Vec<(f64, Linearized)>,
    workers: Workers,
}

impl<M: Module, B: Batch> Captured<M, B> {
    /// Captures every batch, or, where they are streamed, the first, to see that it can be done.
    pub(super) fn of(objective: Objective<M, B>, matrix: Matrix) -> Result<Self, Error> {
        let mut held = Vec::new();
        match objective.risk().batches() {
            Batches::Held(batches) => {
                for (index, batch) in batches.iter().enumerate() {
                    let share = objective.share(batch);
                    let loss = objective.capture(batch.clone())?;
                    matrix.suits(&loss, batch.examples())?;
                    // A diverged model may have a finite Hessian, where the loss is a polynomial.
                    let value = loss.value(objective.origin()).map_err(Error::Derivatives)?;
                    if !value.is_finite() {
                        let place = format!("in batch {index}");
                        return Err(Error::NonFiniteLoss { value, place });
                    }
                    let point = loss.linearize(objective.origin());
                    held.push((share, point.map_err(Error::Derivatives)?));
                }
            }
            Batches::Streamed(_) => {
                let mut first = Ok(());
                objective.risk().batches().first(|batch| {
                    let examples = batch.examples();
                    first = objective
                        .capture(batch)
                        .and_then(|loss| matrix.suits(&loss, examples));
                })?;
                first?;
            }
        }
        Ok(Self {
            objective,
            matrix,
            held,
            workers: Workers::per_core(),
        })
    }

    pub(super) const fn objective(&self) -> &Objective<M, B> {
        &self.objective
    }

    pub(super) fn domain(&self) -> &Domain {
        &self.objective.space().domain
    }

    pub(super) fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let products = self.apply_many(std::slice::from_ref(v))?;
        products.into_iter().next().ok_or(Error::NoData)
    }

    pub(super) fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        let vectors: Vec<Tensor<1>> = vectors
            .iter()
            .map(|v| self.domain().adopt(v))
            .collect::<Result<_, _>>()?;
        let (matrix, vectors) = (self.matrix, vectors.as_slice());
        let mut totals: Vec<Tensor<1>> = Vec::new();
        let mut add = |share: f64, products: Vec<Tensor<1>>| {
            let products = products.into_iter().map(|product| product * share);
            totals = if totals.is_empty() {
                products.collect()
            } else {
                let totals = totals.drain(..);
                totals
                    .zip(products)
                    .map(|(total, product)| total + product)
                    .collect()
            };
        };
        if self.held.is_empty() {
            self.objective.risk().batches().for_each(|_, batch| {
                let share = self.objective.share(&batch);
                let batch = self.objective.capture(batch)?;
                let point = batch
                    .linearize(self.objective.origin())
                    .map_err(Error::Derivatives)?;
                add(share, matrix.products(&point, vectors)?);
                Ok(())
            })?;
        } else {
            // Each core takes a batch; the sum is in the order of the batches, whoever was first.
            let of_batches = self.workers.map(&self.held, |(share, batch)| {
                (*share, matrix.products(batch, vectors))
            });
            for (share, products) in of_batches {
                add(share, products?);
            }
        }
        if totals
            .iter()
            .flat_map(download)
            .any(|entry| !entry.is_finite())
        {
            return Err(Error::NonFiniteVector { what: "product" });
        }
        Ok(totals)
    }
}
