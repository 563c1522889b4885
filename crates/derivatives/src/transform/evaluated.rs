//! Programs that are only evaluated.
//!
//! What the rules of differentiation need apart may be done at once where no derivative is taken.

use std::collections::HashMap;

use crate::graph::{Graph, NodeId};

/// Returns `target` for evaluation only: a max pooling takes its values without their positions.
pub(crate) fn evaluated(graph: &mut Graph, target: NodeId) -> NodeId {
    let mut replaced: HashMap<NodeId, NodeId> = HashMap::new();
    for id in graph.ancestors(&[target]) {
        let node = graph.node(id).clone();
        let now = |input: &NodeId| replaced.get(input).copied().unwrap_or(*input);
        let new = if let Some((x, maxima, shape)) = graph.as_maxima(id) {
            let x = now(&x);
            let maxima = graph.insert(maxima, vec![x], shape, node.dtype);
            graph.reshape(maxima, node.shape)
        } else {
            let inputs: Vec<NodeId> = node.inputs.iter().map(now).collect();
            if inputs == node.inputs {
                continue;
            }
            graph.insert(node.primitive, inputs, node.shape, node.dtype)
        };
        replaced.insert(id, new);
    }
    replaced.get(&target).copied().unwrap_or(target)
}
