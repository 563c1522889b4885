//! One program for many inputs at once: the batch transform.
//!
//! `f(x₁), .., f(x_B)` as one program of the stacked x, `[B, ..]`. What does not depend on
//! the inputs that are stacked is computed once for all of them.

use std::collections::HashMap;

use crate::graph::{Graph, NodeId};
use crate::primitive::Stack;

/// Returns `targets` with one more leading axis, when each node of `stacked` is replaced by the one
/// given with it, which has an axis of length `len` in front. `None` for a target that depends on
/// none.
///
/// A node is taken as given: what it is itself made of plays no part.
pub(crate) fn batch(
    graph: &mut Graph,
    len: usize,
    stacked: &[(NodeId, NodeId)],
    targets: &[NodeId],
) -> Vec<Option<NodeId>> {
    let mut known: HashMap<NodeId, NodeId> = stacked.iter().copied().collect();
    for id in graph.ancestors(targets) {
        if known.contains_key(&id) {
            continue;
        }
        let node = graph.node(id).clone();
        let mapped: Vec<bool> = node
            .inputs
            .iter()
            .map(|input| known.contains_key(input))
            .collect();
        if !mapped.contains(&true) {
            continue;
        }
        let inputs: Vec<NodeId> = node
            .inputs
            .iter()
            .map(|input| known.get(input).copied().unwrap_or(*input))
            .collect();
        let stack = Stack {
            inputs: &inputs,
            mapped: &mapped,
            out: id,
            len,
        };
        let result = node.primitive.batch(graph, &stack);
        let result = result.expect("what has inputs has a rule for a batch");
        debug_assert_eq!(
            graph.shape(result),
            stack.shape(graph),
            "batch of {:?}",
            node.primitive
        );
        known.insert(id, result);
    }
    targets
        .iter()
        .map(|target| known.get(target).copied())
        .collect()
}
