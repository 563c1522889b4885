//! A program on a plane: `(a, b) ↦ L(θ + a d₁ + b d₂)`, with a and b its only variables.
//!
//! What linear operations make of the parameters stays affine in (a, b): `x = c + a c₁ + b c₂`.
//! Then c is the value at θ, which the program has already, and `cᵢ` its derivative along `dᵢ`,
//! which is the same everywhere: the rules of forward mode give it. None of the three depends on
//! (a, b), so the products of a first layer with its weights are made three times in all, and a
//! point costs the sum. Any other operation is applied to the sum: what follows it is written anew,
//! as a function of (a, b). A product of two factors that both move is such an operation.
//!
//! Where a node is needed as a function of (a, b), two ways give it: the sum of its parts, or the
//! operation once more, applied to its inputs. The second is taken where it is cheaper, as for what
//! only rearranges or repeats entries. Parts that no one asks for are never computed.

use std::collections::HashMap;

use crate::graph::{Graph, NodeId, elements};
use crate::primitive::{Binary, Layout, Primitive, Unary};

/// Returns `targets` as functions of `coordinates`, numbers of shape `[1]`, when each node of
/// `variables` is itself plus the sum of the directions given with it times their coordinates.
pub(crate) fn on_plane(
    graph: &mut Graph,
    variables: &[(NodeId, Vec<NodeId>)],
    coordinates: &[NodeId],
    targets: &[NodeId],
) -> Vec<NodeId> {
    let mut plane = OnPlane {
        graph,
        coordinates,
        affine: HashMap::new(),
        written: HashMap::new(),
    };
    for (variable, directions) in variables {
        plane.keep(
            *variable,
            directions.iter().copied().map(Some).collect(),
            f64::INFINITY,
        );
    }
    for id in plane.graph.ancestors(targets) {
        if !plane.affine.contains_key(&id) {
            plane.visit(id);
        }
    }
    targets
        .iter()
        .map(|&target| plane.at_point(target))
        .collect()
}

struct OnPlane<'a> {
    graph: &'a mut Graph,
    coordinates: &'a [NodeId],
    affine: HashMap<NodeId, Parts>,
    /// Nodes as functions of the coordinates.
    written: HashMap<NodeId, NodeId>,
}

/// The parts of an affine node beside its value at θ.
struct Parts {
    /// Its derivative along each direction; `None` is zero.
    slopes: Vec<Option<NodeId>>,
    /// Whether the sum is the cheaper way to a value at a point.
    summed: bool,
    /// What a value at a point costs, in entries read or written.
    price: f64,
}

