//! A list of steps from captured data, a point and a tangent to outputs, and running it on a
//! device.
//!
//! A plan has three stages: what depends on the captured data only, what depends on the point θ
//! too, and the rest, once for each tangent. A value is dropped with its last use, so that the
//! device can reuse the buffer: its last use in its own stage where later stages run again and
//! again, its last use of all where they run once.

use std::sync::Arc;
use std::time::Instant;

use burn_dispatch::{DispatchDevice, DispatchTensor};

use super::captured_data::{CapturedData, PlanValues};
use super::profile::Profile;
use super::step::Step;
use super::value::Value;
use crate::graph::{Constant, Set, elements};
use crate::primitive::{Site, upload};

/// When a value is made, or for how long it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// From the captured data alone.
    Data,
    /// From the point too.
    Point,
    /// From a tangent too.
    Tangent,
    /// After all of them: outputs are needed for ever.
    Forever,
}

impl Stage {
    /// Returns the stage that an input of this set begins.
    pub(super) const fn of(set: Set) -> Self {
        if set.0 == Set::POINT.0 {
            Self::Point
        } else {
            Self::Tangent
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) number: u64,
    /// Steps of the first stage.
    pub(super) data: Vec<Step>,
    /// Steps of the second stage.
    pub(super) point: Vec<Step>,
    /// Steps of the last stage, for each group of outputs.
    pub(super) groups: Vec<Vec<Step>>,
    /// Positions of captured data, with their index.
    pub(super) constants: Vec<(usize, usize)>,
    /// Positions of constants of the program itself.
    pub(super) own_constants: Vec<(usize, Arc<Constant>)>,
    /// Positions of the slots of a set, with their index in it.
    pub(super) slots: Vec<(Set, usize, usize)>,
    /// For each group.
    pub(super) outputs: Vec<Vec<usize>>,
    /// For each value, the last stage that needs it.
    pub(super) needed: Vec<Stage>,
    /// Bytes of the values that the last stage takes from earlier ones, captured data apart.
    pub(super) kept_bytes: usize,
    pub(super) device: DispatchDevice,
}

/// The reason why a value is there when it is asked for.
const COMPUTED: &str = "a value is kept until the last step that reads it";

impl Plan {
    /// Returns the steps of all stages.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        let early = self.data.iter().chain(&self.point);
        early.chain(self.groups.iter().flatten())
    }

    /// Returns the bytes of the values that are kept between tangents: those that a tangent needs
    /// and that do not depend on it, without slots and captured data.
    pub(crate) const fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }

    /// Returns the bytes of the largest value that a step makes.
    pub(crate) fn largest(&self) -> usize {
        let bytes = self
            .steps()
            .map(|step| elements(&step.shape) * step.dtype.size());
        bytes.max().unwrap_or(0)
    }

    /// Returns the values that depend on the data only.
    pub(crate) fn start(&self, data: &CapturedData) -> Arc<PlanValues> {
        data.started(self.number, || {
            let mut values = self.uploaded(data);
            self.run(&self.data, &mut values, false, None);
            self.forget(Stage::Data, &mut values);
            values
        })
    }

    fn uploaded(&self, data: &CapturedData) -> PlanValues {
        let mut values = vec![None; self.needed.len()];
        let captured = self.constants.iter();
        let captured = captured.map(|&(position, index)| (position, data.constant(index)));
        let own = self.own_constants.iter();
        let own = own.map(|(position, constant)| (*position, &**constant));
        for (position, constant) in captured.chain(own) {
            let tensor = constant.on_device(|data| upload(data, &self.device));
            values[position] = Some(Value::Tensor(tensor));
        }
        values
    }

    /// Returns `values` with the slots of `set` given, what can be computed from them computed, and
    /// what no later stage needs forgotten.
    pub(crate) fn advance(
        &self,
        values: &PlanValues,
        set: Set,
        slots: &[DispatchTensor],
    ) -> PlanValues {
        self.advance_timed(values, set, slots, None)
    }

    /// Does what [`advance`](Self::advance) does, and notes the time of each step.
    pub(crate) fn advance_timed(
        &self,
        values: &PlanValues,
        set: Set,
        slots: &[DispatchTensor],
        profile: Option<&mut Profile>,
    ) -> PlanValues {
        let mut values = values.clone();
        self.fill(&mut values, set, slots);
        let stage = Stage::of(set);
        let steps = match stage {
            Stage::Point => &self.point,
            _ => &self.groups[0],
        };
        self.run(steps, &mut values, false, profile);
        self.forget(stage, &mut values);
        values
    }

    /// Returns the outputs of a group for a tangent, given what [`advance`](Self::advance) kept of
    /// the point.
    pub(crate) fn group(
        &self,
        group: usize,
        kept: &PlanValues,
        tangent: &[DispatchTensor],
        profile: Option<&mut Profile>,
    ) -> Vec<DispatchTensor> {
        let mut values = kept.clone();
        self.fill(&mut values, Set::TANGENT, tangent);
        self.run(&self.groups[group], &mut values, false, profile);
        self.outputs_of(group, &values)
    }

    /// Returns the outputs for these slots, with nothing kept on the way.
    pub(crate) fn once(
        &self,
        data: &CapturedData,
        slots: &[(Set, &[DispatchTensor])],
        mut profile: Option<&mut Profile>,
    ) -> Vec<DispatchTensor> {
        let mut values = if data.keeps() {
            self.start(data).as_ref().clone()
        } else {
            let mut values = self.uploaded(data);
            self.run(&self.data, &mut values, true, profile.as_deref_mut());
            values
        };
        for (set, slots) in slots {
            self.fill(&mut values, *set, slots);
        }
        self.run(&self.point, &mut values, true, profile.as_deref_mut());
        self.run(&self.groups[0], &mut values, true, profile);
        self.outputs(&values)
    }

    fn fill(&self, values: &mut PlanValues, set: Set, slots: &[DispatchTensor]) {
        for &(of, index, position) in &self.slots {
            if of == set {
                values[position] = Some(Value::Tensor(slots[index].clone()));
            }
        }
    }

    /// Drops what is not needed after `stage`.
    fn forget(&self, stage: Stage, values: &mut PlanValues) {
        for (value, needed) in values.iter_mut().zip(&self.needed) {
            if *needed <= stage {
                *value = None;
            }
        }
    }

    /// Returns the outputs, once all that they depend on is computed; of the first group, if there
    /// are several.
    pub(crate) fn outputs(&self, values: &PlanValues) -> Vec<DispatchTensor> {
        self.outputs_of(0, values)
    }

    fn outputs_of(&self, group: usize, values: &PlanValues) -> Vec<DispatchTensor> {
        self.outputs[group]
            .iter()
            .map(|&output| values[output].clone().expect(COMPUTED).tensor())
            .collect()
    }

    fn run(
        &self,
        steps: &[Step],
        values: &mut PlanValues,
        once: bool,
        mut profile: Option<&mut Profile>,
    ) {
        for step in steps {
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
            let began = profile.is_some().then(Instant::now);
            let value = step.work.evaluate(inputs, &site);
            values[step.out] = Some(value.expect("every step of a plan has a rule"));
            if let (Some(profile), Some(began)) = (profile.as_deref_mut(), began) {
                let name = format!("{} {:?}", step.work.name(), step.shape);
                profile.add(name, began.elapsed());
            }
        }
    }
}
