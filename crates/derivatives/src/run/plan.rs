//! From a graph to a list of steps, and running it on a device.
//!
//! A plan has three stages: what depends on the captured data only, what depends on the point theta
//! too, and the rest, once for each tangent. A value is dropped with its last use, so that the
//! device can reuse the buffer: its last use in its own stage where later stages run again and again,
//! its last use of all where they run once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use burn_dispatch::{DispatchDevice, DispatchTensor};

use super::captured_data::{CapturedData, PlanValues};
use super::chain::fused;
use super::profile::Profile;
use super::step::{Step, Work};
use crate::graph::{Constant, Graph, NodeId, Set, elements};
use crate::primitive::{Patches, Primitive, Site, upload};

/// Number of stages: data, point, tangent.
const STAGES: usize = 3;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Plan {
    number: u64,
    /// Of the first two stages, and of the last for each group of outputs.
    steps: Vec<Vec<Step>>,
    /// Where captured data stand, with their index.
    constants: Vec<(usize, usize)>,
    /// Where constants of the program itself stand.
    own_constants: Vec<(usize, Arc<Constant>)>,
    /// Where the slots of a set stand, with their index in it.
    slots: Vec<(Set, usize, usize)>,
    /// For each group.
    outputs: Vec<Vec<usize>>,
    /// For each value, the stage that makes it.
    stages: Vec<usize>,
    /// For each value, the last stage that needs it; outputs are needed for ever.
    needed: Vec<usize>,
    /// Bytes of the values that the last stage takes from earlier ones, captured data apart.
    kept_bytes: usize,
    device: DispatchDevice,
}

impl Plan {
    /// The steps that give `outputs`.
    pub(crate) fn new(graph: &Graph, outputs: &[NodeId], device: &DispatchDevice) -> Self {
        Self::build(graph, &[outputs], device, false)
    }

    /// The steps for several groups of outputs, which share the first two stages: a run of the last
    /// stage gives one group. The last stage is meant to run many times: patches, which are several
    /// times as large as what they are of, are not kept for it but laid out again, which takes
    /// less time than reading them from memory that is out of the cache.
    pub(crate) fn of_groups(graph: &Graph, groups: &[&[NodeId]], device: &DispatchDevice) -> Self {
        Self::build(graph, groups, device, true)
    }

