//! An operator with some of its eigenpairs taken out.

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::{Domain, dot, download};

/// An operator without some eigenpairs, `A − Σᵢ λᵢ qᵢ qᵢᵀ` for orthonormal `qᵢ`: the eigenvalues of
/// the given pairs become zero, the others stay.
#[derive(Debug, Clone)]
pub struct Deflated<A> {
    operator: A,
    pairs: Vec<(f64, Vec<f64>)>,
}

impl<A: LinearOperator> Deflated<A> {
    /// Takes out the pairs `(eigenvalue, unit eigenvector)`.
    ///
    /// # Errors
    /// An eigenvector whose length is not P.
    pub fn new<'v>(
        operator: A,
        pairs: impl IntoIterator<Item = (f64, &'v Tensor<1>)>,
    ) -> Result<Self, Error> {
        let pairs = pairs
            .into_iter()
            .map(|(value, vector)| {
                operator
                    .domain()
                    .check_length("eigenvector", vector.dims()[0])?;
                Ok((value, download(vector)))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { operator, pairs })
    }
}

impl<A: LinearOperator> LinearOperator for Deflated<A> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let mut product = download(&self.operator.apply(v)?);
        let v = download(v);
        for (value, vector) in &self.pairs {
            let weight: f64 = value * vector.iter().zip(&v).map(|(q, x)| q * x).sum::<f64>();
            for (entry, q) in product.iter_mut().zip(vector) {
                *entry -= weight * q;
            }
        }
        self.domain().upload(&product)
    }

    /// Returns `vᵀAv − Σᵢ λᵢ (qᵢᵀv)²`.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let form = self.operator.quadratic_form(v)?;
        let v = download(v);
        let taken = self
            .pairs
            .iter()
            .map(|(value, q)| value * dot(q, &v).powi(2));
        Ok(form - taken.sum::<f64>())
    }
}
