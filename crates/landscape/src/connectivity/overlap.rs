//! The overlap of the top eigenspaces of two models.

use crate::error::Error;
use crate::spectrum::{EigenPair, SymmetricMatrix};
use crate::vector::{dot, download, norm_of, remove_along};

/// The overlap of two spaces of k dimensions in one of P.
#[derive(Debug, Clone, PartialEq)]
pub struct SubspaceOverlap {
    /// `‖V₁ᵀ V₂‖²_F / k`, the mean squared cosine of the principal angles: 1 for one space, 0 for
    /// orthogonal ones.
    pub overlap: f64,
    /// The cosines of the principal angles, descending, k of them: the singular values of
    /// `V₁ᵀ V₂`. Below 1e-8 they are rounding.
    pub cosines: Vec<f64>,
    /// `k / P`, the mean overlap with a random space.
    pub of_random: f64,
    /// A bound on the error of `overlap` that the eigenvectors' residuals give; none where the
    /// eigenvalues that follow are not known or not apart, so that the spaces are not determined.
    pub error: Option<f64>,
}

/// Returns the overlap of the spaces that the first `k` eigenvectors of each list span, as of
/// [`top_eigenpairs`](crate::top_eigenpairs).
///
/// Where a list has more than `k` pairs, pair k + 1 gives the gap, and the residuals a bound on the
/// error (Davis and Kahan 1970): the space of one list is off by at most
/// `sin = √(Σ rᵢ²) / (minᵢ ||λᵢ| − |λ_(k+1)|| − r_(k+1))`, i to k, and the overlap by
/// `√(2 / k) (sin₁ + sin₂)`. It holds if pair k + 1 is the next eigenvalue: a run of Lanczos can
/// miss copies of a repeated one. So ask for `k + 1` pairs or more.
///
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::connectivity::subspace_overlap;
/// use landscape::operator::Dense;
/// use landscape::{LanczosConfig, top_eigenpairs};
///
/// let of = |diagonal: [f64; 3]| {
///     let [a, b, c] = diagonal;
///     let matrix = [a, 0.0, 0.0, 0.0, b, 0.0, 0.0, 0.0, c];
///     let op = Dense::new(&matrix, (&Device::flex(), DType::F64))?;
///     top_eigenpairs(&op, 3, &LanczosConfig::new())
/// };
/// // The planes of the first two axes and of the last two share a line.
/// let found = subspace_overlap(&of([3.0, 2.0, 1.0])?, &of([1.0, 2.0, 3.0])?, 2)?;
/// assert!((found.overlap - 0.5).abs() < 1e-12 && found.error.is_some_and(|e| e < 1e-12));
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// Cost: `2 k²` inner products and vector operations on the host. Memory: 2 k vectors of P there.
///
/// # Errors
/// [`Error::Setting`] for a k of zero or above the length of a list, [`Error::Length`] for vectors
/// of different lengths, [`Error::NoDirection`] for vectors that are linearly dependent.
///
/// # References
/// Gur-Ari, Roberts and Dyer 2018, "Gradient Descent Happens in a Tiny Subspace", equation 3;
/// Davis and Kahan 1970, "The Rotation of Eigenvectors by a Perturbation. III", the sin Θ theorem.
pub fn subspace_overlap(
    first: &[EigenPair],
    second: &[EigenPair],
    k: usize,
) -> Result<SubspaceOverlap, Error> {
    if k == 0 || k > first.len() || k > second.len() {
        return Err(Error::Setting {
            name: "k",
            value: k.to_string(),
            allowed: "at least 1, and at most the number of eigenpairs of each model",
        });
    }
    let vectors = |pairs: &[EigenPair]| -> Vec<Vec<f64>> {
        pairs[..k]
            .iter()
            .map(|pair| download(&pair.vector))
            .collect()
    };
    let mut found = overlap(vectors(first), vectors(second))?;
    #[expect(clippy::cast_precision_loss, reason = "there are few eigenvectors")]
    let factor = (2.0 / k as f64).sqrt();
    let angles = sine(first, k).zip(sine(second, k));
    found.error = angles.map(|(first, second)| factor * (first + second));
    Ok(found)
}

