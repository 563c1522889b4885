//! An operator plus a multiple of the identity.

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::{Domain, dot, download};

/// An operator with a shift, `A + shift · I`.
#[derive(Debug, Clone)]
pub struct Shifted<A> {
    operator: A,
    shift: f64,
}

impl<A: LinearOperator> Shifted<A> {
    /// Returns `A + shift · I`; eigenvalues move by `shift`, eigenvectors stay.
    pub const fn new(operator: A, shift: f64) -> Self {
        Self { operator, shift }
    }
}

impl<A: LinearOperator> LinearOperator for Shifted<A> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        Ok(self.operator.apply(v)? + v.clone() * self.shift)
    }

    /// Returns `vᵀAv + shift · ‖v‖²`.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let host = download(v);
        Ok(self.operator.quadratic_form(v)? + self.shift * dot(&host, &host))
    }
}
