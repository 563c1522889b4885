//! An operator that counts its products.

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::Domain;

/// An operator that counts the products with the one inside, quadratic forms included: what an
/// algorithm really spent.
#[derive(Debug)]
pub struct Counted<A> {
    operator: A,
    products: AtomicUsize,
}

impl<A: LinearOperator> Counted<A> {
    /// Makes an operator that counts from zero.
    pub const fn new(operator: A) -> Self {
        Self {
            operator,
            products: AtomicUsize::new(0),
        }
    }

    /// Returns the products so far.
    pub fn products(&self) -> usize {
        self.products.load(Ordering::Relaxed)
    }
}

impl<A: LinearOperator> LinearOperator for Counted<A> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.products.fetch_add(1, Ordering::Relaxed);
        self.operator.apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.products.fetch_add(vectors.len(), Ordering::Relaxed);
        self.operator.apply_many(vectors)
    }

    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.products.fetch_add(1, Ordering::Relaxed);
        self.operator.quadratic_form(v)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        self.products.fetch_add(vectors.len(), Ordering::Relaxed);
        self.operator.quadratic_forms(vectors)
    }
}
