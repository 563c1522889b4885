//! From a graph to a plan: which step belongs to which stage, and until when a value is needed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn_dispatch::DispatchDevice;

use super::chain::fused;
use super::plan::{Plan, Stage};
use super::step::{Step, Work};
use crate::graph::{Graph, NodeId, elements};
use crate::primitive::{Patches, Primitive};

impl Plan {
    /// Creates the steps that give `outputs`.
    pub(crate) fn new(graph: &Graph, outputs: &[NodeId], device: &DispatchDevice) -> Self {
        Planned::of(graph, &[outputs], device).finish(graph)
    }

    /// Creates the steps for several groups of outputs, which share the first two stages: a run of
    /// the last stage gives one group.
    ///
    /// The last stage is meant to run many times: patches, which are several times as large as what
    /// they are of, are not kept for it but laid out again, which takes less time than reading them
    /// from memory that is out of the cache. Products with captured data leave out what is the
    /// same in most examples, as far as the device can.
    pub(crate) fn of_groups(graph: &Graph, groups: &[&[NodeId]], device: &DispatchDevice) -> Self {
        let mut planned = Planned::of(graph, groups, device);
        planned.lay_out_again();
        if flex_kernels::are_for(device) {
            planned.make_panels(graph);
        }
        planned.finish(graph)
    }
}

/// A plan in the making.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// The nodes of the graph that are values of the plan; values that are added come after them.
    pub(super) nodes: Vec<NodeId>,
    /// For each value, the stage that makes it.
    pub(super) stages: Vec<Stage>,
}

