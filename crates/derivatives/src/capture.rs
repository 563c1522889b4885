//! Recording a loss.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_capture::{CapturedGraph, TensorId};
use burn_ir::OperationIr;

use crate::graph::{NodeId, Recorded, Set};
use crate::lower::Lowering;
use crate::record::{
    Marker, Outputs, Paths, RecordingDevice, attempt, check_ids, error_of_panic, id_of,
    normalising_by_batch,
};
use crate::{CapturedLoss, Error};

/// What BatchNorm normalises with in a captured loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statistics {
    /// The stored running statistics, as constants.
    #[default]
    Running,
    /// Mean and biased variance of the batch, differentiated through, in the layers whose training
    /// flag is on; the others use their running statistics, as when training.
    Batch,
}

/// How to capture a loss: of which model, with respect to which parameters.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use derivatives::Capture;
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let x = Tensor::<2>::full([4, 1], 3.0, &device);
/// // L(w) = (3 w)^2, so H = 18
/// let loss = Capture::of(&model).loss(|model: &Linear, device: &Device| {
///     model.forward(x.to_device(device)).square().mean()
/// })?;
/// let v = Tensor::<1>::ones([1], &device);
/// let product: f32 = loss.hessian_vector(&loss.origin(), &v)?.into_scalar();
/// assert_eq!(product, 18.0);
/// # Ok::<(), derivatives::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Capture<'m, M> {
    model: &'m M,
    parameters: Option<Vec<ParamId>>,
    statistics: Statistics,
}

impl<'m, M: Module> Capture<'m, M> {
    /// With respect to all trainable parameters, in the order in which Burn visits them.
    #[must_use]
    pub const fn of(model: &'m M) -> Self {
        Self {
            model,
            parameters: None,
            statistics: Statistics::Running,
        }
    }

    /// With respect to these parameters, in this order, whether or not they are trainable.
    #[must_use]
    pub fn with_parameters(mut self, parameters: impl IntoIterator<Item = ParamId>) -> Self {
        self.parameters = Some(parameters.into_iter().collect());
        self
    }

    /// With BatchNorm normalising by these statistics.
    #[must_use]
    pub const fn with_statistics(mut self, statistics: Statistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Captures a loss. The closure gets the model on a recording device and must move the batch
    /// to that device; the loss has one entry.
    ///
    /// The model is not changed, and neither are its running statistics. Dropout is off. `detach` is
    /// not recorded: what the closure detaches is differentiated all the same;
    /// [`stop_gradient`](crate::stop_gradient) is recorded. The parameters have no value while they
    /// are recorded, so that none can be read and frozen. Cost: one call of the closure, which
    /// computes nothing, and a copy of parameters and batch.
    ///
    /// # Errors
    /// See [`Error`]. A closure that panics gives an error too.
    pub fn loss<F>(self, loss: F) -> Result<CapturedLoss, Error>
    where
        F: FnOnce(&M, &Device) -> Tensor<1>,
    {
        self.marked_loss(|model, device, _| loss(model, device))
    }

    /// Captures a loss on a model's outputs, which Gauss-Newton products need apart.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn outputs_and_loss<const D: usize, O, F>(
        self,
        outputs: O,
        loss: F,
    ) -> Result<CapturedLoss, Error>
    where
        O: FnOnce(&M, &Device) -> Tensor<D>,
        F: FnOnce(Tensor<D>, &Device) -> Tensor<1>,
    {
        self.marked_loss(|model, device, marks| {
            let tensor = outputs(model, device);
            marks.mark(&tensor);
            loss(tensor, device)
        })
    }

    /// Captures a loss whose closure marks the model's outputs on the way.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn marked_loss<F>(self, loss: F) -> Result<CapturedLoss, Error>
    where
        F: FnOnce(&M, &Device, &mut Outputs) -> Tensor<1>,
    {
        // Fresh running statistics, and every lazy parameter initialised: both happen here, on
        // the model's own device.
        let model = self.model.valid();
        // Flags are as they are configured here, wherever the model stands.
        let active = model.clone().train();
        check_ids(&active)?;
        let parameters = self.parameters.unwrap_or_else(|| trainable(&active));
        if parameters.is_empty() {
            return Err(Error::NoTrainableParameter);
        }
        let device = common_device(&model, &parameters)?;
        let (captured, found) = recorded(model, &parameters, &device, loss)?;
        let batch_statistics = match self.statistics {
            Statistics::Running => HashSet::new(),
            Statistics::Batch => found.of(&normalising_by_batch(&active)),
        };
        let lowering = Lowering::new(
            captured.values,
            found.marked(),
            batch_statistics,
            device.as_dispatch().clone(),
        );
        let operations = &captured.graph.operations;
        let (recorded, origin) =
            lowered(lowering, operations, &parameters, found, device, &active)?;
        CapturedLoss::new(recorded, origin)
    }
}

