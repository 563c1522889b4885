//! A symmetric matrix on the host.

use crate::error::Error;
use crate::vector::checked;

/// A symmetric matrix on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricMatrix {
    /// Dimension P.
    pub dim: usize,
    /// Entries, row-major, `[P, P]`; symmetric.
    pub entries: Vec<f64>,
    /// Largest `|aᵢⱼ − aⱼᵢ|` before symmetrising, relative to the largest `|aᵢⱼ|`.
    pub asymmetry: f64,
}

impl SymmetricMatrix {
    /// Returns the symmetric part `(A + Aᵀ) / 2` of the matrix with the given rows, row-major,
    /// `dim · dim` numbers.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of entries, [`Error::NonFiniteVector`] for entries that
    /// are not finite.
    pub fn from_rows(rows: Vec<f64>, dim: usize) -> Result<Self, Error> {
        if rows.len() != dim * dim {
            return Err(Error::Length {
                what: "matrix",
                expected: dim * dim,
                found: rows.len(),
            });
        }
        let mut entries = checked(rows, "matrix")?;
        let (mut largest, mut difference) = (0.0_f64, 0.0_f64);
        for i in 0..dim {
            for j in 0..=i {
                let (lower, upper) = (entries[i * dim + j], entries[j * dim + i]);
                largest = largest.max(lower.abs()).max(upper.abs());
                difference = difference.max((lower - upper).abs());
                let mean = 0.5 * lower + 0.5 * upper;
                entries[i * dim + j] = mean;
                entries[j * dim + i] = mean;
            }
        }
        let asymmetry = if largest > 0.0 {
            difference / largest
        } else {
            0.0
        };
        Ok(Self {
            dim,
            entries,
            asymmetry,
        })
    }
}
