//! The state of an optimiser, as its record has it.

use std::collections::HashMap;

use burn::optim::OptimizerRecord;
use burn::tensor::{Bytes, TensorData};
use burn_pack::Reader;

use crate::error::Error;

/// Tensors and counters of an optimiser, by parameter and field.
#[derive(Debug)]
pub(super) struct Record {
    tensors: HashMap<String, Vec<f64>>,
    counters: HashMap<String, u64>,
}

impl Record {
    /// Reads a record, through its bytes: its fields are private.
    ///
    /// # Errors
    /// [`Error::Setting`] for a record that cannot be written or read.
    pub(super) fn read(record: OptimizerRecord) -> Result<Self, Error> {
        let failed = |reason: String| Error::Setting {
            name: "the optimiser's record",
            value: reason,
            allowed: "one of Burn 0.22's",
        };
        let bytes = record.into_bytes().map_err(|e| failed(e.to_string()))?;
        let reader = Reader::from_bytes(bytes).map_err(|e| failed(e.to_string()))?;
        let counters = reader
            .scalars()
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), u64::try_from(*value).ok()?)))
            .collect();
        let mut tensors = HashMap::new();
        for tensor in reader.into_tensors().map_err(|e| failed(e.to_string()))? {
            let parts = tensor.into_parts().map_err(|e| failed(e.to_string()))?;
            let (name, dtype, shape, _, bytes) = parts;
            if dtype.is_float() {
                let bytes = Bytes::from_bytes_vec(bytes.to_vec());
                let data = TensorData::from_bytes(bytes, shape, dtype);
                tensors.insert(name, data.iter::<f64>().collect());
            }
        }
        Ok(Self { tensors, counters })
    }

    /// Returns a tensor of a parameter's state, row-major.
    pub(super) fn tensor(&self, id: u64, field: &str) -> Option<&[f64]> {
        self.tensors
            .get(&format!("{id}.{field}"))
            .map(Vec::as_slice)
    }

    /// Returns a counter of a parameter's state.
    pub(super) fn counter(&self, id: u64, field: &str) -> Option<u64> {
        self.counters.get(&format!("{id}.{field}")).copied()
    }
}
