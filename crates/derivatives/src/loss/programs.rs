//! The programs of a loss, each planned at its first use and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::nonlinearity::{NonlinearityNodes, without_order};
use crate::Error;
use crate::graph::{NodeId, Recorded, elements};
use crate::run::Plan;
use crate::transform::{Linear, Program};

/// A program of which several inputs are stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stacked {
    /// Loss and gradient at many points.
    Points,
    /// The gradient over many examples.
    Data,
    /// A linear map of many vectors.
    Linear(Linear),
}

/// A recorded loss, without captured data, and its programs: what losses of different batches may
/// have in common.
#[derive(Debug)]
pub(crate) struct Programs {
    recorded: Recorded,
    /// Shape of each parameter.
    blocks: Vec<Vec<usize>>,
    /// Number of parameter entries.
    dim: usize,
    value: OnceLock<Plan>,
    gradient: OnceLock<Plan>,
    jvp: OnceLock<Plan>,
    quadratic: OnceLock<Plan>,
    outputs: OnceLock<Plan>,
    nonlinearities: OnceLock<Vec<NonlinearityNodes>>,
    nonlinearity_values: OnceLock<Plan>,
    curvature: OnceLock<Plan>,
    gauss_newton: OnceLock<Plan>,
    fisher: OnceLock<Plan>,
    affine: OnceLock<Vec<bool>>,
    separate: OnceLock<Vec<bool>>,
    linear: [OnceLock<Plan>; Linear::COUNT],
    entries: [OnceLock<usize>; Linear::COUNT],
    /// Of each kind the last, with its number of inputs.
    stacked: Mutex<HashMap<Stacked, (usize, Arc<Plan>)>>,
}

impl Programs {
    pub(crate) fn new(recorded: Recorded) -> Self {
        let blocks: Vec<Vec<usize>> = recorded
            .parameters
            .iter()
            .map(|&parameter| recorded.graph.shape(parameter).to_vec())
            .collect();
        Self {
            dim: blocks.iter().map(|shape| elements(shape)).sum(),
            blocks,
            recorded,
            value: OnceLock::new(),
            gradient: OnceLock::new(),
            jvp: OnceLock::new(),
            quadratic: OnceLock::new(),
            outputs: OnceLock::new(),
            nonlinearities: OnceLock::new(),
            nonlinearity_values: OnceLock::new(),
            curvature: OnceLock::new(),
            gauss_newton: OnceLock::new(),
            fisher: OnceLock::new(),
            affine: OnceLock::new(),
            separate: OnceLock::new(),
            linear: Default::default(),
            entries: Default::default(),
            stacked: Mutex::default(),
        }
    }

    pub(crate) const fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    pub(crate) fn blocks(&self) -> &[Vec<usize>] {
        &self.blocks
    }

    pub(crate) const fn dim(&self) -> usize {
        self.dim
    }

