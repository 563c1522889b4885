//! A symmetric matrix given by its entries: the reference for tests and for small problems.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Domain, LinearOperator};
use crate::Error;

/// A dense symmetric matrix `[P, P]`.
#[derive(Debug, Clone)]
pub struct Dense {
    domain: Domain,
    matrix: Tensor<2>,
}

impl Dense {
    /// The matrix with the given rows, row-major, `dim * dim` numbers, in `dtype` on `device`.
    ///
    /// # Errors
    /// A number of entries other than `dim * dim`.
    pub fn new(rows: &[f64], dim: usize, dtype: DType, device: &Device) -> Result<Self, Error> {
        if rows.len() != dim * dim {
            return Err(Error::Length {
                what: "matrix",
                expected: dim * dim,
                found: rows.len(),
            });
        }
        let data = TensorData::new(rows.to_vec(), [dim, dim]).convert_dtype(dtype);
        Ok(Self {
            domain: Domain {
                dim,
                dtype,
                device: device.clone(),
            },
            matrix: Tensor::from_data(data, (device, dtype)),
        })
    }
}

impl LinearOperator for Dense {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.domain.check_length("vector", v.dims()[0])?;
        let dim = self.domain.dim;
        Ok(self
            .matrix
            .clone()
            .matmul(v.clone().reshape([dim, 1]))
            .reshape([dim]))
    }
}
