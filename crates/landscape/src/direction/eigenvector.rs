//! Directions along the eigenvectors of an operator.

use super::{Direction, DirectionKind};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::spectrum::{LanczosConfig, top_eigenpairs};

/// Returns the unit eigenvectors of the `count` eigenvalues that `config.which` asks for, as
/// directions whose record has the eigenvalue, its residual and whether it has converged.
///
/// Along a Hessian's eigenvector v the loss has the second derivative λ at the model. Two of them
/// are orthogonal up to their residuals over the gap between their eigenvalues; where the gap
/// vanishes, each is one of many in their common space. The plane of the sharpest and the flattest
/// direction takes two calls, or one with
/// [`Which::LargestMagnitude`](crate::spectrum::Which::LargestMagnitude).
///
/// Cost and memory: as [`top_eigenpairs`].
///
/// # Errors
/// As [`top_eigenpairs`].
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::direction::eigenvector_directions;
/// use landscape::operator::Dense;
/// use landscape::{LanczosConfig, download};
///
/// let op = Dense::new(&[2.0, 0.0, 0.0, -5.0], (&Device::flex(), DType::F64))?;
/// let [first] = &eigenvector_directions(&op, 1, &LanczosConfig::new())?[..] else {
///     panic!("one direction");
/// };
/// assert!((download(&first.vector)[0] - 1.0).abs() < 1e-14);
/// assert_eq!(first.info.to_string(), "eigenvector 1, λ = 2.0000e0");
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn eigenvector_directions<A: LinearOperator + ?Sized>(
    op: &A,
    count: usize,
    config: &LanczosConfig,
) -> Result<Vec<Direction>, Error> {
    let pairs = top_eigenpairs(op, count, config)?.into_iter().enumerate();
    let directions = pairs.map(|(number, pair)| {
        let kind = DirectionKind::Eigenvector {
            number,
            value: pair.value,
            residual: pair.residual,
            converged: pair.converged,
        };
        Direction::new(pair.vector, kind)
    });
    Ok(directions.collect())
}
