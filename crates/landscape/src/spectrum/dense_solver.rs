//! Solvers of the symmetric eigenproblem of a matrix on the host.

use faer::{Mat, Side};

/// The program that solves a dense symmetric eigenproblem. Both take some `P³` operations.
///
/// With the feature `lapack` there are two, and [`DenseSolver::default`] is LAPACK: whoever links
/// it wants it. Without the feature there is faer alone. Their eigenvalues differ by the rounding
/// of either, a few `P ε ‖A‖`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DenseSolver {
    /// The crate faer: Rust, and no library of the system.
    #[cfg_attr(not(feature = "lapack"), default)]
    Faer,
    /// LAPACK's `dsyev` through ndarray-linalg, from the system's OpenBLAS, which takes as many
    /// threads as `OPENBLAS_NUM_THREADS` says.
    #[cfg(feature = "lapack")]
    #[default]
    Lapack,
}

impl DenseSolver {
    /// Returns the eigenvalues, ascending, of the symmetric matrix with the given rows.
    pub(super) fn values(self, rows: &[f64], dim: usize) -> Result<Vec<f64>, String> {
        match self {
            Self::Faer => matrix(rows, dim)
                .self_adjoint_eigenvalues(Side::Lower)
                .map_err(|error| format!("{error:?}")),
            #[cfg(feature = "lapack")]
            Self::Lapack => lapack::values(rows, dim),
        }
    }

    /// Returns the eigenvalues, ascending, and their unit eigenvectors.
    pub(crate) fn pairs(
        self,
        rows: &[f64],
        dim: usize,
    ) -> Result<(Vec<f64>, Vec<Vec<f64>>), String> {
        match self {
            Self::Faer => {
                let eigen = matrix(rows, dim)
                    .self_adjoint_eigen(Side::Lower)
                    .map_err(|error| format!("{error:?}"))?;
                let values = eigen.S().column_vector().iter().copied().collect();
                let columns = eigen.U().col_iter();
                Ok((
                    values,
                    columns.map(|u| u.iter().copied().collect()).collect(),
                ))
            }
            #[cfg(feature = "lapack")]
            Self::Lapack => lapack::pairs(rows, dim),
        }
    }
}

fn matrix(rows: &[f64], dim: usize) -> Mat<f64> {
    Mat::from_fn(dim, dim, |i, j| rows[i * dim + j])
}

#[cfg(feature = "lapack")]
mod lapack {
    //! LAPACK, by ndarray-linalg.

    use ndarray::ArrayView2;
    use ndarray_linalg::{EigValsh, Eigh, UPLO};

    /// The view of rows as a matrix; symmetric, so the order of its axes does not matter.
    fn view(rows: &[f64], dim: usize) -> Result<ArrayView2<'_, f64>, String> {
        ArrayView2::from_shape((dim, dim), rows).map_err(|error| error.to_string())
    }

    pub(super) fn values(rows: &[f64], dim: usize) -> Result<Vec<f64>, String> {
        let values = view(rows, dim)?
            .eigvalsh(UPLO::Lower)
            .map_err(|error| error.to_string())?;
        Ok(values.to_vec())
    }

    pub(super) fn pairs(rows: &[f64], dim: usize) -> Result<(Vec<f64>, Vec<Vec<f64>>), String> {
        let (values, vectors) = view(rows, dim)?
            .eigh(UPLO::Lower)
            .map_err(|error| error.to_string())?;
        let columns = vectors.columns();
        Ok((
            values.to_vec(),
            columns.into_iter().map(|u| u.to_vec()).collect(),
        ))
    }
}