/// Runs a closure on a recording device, and returns what Burn recorded and which tensors are what.
fn recorded<M: Module>(
    model: M,
    parameters: &[ParamId],
    device: &Device,
    loss: impl FnOnce(&M, &Device, &mut Outputs) -> Tensor<1>,
) -> Result<(CapturedGraph, Found), Error> {
    let recorder = RecordingDevice::like(device)?;
    let mut found = Found::default();
    let captured = attempt(|| {
        recorder.device.capture_scope(|scope| {
            let model = model.to_device(&recorder.device);
            model.visit(&mut OfParameters(&mut found.initialised));
            // What the closure reads of a parameter would be frozen in the recording.
            let model = model.map(&mut Unreadable(parameters));
            model.visit(&mut OfParameters(&mut found.tensors));
            let mut outputs = Outputs::default();
            let loss = loss(&model, &recorder.device, &mut outputs);
            found.loss = Some((id_of(&loss), loss.dims()[0]));
            found.outputs = outputs.marked;
            found.data = outputs.data;
            scope.complete([], [])
        })
    });
    let captured = captured
        .map_err(error_of_panic)?
        .map_err(|error| Error::Capture {
            message: error.to_string(),
        })?;
    Ok((captured, found))
}

/// Writes the recorded operations in primitives, and returns the graph and the parameters' values.
fn lowered<M: Module>(
    mut lowering: Lowering,
    operations: &[OperationIr],
    parameters: &[ParamId],
    found: Found,
    device: Device,
    active: &M,
) -> Result<(Recorded, Vec<TensorData>), Error> {
    let loss = found.loss()?;
    let mut slots = Vec::with_capacity(parameters.len());
    let mut origin = Vec::with_capacity(parameters.len());
    for (index, id) in parameters.iter().enumerate() {
        let unknown = || Error::UnknownParameter { id: id.to_string() };
        let initialised = found.initialised.get(id).ok_or_else(unknown)?;
        let copies = found.tensors.get(id).ok_or_else(unknown)?;
        let (slot, data) = lowering.parameter(initialised, copies, index)?;
        slots.push(slot);
        origin.push(data);
    }
    for (position, operation) in operations.iter().enumerate() {
        lowering.operation(operation).map_err(|error| {
            let before = &operations[..=position];
            error.recorded_near(|| Paths::of(active).nearest(before, &found.tensors))
        })?;
    }
    let mut find = |id, what| lowering.find(id).ok_or(Error::NotCaptured { what });
    let loss = find(loss, "loss")?;
    let outputs = found.outputs.map(|id| find(id, "outputs")).transpose()?;
    let data = found.data.into_iter().map(|id| lowering.find(id?));
    let data = data.collect();
    let recorded = Recorded {
        graph: lowering.graph,
        loss,
        outputs,
        parameters: slots,
        data,
        device,
        differentiates_inside: lowering.differentiates_inside,
    };
    Ok((recorded, origin))
}

impl Lowering {
    /// Returns a parameter, which may stand at several places of the module, as an input of the
    /// program, and its value.
    fn parameter(
        &mut self,
        initialised: &[TensorId],
        copies: &[TensorId],
        index: usize,
    ) -> Result<(NodeId, TensorData), Error> {
        let data = self.take(initialised)?;
        let (shape, dtype) = (data.shape().to_vec(), data.dtype());
        let slot = self.graph.slot(Set::POINT, index, shape, dtype);
        for &copy in copies {
            self.bind(copy, slot);
        }
        Ok((slot, data))
    }
}

/// The parameters of a model that require a gradient, in visit order, each once.
fn trainable<M: Module>(active: &M) -> Vec<ParamId> {
    #[derive(Default)]
    struct Trainable(Vec<ParamId>);
    impl ModuleVisitor for Trainable {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() && !self.0.contains(&param.id) {
                self.0.push(param.id);
            }
        }
    }
    let mut found = Trainable::default();
    active.visit(&mut found);
    found.0
}

