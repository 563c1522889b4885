//! Recording a loss.

use std::collections::HashSet;
use std::sync::Arc;

use burn::module::{Module, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use burn_ir::{OperationIr, TensorId};

use crate::graph::{NodeId, Recorded, Set};
use crate::loss::{Nonlinearity, NonlinearityNodes};
use crate::lower::Lowering;
use crate::record::{
    Found, Outputs, Paths, check_ids, common_device, nonlinearities, normalising_by_batch,
    recorded, trainable,
};
use crate::{CapturedLoss, CapturedLosses, Error};

/// The statistics by which BatchNorm normalises in a captured loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statistics {
    /// The stored running statistics, as constants.
    #[default]
    Running,
    /// Mean and biased variance of the batch, differentiated through, in the layers whose training
    /// flag is on; the others use their running statistics, as when training.
    Batch,
}

/// A capture of a loss: of which model, and with respect to which parameters.
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
    /// Creates a capture with respect to all trainable parameters, in the order in which Burn
    /// visits them.
    #[must_use]
    pub const fn of(model: &'m M) -> Self {
        Self {
            model,
            parameters: None,
            statistics: Statistics::Running,
        }
    }

    /// Sets the parameters to differentiate by, in this order, whether or not they are trainable.
    #[must_use]
    pub fn with_parameters(mut self, parameters: impl IntoIterator<Item = ParamId>) -> Self {
        self.parameters = Some(parameters.into_iter().collect());
        self
    }

    /// Sets the statistics by which BatchNorm normalises.
    #[must_use]
    pub const fn with_statistics(mut self, statistics: Statistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Captures a loss. The closure gets the model on a recording device and must move the batch
    /// to that device; the loss has one entry.
    ///
    /// The model is not changed, and neither are its running statistics. Dropout is off. `detach`
    /// is not recorded: what the closure detaches is differentiated all the same;
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
    #[expect(
        clippy::missing_panics_doc,
        reason = "each loss of the closure is recorded, and it gives one"
    )]
    pub fn marked_loss<F>(self, loss: F) -> Result<CapturedLoss, Error>
    where
        F: FnOnce(&M, &Device, &mut Outputs) -> Tensor<1>,
    {
        let mut recorded =
            self.recorded(|model, device, marks| vec![loss(model, device, marks)])?;
        Ok(recorded.pop().expect("each loss is recorded"))
    }

    /// Captures several losses of one batch in one recording, so that a program of all of them
    /// computes once what they have in common, such as the model's outputs.
    ///
    /// # Errors
    /// As [`loss`](Self::loss), for any of them.
    pub fn losses<F>(self, losses: F) -> Result<CapturedLosses, Error>
    where
        F: FnOnce(&M, &Device) -> Vec<Tensor<1>>,
    {
        let recorded = self.recorded(|model, device, _| losses(model, device))?;
        Ok(CapturedLosses::new(recorded))
    }

    /// Records losses and writes each in primitives, all on one graph.
    fn recorded<F>(self, losses: F) -> Result<Vec<CapturedLoss>, Error>
    where
        F: FnOnce(&M, &Device, &mut Outputs) -> Vec<Tensor<1>>,
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
        let (captured, found) = recorded(model, &parameters, &device, losses)?;
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
        let origin = Arc::new(origin);
        let captured = |recorded| CapturedLoss::new(recorded, Arc::clone(&origin));
        recorded.into_iter().map(captured).collect()
    }
}

/// Writes the recorded operations in primitives, and returns the graph of each loss, which is the
/// same for all, and the parameters' values.
fn lowered<M: Module>(
    mut lowering: Lowering,
    operations: &[OperationIr],
    parameters: &[ParamId],
    found: Found,
    device: Device,
    active: &M,
) -> Result<(Vec<Recorded>, Vec<TensorData>), Error> {
    let losses = found.losses()?;
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
    let nonlinearities = lowering.nonlinearities(operations, &found, active);
    let mut find = |id, what| lowering.find(id).ok_or(Error::NotCaptured { what });
    let losses = losses.into_iter().map(|id| find(id, "loss"));
    let losses: Vec<NodeId> = losses.collect::<Result<_, _>>()?;
    let outputs = found.outputs.map(|id| find(id, "outputs")).transpose()?;
    let data = found.data.into_iter().map(|id| lowering.find(id?));
    let data: Vec<Option<NodeId>> = data.collect();
    let recorded = losses.into_iter().map(|loss| Recorded {
        graph: lowering.graph.clone(),
        loss,
        outputs,
        parameters: slots.clone(),
        data: data.clone(),
        nonlinearities: nonlinearities.clone(),
        device: device.clone(),
        differentiates_inside: lowering.differentiates_inside,
    });
    let recorded = recorded.collect();
    Ok((recorded, origin))
}

impl Lowering {
    /// Returns the nonlinearities that were recorded, with the nodes that they have become.
    fn nonlinearities<M: Module>(
        &mut self,
        operations: &[OperationIr],
        found: &Found,
        active: &M,
    ) -> Vec<NonlinearityNodes> {
        let recorded = nonlinearities(operations, &found.tensors);
        if recorded.is_empty() {
            return Vec::new();
        }
        let paths = Paths::of(active);
        let nodes = recorded.into_iter().filter_map(|recorded| {
            Some(NonlinearityNodes {
                input: self.find(recorded.input)?,
                output: self.find(recorded.output)?,
                what: Nonlinearity {
                    kind: recorded.kind,
                    module: recorded.parameter.and_then(|id| paths.module(id)),
                    shape: recorded.shape,
                    feature_axis: recorded.feature_axis,
                },
            })
        });
        nodes.collect()
    }

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
