//! Explicit symmetric matrices of a known spectrum, as operators on the host.

use burn::tensor::{DType, Device, Tensor};
use landscape::{Domain, Error, LinearOperator, download};

/// A matrix `Q diag(λ) Qᵀ` with a random orthogonal Q.
pub(crate) struct ExplicitMatrix {
    pub(crate) name: &'static str,
    pub(crate) eigenvalues: Vec<f64>,
    /// Row-major, `[P, P]`.
    pub(crate) rows: Vec<f64>,
    domain: Domain,
}

impl ExplicitMatrix {
    /// The matrix with these eigenvalues and a fixed Q: Gram-Schmidt, twice, of normal vectors.
    pub(crate) fn new(name: &'static str, eigenvalues: Vec<f64>) -> Self {
        let dim = eigenvalues.len();
        let mut state = 0x9e37_79b9_7f4a_7c15;
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(dim);
        while basis.len() < dim {
            let mut vector: Vec<f64> = (0..dim).map(|_| normal(&mut state)).collect();
            for q in basis.iter().chain(&basis) {
                let along: f64 = q.iter().zip(&vector).map(|(q, x)| q * x).sum();
                for (x, q) in vector.iter_mut().zip(q) {
                    *x -= along * q;
                }
            }
            let length = landscape::norm(&vector);
            basis.push(vector.iter().map(|x| x / length).collect());
        }
        let mut rows = vec![0.0; dim * dim];
        for (value, q) in eigenvalues.iter().zip(&basis) {
            for (row, left) in rows.chunks_mut(dim).zip(q) {
                for (entry, right) in row.iter_mut().zip(q) {
                    *entry += value * left * right;
                }
            }
        }
        let (dtype, device) = (DType::F64, Device::flex());
        Self {
            name,
            eigenvalues,
            rows,
            domain: Domain { dim, dtype, device },
        }
    }

    /// Returns the sum of the eigenvalues.
    pub(crate) fn trace(&self) -> f64 {
        self.eigenvalues.iter().sum()
    }

    /// Returns `tr(A²)² / tr(A⁴)`, about the number of eigenvalues that count.
    pub(crate) fn participation(&self) -> f64 {
        let moment = |k| self.eigenvalues.iter().map(|x| x.powi(k)).sum::<f64>();
        moment(2).powi(2) / moment(4)
    }
}

impl LinearOperator for ExplicitMatrix {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let v = download(v);
        let row = |row: &[f64]| -> f64 {
            let (blocks, rest) = row.as_chunks::<8>();
            let (of_v, rest_of_v) = v.as_chunks::<8>();
            let mut sums = [0.0; 8];
            for (a, x) in blocks.iter().zip(of_v) {
                for lane in 0..8 {
                    sums[lane] += a[lane] * x[lane];
                }
            }
            let last: f64 = rest.iter().zip(rest_of_v).map(|(a, x)| a * x).sum();
            sums.iter().sum::<f64>() + last
        };
        let product: Vec<f64> = self.rows.chunks(v.len()).map(row).collect();
        self.domain.upload(&product)
    }
}

/// A standard normal number by Box and Muller, from SplitMix64.
fn normal(state: &mut u64) -> f64 {
    let (radius, angle) = (uniform(state), uniform(state));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// A number in (0, 1].
#[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((z ^ (z >> 31)) >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Eigenvalues that are normal numbers: of both signs.
pub(crate) fn normal_eigenvalues(count: usize) -> Vec<f64> {
    let mut state = 5;
    (0..count).map(|_| normal(&mut state)).collect()
}
