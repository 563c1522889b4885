//! Symmetric tridiagonal matrices and their eigen-decomposition.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{
    ComputeEigenvectors, self_adjoint_evd_scratch, tridiagonal_self_adjoint_evd,
};
use faer::{Mat, Par};

use crate::error::Error;
use crate::vector::largest_magnitude;

/// A symmetric tridiagonal matrix of dimension m.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tridiagonal {
    /// Diagonal, m entries.
    pub alpha: Vec<f64>,
    /// Entries beside the diagonal, m - 1 of them.
    pub beta: Vec<f64>,
}

/// Eigenvalues and eigenvectors of a [`Tridiagonal`] of dimension m.
#[derive(Debug, Clone, PartialEq)]
pub struct TridiagonalEigen {
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Orthonormal eigenvectors, one after the other: entry `i` of vector `k` is `[k * m + i]`.
    pub vectors: Vec<f64>,
}

impl TridiagonalEigen {
    /// Returns the eigenvector `k`, `[m]`.
    ///
    /// # Panics
    /// A `k` of m or more.
    #[must_use]
    pub fn vector(&self, k: usize) -> &[f64] {
        let m = self.values.len();
        &self.vectors[k * m..][..m]
    }

    /// Returns the first entry of every eigenvector. Their squares are the weights of Gauss
    /// quadrature.
    #[must_use]
    pub fn first_row(&self) -> Vec<f64> {
        self.vectors
            .chunks(self.values.len().max(1))
            .map(|vector| vector[0])
            .collect()
    }

    /// Returns the last entry of every eigenvector. They bound the error of Ritz values.
    #[must_use]
    pub fn last_row(&self) -> Vec<f64> {
        self.vectors
            .chunks(self.values.len().max(1))
            .map(|vector| vector[vector.len() - 1])
            .collect()
    }
}

impl Tridiagonal {
    /// Returns the eigenvalues and eigenvectors, by the symmetric QR algorithm and, from dimension
    /// 128, divide and conquer. Errors of the eigenvalues are of the order of the rounding of the
    /// largest magnitude.
    ///
    /// # Errors
    /// [`Error::Length`] unless `beta` is one shorter than `alpha`, [`Error::NonFiniteVector`] for
    /// entries that are not finite, [`Error::Decomposition`] when the iteration fails.
    ///
    /// # Examples
    /// ```
    /// use landscape::spectrum::Tridiagonal;
    /// let eigen = Tridiagonal {
    ///     alpha: vec![2.0, 2.0],
    ///     beta: vec![-1.0],
    /// }
    /// .eigen()?;
    /// assert!((eigen.values[0] - 1.0).abs() < 1e-15 && (eigen.values[1] - 3.0).abs() < 1e-15);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn eigen(&self) -> Result<TridiagonalEigen, Error> {
        let m = self.alpha.len();
        let expected = m.saturating_sub(1);
        if self.beta.len() != expected {
            return Err(Error::Length {
                what: "tridiagonal matrix's beta",
                expected,
                found: self.beta.len(),
            });
        }
        if !self.alpha.iter().chain(&self.beta).all(|x| x.is_finite()) {
            return Err(Error::NonFiniteVector {
                what: "tridiagonal matrix",
            });
        }
        if m < 2 {
            return Ok(TridiagonalEigen {
                values: self.alpha.clone(),
                vectors: vec![1.0; m],
            });
        }
        let scale = power_of_two_above(self.alpha.iter().chain(&self.beta));
        let mut diagonal = Diag::<f64>::zeros(m);
        let mut beside = Diag::<f64>::zeros(m);
        diagonal
            .column_vector_mut()
            .iter_mut()
            .zip(&self.alpha)
            .for_each(|(to, from)| *to = from / scale);
        beside
            .column_vector_mut()
            .iter_mut()
            .zip(&self.beta)
            .for_each(|(to, from)| *to = from / scale);
        let mut values = Diag::<f64>::zeros(m);
        let mut vectors = Mat::<f64>::zeros(m, m);
        let scratch = self_adjoint_evd_scratch::<f64>(
            m,
            ComputeEigenvectors::Yes,
            Par::Seq,
            Default::default(),
        );
        tridiagonal_self_adjoint_evd(
            diagonal.as_ref(),
            beside.as_ref(),
            values.as_mut(),
            Some(vectors.as_mut()),
            Par::Seq,
            MemStack::new(&mut MemBuffer::new(scratch)),
            Default::default(),
        )
        .map_err(|error| Error::Decomposition {
            dim: m,
            reason: format!("{error:?}"),
        })?;
        Ok(TridiagonalEigen {
            values: values
                .column_vector()
                .iter()
                .map(|value| value * scale)
                .collect(),
            vectors: vectors
                .col_iter()
                .flat_map(|column| column.iter().copied().collect::<Vec<_>>())
                .collect(),
        })
    }
}

