//! The span of the vectors of a sketch: an orthonormal basis in f64 on the host.

use super::basis::Basis;
use crate::error::Error;
use crate::vector::Domain;

/// Orthonormal vectors of a sketch.
#[derive(Debug)]
pub(super) struct Span {
    domain: Domain,
    basis: Basis,
}

impl Span {
    pub(super) fn new(domain: &Domain) -> Self {
        Self {
            domain: domain.clone(),
            basis: Basis::default(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.basis.len()
    }

    /// Adds a unit vector orthogonal to the others.
    ///
    /// # Errors
    /// A wrong length.
    pub(super) fn push(&mut self, vector: &[f64]) -> Result<(), Error> {
        self.domain.check_length("vector", vector.len())?;
        self.basis.push(vector.to_vec());
        Ok(())
    }

    /// Removes from `w` its part in the span, and returns the coefficients of that part.
    pub(super) fn orthogonalize(&self, w: &mut [f64]) -> Vec<f64> {
        self.basis.orthogonalize(w)
    }
}
