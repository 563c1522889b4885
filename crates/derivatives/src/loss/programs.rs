//! The programs of a loss, each made at its first use and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::Error;
use crate::graph::Recorded;
use crate::graph::{Graph, NodeId, Set, elements};
use crate::primitive::with_leading;
use crate::run::Plan;
use crate::transform::{batch, gradient, jvp, quadratic, vjp};

/// A linear map at a point theta: what it is applied to is an input of its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Linear {
    /// $v \mapsto H v$
    Hessian,
    /// $v \mapsto J^T H_f J v$
    GaussNewton,
    /// $v \mapsto F v$
    Fisher,
    /// $v \mapsto J v$
    Push,
    /// $u \mapsto J^T u$
    Pull,
    /// Weights w of the examples, `[N]`, to $\sum_n w_n J^T (e_n \cdot \partial L / \partial f)$.
    Examples,
}

impl Linear {
    const COUNT: usize = 6;
}

/// A graph with inputs and outputs.
#[derive(Debug)]
pub(crate) struct Program {
    graph: Graph,
    /// Inputs, and the set and index in it that each is given by.
    inputs: Vec<(NodeId, Set, usize)>,
    outputs: Vec<NodeId>,
}

impl Program {
    fn plan(&self, recorded: &Recorded) -> Plan {
        Plan::new(&self.graph, &self.outputs, recorded.device.as_dispatch())
    }

    /// How many numbers are computed from the inputs.
    fn entries(&self) -> usize {
        let ancestors = self.graph.ancestors(&self.outputs);
        let inputs: Vec<NodeId> = self.inputs.iter().map(|&(id, _, _)| id).collect();
        self.graph
            .dependent(&ancestors, &inputs)
            .into_iter()
            .map(|id| elements(self.graph.shape(id)))
            .sum()
    }

    /// The program of `len` inputs at once, stacked along a new first axis of inputs and outputs.
    fn stacked(mut self, len: usize) -> Self {
        let graph = &mut self.graph;
        let mut stacked = Vec::new();
        for (id, set, index) in &mut self.inputs {
            let shape = with_leading(len, graph.shape(*id));
            let dtype = graph.dtype(*id);
            let slot = graph.slot(*set, *index, shape, dtype);
            stacked.push((*id, slot));
            *id = slot;
        }
        let results = batch(graph, len, &stacked, &self.outputs);
        for (output, result) in self.outputs.iter_mut().zip(results) {
            *output = result.unwrap_or_else(|| {
                let shape = graph.shape(*output).to_vec();
                let one = graph.reshape(*output, with_leading(1, &shape));
                graph.expand(one, with_leading(len, &shape))
            });
        }
        self
    }
}

/// What is stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stacked {
    /// Loss and gradient at many points.
    Points,
    /// The gradient over many examples.
    Data,
    /// A linear map of many vectors.
    Linear(Linear),
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Programs {
    value: OnceLock<Plan>,
    gradient: OnceLock<Plan>,
    jvp: OnceLock<Plan>,
    quadratic: OnceLock<Plan>,
    outputs: OnceLock<Plan>,
    curvature: OnceLock<Plan>,
    linear: [OnceLock<Plan>; Linear::COUNT],
    entries: [OnceLock<usize>; Linear::COUNT],
    /// Of each kind the last, with its number of inputs.
    stacked: Mutex<HashMap<Stacked, (usize, Arc<Plan>)>>,
}

impl Programs {
    pub(crate) fn value(&self, of: &Recorded) -> &Plan {
        self.value
            .get_or_init(|| Plan::new(&of.graph, &[of.loss], of.device.as_dispatch()))
    }

    /// The loss, then the gradient by each parameter.
    pub(crate) fn gradient(&self, of: &Recorded) -> &Plan {
        self.gradient.get_or_init(|| of.gradient_program().plan(of))
    }

    /// The loss and its derivative along v.
    pub(crate) fn jvp(&self, of: &Recorded) -> &Plan {
        self.jvp.get_or_init(|| {
            let mut graph = of.graph.clone();
            let v = of.tangent(&mut graph);
            let tangent = tangents(&mut graph, &of.seeds(&v), &[of.loss])[0];
            Plan::new(&graph, &[of.loss, tangent], of.device.as_dispatch())
        })
    }

