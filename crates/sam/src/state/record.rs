//! The state of a method in a file, beside the records of model and optimiser.

use std::path::Path;

use burn::store::RecordError;
use burn::tensor::{Bytes, TensorData};
use burn_pack::{Reader, Scalar, Tensor, Writer};

use super::State;

const STEPS: &str = "steps";
const LEARNING_RATE: &str = "learning_rate";
const CARRIED: &str = "carried";

/// The saved state of a method in Burn's own format, burnpack, to be kept beside the records of
/// model and optimiser.
///
/// As in the record of an optimiser, what belongs to a parameter is found by its identifier.
#[derive(Debug, Default)]
pub struct StateRecord {
    steps: u64,
    learning_rate: Option<f64>,
    carried: Vec<(u64, TensorData)>,
}

impl StateRecord {
    /// Reads the state of a method.
    pub(crate) fn of(state: &State) -> Self {
        Self {
            steps: state.steps,
            learning_rate: state.learning_rate,
            carried: state.carried.to_data(),
        }
    }

    /// Returns the state that has been saved.
    pub(crate) fn into_state(self) -> State {
        let mut state = State {
            steps: self.steps,
            learning_rate: self.learning_rate,
            ..State::default()
        };
        for (id, data) in self.carried {
            state.carried.insert_data(id, data);
        }
        state
    }

    /// Writes the record to bytes.
    ///
    /// # Errors
    /// A record that burnpack cannot write.
    pub fn into_bytes(self) -> Result<Bytes, RecordError> {
        Ok(self.into_writer().into_bytes()?)
    }

    /// Reads a record from bytes.
    ///
    /// # Errors
    /// Bytes that are no such record.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, RecordError> {
        Self::from_reader(Reader::from_bytes(bytes)?)
    }

    /// Writes the record to a file, with the extension `bpk` if the path has none.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        Ok(self.into_writer().write_to_file(path)?)
    }

    /// Reads a record from a file.
    ///
    /// # Errors
    /// A file that cannot be read or is no such record.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Self::from_reader(Reader::from_file(path)?)
    }

    fn into_writer(self) -> Writer {
        let tensors = self.carried.into_iter().map(|(id, data)| {
            let (bytes, shape, dtype) = data.into_parts();
            Tensor::new(format!("{id}.{CARRIED}"), dtype, shape, Some(id), bytes)
        });
        let writer = Writer::new(tensors.collect()).with_scalar(STEPS, Scalar::from(self.steps));
        match self.learning_rate {
            Some(rate) => writer.with_scalar(LEARNING_RATE, Scalar::from(rate)),
            None => writer,
        }
    }

    fn from_reader(reader: Reader) -> Result<Self, RecordError> {
        let scalar = |name: &str| reader.scalars().get(name).copied();
        let steps = scalar(STEPS).and_then(|steps| u64::try_from(steps).ok());
        let Some(steps) = steps else {
            let message = "not the state of a sharpness-aware method: it counts no steps";
            return Err(RecordError::Validation(message.to_owned()));
        };
        let learning_rate = scalar(LEARNING_RATE).and_then(|rate| f64::try_from(rate).ok());
        let tensors = reader.into_tensors()?;
        let carried = tensors
            .into_iter()
            .map(|tensor| {
                let (name, dtype, shape, id, bytes) = tensor.into_parts()?;
                let Some(id) = id else {
                    let message = format!("the tensor {name} belongs to no parameter");
                    return Err(RecordError::Validation(message));
                };
                if shape.rank() != 1 || !dtype.is_float() {
                    let message = format!("the tensor {name} is not a vector of floats");
                    return Err(RecordError::Validation(message));
                }
                // A tensor of a file is read when it is used, and the file may be another by then.
                let bytes = Bytes::from_bytes_vec(bytes.to_vec());
                Ok((id, TensorData::from_bytes(bytes, shape, dtype)))
            })
            .collect::<Result<_, RecordError>>()?;
        Ok(Self {
            steps,
            learning_rate,
            carried,
        })
    }
}