impl OnPlane<'_> {
    /// Takes up a node whose inputs have been; one that does not move is left as it is.
    fn visit(&mut self, id: NodeId) {
        let node = self.graph.node(id).clone();
        let affine: Vec<bool> = node
            .inputs
            .iter()
            .map(|input| self.affine.contains_key(input))
            .collect();
        let beyond = node
            .inputs
            .iter()
            .zip(&affine)
            .any(|(input, affine)| !affine && self.written.contains_key(input));
        if !beyond && stays_affine(&node.primitive, &affine) {
            let slopes = (0..self.coordinates.len())
                .map(|direction| self.slope(id, direction))
                .collect();
            let inputs: f64 = node
                .inputs
                .iter()
                .filter_map(|input| Some(self.affine.get(input)?.price))
                .sum();
            let again = cost(self.graph, id) + inputs;
            self.keep(id, slopes, again);
        } else if beyond || affine.contains(&true) {
            let written = match node.primitive {
                Primitive::Unary(Unary::Relu) => self.rectified(node.inputs[0]),
                _ => self.applied(id),
            };
            self.written.insert(id, written);
        }
    }

    /// Returns the derivative along a direction of a node that is affine.
    fn slope(&mut self, id: NodeId, direction: usize) -> Option<NodeId> {
        let node = self.graph.node(id).clone();
        let tangents: Vec<Option<NodeId>> = node
            .inputs
            .iter()
            .map(|input| self.affine.get(input)?.slopes[direction])
            .collect();
        if tangents.iter().all(Option::is_none) {
            return None;
        }
        // The value follows the parameters through what is a constant of differentiation only.
        if node.primitive == Primitive::Stop {
            return tangents[0];
        }
        let slope = node
            .primitive
            .jvp(self.graph, &node.inputs, id, &tangents)?;
        (self.graph.as_fill(slope) != Some(0.0)).then_some(slope)
    }

    /// Takes up an affine node, whose operation costs `again` at each point, inputs included.
    fn keep(&mut self, id: NodeId, slopes: Vec<Option<NodeId>>, again: f64) {
        let terms = slopes.iter().flatten().count();
        if terms == 0 {
            return;
        }
        let sum = count(elements(self.graph.shape(id)) * (terms + 2));
        let parts = Parts {
            slopes,
            summed: sum <= again,
            price: sum.min(again),
        };
        self.affine.insert(id, parts);
    }

    /// Returns the node as a function of the coordinates; itself, if it does not move.
    fn at_point(&mut self, id: NodeId) -> NodeId {
        if let Some(&written) = self.written.get(&id) {
            return written;
        }
        let Some(parts) = self.affine.get(&id) else {
            return id;
        };
        let written = if parts.summed {
            self.sum(id, false)
        } else {
            self.applied(id)
        };
        self.written.insert(id, written);
        written
    }

    /// Returns the ReLU of a node as a function of the coordinates: done with the sum, where there
    /// is one.
    fn rectified(&mut self, id: NodeId) -> NodeId {
        let node = self.graph.node(id).clone();
        match (self.affine.get(&id), &node.primitive) {
            (Some(parts), _) if parts.summed => self.sum(id, true),
            // A rearrangement may come after the ReLU as well.
            (Some(_), Primitive::Layout(Layout::Reshape | Layout::Permute(_))) => {
                let inner = self.rectified(node.inputs[0]);
                self.graph
                    .insert(node.primitive, vec![inner], node.shape, node.dtype)
            }
            _ => {
                let written = self.at_point(id);
                self.graph.unary(Unary::Relu, written)
            }
        }
    }

    fn sum(&mut self, id: NodeId, relu: bool) -> NodeId {
        let slopes = self.affine.get(&id).map_or(&[][..], |parts| &parts.slopes);
        let terms: Vec<(NodeId, NodeId)> = slopes
            .iter()
            .zip(self.coordinates)
            .filter_map(|(slope, &coordinate)| Some(((*slope)?, coordinate)))
            .collect();
        self.graph.combine(id, &terms, relu)
    }

    /// Returns the node's operation on its inputs as functions of the coordinates.
    fn applied(&mut self, id: NodeId) -> NodeId {
        let node = self.graph.node(id).clone();
        let inputs = node
            .inputs
            .iter()
            .map(|&input| self.at_point(input))
            .collect();
        self.graph
            .insert(node.primitive, inputs, node.shape, node.dtype)
    }
}

/// Returns whether a primitive whose marked inputs are affine is so too.
fn stays_affine(primitive: &Primitive, affine: &[bool]) -> bool {
    let moving = affine.iter().filter(|affine| **affine).count();
    match primitive {
        Primitive::Binary(Binary::Mul) | Primitive::MatMul(_) => moving == 1,
        Primitive::Barrier
        | Primitive::Stop
        | Primitive::Unary(Unary::Scale(_) | Unary::Offset(_))
        | Primitive::Binary(Binary::Add | Binary::Sub)
        | Primitive::Reduce(_)
        | Primitive::Layout(_)
        | Primitive::Index(_)
        | Primitive::Patches(_) => moving > 0,
        _ => false,
    }
}

/// Returns what the operation of a node costs, in entries read or written.
fn cost(graph: &Graph, id: NodeId) -> f64 {
    let node = graph.node(id);
    let entries = elements(&node.shape);
    match &node.primitive {
        // Another view of the same entries.
        Primitive::Barrier
        | Primitive::Stop
        | Primitive::Layout(Layout::Reshape | Layout::Permute(_) | Layout::Expand) => 0.0,
        Primitive::MatMul(product) => {
            let shape = graph.shape(node.inputs[0]);
            let inner = shape[shape.len() - 1 - usize::from(product.transpose_a)];
            count(entries * inner) * PRODUCT
        }
        _ => {
            let inputs = node.inputs.iter();
            let read: usize = inputs.map(|&input| elements(graph.shape(input))).sum();
            count(entries + read)
        }
    }
}

/// The cost of a multiplication and addition inside a matrix product costs, in entries read or
/// written by other operations. On flex in f32 the share was 0.1 to 0.4, the larger the thinner the
/// matrices.
const PRODUCT: f64 = 0.3;

#[expect(clippy::cast_precision_loss, reason = "a price is rough")]
const fn count(entries: usize) -> f64 {
    entries as f64
}
