//! The generalised Gauss-Newton matrix of a risk as an operator.

use burn::module::Module;
use burn::tensor::Tensor;

use super::ProductConfig;
use super::exact_products::ExactProducts;
use super::gauss_newton_squares::{GaussNewtonSquares, Squares};
use super::matrix::Matrix;
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::parameters::ParameterSpace;
use crate::risk::{Objective, Risk};
use crate::vector::Domain;

/// The generalised Gauss-Newton matrix of a risk at a model, `G = Jᵀ H_f J`: J the Jacobian of the
/// model's outputs, `H_f` the Hessian of the loss in them.
///
/// Positive semi-definite where the loss is convex in the outputs, and equal to
/// the Hessian where the outputs are linear in the parameters.
///
/// The risk must tell outputs and loss apart: [`Risk::of`]. Products are exact.
///
/// # References
/// Schraudolph 2002, "Fast Curvature Matrix-Vector Products for Second-Order Gradient Descent".
#[derive(Debug)]
pub struct GaussNewton<M, B>(ExactProducts<M, B>);

impl<M: Module, B: Batch> GaussNewton<M, B> {
    /// Returns the matrix of `risk` at `model`.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean or cannot be captured, a
    /// risk that does not tell outputs and loss apart.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::at_with(model, risk, &ProductConfig::new())
    }

    /// Returns the same as [`at`](Self::at) with settings of the products, such as the memory they
    /// may keep.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn at_with(model: &M, risk: &Risk<M, B>, config: &ProductConfig) -> Result<Self, Error> {
        ExactProducts::of(Objective::at(model, risk)?, Matrix::GaussNewton, config).map(Self)
    }

    /// Returns the diagonal of G, `[P]`, exact up to rounding; see
    /// [`exact_diagonal`](super::exact_diagonal()) for the way and the cost.
    ///
    /// # Errors
    /// [`Error::CoupledOutputs`], an entry that is not finite.
    pub fn diagonal(&self) -> Result<Vec<f64>, Error> {
        Ok(self.0.gauss_newton_squares(Squares::Entries)?.values)
    }

    pub(super) fn squares(&self, of: Squares) -> Result<GaussNewtonSquares, Error> {
        self.0.gauss_newton_squares(of)
    }

    /// Returns the operator of `H − G` on the same captured data.
    pub(super) fn into_remainder(self) -> Result<ExactProducts<M, B>, Error> {
        self.0.of_matrix(Matrix::HessianRemainder)
    }

    /// Returns the bytes that are kept between products.
    pub fn kept_bytes(&self) -> usize {
        self.0.kept().bytes
    }

    /// Returns the coordinates.
    pub const fn space(&self) -> &ParameterSpace {
        self.0.objective().space()
    }
}

impl<M: Module, B: Batch> LinearOperator for GaussNewton<M, B> {
    fn domain(&self) -> &Domain {
        self.0.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.0.apply(v)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, Error> {
        self.0.apply_many(vectors)
    }

    /// Returns `vᵀGv = (J v)ᵀ H_f (J v)`, by a forward derivative and without a
    /// backward pass: about half the cost of a product.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        self.0.quadratic_form(v)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        self.0.quadratic_forms(vectors)
    }
}
