//! Inner products and norms of f64 vectors on the host.

use burn::tensor::Tensor;

use crate::Error;
use crate::operator::{LinearOperator, download};

/// Inner product, summed in eight interleaved partial sums: fast, and the same on every machine.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (blocks_a, rest_a) = a.as_chunks::<8>();
    let (blocks_b, rest_b) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (x, y) in blocks_a.iter().zip(blocks_b) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// `y += factor * x`.
pub(super) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// Euclidean norm, safe where the squares would overflow or vanish.
pub(super) fn norm(a: &[f64]) -> f64 {
    let square = dot(a, a);
    // Squares of entries below 2^-537 lose all digits; 1e-200 leaves a wide margin.
    if square.is_finite() && square > 1e-200 {
        return square.sqrt();
    }
    let largest = a.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let sum: f64 = a.iter().map(|x| (x / largest).powi(2)).sum();
    largest * sum.sqrt()
}

/// Divides `a` by its norm and returns the norm; a zero vector stays.
pub(super) fn normalize(a: &mut [f64]) -> f64 {
    let norm = norm(a);
    if norm > 0.0 {
        for x in a {
            *x /= norm;
        }
    }
    norm
}

/// The product of an operator with a host vector, on the host.
///
/// # Errors
/// [`Error::NonFiniteVector`] for a product with NaN or infinite entries, and the operator's own.
pub(super) fn product<A: LinearOperator + ?Sized>(op: &A, v: &[f64]) -> Result<Vec<f64>, Error> {
    checked(
        download(&op.apply(&op.domain().upload(v)?)?),
        "operator's product",
    )
}

/// A start vector given by the caller, on the host with unit norm.
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

/// The vector, if all its entries are finite.
pub(super) fn checked(vector: Vec<f64>, what: &'static str) -> Result<Vec<f64>, Error> {
    if vector.iter().all(|x| x.is_finite()) {
        Ok(vector)
    } else {
        Err(Error::NonFiniteVector { what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_neither_overflows_nor_vanishes() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert_eq!(norm(&[0.0; 5]), 0.0);
    }

    #[test]
    fn dot_counts_every_entry_once() {
        for n in 0..40_u32 {
            let a: Vec<f64> = (0..n).map(f64::from).collect();
            let expected = if n == 0 {
                0
            } else {
                (n - 1) * n * (2 * n - 1) / 6
            };
            assert_eq!(dot(&a, &a), f64::from(expected));
        }
    }
}