/// Returns the overlap of the spaces that two lists of as many vectors span. The vectors are made
/// orthonormal first.
///
/// ```
/// use landscape::connectivity::overlap;
///
/// let plane = vec![vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]];
/// let tilted = vec![vec![0.0, 1.0, 0.0], vec![3.0, 0.0, 4.0]];
/// let found = overlap(plane, tilted)?;
/// assert!((found.overlap - 0.5 * (1.0 + 0.36)).abs() < 1e-15);
/// assert!((found.cosines[1] - 0.6).abs() < 1e-15);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] for lists or vectors of different lengths, and [`Error::NoDirection`] for
/// vectors that are linearly dependent or not finite, and empty lists.
pub fn overlap(first: Vec<Vec<f64>>, second: Vec<Vec<f64>>) -> Result<SubspaceOverlap, Error> {
    let k = first.len();
    if second.len() != k {
        return Err(Error::Length {
            what: "second list of vectors",
            expected: k,
            found: second.len(),
        });
    }
    let dim = first.first().map_or(0, Vec::len);
    let (first, second) = (orthonormal(first, dim)?, orthonormal(second, dim)?);
    // M = V₁ᵀ V₂, and MᵀM has the squared cosines as its eigenvalues.
    let columns: Vec<Vec<f64>> = second
        .iter()
        .map(|v| first.iter().map(|u| dot(u, v)).collect())
        .collect();
    let products = columns
        .iter()
        .flat_map(|a| columns.iter().map(move |b| dot(a, b)))
        .collect();
    let squares = SymmetricMatrix::from_rows(products, k)?.eigenvalues()?;
    let cosine = |square: &f64| square.clamp(0.0, 1.0).sqrt();
    let sum: f64 = columns.iter().map(|column| dot(column, column)).sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 coordinates"
    )]
    let (count, dim) = (k as f64, dim as f64);
    Ok(SubspaceOverlap {
        overlap: sum / count,
        cosines: squares.iter().rev().map(cosine).collect(),
        of_random: count / dim,
        error: None,
    })
}

/// Returns the bound on the sine of the largest angle between the space of the first k pairs and
/// the eigenspace.
fn sine(pairs: &[EigenPair], k: usize) -> Option<f64> {
    let next = pairs.get(k)?;
    let gaps = pairs[..k]
        .iter()
        .map(|pair| (pair.value.abs() - next.value.abs()).abs() - next.residual);
    let gap = gaps.fold(f64::INFINITY, f64::min);
    let residuals = norm_of(|| pairs[..k].iter().map(|pair| pair.residual));
    (gap > 0.0).then(|| residuals / gap)
}

/// Returns vectors made orthonormal by Gram and Schmidt, each twice.
fn orthonormal(vectors: Vec<Vec<f64>>, dim: usize) -> Result<Vec<Vec<f64>>, Error> {
    let dependent = |problem| Error::NoDirection {
        what: "vector of an eigenspace",
        problem,
    };
    if vectors.is_empty() || dim == 0 {
        return Err(dependent("is missing"));
    }
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(vectors.len());
    for mut vector in vectors {
        if vector.len() != dim {
            return Err(Error::Length {
                what: "vector of an eigenspace",
                expected: dim,
                found: vector.len(),
            });
        }
        let before = crate::vector::normalize(&mut vector);
        if !before.is_finite() {
            return Err(dependent("is not finite"));
        }
        remove_along(&mut vector, &done);
        // Eigenvectors in f32 are orthogonal to seven digits; what is left of a dependent vector is
        // rounding.
        if crate::vector::normalize(&mut vector) < 1e-6 {
            return Err(dependent("depends linearly on those before"));
        }
        done.push(vector);
    }
    Ok(done)
}
