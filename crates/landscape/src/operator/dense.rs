//! A symmetric matrix given by its entries: the reference for tests and for small problems.

use burn::tensor::{Tensor, TensorCreationOptions, TensorData};

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
    /// Makes the matrix with the given rows, row-major, P · P numbers. `options` is `&device`, or
    /// `(&device, DType::F64)` for another float type than the device's.
    ///
    /// Where the matrix is symmetric up to half of the digits of its float type, its symmetric part
    /// is taken.
    ///
    /// # Errors
    /// A number of entries that is no square, entries that are not finite, and
    /// [`Error::NotSymmetric`]; [`SymmetricMatrix::from_rows`] takes the symmetric part of any
    /// matrix.
    pub fn new(rows: &[f64], options: impl Into<TensorCreationOptions>) -> Result<Self, Error> {
        let options = options.into();
        let device = options.device.clone();
        let dtype = options.dtype_or(device.settings().float_dtype.into());
        // Of the numbers that are no squares the next larger square is asked for.
        let dim = rows.len().isqrt();
        let dim = dim + usize::from(dim * dim < rows.len());
        let symmetric = SymmetricMatrix::from_rows(rows.to_vec(), dim)?;
        let domain = Domain { dim, dtype, device };
        let allowed = domain.unit_roundoff().sqrt();
        if symmetric.asymmetry > allowed {
            return Err(Error::NotSymmetric {
                what: "matrix",
                asymmetry: symmetric.asymmetry,
                allowed,
            });
        }
        let data = TensorData::new(symmetric.entries, [dim, dim]).convert_dtype(dtype);
        let matrix = Tensor::from_data(data, (&domain.device, dtype));
        Ok(Self { domain, matrix })
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
