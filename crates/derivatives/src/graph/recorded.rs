//! A recorded loss as a graph.

use burn::tensor::{DType, Device};

use super::{Graph, NodeId};
use crate::loss::NonlinearityNodes;

/// A recorded loss: a graph, and which of its nodes are what.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) graph: Graph,
    pub(crate) loss: NodeId,
    pub(crate) outputs: Option<NodeId>,
    pub(crate) parameters: Vec<NodeId>,
    /// The data that was marked; none for what the loss does not use.
    pub(crate) data: Vec<Option<NodeId>>,
    /// The nonlinearities, in order.
    pub(crate) nonlinearities: Vec<NonlinearityNodes>,
    pub(crate) device: Device,
    /// Whether the loss takes a derivative inside, which Burn's gradient lacks.
    pub(crate) differentiates_inside: bool,
}

impl Recorded {
    /// Returns the float type of the parameters.
    pub(crate) fn dtype(&self) -> DType {
        self.graph.dtype(self.parameters[0])
    }

    /// Returns whether all but the captured data is equal.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.loss == other.loss
            && self.outputs == other.outputs
            && self.parameters == other.parameters
            && self.data == other.data
            && self.nonlinearities == other.nonlinearities
            && self.device == other.device
            && self.graph.is_like(&other.graph)
    }
}
