//! Tensors in a file that both sides read: f32 and i64, by name.

use std::path::Path;

use anyhow::Result;
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, tensor::TensorView};

/// A named tensor on the host.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) data: TensorData,
}

impl Named {
    pub(crate) fn new(name: impl Into<String>, data: TensorData) -> Self {
        Self {
            name: name.into(),
            data,
        }
    }

    pub(crate) fn vector(name: &str, vector: &Tensor<1>) -> Self {
        Self::new(name, vector.to_data())
    }
}

pub(crate) fn write(path: &Path, tensors: &[Named]) -> Result<()> {
    let mut stored: Vec<(String, Vec<usize>, Dtype, Vec<u8>)> = Vec::new();
    for Named { name, data } in tensors {
        let (dtype, bytes) = if data.dtype().is_float() {
            let bytes = data.iter::<f32>().flat_map(f32::to_le_bytes).collect();
            (Dtype::F32, bytes)
        } else {
            let bytes = data.iter::<i64>().flat_map(i64::to_le_bytes).collect();
            (Dtype::I64, bytes)
        };
        stored.push((name.clone(), data.shape().to_vec(), dtype, bytes));
    }
    let views = stored
        .iter()
        .map(|(name, shape, dtype, bytes)| {
            Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize_to_file(views, None, path)?;
    Ok(())
}
