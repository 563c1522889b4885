//! Tensors in a file that both sides read: f32 and i64, by name.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

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

    pub(crate) fn numbers(name: &str, values: &[f64]) -> Self {
        Self::new(name, TensorData::new(values.to_vec(), [values.len()]))
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

/// The tensors of a file that [`write()`] wrote.
pub(crate) struct Tensors(HashMap<String, TensorData>);

impl Tensors {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let found = SafeTensors::deserialize(&bytes)?;
        let tensors = found.iter().map(|(name, view)| {
            let shape = view.shape().to_vec();
            let data = match view.dtype() {
                Dtype::F32 => TensorData::new(entries(view.data(), f32::from_le_bytes), shape),
                _ => TensorData::new(entries(view.data(), i64::from_le_bytes), shape),
            };
            (name.to_string(), data)
        });
        Ok(Self(tensors.collect()))
    }

    /// Takes a tensor out.
    pub(crate) fn take(&mut self, name: &str) -> Result<TensorData> {
        let tensor = self.0.remove(name);
        tensor.with_context(|| format!("the file has no tensor {name}"))
    }
}

fn entries<T, const N: usize>(bytes: &[u8], of: fn([u8; N]) -> T) -> Vec<T> {
    let entry = |chunk: &[u8]| of(chunk.try_into().expect("chunks have N bytes"));
    bytes.chunks_exact(N).map(entry).collect()
}