/// Returns the device on which the parameters stand, which must have one device and one type.
fn common_device<M: Module>(model: &M, parameters: &[ParamId]) -> Result<Device, Error> {
    struct Kinds<'a> {
        parameters: &'a [ParamId],
        paths: Paths,
        found: Option<(DType, Device)>,
        error: Option<Error>,
    }
    impl ModuleVisitor for Kinds<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // The first error is the one that is told.
            if self.error.is_some() || !self.parameters.contains(&param.id) {
                return;
            }
            let tensor = param.val();
            let (dtype, device) = (tensor.dtype(), tensor.device());
            match &self.found {
                None if !matches!(dtype, DType::F32 | DType::F64) => {
                    let near = Some(self.paths.parameter(param.id));
                    self.error = Some(Error::Type { dtype, near });
                }
                None => self.found = Some((dtype, device)),
                Some((first, _)) if *first != dtype => {
                    self.error = Some(Error::MixedTypes {
                        first: *first,
                        second: dtype,
                        path: self.paths.parameter(param.id),
                    });
                }
                Some((_, first)) if *first != device => {
                    let path = self.paths.parameter(param.id);
                    self.error = Some(Error::SeveralDevices { path });
                }
                Some(_) => {}
            }
        }
    }
    let mut kinds = Kinds {
        parameters,
        paths: Paths::of(model),
        found: None,
        error: None,
    };
    model.visit(&mut kinds);
    if let Some(error) = kinds.error {
        return Err(error);
    }
    let (_, device) = kinds.found.ok_or_else(|| Error::UnknownParameter {
        id: parameters[0].to_string(),
    })?;
    Ok(device)
}

/// The tensors on the recording device that matter.
#[derive(Default)]
struct Found {
    /// The tensors that have the parameters' values.
    initialised: HashMap<ParamId, Vec<TensorId>>,
    /// Those that the closure is given. A parameter stands at each place of the module where it is
    /// used.
    tensors: HashMap<ParamId, Vec<TensorId>>,
    loss: Option<(Option<TensorId>, usize)>,
    outputs: Option<TensorId>,
    data: Vec<Option<TensorId>>,
}

impl Found {
    /// Returns the loss, which has one entry and stands on the recording device.
    fn loss(&self) -> Result<TensorId, Error> {
        let missing = Error::NotCaptured { what: "loss" };
        match self.loss {
            Some((_, entries)) if entries != 1 => Err(Error::LossNotScalar {
                shape: vec![entries],
            }),
            Some((Some(id), _)) => Ok(id),
            _ => Err(missing),
        }
    }

    /// Returns the tensors that the closure has marked.
    fn marked(&self) -> HashSet<TensorId> {
        // What is marked on another device is left alone.
        let data = self.data.iter().flatten().copied();
        self.outputs.into_iter().chain(data).collect()
    }

    /// Returns all tensors of these parameters.
    fn of(&self, parameters: &HashSet<ParamId>) -> HashSet<TensorId> {
        let tensors = parameters.iter().map(|id| {
            let tensors = self.tensors.get(id);
            tensors.expect("all float tensors of the model are on the recording device")
        });
        tensors.flatten().copied().collect()
    }
}

/// Finds the tensors on the recording device that are a module's parameters.
struct OfParameters<'a>(&'a mut HashMap<ParamId, Vec<TensorId>>);

impl ModuleVisitor for OfParameters<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(id) = id_of(&param.val()) {
            self.0.entry(param.id).or_default().push(id);
        }
    }
}

/// Puts a tensor without a value in the place of each parameter.
struct Unreadable<'a>(&'a [ParamId]);

impl ModuleMapper for Unreadable<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.0.contains(&param.id) {
            param.map(|tensor| Marker::Parameter.mark(tensor))
        } else {
            param
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    #[test]
    fn a_parameter_on_another_device_is_named() {
        let device = Device::flex();
        let mut model: Linear = LinearConfig::new(2, 2).init(&device);
        // The second device at hand is one that records.
        let recorder = Device::capture();
        let mut error = None;
        let captured = recorder.capture_scope(|scope| {
            let bias = Param::initialized(ParamId::new(), Tensor::<1>::zeros([2], &recorder));
            let ids = [model.weight.id, bias.id];
            model.bias = Some(bias);
            error = common_device(&model, &ids).err();
            model.bias = None;
            scope.complete([], [])
        });
        assert!(captured.is_ok());
        let path = "bias".to_owned();
        assert_eq!(error, Some(Error::SeveralDevices { path }));
    }
}
