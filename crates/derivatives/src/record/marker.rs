//! Operations of our own among those that Burn records.
//!
//! A recording keeps what Burn's tensors do, and no more: `detach` leaves no trace in it, a
//! derivative inside the loss cannot be taken on a recording device, and a parameter could be read
//! on the host while it is recorded, which would freeze what was read. Burn lets a backend's client
//! record operations by name; these are the names.

use burn::tensor::Tensor;
use burn::tensor::kind::Basic;
use burn_backend::TensorMetadata;
use burn_capture::{CaptureBackend, CaptureClient};
use burn_dispatch::{BackendTensor, DispatchKindConversion, DispatchTensor};
use burn_ir::{CustomOpIr, OperationIr, TensorIr, TensorStatus};
use burn_router::{RouterClient, RouterTensor};

use crate::primitive::Kind;

type Recorded = RouterTensor<CaptureClient>;

/// An operation of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A parameter, of which no value can be read.
    Parameter,
    /// The input, a constant of differentiation.
    StopGradient,
    /// The input, of which no value can be read: data of single examples, and what something inside
    /// the loss is differentiated by.
    Variable,
    /// The gradient of the sum of the first input's entries by the second, a [`Self::Variable`].
    InputGradient,
}

impl Marker {
    const ALL: [Self; 4] = [
        Self::Parameter,
        Self::StopGradient,
        Self::Variable,
        Self::InputGradient,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Parameter => "derivatives::parameter",
            Self::StopGradient => "derivatives::stop_gradient",
            Self::Variable => "derivatives::variable",
            Self::InputGradient => "derivatives::input_gradient",
        }
    }

    /// Returns which of ours a recorded operation is, if it is one.
    pub(crate) fn of(operation: &OperationIr) -> Option<(Self, &CustomOpIr)> {
        let OperationIr::Custom(custom) = operation else {
            return None;
        };
        let marker = Self::ALL
            .into_iter()
            .find(|marker| marker.name() == custom.id)?;
        Some((marker, custom))
    }

    /// Records the operation on `inputs`, with a result like `like`.
    fn record<const D: usize, K: Basic>(
        self,
        inputs: &[&Recorded],
        like: &Recorded,
    ) -> Tensor<D, K> {
        let client = &like.client;
        let out = TensorIr {
            id: client.create_empty_handle(),
            shape: like.shape(),
            status: TensorStatus::NotInit,
            dtype: like.dtype(),
        };
        let inputs: Vec<TensorIr> = inputs.iter().map(|&input| read(input)).collect();
        let (shape, dtype, id) = (out.shape.clone(), out.dtype, out.id);
        let operation = CustomOpIr::new(self.name(), &inputs, &[out]);
        client.register_op(OperationIr::Custom(operation));
        let tensor = RouterTensor::new(id, shape, dtype, client.clone());
        let tensor = <DispatchTensor as DispatchKindConversion<CaptureBackend>>::from_backend(
            match Kind::of(dtype) {
                Kind::Float => BackendTensor::Float(tensor),
                Kind::Int => BackendTensor::Int(tensor),
                Kind::Bool => BackendTensor::Bool(tensor),
            },
        );
        Tensor::from_dispatch(tensor)
    }

    /// Records the operation on one tensor; the tensor itself on any other device than a recording
    /// one.
    pub(crate) fn mark<const D: usize, K: Basic>(self, tensor: Tensor<D, K>) -> Tensor<D, K> {
        match recorded(&tensor) {
            Some(input) => self.record(&[&input], &input),
            None => tensor,
        }
    }
}

/// Records the gradient of the sum of `of`'s entries by `variable`; `None` where either is not
/// recorded.
pub(crate) fn input_gradient<const D: usize, const E: usize>(
    of: &Tensor<E>,
    variable: &Tensor<D>,
) -> Option<Tensor<D>> {
    let (of, variable) = (recorded(of)?, recorded(variable)?);
    Some(Marker::InputGradient.record(&[&of, &variable], &variable))
}

/// Returns what a tensor is on a recording device.
pub(crate) fn recorded<const D: usize, K: Basic>(tensor: &Tensor<D, K>) -> Option<Recorded> {
    let tensor = <DispatchTensor as DispatchKindConversion<CaptureBackend>>::try_into_backend(
        tensor.clone().into_dispatch(),
    );
    match tensor.ok()? {
        BackendTensor::Float(tensor) | BackendTensor::Int(tensor) | BackendTensor::Bool(tensor) => {
            Some(tensor)
        }
        _ => None,
    }
}

/// Describes a tensor that an operation reads.
fn read(tensor: &Recorded) -> TensorIr {
    TensorIr {
        id: tensor.id(),
        shape: tensor.shape(),
        status: TensorStatus::ReadOnly,
        dtype: tensor.dtype(),
    }
}