    fn build(
        graph: &Graph,
        groups: &[&[NodeId]],
        device: &DispatchDevice,
        lay_out_again: bool,
    ) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let nodes = graph.ancestors(&groups.concat());
        let position: HashMap<NodeId, usize> = nodes
            .iter()
            .enumerate()
            .map(|(position, &id)| (id, position))
            .collect();
        let at = |ids: &[NodeId]| -> Vec<usize> { ids.iter().map(|id| position[id]).collect() };
        let mut plan = Self {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            steps: vec![Vec::new(); STAGES - 1 + groups.len()],
            constants: Vec::new(),
            own_constants: Vec::new(),
            slots: Vec::new(),
            outputs: groups.iter().map(|group| at(group)).collect(),
            stages: Vec::with_capacity(nodes.len()),
            needed: Vec::new(),
            kept_bytes: 0,
            device: device.clone(),
        };
        let members: Vec<HashSet<NodeId>> = groups
            .iter()
            .map(|group| graph.ancestors(group).into_iter().collect())
            .collect();
        for (out, &id) in nodes.iter().enumerate() {
            let node = graph.node(id);
            let inputs = at(&node.inputs);
            let stage = match node.primitive {
                Primitive::Slot { set, index } => {
                    plan.slots.push((set, index, out));
                    stage_of(set)
                }
                Primitive::Constant(index) => {
                    match graph.own_constant(index) {
                        Some(own) => plan.own_constants.push((out, Arc::clone(own))),
                        None => plan.constants.push((out, index)),
                    }
                    0
                }
                _ => {
                    let stages = inputs.iter().map(|&input| plan.stages[input]);
                    let stage = stages.max().unwrap_or(0);
                    let step = Step::new(graph, node, inputs, out, device);
                    if stage + 1 < STAGES {
                        plan.steps[stage].push(step);
                    } else {
                        for (group, members) in members.iter().enumerate() {
                            if members.contains(&id) {
                                plan.steps[stage + group].push(step.clone());
                            }
                        }
                    }
                    stage
                }
            };
            plan.stages.push(stage);
        }
        if lay_out_again {
            plan.lay_out_again();
        }
        if flex_kernels::are_for(device) {
            for list in 0..plan.steps.len() {
                let uses = plan.uses(list);
                let steps = std::mem::take(&mut plan.steps[list]);
                // PlanValues that were added to those of the graph are no inputs of entrywise steps.
                let shape = |value: usize| nodes.get(value).map(|&id| graph.shape(id));
                plan.steps[list] = fused(steps, uses, shape);
            }
        }
        plan.find_last_uses();
        plan.kept_bytes = plan.count_kept();
        plan
    }

    /// See [`of_groups`](Self::of_groups).
    fn lay_out_again(&mut self) {
        let (early, groups) = self.steps.split_at_mut(STAGES - 1);
        let patches = |step: &&Step| {
            matches!(
                &step.work,
                Work::One(Primitive::Patches(Patches::Extract { .. }))
            )
        };
        for step in early.iter().flatten().filter(patches) {
            for steps in groups.iter_mut() {
                let uses = |other: &Step| other.inputs.contains(&step.out);
                let Some(first) = steps.iter().position(uses) else {
                    continue;
                };
                let again = Step {
                    out: self.stages.len(),
                    ..step.clone()
                };
                self.stages.push(STAGES - 1);
                for input in steps.iter_mut().flat_map(|other| &mut other.inputs) {
                    if *input == step.out {
                        *input = again.out;
                    }
                }
                steps.insert(first, again);
            }
        }
    }

    /// For each value, how many steps use it that run together with those of `list`, and whether it
    /// is an output of them.
    fn uses(&self, list: usize) -> Vec<usize> {
        let group = list.checked_sub(STAGES - 1);
        let mut uses = vec![0; self.stages.len()];
        for (number, steps) in self.steps.iter().enumerate() {
            if group.is_some() && number != list {
                continue;
            }
            for step in steps {
                for (place, &input) in step.inputs.iter().enumerate() {
                    uses[input] += usize::from(!step.inputs[..place].contains(&input));
                }
            }
        }
        for (number, outputs) in self.outputs.iter().enumerate() {
            if group.is_none_or(|group| group == number) {
                for &output in outputs {
                    uses[output] += 1;
                }
            }
        }
        uses
    }

    fn find_last_uses(&mut self) {
        let values = self.stages.len();
        self.needed = vec![0; values];
        for &output in self.outputs.iter().flatten() {
            self.needed[output] = STAGES;
        }
        let mut used_later = vec![false; values];
        for (list, steps) in self.steps.iter_mut().enumerate().rev() {
            let stage = list.min(STAGES - 1);
            // Groups do not run together: what one uses says nothing of another.
            let mut of_group = vec![false; values];
            let early = stage + 1 < STAGES;
            for step in steps.iter_mut().rev() {
                for place in (0..step.inputs.len()).rev() {
                    let input = step.inputs[place];
                    let used = if early {
                        &mut used_later
                    } else {
                        &mut of_group
                    };
                    let last = !used[input] && self.needed[input] < STAGES;
                    used[input] = true;
                    step.last_of_all[place] = last;
                    step.last[place] = last && self.stages[input] == stage;
                    self.needed[input] = self.needed[input].max(stage);
                }
            }
            for (later, of_group) in used_later.iter_mut().zip(of_group) {
                *later |= of_group;
            }
        }
    }

    /// See [`kept_bytes`](Self::kept_bytes). A view has no bytes of its own but keeps those it shows.
    fn count_kept(&self) -> usize {
        let mut shown: Vec<usize> = (0..self.stages.len()).collect();
        let mut bytes = vec![0; self.stages.len()];
        let early = self.steps[..STAGES - 1].iter().flatten();
        for step in early {
            if step.work.is_view() {
                shown[step.out] = shown[step.inputs[0]];
            } else {
                bytes[step.out] = elements(&step.shape) * step.dtype.size();
            }
        }
        let mut sum = 0;
        for value in 0..self.stages.len() {
            if self.stages[value] + 1 < STAGES && self.needed[value] + 1 >= STAGES {
                sum += std::mem::take(&mut bytes[shown[value]]);
            }
        }
        sum
    }

    /// Bytes of the values that are kept between tangents: those that a tangent needs and that do not
    /// depend on it, without slots and captured data.
    pub(crate) const fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Bytes of the largest value that a step makes.
    pub(crate) fn largest(&self) -> usize {
        let steps = self.steps.iter().flatten();
        let bytes = steps.map(|step| elements(&step.shape) * step.dtype.size());
        bytes.max().unwrap_or(0)
    }

    /// The values that depend on the data only.
    pub(crate) fn start(&self, data: &CapturedData) -> Arc<PlanValues> {
        data.started(self.number, || {
            let mut values = self.uploaded(data);
            self.run(0, &mut values, false, None);
            self.forget(0, &mut values);
            values
        })
    }

    fn uploaded(&self, data: &CapturedData) -> PlanValues {
        let mut values = vec![None; self.stages.len()];
        for &(position, index) in &self.constants {
            let constant = data.constant(index);
            values[position] = constant.on_device(|data| upload(data, &self.device));
        }
        for (position, constant) in &self.own_constants {
            values[*position] = constant.on_device(|data| upload(data, &self.device));
        }
        values
    }

    /// `values` with the slots of `set` given, what can be computed from them computed, and what no
    /// later stage needs forgotten.
    pub(crate) fn advance(
        &self,
        values: &PlanValues,
        set: Set,
        slots: &[DispatchTensor],
    ) -> PlanValues {
        let mut values = values.clone();
        self.fill(&mut values, set, slots);
        self.run(stage_of(set), &mut values, false, None);
        self.forget(stage_of(set), &mut values);
        values
    }

    /// The outputs of a group for a tangent, given what [`advance`](Self::advance) kept of the point.
    pub(crate) fn group(
        &self,
        group: usize,
        kept: &PlanValues,
        tangent: &[DispatchTensor],
        times: Option<&mut Profile>,
    ) -> Vec<DispatchTensor> {
        let mut values = kept.clone();
        self.fill(&mut values, Set::TANGENT, tangent);
        self.run(STAGES - 1 + group, &mut values, false, times);
        self.outputs_of(group, &values)
    }

    /// The outputs for these slots, with nothing kept on the way.
    pub(crate) fn once(
        &self,
        data: &CapturedData,
        slots: &[(Set, &[DispatchTensor])],
        mut times: Option<&mut Profile>,
    ) -> Vec<DispatchTensor> {
        let mut values = if data.keeps() {
            self.start(data).as_ref().clone()
        } else {
            let mut values = self.uploaded(data);
            self.run(0, &mut values, true, times.as_deref_mut());
            values
        };
        for (set, slots) in slots {
            self.fill(&mut values, *set, slots);
        }
        for stage in 1..STAGES {
            self.run(stage, &mut values, true, times.as_deref_mut());
        }
        self.outputs(&values)
    }

    fn fill(&self, values: &mut PlanValues, set: Set, slots: &[DispatchTensor]) {
        for &(of, index, position) in &self.slots {
            if of == set {
                values[position] = Some(slots[index].clone());
            }
        }
    }

    /// Drops what is not needed after `stage`.
    fn forget(&self, stage: usize, values: &mut PlanValues) {
        for (value, needed) in values.iter_mut().zip(&self.needed) {
            if *needed <= stage {
                *value = None;
            }
        }
    }

    /// The outputs, once all that they depend on is computed; of the first group, if there are
    /// several.
    pub(crate) fn outputs(&self, values: &PlanValues) -> Vec<DispatchTensor> {
        self.outputs_of(0, values)
    }

    fn outputs_of(&self, group: usize, values: &PlanValues) -> Vec<DispatchTensor> {
        self.outputs[group]
            .iter()
            .map(|&output| values[output].clone().expect(COMPUTED))
            .collect()
    }

    fn run(
        &self,
        list: usize,
        values: &mut PlanValues,
        once: bool,
        mut times: Option<&mut Profile>,
    ) {
        for step in &self.steps[list] {
            let site = Site {
                shape: &step.shape,
                dtype: step.dtype,
                device: &self.device,
            };
            // A last use takes the value, so that the device may write over it.
            let last = if once { &step.last_of_all } else { &step.last };
            let inputs = step
                .inputs
                .iter()
                .zip(last)
                .map(|(&input, &last)| {
                    let value = if last {
                        values[input].take()
                    } else {
                        values[input].clone()
                    };
                    value.expect(COMPUTED)
                })
                .collect();
            let began = times.is_some().then(Instant::now);
            let value = step.work.evaluate(inputs, &site);
            values[step.out] = Some(value.expect("every step of a plan has a rule"));
            if let (Some(times), Some(began)) = (times.as_deref_mut(), began) {
                let name = format!("{} {:?}", step.work.name(), step.shape);
                times.add(name, began.elapsed());
            }
        }
    }
}

/// Why a value is there when it is asked for.
const COMPUTED: &str = "a value is kept until the last step that reads it";

const fn stage_of(set: Set) -> usize {
    if set.0 == Set::POINT.0 { 1 } else { 2 }
}
