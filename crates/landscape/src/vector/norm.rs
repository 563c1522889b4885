//! Norms of vectors on the host, and how far two are apart.

/// The norm of `a - b` over the larger of both norms; zero if both are.
pub(crate) fn relative_change(a: &[f64], b: &[f64]) -> f64 {
    let apart: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let scale = norm(a).max(norm(b));
    if scale > 0.0 {
        norm(&apart) / scale
    } else {
        0.0
    }
}

/// The Euclidean norm, without overflow or underflow of the squares.
pub(crate) fn norm(vector: &[f64]) -> f64 {
    let largest = vector.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return if vector.iter().any(|x| x.is_nan()) {
            f64::NAN
        } else {
            largest
        };
    }
    largest
        * vector
            .iter()
            .map(|x| (x / largest).powi(2))
            .sum::<f64>()
            .sqrt()
}