/// Returns a power of two near the largest magnitude; one for zeros. A matrix is divided by it
/// before its decomposition, without rounding, and its eigenvalues are multiplied by it: the
/// solver's divide and conquer compares entries with eigenvector components, which are of the order
/// of one, and takes a matrix of much smaller entries for a diagonal one.
pub(super) fn power_of_two_above<'a>(entries: impl Iterator<Item = &'a f64>) -> f64 {
    let largest = largest_magnitude(entries);
    if largest > 0.0 {
        // Within the range whose reciprocals are normal numbers.
        largest.log2().ceil().clamp(-1000.0, 1000.0).exp2()
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the largest entries of `T V − V diag(values)` and of `VᵀV − I`.
    fn defects(matrix: &Tridiagonal, eigen: &TridiagonalEigen) -> (f64, f64) {
        let m = matrix.alpha.len();
        let (mut residual, mut orthogonality) = (0.0_f64, 0.0_f64);
        for k in 0..m {
            let v = eigen.vector(k);
            for i in 0..m {
                let mut product = matrix.alpha[i] * v[i];
                if i > 0 {
                    product += matrix.beta[i - 1] * v[i - 1];
                }
                if i + 1 < m {
                    product += matrix.beta[i] * v[i + 1];
                }
                residual = residual.max((product - eigen.values[k] * v[i]).abs());
            }
            for l in 0..=k {
                let product: f64 = v.iter().zip(eigen.vector(l)).map(|(a, b)| a * b).sum();
                orthogonality = orthogonality.max((product - f64::from(k == l)).abs());
            }
        }
        (residual, orthogonality)
    }

    #[test]
    fn toeplitz_matrix_has_its_closed_form_spectrum() {
        // 300 exceeds the dimension from which divide and conquer is used.
        for m in [1_u32, 2, 3, 10, 127, 128, 300] {
            let size = m as usize;
            let matrix = Tridiagonal {
                alpha: vec![2.0; size],
                beta: vec![-1.0; size - 1],
            };
            let eigen = matrix.eigen().unwrap();
            for (k, value) in (1..).zip(&eigen.values) {
                let expected =
                    2.0 - 2.0 * (std::f64::consts::PI * f64::from(k) / f64::from(m + 1)).cos();
                // Some tens of roundings of the largest eigenvalue, 4.
                assert!((value - expected).abs() < 1e-13, "eigenvalue {k} of {m}");
            }
            let (residual, orthogonality) = defects(&matrix, &eigen);
            assert!(
                residual < 1e-13 && orthogonality < 1e-13,
                "{residual} {orthogonality}"
            );
            // The eigenvectors are sines: the first entry squared is 2 / (m + 1) sin²(kπ / (m +
            // 1)).
            for (k, first) in (1..).zip(eigen.first_row()) {
                let sine = (std::f64::consts::PI * f64::from(k) / f64::from(m + 1)).sin();
                assert!((first * first - 2.0 / f64::from(m + 1) * sine * sine).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn decoupled_and_zero_matrices_are_decomposed() {
        let zero = Tridiagonal {
            alpha: vec![0.0; 5],
            beta: vec![0.0; 4],
        };
        assert_eq!(zero.eigen().unwrap().values, [0.0; 5]);
        let decoupled = Tridiagonal {
            alpha: vec![3.0, 1.0, 2.0],
            beta: vec![0.0; 2],
        };
        let eigen = decoupled.eigen().unwrap();
        assert_eq!(eigen.values, [1.0, 2.0, 3.0]);
        assert_eq!(
            eigen
                .first_row()
                .iter()
                .map(|x| x.abs())
                .collect::<Vec<_>>(),
            [0.0, 0.0, 1.0]
        );
        assert_eq!(
            eigen.last_row().iter().map(|x| x.abs()).collect::<Vec<_>>(),
            [0.0, 1.0, 0.0]
        );
        assert!(Tridiagonal::default().eigen().unwrap().values.is_empty());
    }

    #[test]
    fn bad_entries_are_errors() {
        let nan = Tridiagonal {
            alpha: vec![f64::NAN, 1.0],
            beta: vec![0.0],
        };
        assert!(matches!(nan.eigen(), Err(Error::NonFiniteVector { .. })));
        let short = Tridiagonal {
            alpha: vec![1.0, 1.0],
            beta: vec![],
        };
        assert!(matches!(
            short.eigen(),
            Err(Error::Length {
                expected: 1,
                found: 0,
                ..
            })
        ));
    }

    #[test]
    fn small_coupling_across_the_halves_is_not_lost() {
        // Divide and conquer splits dimension 132 at 66, where this matrix has its only entry.
        for scale in [1.0, 1e-15, 1e-150] {
            let mut beta = vec![0.0; 131];
            beta[65] = scale;
            let eigen = Tridiagonal {
                alpha: vec![0.0; 132],
                beta,
            }
            .eigen()
            .unwrap();
            assert!((eigen.values[0] / scale + 1.0).abs() < 1e-14);
            assert!((eigen.values[131] / scale - 1.0).abs() < 1e-14);
        }
    }

    /// Draws zeros, ones and tiny numbers among the others: where solvers deflate.
    fn entry() -> impl Strategy<Value = f64> {
        prop_oneof![4 => -1.0..1.0_f64, 2 => Just(0.0), 1 => Just(1.0), 1 => -1e-15..1e-15_f64]
    }

    proptest! {
        #[test]
        fn eigenvectors_diagonalise_any_tridiagonal_matrix(
            entries in prop::collection::vec((entry(), entry()), 1..300),
            exponent in -100..100_i32,
        ) {
            let scale = 10.0_f64.powi(exponent);
            let mut beta: Vec<f64> = entries.iter().map(|entry| entry.1 * scale).collect();
            beta.pop();
            let matrix = Tridiagonal { alpha: entries.iter().map(|entry| entry.0 * scale).collect(), beta };
            let eigen = matrix.eigen().unwrap();
            let (residual, orthogonality) = defects(&matrix, &eigen);
            prop_assert!(eigen.values.is_sorted());
            prop_assert!(residual < 1e-13 * scale, "{}", residual / scale);
            prop_assert!(orthogonality < 1e-13, "{orthogonality}");
        }
    }
}
