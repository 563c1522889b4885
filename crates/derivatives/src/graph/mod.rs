//! Programs as hash-consed graphs in single assignment form.
//!
//! A node is a primitive applied to earlier nodes, with its shape and type known. Equal nodes are
//! one node, so a transformation may write down what it needs without asking whether it is there
//! already. Nodes only refer to nodes before them: ascending order is an order of evaluation, and
//! nothing is ever changed or removed. What a program leaves unused is dropped when it is planned.

mod recorded;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use burn::tensor::{DType, TensorData};
use burn_dispatch::DispatchTensor;

pub(crate) use recorded::Recorded;

use crate::primitive::Primitive;

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// Position in the order of evaluation.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A real constant in a primitive; two are equal when their bits are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Real(u64);

impl Real {
    pub(crate) const fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    pub(crate) const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl std::fmt::Debug for Real {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

/// Which inputs a slot belongs to: those of one set are given together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Set(pub(crate) u32);

impl Set {
    /// The parameters theta.
    pub(crate) const POINT: Self = Self(0);
    /// The tangent v, shaped like theta.
    pub(crate) const TANGENT: Self = Self(1);
}

/// A primitive applied to inputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) primitive: Primitive,
    pub(crate) inputs: Vec<NodeId>,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
}

/// Data that was captured. It stands on the device from the first use on, and only there.
#[derive(Debug)]
pub(crate) struct Constant {
    data: Mutex<Option<TensorData>>,
    uploaded: OnceLock<Option<DispatchTensor>>,
}

impl Constant {
    /// The data on the device; `upload` puts it there. All programs of a loss run on one device.
    pub(crate) fn on_device(
        &self,
        upload: impl FnOnce(TensorData) -> DispatchTensor,
    ) -> Option<DispatchTensor> {
        let data = || {
            let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
            data.take()
        };
        self.uploaded.get_or_init(|| data().map(upload)).clone()
    }
}

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, NodeId>,
    /// How many constants were taken out by [`without_data`](Self::without_data): they have the
    /// numbers before those of `constants`.
    captured: usize,
    constants: Vec<Arc<Constant>>,
    sets: u32,
}

impl Graph {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(crate) fn shape(&self, id: NodeId) -> &[usize] {
        &self.node(id).shape
    }

    pub(crate) fn rank(&self, id: NodeId) -> usize {
        self.shape(id).len()
    }

    pub(crate) fn dtype(&self, id: NodeId) -> DType {
        self.node(id).dtype
    }

    pub(crate) fn primitive(&self, id: NodeId) -> &Primitive {
        &self.node(id).primitive
    }

    pub(crate) fn input(&self, id: NodeId, position: usize) -> NodeId {
        self.node(id).inputs[position]
    }

    /// The captured data, by their numbers.
    pub(crate) fn constants(&self) -> &[Arc<Constant>] {
        &self.constants
    }

    /// Whether both have the same nodes; captured data are compared by their numbers, shapes and
    /// types.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.sets == other.sets && self.nodes == other.nodes
    }

    /// Without its captured data, of which the nodes know the numbers.
    pub(crate) fn without_data(mut self) -> Self {
        self.captured = self.constants.len();
        self.constants = Vec::new();
        self
    }

    /// A constant that came after the captured data was taken out: part of a program.
    pub(crate) fn own_constant(&self, index: usize) -> Option<&Arc<Constant>> {
        self.constants.get(index.checked_sub(self.captured)?)
    }

    /// The node, made unless there is an equal one.
    pub(crate) fn insert(
        &mut self,
        primitive: impl Into<Primitive>,
        inputs: Vec<NodeId>,
        shape: Vec<usize>,
        dtype: DType,
    ) -> NodeId {
        let node = Node {
            primitive: primitive.into(),
            inputs,
            shape,
            dtype,
        };
        if let Some(&id) = self.known.get(&node) {
            return id;
        }
        // A graph has thousands of nodes, not billions.
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        id
    }

    /// A set of slots of its own, for variables that do not survive a transformation.
    pub(crate) const fn fresh_set(&mut self) -> Set {
        self.sets += 1;
        Set(self.sets + 1)
    }

    /// An input of the program.
    pub(crate) fn slot(
        &mut self,
        set: Set,
        index: usize,
        shape: Vec<usize>,
        dtype: DType,
    ) -> NodeId {
        self.insert(Primitive::Slot { set, index }, Vec::new(), shape, dtype)
    }

    /// Captured data.
    pub(crate) fn constant(&mut self, data: TensorData) -> NodeId {
        let shape = data.shape().to_vec();
        let dtype = data.dtype();
        let index = self.captured + self.constants.len();
        self.constants.push(Arc::new(Constant {
            data: Mutex::new(Some(data)),
            uploaded: OnceLock::new(),
        }));
        self.insert(Primitive::Constant(index), Vec::new(), shape, dtype)
    }

    /// The nodes that `targets` are made of, themselves included, in order of evaluation.
    pub(crate) fn ancestors(&self, targets: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        for target in targets {
            needed[target.index()] = true;
        }
        let mut found = Vec::new();
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                for input in &self.nodes[index].inputs {
                    needed[input.index()] = true;
                }
                found.push(index);
            }
        }
        found.reverse();
        found
            .into_iter()
            .map(|index| NodeId(u32::try_from(index).unwrap_or(u32::MAX)))
            .collect()
    }

    /// Those of `ancestors`, which are in order, that depend on one of `variables`.
    pub(crate) fn dependent(
        &self,
        ancestors: &[NodeId],
        variables: &[NodeId],
    ) -> std::collections::HashSet<NodeId> {
        let mut dependent = std::collections::HashSet::new();
        for &id in ancestors {
            let depends = variables.contains(&id)
                || self
                    .node(id)
                    .inputs
                    .iter()
                    .any(|input| dependent.contains(input));
            if depends {
                dependent.insert(id);
            }
        }
        dependent
    }
}

/// The shape two tensors of one rank broadcast to: an axis of length 1 is repeated.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| if a == 1 { b } else { a })
        .collect()
}

/// Number of entries of a shape.
pub(crate) fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}
