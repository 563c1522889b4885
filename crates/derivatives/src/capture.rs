//! Recording a loss.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Tensor};
use burn_capture::TensorId;

use crate::graph::Recorded;
use crate::graph::{NodeId, Set};
use crate::lower::Lowering;
use crate::record::Marker;
use crate::record::Paths;
use crate::record::RecordingDevice;
use crate::record::check_ids;
use crate::record::normalising_by_batch;
use crate::record::{Outputs, id_of};
use crate::record::{attempt, error_of_panic};
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
        let target = target(&model, &parameters)?;
        let recorder = RecordingDevice::like(&target.device);
        let mut record = Record::default();
        let captured = attempt(|| {
            recorder.device.capture_scope(|scope| {
                let model = model.to_device(&recorder.device);
                model.visit(&mut OfParameters(&mut record.initialised));
                // What the closure reads of a parameter would be frozen in the recording.
                let model = model.map(&mut Unreadable(&parameters));
                model.visit(&mut OfParameters(&mut record.tensors));
                let mut outputs = Outputs::default();
                let loss = loss(&model, &recorder.device, &mut outputs);
                record.loss = Some((id_of(&loss), loss.dims()[0]));
                record.outputs = outputs.marked;
                record.data = outputs.data;
                scope.complete([], [])
            })
        });
        drop(recorder);
        let captured = captured
            .map_err(error_of_panic)?
            .map_err(|error| Error::Capture {
                message: error.to_string(),
            })?;
        let (loss, entries) = record.loss.ok_or(Error::NotCaptured { what: "loss" })?;
        if entries != 1 {
            return Err(Error::LossNotScalar {
                shape: vec![entries],
            });
        }
        let loss = loss.ok_or(Error::NotCaptured { what: "loss" })?;

        let batch_statistics = match self.statistics {
            Statistics::Running => HashSet::new(),
            Statistics::Batch => normalising_by_batch(&active)
                .iter()
                .filter_map(|id| record.tensors.get(id))
                .flatten()
                .copied()
                .collect(),
        };
        let mut lowering = Lowering::new(
            captured.values,
            record
                .outputs
                .into_iter()
                .chain(record.data.iter().flatten().copied())
                .collect(),
            batch_statistics,
            target.device.as_dispatch().clone(),
        );
        let mut slots = Vec::new();
        let mut origin = Vec::new();
        for (index, id) in parameters.iter().enumerate() {
            let unknown = || Error::UnknownParameter { id: id.to_string() };
            let initialised = record.initialised.get(id).ok_or_else(unknown)?;
            let copies = record.tensors.get(id).ok_or_else(unknown)?;
            let slot = lowering.parameter(initialised, copies, index, &mut origin)?;
            slots.push(slot);
        }
        let operations = &captured.graph.operations;
        for (position, operation) in operations.iter().enumerate() {
            lowering.operation(operation).map_err(|error| {
                let before = &operations[..=position];
                error.recorded_near(|| Paths::of(&active).nearest(before, &record.tensors))
            })?;
        }
        let loss = lowering
            .find(loss)
            .ok_or(Error::NotCaptured { what: "loss" })?;
        let outputs = match record.outputs {
            Some(id) => Some(
                lowering
                    .find(id)
                    .ok_or(Error::NotCaptured { what: "outputs" })?,
            ),
            None => None,
        };
        let data = record
            .data
            .into_iter()
            .map(|id| lowering.find(id?))
            .collect();
        let recorded = Recorded {
            graph: lowering.graph,
            loss,
            outputs,
            parameters: slots,
            data,
            device: target.device,
            differentiates_inside: lowering.differentiates_inside,
        };
        CapturedLoss::new(recorded, origin)
    }
}

impl Lowering {
    /// A parameter, which may stand at several places of the module, as an input of the program.
    fn parameter(
        &mut self,
        initialised: &[TensorId],
        copies: &[TensorId],
        index: usize,
        origin: &mut Vec<burn::tensor::TensorData>,
    ) -> Result<NodeId, Error> {
        let data = self.take(initialised)?;
        let (shape, dtype) = (data.shape().to_vec(), data.dtype());
        let slot = self.graph.slot(Set::POINT, index, shape, dtype);
        for &copy in copies {
            self.bind(copy, slot);
        }
        origin.push(data);
        Ok(slot)
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

struct Target {
    device: Device,
}

/// Where the parameters stand; they must have one device and one type.
fn target<M: Module>(model: &M, parameters: &[ParamId]) -> Result<Target, Error> {
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
    Ok(Target { device })
}

/// What was found on the recording device.
#[derive(Default)]
struct Record {
    /// The tensors that have the parameters' values.
    initialised: HashMap<ParamId, Vec<TensorId>>,
    /// Those that the closure is given. A parameter stands at each place of the module where it is
    /// used.
    tensors: HashMap<ParamId, Vec<TensorId>>,
    loss: Option<(Option<TensorId>, usize)>,
    outputs: Option<TensorId>,
    data: Vec<Option<TensorId>>,
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
            error = target(&model, &ids).err();
            model.bias = None;
            scope.complete([], [])
        });
        assert!(captured.is_ok());
        let path = "bias".to_owned();
        assert_eq!(error, Some(Error::SeveralDevices { path }));
    }
}
