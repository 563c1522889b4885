//! The transpose of a linear program.

use std::collections::{BTreeMap, HashMap};

use crate::graph::{Graph, NodeId};

/// Returns the cotangents of `variables`, for outputs that are linear in them, each with its
/// cotangent. `None` where no output depends on one.
pub(crate) fn transpose(
    graph: &mut Graph,
    outputs: &[(NodeId, NodeId)],
    variables: &[NodeId],
) -> Vec<Option<NodeId>> {
    let cotangents = cotangents(graph, outputs, variables);
    variables
        .iter()
        .map(|variable| cotangents.get(variable).copied())
        .collect()
}

/// Returns the cotangents, as [`transpose`], of all nodes between the variables and the outputs.
pub(super) fn cotangents(
    graph: &mut Graph,
    outputs: &[(NodeId, NodeId)],
    variables: &[NodeId],
) -> HashMap<NodeId, NodeId> {
    let targets: Vec<NodeId> = outputs.iter().map(|&(output, _)| output).collect();
    let ancestors = graph.ancestors(&targets);
    let linear = graph.dependent(&ancestors, variables);
    let mut pending: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for &(output, cotangent) in outputs {
        accumulate(graph, &mut pending, output, cotangent);
    }
    let mut found = HashMap::new();
    // From the last node to the first: when a node's turn comes, all its uses are done.
    while let Some((id, cotangent)) = pending.pop_last() {
        if !linear.contains(&id) {
            continue;
        }
        found.insert(id, cotangent);
        if variables.contains(&id) {
            continue;
        }
        let node = graph.node(id).clone();
        let flags: Vec<bool> = node
            .inputs
            .iter()
            .map(|input| linear.contains(input))
            .collect();
        let contributions = node
            .primitive
            .transpose(graph, &node.inputs, &flags, cotangent);
        for (input, contribution) in node.inputs.iter().zip(contributions) {
            if let Some(contribution) = contribution {
                accumulate(graph, &mut pending, *input, contribution);
            }
        }
    }
    found
}

fn accumulate(
    graph: &mut Graph,
    pending: &mut BTreeMap<NodeId, NodeId>,
    id: NodeId,
    contribution: NodeId,
) {
    debug_assert_eq!(
        graph.shape(contribution),
        graph.shape(id),
        "cotangent of {:?}",
        graph.primitive(id)
    );
    let sum = match pending.get(&id) {
        Some(&already) => graph.add(already, contribution),
        None => contribution,
    };
    pending.insert(id, sum);
}