    /// $v^T H v$ by two forward derivatives. The adjoints that [`quadratic`] takes would have to be made
    /// for this alone, which takes as long.
    pub(crate) fn quadratic(&self, of: &Recorded) -> &Plan {
        self.quadratic.get_or_init(|| {
            let mut graph = of.graph.clone();
            let v = of.tangent(&mut graph);
            let seeds = of.seeds(&v);
            let first = tangents(&mut graph, &seeds, &[of.loss]);
            let second = tangents(&mut graph, &seeds, &first);
            Plan::new(&graph, &second, of.device.as_dispatch())
        })
    }

    /// $H v$, and as a second group $v^T H v$: both have nearly all in common that depends on theta
    /// only.
    pub(crate) fn curvature(&self, of: &Recorded) -> &Plan {
        self.curvature.get_or_init(|| {
            let mut graph = of.graph.clone();
            let gradient = gradient(&mut graph, of.loss, &of.parameters);
            let v = of.tangent(&mut graph);
            let seeds = of.seeds(&v);
            let product = tangents(&mut graph, &seeds, &gradient);
            let first = tangents(&mut graph, &seeds, &[of.loss])[0];
            let form =
                quadratic(&mut graph, first, &seeds).unwrap_or_else(|| graph.fill(0.0, first));
            Plan::of_groups(&graph, &[&product, &[form]], of.device.as_dispatch())
        })
    }

    pub(crate) fn outputs(&self, of: &Recorded) -> Result<&Plan, Error> {
        let outputs = of.outputs.ok_or(Error::NoOutputs)?;
        Ok(self
            .outputs
            .get_or_init(|| Plan::new(&of.graph, &[outputs], of.device.as_dispatch())))
    }

    pub(crate) fn linear(&self, of: &Recorded, map: Linear) -> Result<&Plan, Error> {
        let kept = &self.linear[map as usize];
        if let Some(plan) = kept.get() {
            return Ok(plan);
        }
        let program = of.linear_program(map)?;
        Ok(kept.get_or_init(|| program.plan(of)))
    }

    /// How many numbers a linear map computes for each input.
    pub(crate) fn entries(&self, of: &Recorded, map: Linear) -> Result<usize, Error> {
        let kept = &self.entries[map as usize];
        if let Some(&entries) = kept.get() {
            return Ok(entries);
        }
        let entries = of.linear_program(map)?.entries();
        Ok(*kept.get_or_init(|| entries))
    }

    /// The program of `len` inputs at once.
    pub(crate) fn stacked(
        &self,
        of: &Recorded,
        what: Stacked,
        len: usize,
    ) -> Result<Arc<Plan>, Error> {
        let mut known = self.stacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((count, plan)) = known.get(&what)
            && *count == len
        {
            return Ok(Arc::clone(plan));
        }
        let program = match what {
            Stacked::Points => of.gradient_program(),
            Stacked::Data => of.data_program(),
            Stacked::Linear(map) => of.linear_program(map)?,
        };
        let plan = Arc::new(program.stacked(len).plan(of));
        known.insert(what, (len, Arc::clone(&plan)));
        Ok(plan)
    }
}

impl Recorded {
    /// A tangent v as inputs, one for each parameter.
    fn tangent(&self, graph: &mut Graph) -> Vec<NodeId> {
        self.parameters
            .iter()
            .enumerate()
            .map(|(index, &parameter)| {
                let (shape, dtype) = (graph.shape(parameter).to_vec(), graph.dtype(parameter));
                graph.slot(Set::TANGENT, index, shape, dtype)
            })
            .collect()
    }

    /// The parameters with the tangent v.
    fn seeds(&self, v: &[NodeId]) -> Vec<(NodeId, NodeId)> {
        self.parameters
            .iter()
            .copied()
            .zip(v.iter().copied())
            .collect()
    }

    fn gradient_program(&self) -> Program {
        let mut graph = self.graph.clone();
        let mut outputs = vec![self.loss];
        outputs.extend(gradient(&mut graph, self.loss, &self.parameters));
        Program {
            graph,
            inputs: of_set(Set::POINT, &self.parameters),
            outputs,
        }
    }

    /// The gradient as a function of the marked data.
    fn data_program(&self) -> Program {
        let mut program = self.gradient_program();
        program.outputs.remove(0);
        program.inputs = self
            .data
            .iter()
            .enumerate()
            .filter_map(|(index, data)| Some(((*data)?, Set::TANGENT, index)))
            .collect();
        program
    }

