//! The space of an operator's vectors, and the way to the host and back.

use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};

use crate::error::Error;

/// The space of an operator's vectors: `[dim]` tensors of one float type on one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// Number of coordinates P.
    pub dim: usize,
    /// Float type, `F32` or `F64`.
    pub dtype: DType,
    /// Device, without autodiff.
    pub device: Device,
}

impl Domain {
    /// Returns a vector of this space from f64 numbers on the host, rounded to the float type; the
    /// inverse is [`download`](super::download).
    ///
    /// # Errors
    /// A length other than `dim`.
    pub fn upload(&self, values: &[f64]) -> Result<Tensor<1>, Error> {
        self.check_length("vector", values.len())?;
        let data = match self.dtype {
            DType::F64 => TensorData::new(values.to_vec(), [self.dim]),
            _ => TensorData::new(rounded(values), [self.dim]),
        };
        Ok(Tensor::from_data(data, (&self.device, self.dtype)))
    }

    /// Returns a vector of any float type and device as one of this space.
    ///
    /// # Errors
    /// A length other than `dim`.
    pub fn adopt(&self, vector: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.check_length("vector", vector.dims()[0])?;
        let vector = vector.clone().to_device(&self.device);
        Ok(match (vector.dtype() == self.dtype, self.dtype) {
            (true, _) => vector,
            (false, DType::F64) => vector.cast(FloatDType::F64),
            (false, _) => vector.cast(FloatDType::F32),
        })
    }

    /// Returns the unit roundoff of the float type: `2⁻⁵³` or `2⁻²⁴`.
    #[must_use]
    pub fn unit_roundoff(&self) -> f64 {
        match self.dtype {
            DType::F64 => f64::EPSILON / 2.0,
            _ => f64::from(f32::EPSILON) / 2.0,
        }
    }

    pub(crate) fn check_length(&self, what: &'static str, found: usize) -> Result<(), Error> {
        if found == self.dim {
            Ok(())
        } else {
            Err(Error::Length {
                what,
                expected: self.dim,
                found,
            })
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the rounding that is wanted"
)]
fn rounded(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

/// Returns the vector, if all its entries are finite.
///
/// # Errors
/// [`Error::NonFiniteVector`].
pub(crate) fn checked(vector: Vec<f64>, what: &'static str) -> Result<Vec<f64>, Error> {
    if vector.iter().all(|x| x.is_finite()) {
        Ok(vector)
    } else {
        Err(Error::NonFiniteVector { what })
    }
}
