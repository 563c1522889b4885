//! From recorded operations to primitives.
//!
//! The matches are exhaustive on Burn's operation enums, and so is the classification in
//! [`coverage`], which is asked first: an operation is refused if and only if it is an exception
//! there. The others are written in primitives, with all their options.
//!
//! One file for each of Burn's enums (`base`, `numeric` for floats, `integer` for integers and
//! booleans, `float`, `activation`, `module`), and one for each family of rules that they use.

mod activation;
mod attention;
mod backward;
mod base;
mod convolution;
mod coverage;
mod ctc;
mod float;
mod indexing;
mod integer;
mod module;
mod normalisation;
mod numeric;
mod order;
mod pad;
mod resample;
mod sampling;

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::tensor::{DType, TensorData};
use burn_dispatch::DispatchDevice;
use burn_ir::{CustomOpIr, OperationIr, TensorId, TensorIr};

use self::coverage::Class;
use crate::Error;
use crate::graph::{Graph, NodeId};
use crate::primitive::{Kind, Primitive};
use crate::record::Marker;
use crate::record::attempt;
use crate::transform::vjp;

/// A recorded loss on its way to a graph.
pub(crate) struct Lowering {
    pub(crate) graph: Graph,
    known: HashMap<TensorId, NodeId>,
    values: BTreeMap<TensorId, TensorData>,
    /// Tensors that something is differentiated by: they must not be simplified away.
    marked: HashSet<TensorId>,
    /// Running means of the layers that normalise with the statistics of the batch.
    batch_statistics: HashSet<TensorId>,
    device: DispatchDevice,
    /// Whether the loss takes a derivative inside.
    pub(crate) differentiates_inside: bool,
}

type Lowered = Result<NodeId, Error>;

impl Lowering {
    pub(crate) fn new(
        values: BTreeMap<TensorId, TensorData>,
        marked: HashSet<TensorId>,
        batch_statistics: HashSet<TensorId>,
        device: DispatchDevice,
    ) -> Self {
        Self {
            graph: Graph::default(),
            known: HashMap::new(),
            values,
            marked,
            batch_statistics,
            device,
            differentiates_inside: false,
        }
    }

    /// Says that a recorded tensor is this node.
    pub(crate) fn bind(&mut self, id: TensorId, node: NodeId) {
        let node = if self.marked.contains(&id) {
            let (shape, dtype) = (self.graph.shape(node).to_vec(), self.graph.dtype(node));
            self.graph
                .insert(Primitive::Barrier, vec![node], shape, dtype)
        } else {
            node
        };
        self.known.insert(id, node);
    }

    /// The node of a recorded tensor, by its id.
    pub(crate) fn find(&mut self, id: TensorId) -> Option<NodeId> {
        if let Some(&node) = self.known.get(&id) {
            return Some(node);
        }
        let data = self.values.remove(&id)?;
        let node = self.graph.constant(data);
        self.bind(id, node);
        self.known.get(&id).copied()
    }

    /// The data of a tensor that stands at several places, all alike.
    pub(crate) fn take(&mut self, copies: &[TensorId]) -> Result<TensorData, Error> {
        let mut data = None;
        for copy in copies {
            data = self.values.remove(copy).or(data);
        }
        data.ok_or_else(|| Error::Capture {
            message: "a parameter has no value".to_owned(),
        })
    }

    fn get(&mut self, tensor: &TensorIr) -> Lowered {
        let node = self.find(tensor.id).ok_or_else(|| Error::Capture {
            message: format!("{} has no source", tensor.id),
        })?;
        float_type(self.graph.dtype(node))?;
        Ok(node)
    }

    fn set(&mut self, tensor: &TensorIr, node: NodeId) -> Result<(), Error> {
        float_type(tensor.dtype)?;
        debug_assert_eq!(self.graph.shape(node), dims(tensor), "shape of {tensor:?}");
        self.bind(tensor.id, node);
        Ok(())
    }

    /// Writes one recorded operation.
    pub(crate) fn operation(&mut self, operation: &OperationIr) -> Result<(), Error> {
        if let Some((marker, custom)) = Marker::of(operation) {
            return self.marker(marker, custom);
        }
        if let Class::Exception(exception) = coverage::class(operation) {
            return Err(exception.refuses(operation));
        }
        // Some constants are computed here, and Burn panics at options that a device has not.
        attempt(|| self.written(operation))
            .unwrap_or_else(|message| Err(unsupported(coverage::leaf(operation), message)))
    }

    /// Writes an operation of our own.
    fn marker(&mut self, marker: Marker, custom: &CustomOpIr) -> Result<(), Error> {
        let node = match marker {
            // The program's input was bound to it already.
            Marker::Parameter => return Ok(()),
            Marker::StopGradient | Marker::Variable => {
                let x = self.get(&custom.inputs[0])?;
                let (shape, dtype) = (self.graph.shape(x).to_vec(), self.graph.dtype(x));
                let primitive = match marker {
                    Marker::StopGradient => Primitive::Stop,
                    _ => Primitive::Barrier,
                };
                self.graph.insert(primitive, vec![x], shape, dtype)
            }
            Marker::InputGradient => {
                let (u, variable) = (self.get(&custom.inputs[0])?, self.get(&custom.inputs[1])?);
                self.differentiates_inside = true;
                let one = self.graph.fill(1.0, u);
                vjp(&mut self.graph, &[(u, one)], &[variable])[0]
            }
        };
        self.set(&custom.outputs[0], node)
    }

    fn written(&mut self, operation: &OperationIr) -> Result<(), Error> {
        match operation {
            OperationIr::BaseFloat(operation)
            | OperationIr::BaseInt(operation)
            | OperationIr::BaseBool(operation) => self.base(operation),
            OperationIr::NumericFloat(_, operation) => self.numeric(operation),
            OperationIr::NumericInt(_, operation) => self.numeric_int(operation),
            OperationIr::Bool(operation) => self.bool(operation),
            OperationIr::Int(operation) => self.int(operation),
            OperationIr::Float(_, operation) => self.float(operation),
            OperationIr::Module(operation) => self.module(operation),
            OperationIr::Activation(operation) => self.activation(operation),
            // The data of initialised tensors is in the captured values.
            OperationIr::Init(_) | OperationIr::Drop(_) => Ok(()),
            OperationIr::Custom(_) | OperationIr::Distributed(_) => {
                Err(coverage::no_rule(operation))
            }
        }
    }
}

fn float_type(dtype: DType) -> Result<(), Error> {
    match (Kind::of(dtype), dtype) {
        (Kind::Float, DType::F32 | DType::F64) | (Kind::Int | Kind::Bool, _) => Ok(()),
        (Kind::Float, _) => Err(Error::Type { dtype, near: None }),
    }
}

fn dims(tensor: &TensorIr) -> Vec<usize> {
    tensor.shape.to_vec()
}

fn unsupported(operation: impl Into<String>, option: impl Into<String>) -> Error {
    Error::Unsupported {
        operation: operation.into(),
        option: option.into(),
        near: None,
    }
}

/// The variant's name of a recorded operation.
fn name(operation: &impl std::fmt::Debug) -> String {
    let text = format!("{operation:?}");
    text.split(['(', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