    fn linear_program(&self, map: Linear) -> Result<Program, Error> {
        let mut graph = self.graph.clone();
        let (inputs, outputs) = match map {
            Linear::Hessian => {
                let gradient = gradient(&mut graph, self.loss, &self.parameters);
                let v = self.tangent(&mut graph);
                let product = tangents(&mut graph, &self.seeds(&v), &gradient);
                (v, product)
            }
            Linear::GaussNewton => {
                let f = self.outputs.ok_or(Error::NoOutputs)?;
                let v = self.tangent(&mut graph);
                // J v
                let moved = tangents(&mut graph, &self.seeds(&v), &[f])[0];
                // H_f J v: the derivative of the gradient in f along J v
                let slope = gradient(&mut graph, self.loss, &[f]);
                let curved = tangents(&mut graph, &[(f, moved)], &slope)[0];
                let product = vjp(&mut graph, &[(f, curved)], &self.parameters);
                (v, product)
            }
            Linear::Fisher => {
                let (f, slope) = self.terms(&mut graph)?;
                let v = self.tangent(&mut graph);
                let moved = tangents(&mut graph, &self.seeds(&v), &[f])[0];
                // s_n = N <c_n, (J v)_n>
                let product = graph.mul(slope, moved);
                let mut rows = vec![1; graph.rank(f)];
                rows[0] = graph.shape(f)[0];
                let sums = graph.sum_to(product, rows);
                let count = graph.shape(f)[0];
                #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
                let slopes = graph.scale(sums, count as f64);
                let weighted = graph.mul(slope, slopes);
                let product = vjp(&mut graph, &[(f, weighted)], &self.parameters);
                (v, product)
            }
            Linear::Push => {
                let f = self.outputs.ok_or(Error::NoOutputs)?;
                let v = self.tangent(&mut graph);
                let moved = tangents(&mut graph, &self.seeds(&v), &[f]);
                (v, moved)
            }
            Linear::Pull => {
                let f = self.outputs.ok_or(Error::NoOutputs)?;
                let (shape, dtype) = (graph.shape(f).to_vec(), graph.dtype(f));
                let u = graph.slot(Set::TANGENT, 0, shape, dtype);
                let product = vjp(&mut graph, &[(f, u)], &self.parameters);
                (vec![u], product)
            }
            Linear::Examples => {
                let (f, slope) = self.terms(&mut graph)?;
                let (count, dtype) = (graph.shape(f)[0], graph.dtype(f));
                let weights = graph.slot(Set::TANGENT, 0, vec![count], dtype);
                let mut rows = vec![1; graph.rank(f)];
                rows[0] = count;
                let column = graph.reshape(weights, rows);
                let weighted = graph.mul(slope, column);
                let product = vjp(&mut graph, &[(f, weighted)], &self.parameters);
                (vec![weights], product)
            }
        };
        Ok(Program {
            graph,
            inputs: of_set(Set::TANGENT, &inputs),
            outputs,
        })
    }

    /// The outputs f and $\partial L / \partial f$, if the loss depends on the parameters through f
    /// only: what reaches it beside them belongs to no example.
    fn terms(&self, graph: &mut Graph) -> Result<(NodeId, NodeId), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        let mut beside = std::collections::HashSet::new();
        for id in graph.ancestors(&[self.loss]) {
            let inputs = &graph.node(id).inputs;
            let moves =
                self.parameters.contains(&id) || inputs.iter().any(|input| beside.contains(input));
            if moves && id != f {
                beside.insert(id);
            }
        }
        if beside.contains(&self.loss) {
            return Err(Error::BesideOutputs);
        }
        Ok((f, gradient(graph, self.loss, &[f])[0]))
    }
}

fn of_set(set: Set, nodes: &[NodeId]) -> Vec<(NodeId, Set, usize)> {
    nodes
        .iter()
        .enumerate()
        .map(|(index, &id)| (id, set, index))
        .collect()
}

/// The tangents of `targets`, zeros written out.
fn tangents(graph: &mut Graph, seeds: &[(NodeId, NodeId)], targets: &[NodeId]) -> Vec<NodeId> {
    jvp(graph, seeds, targets)
        .into_iter()
        .zip(targets)
        .map(|(tangent, &target)| tangent.unwrap_or_else(|| graph.fill(0.0, target)))
        .collect()
}
