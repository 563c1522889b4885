//! From a graph to a list of steps, and running it on a device.
//!
//! A plan has three stages: what depends on no input is computed once, what depends on the point
//! theta once for each point, the rest once for each tangent. A value is dropped with its last use
//! in its stage, so that the device can reuse the buffer; what a later stage needs is kept.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use burn::tensor::DType;
use burn_dispatch::{DispatchDevice, DispatchTensor};

use crate::graph::{Constant, Graph, NodeId, Set};
use crate::primitive::{Primitive, Site, upload};

/// Number of stages: constants, point, tangent.
const STAGES: usize = 3;

/// Values by position; what is not known yet, or not needed any more, is empty.
pub(crate) type Values = Vec<Option<DispatchTensor>>;

#[derive(Debug)]
struct Step {
    primitive: Primitive,
    inputs: Vec<usize>,
    out: usize,
    shape: Vec<usize>,
    dtype: DType,
    /// Values that are not needed after this step.
    dropped: Vec<usize>,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Plan {
    steps: [Vec<Step>; STAGES],
    constants: Vec<(usize, Arc<Constant>)>,
    /// Where the slots of a set stand, with their index in it.
    slots: Vec<(Set, usize, usize)>,
    outputs: Vec<usize>,
    len: usize,
    device: DispatchDevice,
    start: OnceLock<Values>,
}

impl Plan {
    /// The steps that give `outputs`.
    pub(crate) fn new(graph: &Graph, outputs: &[NodeId], device: &DispatchDevice) -> Self {
        let nodes = graph.ancestors(outputs);
        let position: HashMap<NodeId, usize> = nodes
            .iter()
            .enumerate()
            .map(|(position, &id)| (id, position))
            .collect();
        let outputs: Vec<usize> = outputs.iter().map(|id| position[id]).collect();
        let mut plan = Self {
            steps: Default::default(),
            constants: Vec::new(),
            slots: Vec::new(),
            outputs,
            len: nodes.len(),
            device: device.clone(),
            start: OnceLock::new(),
        };
        let mut stages = Vec::with_capacity(nodes.len());
        for (out, &id) in nodes.iter().enumerate() {
            let node = graph.node(id);
            let inputs: Vec<usize> = node.inputs.iter().map(|input| position[input]).collect();
            let stage = match node.primitive {
                Primitive::Slot { set, index } => {
                    plan.slots.push((set, index, out));
                    stage_of(set)
                }
                Primitive::Constant(index) => {
                    let constant = Arc::clone(graph.constant_at(index));
                    plan.constants.push((out, constant));
                    0
                }
                _ => {
                    let stage = inputs.iter().map(|&input| stages[input]).max().unwrap_or(0);
                    plan.steps[stage].push(Step {
                        primitive: node.primitive.clone(),
                        inputs,
                        out,
                        shape: node.shape.clone(),
                        dtype: node.dtype,
                        dropped: Vec::new(),
                    });
                    stage
                }
            };
            stages.push(stage);
        }
        plan.drop_early(&stages);
        plan
    }

    /// Finds the last use of each value, if that is in the stage that makes it.
    fn drop_early(&mut self, stages: &[usize]) {
        let mut last: Vec<Option<(usize, usize)>> = vec![None; self.len];
        for (stage, steps) in self.steps.iter().enumerate() {
            for (number, step) in steps.iter().enumerate() {
                for &input in &step.inputs {
                    last[input] = Some((stage, number));
                }
            }
        }
        for &output in &self.outputs {
            last[output] = None;
        }
        for (value, last) in last.into_iter().enumerate() {
            if let Some((stage, number)) = last
                && stages[value] == stage
            {
                self.steps[stage][number].dropped.push(value);
            }
        }
    }

    /// The values that depend on no input; computed once.
    pub(crate) fn start(&self) -> &Values {
        self.start.get_or_init(|| {
            let mut values = vec![None; self.len];
            for (position, constant) in &self.constants {
                values[*position] = constant.on_device(|data| upload(data, &self.device));
            }
            self.run(0, &mut values);
            values
        })
    }

    /// `values` with the slots of `set` given, and what can be computed from them computed.
    pub(crate) fn advance(&self, values: &Values, set: Set, slots: &[DispatchTensor]) -> Values {
        let mut values = values.clone();
        for &(of, index, position) in &self.slots {
            if of == set {
                values[position] = Some(slots[index].clone());
            }
        }
        self.run(stage_of(set), &mut values);
        values
    }

    /// The outputs, once all that they depend on is computed.
    pub(crate) fn outputs(&self, values: &Values) -> Vec<DispatchTensor> {
        self.outputs
            .iter()
            .filter_map(|&output| values[output].clone())
            .collect()
    }

    /// Forgets all but what the stage of `set` needs of `values`, to which nothing but slots of that
    /// set can be given from now on.
    pub(crate) fn settle(&mut self, set: Set, values: Values) -> Values {
        let mut settled = vec![None; self.len];
        let needed = self.steps[stage_of(set)].iter().flat_map(|s| &s.inputs);
        for &position in needed.chain(&self.outputs) {
            settled[position].clone_from(&values[position]);
        }
        self.constants.clear();
        self.start = OnceLock::new();
        settled
    }

    fn run(&self, stage: usize, values: &mut Values) {
        for step in &self.steps[stage] {
            let site = Site {
                shape: &step.shape,
                dtype: step.dtype,
                device: &self.device,
            };
            // A last use takes the value, so that the device may write over it.
            let inputs = step
                .inputs
                .iter()
                .enumerate()
                .filter_map(|(place, input)| {
                    let last =
                        step.dropped.contains(input) && !step.inputs[place + 1..].contains(input);
                    if last {
                        values[*input].take()
                    } else {
                        values[*input].clone()
                    }
                })
                .collect();
            values[step.out] = step.primitive.evaluate(inputs, &site);
        }
    }
}

const fn stage_of(set: Set) -> usize {
    if set.0 == Set::POINT.0 { 1 } else { 2 }
}
