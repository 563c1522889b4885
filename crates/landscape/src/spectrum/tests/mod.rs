//! Tests of the spectral algorithms on operators whose spectrum is known.

mod block;
mod checks;
mod dense;
mod density;
mod eigen;
mod frobenius;
mod hutch_plus_plus;
mod lanczos;
mod log_density;
mod power;
mod trace;
mod xtrace;

use std::cell::Cell;

use burn::tensor::{DType, Device, Tensor};

use crate::error::Error;
use crate::operator::{Dense, LinearOperator};
use crate::vector::random::normal;
use crate::vector::{Domain, download};

/// A diagonal matrix of any dimension.
struct Diagonal {
    domain: Domain,
    values: Tensor<1>,
}

impl Diagonal {
    fn new(values: &[f64], dtype: DType) -> Self {
        let domain = Domain {
            dim: values.len(),
            dtype,
            device: Device::flex(),
        };
        let values = domain.upload(values).unwrap();
        Self { domain, values }
    }
}

impl LinearOperator for Diagonal {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        Ok(v.clone() * self.values.clone())
    }
}

fn diagonal(values: &[f64]) -> Diagonal {
    Diagonal::new(values, DType::F64)
}

fn dense(rows: &[f64], dim: usize) -> Dense {
    assert_eq!(rows.len(), dim * dim);
    Dense::new(rows, (&Device::flex(), DType::F64)).unwrap()
}

/// Returns a symmetric matrix with standard normal entries, row-major.
fn random_symmetric(dim: usize, seed: u64) -> Vec<f64> {
    let entries = normal(seed, 0, dim * dim);
    let mut rows = entries.clone();
    for i in 0..dim {
        for j in 0..dim {
            rows[i * dim + j] = (entries[i * dim + j] + entries[j * dim + i]) / 2.0;
        }
    }
    rows
}

/// Returns Q diag(values) Qᵀ with Q a product of three reflections: a full matrix of known
/// spectrum.
fn rotated(values: &[f64], seed: u64) -> Vec<f64> {
    let dim = values.len();
    let mut rows = vec![0.0; dim * dim];
    for i in 0..dim {
        rows[i * dim + i] = values[i];
    }
    for stream in 0..3 {
        let u = crate::vector::random::sphere(seed, stream, dim);
        // (I − 2uuᵀ) A (I − 2uuᵀ) from the left and from the right.
        for _ in 0..2 {
            let mut transposed = vec![0.0; dim * dim];
            for j in 0..dim {
                let product: f64 = (0..dim).map(|i| u[i] * rows[i * dim + j]).sum();
                for i in 0..dim {
                    transposed[j * dim + i] = rows[i * dim + j] - 2.0 * u[i] * product;
                }
            }
            rows = transposed;
        }
    }
    rows
}

/// Returns the second difference: 2 on the diagonal and -1 beside it.
fn toeplitz(dim: usize) -> Dense {
    let mut rows = vec![0.0; dim * dim];
    for i in 0..dim {
        rows[i * dim + i] = 2.0;
        if i > 0 {
            rows[i * dim + i - 1] = -1.0;
            rows[(i - 1) * dim + i] = -1.0;
        }
    }
    dense(&rows, dim)
}

/// Its eigenvalue number k from one: 2 - 2 cos(k pi / (dim + 1)).
fn toeplitz_value(k: u32, dim: u32) -> f64 {
    2.0 - 2.0 * (std::f64::consts::PI * f64::from(k) / f64::from(dim + 1)).cos()
}

/// An operator whose products are NaN after the first few.
struct Breaking {
    inner: Diagonal,
    good: Cell<usize>,
}

impl Breaking {
    fn new(good: usize) -> Self {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        Self {
            inner: diagonal(&values),
            good: good.into(),
        }
    }
}

impl LinearOperator for Breaking {
    fn domain(&self) -> &Domain {
        self.inner.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let product = self.inner.apply(v)?;
        let good = self.good.get();
        self.good.set(good.saturating_sub(1));
        Ok(if good > 0 {
            product
        } else {
            product * f64::NAN
        })
    }
}

/// A matrix of any kind, whose products are scaled by 1 + noise sin(1.7 n) the n-th time.
struct Raw {
    domain: Domain,
    rows: Vec<f64>,
    noise: f64,
    count: Cell<u32>,
}

impl Raw {
    fn new(rows: &[f64], dtype: DType, noise: f64) -> Self {
        let dim = rows.len().isqrt();
        let device = Device::flex();
        Self {
            domain: Domain { dim, dtype, device },
            rows: rows.to_vec(),
            noise,
            count: Cell::new(0),
        }
    }
}

impl LinearOperator for Raw {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.count.set(self.count.get() + 1);
        let scale = 1.0 + self.noise * (1.7 * f64::from(self.count.get())).sin();
        let v = download(v);
        let rows = self.rows.chunks(self.domain.dim);
        let product: Vec<f64> = rows
            .map(|row| scale * row.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>())
            .collect();
        self.domain.upload(&product)
    }
}
