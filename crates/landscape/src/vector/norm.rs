//! Inner products and norms of f64 vectors on the host.

/// Returns the inner product, summed in eight interleaved partial sums: fast, and the same on every
/// machine.
#[inline(always)]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
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

/// Computes `y += factor * x`.
#[inline(always)]
pub(crate) fn add_scaled(y: &mut [f64], factor: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// Returns the Euclidean norm, without overflow or underflow of the squares. NaN for a vector with
/// a NaN, otherwise infinite for one with an infinity.
///
/// ```
/// // Right up to the rounding of two squares, a sum and a root.
/// assert!((landscape::norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn norm(vector: &[f64]) -> f64 {
    root(dot(vector, vector), || vector.iter().copied())
}

/// Returns the same as [`norm`], of the numbers of an iterator, which are summed in their order.
pub(crate) fn norm_of<I: Iterator<Item = f64>>(numbers: impl Fn() -> I) -> f64 {
    root(numbers().map(|x| x * x).sum(), numbers)
}

/// Returns the largest magnitude; zero of nothing. NaN counts as nothing.
pub(crate) fn largest_magnitude<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    let magnitudes = numbers.into_iter().map(|x| x.abs());
    magnitudes.fold(0.0, f64::max)
}

/// Returns the root of the sum of the squares of `numbers`, which is `square` but for overflow and
/// underflow.
fn root<I: Iterator<Item = f64>>(square: f64, numbers: impl Fn() -> I) -> f64 {
    // Squares of entries below 2⁻⁵³⁷ lose all digits; 1e-200 leaves a wide margin.
    if square.is_nan() || (square.is_finite() && square > 1e-200) {
        return square.sqrt();
    }
    let largest = numbers().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if largest == 0.0 || largest.is_infinite() {
        return largest;
    }
    largest * numbers().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}

/// Divides `vector` by its norm and returns the norm; a zero vector stays.
pub(crate) fn normalize(vector: &mut [f64]) -> f64 {
    let norm = norm(vector);
    if norm > 0.0 {
        for x in vector {
            *x /= norm;
        }
    }
    norm
}

/// Takes from `vector` what lies along each of `units`, which are orthonormal, and returns how much
/// that was. Done twice: what rounding leaves after the first time is removed by the second.
pub(crate) fn remove_along(vector: &mut [f64], units: &[Vec<f64>]) -> Vec<f64> {
    let mut removed = vec![0.0; units.len()];
    for _ in 0..2 {
        for (removed, unit) in removed.iter_mut().zip(units) {
            let along = dot(vector, unit);
            add_scaled(vector, -along, unit);
            *removed += along;
        }
    }
    removed
}

/// Returns the norm of `a - b` over the larger of both norms; zero if both are.
pub(crate) fn relative_change(a: &[f64], b: &[f64]) -> f64 {
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let scale = norm(a).max(norm(b));
    if scale > 0.0 {
        norm(&apart) / scale
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_neither_overflows_nor_vanishes() {
        for scale in [1.0, 1e200, 1e-200, 1e-310] {
            let vector = [3.0 * scale, -4.0 * scale];
            for found in [norm(&vector), norm_of(|| vector.iter().copied())] {
                assert!((found / (5.0 * scale) - 1.0).abs() < 1e-13, "{found}");
            }
        }
        assert_eq!(norm(&[0.0; 5]), 0.0);
        assert_eq!(norm(&[]), 0.0);
    }

    #[test]
    fn norm_of_what_is_no_number_is_none() {
        assert!(norm(&[f64::NAN, 0.0]).is_nan());
        assert!(norm(&[1.0, f64::INFINITY, f64::NAN]).is_nan());
        assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
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
