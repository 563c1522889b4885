//! The Rayleigh quotient of a vector, with its residual.

use burn::tensor::Tensor;

use super::product::on_host;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::{checked, dot, download, norm};

/// The Rayleigh quotient of a vector, and how far the vector is from an eigenvector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rayleigh {
    /// The quotient `θ = vᵀAv / vᵀv`.
    pub quotient: f64,
    /// The residual `‖Av − θv‖ / ‖v‖`. Some eigenvalue of A lies within this distance of `θ`.
    /// Never reported below `e · |θ|` with e the operator's
    /// [`relative_error`](crate::LinearOperator::relative_error), since the product itself is not
    /// known better.
    pub residual: f64,
}

/// Returns the Rayleigh quotient of `v`, `[P]`, and its true residual, by one product. Both are
/// computed in f64 from the vector as the operator sees it, rounded to its float type.
///
/// # Errors
/// [`Error::Length`], [`Error::NoDirection`] for a zero vector, [`Error::NonFiniteVector`], and the
/// operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::{Dense, LinearOperator};
/// use landscape::spectrum::rayleigh;
///
/// let op = Dense::new(&[3.0, 0.0, 0.0, 1.0], (&Device::flex(), DType::F64))?;
/// let result = rayleigh(&op, &op.domain().upload(&[1.0, 1.0])?)?;
/// assert!((result.quotient - 2.0).abs() < 1e-15 && (result.residual - 1.0).abs() < 1e-15);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Parlett (1998), *The Symmetric Eigenvalue Problem*, section 4.5.
pub fn rayleigh<A: LinearOperator + ?Sized>(op: &A, v: &Tensor<1>) -> Result<Rayleigh, Error> {
    rayleigh_product(op, v).map(|(result, _)| result)
}

/// Returns the same as [`rayleigh`], with the product.
pub(super) fn rayleigh_product<A: LinearOperator + ?Sized>(
    op: &A,
    v: &Tensor<1>,
) -> Result<(Rayleigh, Vec<f64>), Error> {
    op.domain().check_length("vector", v.dims()[0])?;
    let product = on_host(op, &op.apply(v)?)?;
    let v = checked(download(v), "vector")?;
    let length = norm(&v);
    if length == 0.0 {
        return Err(Error::NoDirection {
            what: "vector",
            problem: "is zero",
        });
    }
    let unit: Vec<f64> = v.iter().map(|x| x / length).collect();
    let quotient = dot(&unit, &product) / length;
    let rest: Vec<f64> = product
        .iter()
        .zip(&unit)
        .map(|(p, x)| p / length - quotient * x)
        .collect();
    let residual = norm(&rest).max(op.relative_error() * quotient.abs());
    Ok((Rayleigh { quotient, residual }, product))
}
