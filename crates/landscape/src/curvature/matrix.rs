//! The matrices of second derivatives that have exact products.

use burn::tensor::Tensor;
use derivatives::{CapturedLoss, Linearized};

use crate::error::Error;
use crate::risk::{Part, check_rows};
use crate::vector::{dot, download};

/// The matrix of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matrix {
    Hessian,
    GaussNewton,
    Fisher,
    /// The Hessian less the Gauss-Newton matrix.
    HessianRemainder,
}

impl Matrix {
    /// Returns the products with several vectors at a point.
    pub(super) fn products(
        self,
        point: &Linearized,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        Ok(match (self, vectors) {
            (Self::Hessian, [v]) => vec![point.hessian_vector(v)?],
            (Self::Hessian, vectors) => point.hessian_vectors(vectors)?,
            (Self::GaussNewton, [v]) => vec![point.gauss_newton_vector(v)?],
            (Self::GaussNewton, vectors) => point.gauss_newton_vectors(vectors)?,
            (Self::Fisher, [v]) => vec![point.fisher_vector(v)?],
            (Self::Fisher, vectors) => point.fisher_vectors(vectors)?,
            (Self::HessianRemainder, [v]) => vec![point.hessian_remainder_vector(v)?],
            (Self::HessianRemainder, vectors) => point.hessian_remainder_vectors(vectors)?,
        })
    }

    /// Returns the quadratic form at a point.
    pub(super) fn form(self, point: &Linearized, v: &Tensor<1>) -> Result<f64, Error> {
        Ok(match self {
            Self::Hessian => point.quadratic_form(v)?,
            Self::GaussNewton => point.gauss_newton_form(v)?,
            Self::Fisher => point.fisher_form(v)?,
            Self::HessianRemainder => form(v, &point.hessian_remainder_vector(v)?),
        })
    }

    /// Returns the quadratic form at `theta`, of which nothing is kept.
    pub(super) fn recomputed_form(
        self,
        loss: &CapturedLoss,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<f64, Error> {
        Ok(match self {
            Self::Hessian => loss.quadratic_form(theta, v)?,
            Self::GaussNewton => loss.gauss_newton_form(theta, v)?,
            Self::Fisher => loss.fisher_form(theta, v)?,
            Self::HessianRemainder => form(v, &loss.hessian_remainder_vector(theta, v)?),
        })
    }

    /// Returns the products with several vectors at `theta`, of which nothing is kept between one
    /// and the next.
    pub(super) fn recomputed(
        self,
        loss: &CapturedLoss,
        theta: &Tensor<1>,
        vectors: &[Tensor<1>],
    ) -> Result<Vec<Tensor<1>>, Error> {
        let product = match self {
            Self::Hessian => CapturedLoss::hessian_vector,
            Self::GaussNewton => CapturedLoss::gauss_newton_vector,
            Self::Fisher => CapturedLoss::fisher_vector,
            Self::HessianRemainder => CapturedLoss::hessian_remainder_vector,
        };
        let products = vectors.iter().map(|v| product(loss, theta, v));
        Ok(products.collect::<Result<_, _>>()?)
    }

    /// Returns the bytes that a point takes which is kept between products.
    pub(super) fn bytes(self, point: &Linearized) -> Result<usize, Error> {
        Ok(match self {
            Self::Hessian => point.hessian_bytes(),
            Self::GaussNewton => point.gauss_newton_bytes()?,
            Self::Fisher => point.fisher_bytes()?,
            Self::HessianRemainder => point.hessian_remainder_bytes()?,
        })
    }

    /// Checks that captured examples have what the matrix is made of.
    ///
    /// # Errors
    /// [`Error::OutputsNotApart`] and [`Error::OutputRows`].
    pub(super) fn check_outputs(self, part: &Part) -> Result<(), Error> {
        match self {
            Self::Hessian => Ok(()),
            Self::GaussNewton | Self::HessianRemainder if part.loss.has_outputs() => Ok(()),
            Self::GaussNewton | Self::HessianRemainder => Err(Error::OutputsNotApart),
            Self::Fisher => check_rows(&part.loss, part.examples),
        }
    }
}

/// Returns `vᵀ(A v)` from the product.
fn form(v: &Tensor<1>, product: &Tensor<1>) -> f64 {
    dot(&download(v), &download(product))
}
