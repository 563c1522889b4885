//! A symmetric matrix given by its entries: the reference for tests and for small problems.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{LinearOperator, SymmetricMatrix};
use crate::error::Error;
use crate::vector::Domain;

/// A dense symmetric matrix `[P, P]`.
#[derive(Debug, Clone)]
pub struct Dense {
    domain: Domain,
    matrix: Tensor<2>,
}

impl Dense {
    /// The matrix with the given rows, row-major, `dim * dim` numbers, in `dtype` on `device`.
    ///
    /// Where the matrix is symmetric up to half of the digits of `dtype`, its symmetric part is taken.
    ///
    /// # Errors
    /// A number of entries other than `dim * dim`, entries that are not finite, and
    /// [`Error::NotSymmetric`]; [`SymmetricMatrix::from_rows`] takes the symmetric part of any matrix.
    pub fn new(rows: &[f64], dim: usize, dtype: DType, device: &Device) -> Result<Self, Error> {
        let symmetric = SymmetricMatrix::from_rows(rows.to_vec(), dim)?;
        let domain = Domain {
            dim,
            dtype,
            device: device.clone(),
        };
        let allowed = domain.unit_roundoff().sqrt();
        if symmetric.asymmetry > allowed {
            return Err(Error::NotSymmetric {
                what: "matrix",
                asymmetry: symmetric.asymmetry,
                allowed,
            });
        }
        let data = TensorData::new(symmetric.entries, [dim, dim]).convert_dtype(dtype);
        Ok(Self {
            domain,
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
