//! The span of the vectors of a sketch: an orthonormal basis in f64 on the host.

use super::basis::Basis;

/// Orthonormal vectors of a sketch.
#[derive(Debug)]
pub(super) struct Span(Basis);

impl Span {
    pub(super) fn new() -> Self {
        Self(Basis::default())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, vector: &[f64]) {
        self.0.push(vector.to_vec());
    }

    /// Removes from `w` its part in the span, and returns the coefficients of that part.
    pub(super) fn orthogonalize(&self, w: &mut [f64]) -> Vec<f64> {
        self.0.orthogonalize(w)
    }
}
