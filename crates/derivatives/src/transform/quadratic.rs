//! The quadratic form `vᵀHv` from adjoints and first tangents.
//!
//! The derivative along v, `f(θ, v) = L′(θ) v`, is a program whose nodes `n = p(inputs)` either
//! depend on v, linearly, or on θ alone. Wanted is `d/dε f(θ + ε v, v)` at 0, the v in the second
//! place fixed. So what moves from outside are the nodes of θ alone, with their tangents along v,
//! and by the chain rule each node n that depends on v contributes once: by the change `dₙ` that
//! its fixed inputs bring about while those that depend on v are held, weighted with the derivative
//! of f in n:
//!
//! ```text
//! vᵀHv = Σₙ ⟨n̄, dₙ⟩
//! ```
//!
//! `n̄` is the cotangent of n in the transpose of `v ↦ f`: an adjoint of the gradient, which does
//! not depend on v. No tangent of a tangent is passed on from node to node, which is what the
//! derivative of f as a whole would need. In a layer `z = h W` both `ḣ W` and `h V` have
//! `dₙ = ḣ V`, so its share is `2 ⟨z̄, ḣ V⟩`.

use std::collections::BTreeMap;

use super::forward::{tangent, tangents};
use super::transpose::cotangents;
use crate::graph::{Graph, NodeId};

/// Returns the derivative of `first` when the first nodes of `seeds` move along the second ones, in
/// which `first` is linear and which stay as they are. `None` is zero.
pub(crate) fn quadratic(
    graph: &mut Graph,
    first: NodeId,
    seeds: &[(NodeId, NodeId)],
) -> Option<NodeId> {
    let v: Vec<NodeId> = seeds.iter().map(|&(_, direction)| direction).collect();
    let one = graph.fill(1.0, first);
    let adjoints = cotangents(graph, &[(first, one)], &v);
    let nodes = graph.ancestors(&[first]);
    let dependent = graph.dependent(&nodes, &v);
    let fixed: Vec<NodeId> = nodes
        .iter()
        .copied()
        .filter(|id| !dependent.contains(id))
        .collect();
    let moving = tangents(graph, seeds, &fixed);
    // By adjoint, so that an inner product serves all nodes that have it.
    let mut changes: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for id in nodes {
        if let Some(&adjoint) = adjoints.get(&id)
            && let Some(change) = tangent(graph, id, &moving)
        {
            changes.entry(adjoint).or_default().push(change);
        }
    }
    let shape = graph.shape(first).to_vec();
    let dtype = graph.dtype(first);
    let mut sum: Option<NodeId> = None;
    for (adjoint, changes) in changes {
        let share = inner(graph, adjoint, changes, &shape);
        // Of a part of the loss in another float type, the share is in that type too.
        let share = graph.cast(share, dtype);
        sum = Some(match sum {
            Some(sum) => graph.add(sum, share),
            None => share,
        });
    }
    sum
}

/// Returns the sum of the inner products of `adjoint` with each of `changes`, among which one may
/// stand several times, as a tensor of `shape`.
fn inner(graph: &mut Graph, adjoint: NodeId, changes: Vec<NodeId>, shape: &[usize]) -> NodeId {
    let mut counts: BTreeMap<NodeId, f64> = BTreeMap::new();
    for change in changes {
        *counts.entry(change).or_default() += 1.0;
    }
    // A factor that all have is cheaper on the sum.
    let common = counts.values().copied().fold(f64::INFINITY, f64::min);
    let mut sum: Option<NodeId> = None;
    for (change, count) in counts {
        let term = graph.scale(change, count / common);
        sum = Some(match sum {
            Some(sum) => graph.add(sum, term),
            None => term,
        });
    }
    let sum = sum.unwrap_or_else(|| graph.fill(0.0, adjoint));
    let products = graph.mul(adjoint, sum);
    let one = vec![1; graph.rank(products)];
    let product = graph.sum_to(products, one);
    let product = graph.reshape(product, shape.to_vec());
    graph.scale(product, common)
}
