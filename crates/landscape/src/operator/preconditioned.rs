//! An operator in other units of its coordinates.

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::{Domain, checked, download};

/// An operator between two diagonal matrices, `D A D` with `D = diag(scale)`.
///
/// With `scale = p^(−1/2)` it is `P^(−1/2) A P^(−1/2)` of the preconditioner `P = diag(p)`: it is
/// symmetric and has the eigenvalues of `P⁻¹ A`, which decide whether preconditioned steps are
/// stable. An eigenvector `u` of it is the eigenvector `D u` of `P⁻¹ A`. With entries 0 and 1 it is
/// A on some coordinates, with zeros elsewhere.
///
/// A product costs one of A, and holds two vectors of P more.
/// [`relative_error`](LinearOperator::relative_error) is that of A. Where the
/// scales span many decades and the errors of A are not of the size of its rows, as those of
/// differences are not, products may be worse than it says.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::{Dense, LinearOperator, Preconditioned};
/// use landscape::spectrum::dense_spectrum;
///
/// let hessian = Dense::new(&[4.0, 0.0, 0.0, 9.0], (&Device::flex(), DType::F64))?;
/// let scale = hessian.domain().upload(&[0.5, 1.0])?; // p = (4, 1)
/// let spectrum = dense_spectrum(&Preconditioned::new(&hessian, &scale)?)?;
/// assert_eq!(spectrum.values, [1.0, 9.0]);
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Preconditioned<A> {
    operator: A,
    scale: Tensor<1>,
}

impl<A: LinearOperator> Preconditioned<A> {
    /// Makes `D A D` with `D = diag(scale)`; `scale`, `[P]`, is taken to the operator's float type
    /// and device.
    ///
    /// # Errors
    /// A scale whose length is not P, or with an entry that is not finite.
    pub fn new(operator: A, scale: &Tensor<1>) -> Result<Self, Error> {
        let domain = operator.domain();
        domain.check_length("scale of the preconditioner", scale.dims()[0])?;
        let scale = domain.adopt(scale)?;
        // After rounding to the operator's type, in which large scales may overflow.
        checked(download(&scale), "scale of the preconditioner")?;
        Ok(Self { operator, scale })
    }

    fn scaled(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.domain().check_length("vector", v.dims()[0])?;
        Ok(v.clone() * self.scale.clone())
    }
}

impl<A: LinearOperator> LinearOperator for Preconditioned<A> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        Ok(self.operator.apply(&self.scaled(v)?)? * self.scale.clone())
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        let scaled = vectors
            .iter()
            .map(|v| self.scaled(v))
            .collect::<Result<Vec<_>, Error>>()?;
        let products = self.operator.apply_many(&scaled)?;
        let products = products.into_iter();
        Ok(products
            .map(|product| product * self.scale.clone())
            .collect())
    }

    /// Returns `(Dv)ᵀ A (Dv)`, at the cost of a quadratic form of A.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.operator.quadratic_form(&self.scaled(v)?)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        let scaled = vectors.iter().map(|v| self.scaled(v));
        self.operator
            .quadratic_forms(&scaled.collect::<Result<Vec<_>, Error>>()?)
    }
}
