//! Products of an operator with vectors on the host.

use burn::tensor::Tensor;

use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::{checked, download, normalize};

/// Returns the product of an operator with a host vector, on the host.
///
/// # Errors
/// [`Error::NonFiniteVector`] for a product with NaN or infinite entries, and the operator's own.
pub(super) fn product<A: LinearOperator + ?Sized>(op: &A, v: &[f64]) -> Result<Vec<f64>, Error> {
    on_host(op, &op.apply(&op.domain().upload(v)?)?)
}

/// The name of a product in errors.
pub(super) const WHAT: &str = "operator's product";

/// Returns a product that an operator gave, on the host.
///
/// # Errors
/// [`Error::Length`] for one that has not the operator's dimension, and [`Error::NonFiniteVector`].
pub(super) fn on_host<A: LinearOperator + ?Sized>(
    op: &A,
    product: &Tensor<1>,
) -> Result<Vec<f64>, Error> {
    op.domain().check_length(WHAT, product.dims()[0])?;
    checked(download(product), WHAT)
}

/// Returns a start vector given by the caller, on the host with unit norm.
///
/// # Errors
/// A wrong length, and a vector that is zero or not finite.
pub(super) fn unit_start<A: LinearOperator + ?Sized>(
    op: &A,
    start: &Tensor<1>,
) -> Result<Vec<f64>, Error> {
    op.domain().check_length("start vector", start.dims()[0])?;
    let mut start = checked(download(start), "start vector")?;
    if normalize(&mut start) == 0.0 {
        return Err(Error::NoDirection {
            what: "start vector",
            problem: "is zero",
        });
    }
    Ok(start)
}