impl Planned {
    /// Gives each node that `groups` need its place in a stage.
    fn of(graph: &Graph, groups: &[&[NodeId]], device: &DispatchDevice) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let nodes = graph.ancestors(&groups.concat());
        let position: HashMap<NodeId, usize> = nodes
            .iter()
            .enumerate()
            .map(|(position, &id)| (id, position))
            .collect();
        let at = |ids: &[NodeId]| -> Vec<usize> { ids.iter().map(|id| position[id]).collect() };
        let plan = Plan {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            data: Vec::new(),
            point: Vec::new(),
            groups: vec![Vec::new(); groups.len()],
            constants: Vec::new(),
            own_constants: Vec::new(),
            slots: Vec::new(),
            outputs: groups.iter().map(|group| at(group)).collect(),
            needed: Vec::new(),
            kept_bytes: 0,
            device: device.clone(),
        };
        let mut planned = Self {
            plan,
            stages: Vec::with_capacity(nodes.len()),
            nodes: Vec::new(),
        };
        let members: Vec<HashSet<NodeId>> = groups
            .iter()
            .map(|group| graph.ancestors(group).into_iter().collect())
            .collect();
        for (out, &id) in nodes.iter().enumerate() {
            let inputs = at(&graph.node(id).inputs);
            let groups = members.iter().map(|members| members.contains(&id));
            let stage = planned.take_up(graph, id, inputs, out, groups);
            planned.stages.push(stage);
        }
        planned.nodes = nodes;
        planned
    }

    /// Takes up a node as the value `out`, and returns its stage. `groups` says which groups need
    /// it.
    fn take_up(
        &mut self,
        graph: &Graph,
        id: NodeId,
        inputs: Vec<usize>,
        out: usize,
        groups: impl Iterator<Item = bool>,
    ) -> Stage {
        let (plan, node) = (&mut self.plan, graph.node(id));
        match node.primitive {
            Primitive::Slot { set, index } => {
                plan.slots.push((set, index, out));
                return Stage::of(set);
            }
            Primitive::Constant(index) => {
                match graph.own_constant(index) {
                    Some(own) => plan.own_constants.push((out, Arc::clone(own))),
                    None => plan.constants.push((out, index)),
                }
                return Stage::Data;
            }
            _ => {}
        }
        let stages = inputs.iter().map(|&input| self.stages[input]);
        // What has no inputs, as a fill, is there from the beginning.
        let stage = stages.max().unwrap_or(Stage::Data);
        let step = Step::new(graph, node, inputs, out, &plan.device);
        match stage {
            Stage::Data => plan.data.push(step),
            Stage::Point => plan.point.push(step),
            Stage::Tangent | Stage::Forever => {
                for (steps, _) in plan.groups.iter_mut().zip(groups).filter(|(_, of)| *of) {
                    steps.push(step.clone());
                }
            }
        }
        stage
    }

    /// Lays patches that the last stage takes from an earlier one out in the last stage again; see
    /// [`Plan::of_groups`].
    fn lay_out_again(&mut self) {
        let plan = &mut self.plan;
        let patches = |step: &&Step| {
            matches!(
                &step.work,
                Work::One(Primitive::Patches(Patches::Extract { .. }))
            )
        };
        for step in plan.data.iter().chain(&plan.point).filter(patches) {
            for steps in &mut plan.groups {
                let uses = |other: &Step| other.inputs.contains(&step.out);
                let Some(first) = steps.iter().position(uses) else {
                    continue;
                };
                let again = Step {
                    out: self.stages.len(),
                    ..step.clone()
                };
                self.stages.push(Stage::Tangent);
                for input in steps.iter_mut().flat_map(|other| &mut other.inputs) {
                    if *input == step.out {
                        *input = again.out;
                    }
                }
                steps.insert(first, again);
            }
        }
    }

    /// Makes entrywise steps one where the device has kernels for them, and finds out until when
    /// each value is needed.
    fn finish(mut self, graph: &Graph) -> Plan {
        if flex_kernels::are_for(&self.plan.device) {
            self.make_direct(graph);
            self.fuse(graph);
        }
        self.find_last_uses();
        self.plan.kept_bytes = self.count_kept();
        self.plan
    }

    fn fuse(&mut self, graph: &Graph) {
        let values = self.stages.len();
        // Values that were added to those of the graph are no inputs of entrywise steps.
        let shape = |value: usize| self.nodes.get(value).map(|&id| graph.shape(id));
        let plan = &mut self.plan;
        let uses = uses_of(values, plan.steps(), plan.outputs.iter().flatten());
        plan.data = fused(std::mem::take(&mut plan.data), uses, shape);
        let uses = uses_of(values, plan.steps(), plan.outputs.iter().flatten());
        plan.point = fused(std::mem::take(&mut plan.point), uses, shape);
        // Groups do not run together: what one uses says nothing of another.
        for (steps, outputs) in plan.groups.iter_mut().zip(&plan.outputs) {
            let uses = uses_of(values, steps.iter(), outputs.iter());
            *steps = fused(std::mem::take(steps), uses, shape);
        }
    }

    fn find_last_uses(&mut self) {
        let (plan, stages) = (&mut self.plan, &self.stages);
        plan.needed = vec![Stage::Data; stages.len()];
        for &output in plan.outputs.iter().flatten() {
            plan.needed[output] = Stage::Forever;
        }
        let mut used_later = vec![false; stages.len()];
        for steps in plan.groups.iter_mut().rev() {
            // Groups do not run together: what one uses says nothing of another.
            let mut used = vec![false; stages.len()];
            mark_last_uses(steps, Stage::Tangent, stages, &mut used, &mut plan.needed);
            for (later, used) in used_later.iter_mut().zip(used) {
                *later |= used;
            }
        }
        let early = [
            (&mut plan.point, Stage::Point),
            (&mut plan.data, Stage::Data),
        ];
        for (steps, stage) in early {
            mark_last_uses(steps, stage, stages, &mut used_later, &mut plan.needed);
        }
    }

    /// Returns the bytes that are kept between tangents. A view has no bytes of its own but keeps
    /// those it shows.
    fn count_kept(&self) -> usize {
        let plan = &self.plan;
        let mut shown: Vec<usize> = (0..self.stages.len()).collect();
        let mut bytes = vec![0; self.stages.len()];
        for step in plan.data.iter().chain(&plan.point) {
            if step.work.is_view() {
                shown[step.out] = shown[step.inputs[0]];
            } else {
                bytes[step.out] = elements(&step.shape) * step.dtype.size();
            }
        }
        let mut sum = 0;
        for (value, &stage) in self.stages.iter().enumerate() {
            if stage < Stage::Tangent && plan.needed[value] >= Stage::Tangent {
                sum += std::mem::take(&mut bytes[shown[value]]);
            }
        }
        sum
    }
}

/// Returns for each value how many of these steps use it, and whether it is one of the outputs.
fn uses_of<'s>(
    values: usize,
    steps: impl Iterator<Item = &'s Step>,
    outputs: impl Iterator<Item = &'s usize>,
) -> Vec<usize> {
    let mut uses = vec![0; values];
    for step in steps {
        for (place, &input) in step.inputs.iter().enumerate() {
            uses[input] += usize::from(!step.inputs[..place].contains(&input));
        }
    }
    for &output in outputs {
        uses[output] += 1;
    }
    uses
}

/// Marks the last uses of values in the steps of a stage; `used` has what is used afterwards.
fn mark_last_uses(
    steps: &mut [Step],
    stage: Stage,
    stages: &[Stage],
    used: &mut [bool],
    needed: &mut [Stage],
) {
    for step in steps.iter_mut().rev() {
        for place in (0..step.inputs.len()).rev() {
            let input = step.inputs[place];
            let last = !used[input] && needed[input] < Stage::Forever;
            used[input] = true;
            step.last_of_all[place] = last;
            step.last[place] = last && stages[input] == stage;
            needed[input] = needed[input].max(stage);
        }
    }
}