    /// Returns whether both are the same programs, of losses whose data may differ.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.recorded.is_like(&other.recorded)
    }

    fn plan(&self, program: &Program) -> Plan {
        let device = self.recorded.device.as_dispatch();
        Plan::new(&program.graph, &program.outputs, device)
    }

    /// Returns the program of the loss.
    pub(crate) fn value(&self) -> &Plan {
        let of = &self.recorded;
        self.value
            .get_or_init(|| Plan::new(&of.graph, &[of.loss], of.device.as_dispatch()))
    }

    /// Returns the program of the loss, then the gradient by each parameter.
    pub(crate) fn gradient(&self) -> &Plan {
        self.gradient
            .get_or_init(|| self.plan(&self.recorded.gradient_program()))
    }

    /// Returns the program of the loss and its derivative along v.
    pub(crate) fn jvp(&self) -> &Plan {
        self.jvp
            .get_or_init(|| self.plan(&self.recorded.jvp_program()))
    }

    /// Returns the program of `vᵀHv` by two forward derivatives.
    pub(crate) fn quadratic(&self) -> &Plan {
        self.quadratic
            .get_or_init(|| self.plan(&self.recorded.quadratic_program()))
    }

    /// Returns the program of `H v`, and as a second group `vᵀHv`: both have nearly all in common
    /// that depends on θ only.
    pub(crate) fn curvature(&self) -> &Plan {
        self.curvature.get_or_init(|| {
            let (graph, product, form) = self.recorded.curvature_program();
            let device = self.recorded.device.as_dispatch();
            Plan::of_groups(&graph, &[&product, &[form]], device)
        })
    }

    /// Returns the program of `G v` and, as a second group, of `vᵀGv`.
    pub(crate) fn gauss_newton(&self) -> Result<&Plan, Error> {
        self.product_and_form(&self.gauss_newton, Linear::GaussNewton)
    }

    /// Returns the program of `F v` and, as a second group, of `vᵀFv`.
    pub(crate) fn fisher(&self) -> Result<&Plan, Error> {
        self.product_and_form(&self.fisher, Linear::Fisher)
    }

    fn product_and_form<'p>(
        &self,
        known: &'p OnceLock<Plan>,
        map: Linear,
    ) -> Result<&'p Plan, Error> {
        if let Some(plan) = known.get() {
            return Ok(plan);
        }
        let (graph, product, form) = self.recorded.product_and_form(map)?;
        let device = self.recorded.device.as_dispatch();
        Ok(known.get_or_init(|| Plan::of_groups(&graph, &[&product, &[form]], device)))
    }

    /// Returns for each parameter whether the outputs are affine in it, and the loss depends on it
    /// through them only.
    pub(crate) fn affine_blocks(&self) -> Result<&[bool], Error> {
        if let Some(affine) = self.affine.get() {
            return Ok(affine);
        }
        let affine = self.recorded.affine_blocks()?;
        Ok(self.affine.get_or_init(|| affine))
    }

    /// Returns for each axis of the outputs whether the loss's Hessian keeps its positions apart.
    pub(crate) fn separate_outputs(&self) -> Result<&[bool], Error> {
        if let Some(separate) = self.separate.get() {
            return Ok(separate);
        }
        let separate = self.recorded.separate_outputs()?;
        Ok(self.separate.get_or_init(|| separate))
    }

    /// Returns the program of the marked outputs.
    pub(crate) fn outputs(&self) -> Result<&Plan, Error> {
        let of = &self.recorded;
        let outputs = of.outputs.ok_or(Error::NoOutputs)?;
        Ok(self
            .outputs
            .get_or_init(|| Plan::new(&of.graph, &[outputs], of.device.as_dispatch())))
    }

    /// Returns the nonlinearities through which the loss depends on the parameters; where outputs
    /// are marked, the outputs.
    pub(crate) fn nonlinearities(&self) -> &[NonlinearityNodes] {
        self.nonlinearities.get_or_init(|| {
            let of = &self.recorded;
            let ancestors = of.graph.ancestors(&[of.outputs.unwrap_or(of.loss)]);
            let dependent = of.graph.dependent(&ancestors, &of.parameters);
            let is_used = |found: &&NonlinearityNodes| {
                dependent.contains(&without_order(&of.graph, found.output))
            };
            of.nonlinearities.iter().filter(is_used).cloned().collect()
        })
    }

    /// Returns the program of the values of the nonlinearities.
    pub(crate) fn nonlinearity_plan(&self) -> &Plan {
        self.nonlinearity_values.get_or_init(|| {
            let targets = self.nonlinearities().iter();
            let targets: Vec<NodeId> = targets.flat_map(NonlinearityNodes::targets).collect();
            let of = &self.recorded;
            Plan::new(&of.graph, &targets, of.device.as_dispatch())
        })
    }

    /// Returns the program of a linear map.
    pub(crate) fn linear(&self, map: Linear) -> Result<&Plan, Error> {
        let known = &self.linear[map as usize];
        if let Some(plan) = known.get() {
            return Ok(plan);
        }
        let program = self.recorded.linear_program(map)?;
        Ok(known.get_or_init(|| self.plan(&program)))
    }

    /// Returns how many numbers a linear map computes for each input.
    pub(crate) fn entries(&self, map: Linear) -> Result<usize, Error> {
        let known = &self.entries[map as usize];
        if let Some(&entries) = known.get() {
            return Ok(entries);
        }
        let entries = self.recorded.linear_program(map)?.entries();
        Ok(*known.get_or_init(|| entries))
    }

    /// Returns the program of `len` inputs at once.
    pub(crate) fn stacked(&self, what: Stacked, len: usize) -> Result<Arc<Plan>, Error> {
        let mut known = self.stacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, plan)) = known.get(&what)
            && *count == len
        {
            return Ok(Arc::clone(plan));
        }
        let program = match what {
            Stacked::Points => self.recorded.gradient_program(),
            Stacked::Data => self.recorded.data_program(),
            Stacked::Linear(map) => self.recorded.linear_program(map)?,
        };
        let plan = Arc::new(self.plan(&program.stacked(len)));
        known.insert(what, (len, Arc::clone(&plan)));
        Ok(plan)
    }
}
