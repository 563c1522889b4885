//! Symmetric linear operators known only by their products.
//!
//! Everything under [`spectrum`](crate::spectrum) works on a [`LinearOperator`] and sees neither
//! module nor data. The wrappers here change an operator ([`Shifted`], [`Deflated`]), take a part
//! of it ([`Restricted`]) or watch it ([`Counted`], [`Observed`]); [`check_operator`] sees whether
//! it is one.

pub mod check;

mod counted;
mod deflated;
mod dense;
mod observed;
mod preconditioned;
mod restricted;
mod shifted;
mod symmetric_matrix;

pub use check::{CheckConfig, Finding, OperatorCheck, agreement, check_operator};
pub use counted::Counted;
pub use deflated::Deflated;
pub use dense::Dense;
pub use observed::Observed;
pub use preconditioned::Preconditioned;
pub use restricted::{Restricted, by_layer, by_parameter};
pub use shifted::Shifted;
pub use symmetric_matrix::SymmetricMatrix;

use burn::tensor::Tensor;

use crate::error::Error;
pub use crate::vector::Domain;
use crate::vector::download;

/// A symmetric linear map from `[P]` to `[P]`.
///
/// Vectors are flat Burn tensors on the device and in the float type of the [`Domain`]. Algorithms
/// keep their recurrences in f64 on the host, since some devices have no f64 at all.
pub trait LinearOperator {
    /// Returns where the vectors live: dimension, float type, device.
    fn domain(&self) -> &Domain;

    /// Returns the number of coordinates P.
    fn dim(&self) -> usize {
        self.domain().dim
    }

    /// Returns how exact the products are: a relative error, at least the float type's rounding.
    /// Residuals and tolerances go no lower.
    fn relative_error(&self) -> f64 {
        self.domain().unit_roundoff()
    }

    /// Returns the product with `v`, `[P]`.
    ///
    /// # Errors
    /// A length other than P, or whatever prevents the product.
    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error>;

    /// Returns the products with several vectors, each `[P]`, in their order.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), at the first product that fails.
    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        vectors.iter().map(|v| self.apply(v)).collect()
    }

    /// Returns the quadratic form `vᵀAv` of `v`, `[P]`: its inner product with the product, where
    /// an operator has nothing cheaper.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let product = download(&self.apply(v)?);
        Ok(download(v).iter().zip(product).map(|(v, p)| v * p).sum())
    }

    /// Returns the quadratic forms of several vectors, each `[P]`, in their order.
    ///
    /// # Errors
    /// As [`quadratic_form`](Self::quadratic_form), at the first that fails.
    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        vectors.iter().map(|v| self.quadratic_form(v)).collect()
    }
}

impl<A: LinearOperator + ?Sized> LinearOperator for &A {
    fn domain(&self) -> &Domain {
        (**self).domain()
    }

    fn relative_error(&self) -> f64 {
        (**self).relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        (**self).apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        (**self).apply_many(vectors)
    }

    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        (**self).quadratic_form(v)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        (**self).quadratic_forms(vectors)
    }
}
