//! A closure run on a recording device.

use std::collections::{HashMap, HashSet};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor};
use burn_capture::{CapturedGraph, TensorId};

use super::device::RecordingDevice;
use super::marker::Marker;
use super::outputs::{Outputs, id_of};
use super::panics::error_of_panic;
use super::trial::attempt;
use crate::Error;

/// Runs a closure on a recording device, and returns what Burn recorded and which tensors are what.
pub(crate) fn recorded<M: Module>(
    model: M,
    parameters: &[ParamId],
    device: &Device,
    losses: impl FnOnce(&M, &Device, &mut Outputs) -> Vec<Tensor<1>>,
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
            let losses = losses(&model, &recorder.device, &mut outputs);
            let entry = |loss: &Tensor<1>| (id_of(loss), loss.dims()[0]);
            found.losses = losses.iter().map(entry).collect();
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

/// The tensors on the recording device that matter.
#[derive(Default)]
pub(crate) struct Found {
    /// The tensors that have the parameters' values.
    pub(crate) initialised: HashMap<ParamId, Vec<TensorId>>,
    /// Those that the closure is given. A parameter stands at each place of the module where it is
    /// used.
    pub(crate) tensors: HashMap<ParamId, Vec<TensorId>>,
    losses: Vec<(Option<TensorId>, usize)>,
    pub(crate) outputs: Option<TensorId>,
    pub(crate) data: Vec<Option<TensorId>>,
}

impl Found {
    /// Returns the losses, which have one entry each and stand on the recording device.
    pub(crate) fn losses(&self) -> Result<Vec<TensorId>, Error> {
        let loss = |&(id, entries): &(Option<TensorId>, usize)| match id {
            _ if entries != 1 => Err(Error::LossNotScalar {
                shape: vec![entries],
            }),
            Some(id) => Ok(id),
            None => Err(Error::NotCaptured { what: "loss" }),
        };
        self.losses.iter().map(loss).collect()
    }

    /// Returns the tensors that the closure has marked.
    pub(crate) fn marked(&self) -> HashSet<TensorId> {
        // What is marked on another device is left alone.
        let data = self.data.iter().flatten().copied();
        self.outputs.into_iter().chain(data).collect()
    }

    /// Returns all tensors of these parameters.
    pub(crate) fn of(&self, parameters: &HashSet<ParamId>) -> HashSet<TensorId> {
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
