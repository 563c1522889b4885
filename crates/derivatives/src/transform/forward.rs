//! Forward mode: the tangents of a program's values.

use std::collections::HashMap;

use crate::graph::{Graph, NodeId};

/// Returns the tangents of `targets` when the nodes of `seeds` have the tangents given with them;
/// `None` is zero.
///
/// A seed is taken as given: what it is itself made of does not move it.
pub(crate) fn jvp(
    graph: &mut Graph,
    seeds: &[(NodeId, NodeId)],
    targets: &[NodeId],
) -> Vec<Option<NodeId>> {
    let tangents = tangents(graph, seeds, targets);
    targets
        .iter()
        .map(|target| tangents.get(target).copied())
        .collect()
}

/// Returns the tangents, as [`jvp`], of all nodes that `targets` are made of.
pub(super) fn tangents(
    graph: &mut Graph,
    seeds: &[(NodeId, NodeId)],
    targets: &[NodeId],
) -> HashMap<NodeId, NodeId> {
    let mut tangents: HashMap<NodeId, NodeId> = HashMap::new();
    let seeds: HashMap<NodeId, NodeId> = seeds.iter().copied().collect();
    for id in graph.ancestors(targets) {
        if let Some(&tangent) = seeds.get(&id) {
            tangents.insert(id, tangent);
            continue;
        }
        if let Some(tangent) = tangent(graph, id, &tangents) {
            tangents.insert(id, tangent);
        }
    }
    tangents
}

/// Returns the tangent of a node whose inputs have the `tangents` given there; `None` is zero.
pub(super) fn tangent(
    graph: &mut Graph,
    id: NodeId,
    tangents: &HashMap<NodeId, NodeId>,
) -> Option<NodeId> {
    let node = graph.node(id).clone();
    let moving: Vec<Option<NodeId>> = node
        .inputs
        .iter()
        .map(|input| tangents.get(input).copied())
        .collect();
    if moving.iter().all(Option::is_none) {
        return None;
    }
    let tangent = node.primitive.jvp(graph, &node.inputs, id, &moving)?;
    debug_assert_eq!(
        graph.shape(tangent),
        graph.shape(id),
        "tangent of {:?}",
        node.primitive
    );
    // A tangent that is zero everywhere is none.
    (graph.as_fill(tangent) != Some(0.0)).then_some(tangent)
}
