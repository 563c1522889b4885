//! The programs of a recorded loss: its gradient, and the products with its matrices.

use std::collections::HashSet;

use super::row_squares::{keeps_apart, row_norms, row_squares};
use super::{batch, gradient, jvp, quadratic, vjp};
use crate::Error;
use crate::graph::{Graph, NodeId, Recorded, Set, elements};
use crate::primitive::{Primitive, with_leading};

/// A linear map at a point θ, or what is made of one: what it is applied to is an input of its
/// program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Linear {
    /// `v ↦ H v`
    Hessian,
    /// `v ↦ Jᵀ H_f J v`
    GaussNewton,
    /// `v ↦ F v`
    Fisher,
    /// `v ↦ J v`
    Push,
    /// `u ↦ Jᵀ u`
    Pull,
    /// `w ↦ Σₙ wₙ Jᵀ (eₙ · ∂L/∂f)` for weights w of the examples, `[N]`
    Examples,
    /// `v ↦ (J v)ᵀ H_f J v`
    GaussNewtonForm,
    /// `v ↦ vᵀFv`
    FisherForm,
    /// `u ↦ H_f u`
    OutputHessian,
    /// `u ↦ Σₙ (Jₙᵀ uₙ)²` for the rows n of u, entry by entry
    RowSquares,
    /// `u ↦ Σₙ ‖Jₙᵀ uₙ‖²` for the rows n of u, parameter tensor by parameter tensor
    RowNorms,
    /// `v ↦ (H − Jᵀ H_f J) v`
    HessianRemainder,
}

impl Linear {
    /// The number of them.
    pub(crate) const COUNT: usize = 12;
}

/// A graph with inputs and outputs.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) graph: Graph,
    /// Inputs, and the set and index in it that each is given by.
    inputs: Vec<(NodeId, Set, usize)>,
    pub(crate) outputs: Vec<NodeId>,
}

impl Program {
    /// Returns how many numbers are computed from the inputs.
    pub(crate) fn entries(&self) -> usize {
        let ancestors = self.graph.ancestors(&self.outputs);
        let inputs: Vec<NodeId> = self.inputs.iter().map(|&(id, _, _)| id).collect();
        self.graph
            .dependent(&ancestors, &inputs)
            .into_iter()
            .map(|id| elements(self.graph.shape(id)))
            .sum()
    }

    /// Returns the program of `len` inputs at once, stacked along a new first axis of inputs and
    /// outputs.
    pub(crate) fn stacked(mut self, len: usize) -> Self {
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

impl Recorded {
    /// Returns a tangent v as inputs, one for each parameter.
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

    /// Returns the parameters with the tangent v.
    fn seeds(&self, v: &[NodeId]) -> Vec<(NodeId, NodeId)> {
        self.parameters
            .iter()
            .copied()
            .zip(v.iter().copied())
            .collect()
    }

    /// Returns the program of the loss and its derivative along v.
    pub(crate) fn jvp_program(&self) -> Program {
        let mut graph = self.graph.clone();
        let v = self.tangent(&mut graph);
        let slope = tangents(&mut graph, &self.seeds(&v), &[self.loss])[0];
        Program {
            graph,
            inputs: of_set(Set::TANGENT, &v),
            outputs: vec![self.loss, slope],
        }
    }

    /// Returns the program of `vᵀHv` by two forward derivatives. The adjoints that [`quadratic`]
    /// takes would have to be made for this alone, which takes as long.
    pub(crate) fn quadratic_program(&self) -> Program {
        let mut graph = self.graph.clone();
        let v = self.tangent(&mut graph);
        let seeds = self.seeds(&v);
        let first = tangents(&mut graph, &seeds, &[self.loss]);
        let second = tangents(&mut graph, &seeds, &first);
        Program {
            graph,
            inputs: of_set(Set::TANGENT, &v),
            outputs: second,
        }
    }

    /// Returns a graph with the nodes of `H v` and that of `vᵀHv`.
    pub(crate) fn curvature_program(&self) -> (Graph, Vec<NodeId>, NodeId) {
        let mut graph = self.graph.clone();
        let gradient = gradient(&mut graph, self.loss, &self.parameters);
        let v = self.tangent(&mut graph);
        let seeds = self.seeds(&v);
        let product = tangents(&mut graph, &seeds, &gradient);
        let first = tangents(&mut graph, &seeds, &[self.loss])[0];
        let form = quadratic(&mut graph, first, &seeds).unwrap_or_else(|| graph.fill(0.0, first));
        (graph, product, form)
    }

    /// Returns the program of the loss, then the gradient by each parameter.
    pub(crate) fn gradient_program(&self) -> Program {
        let mut graph = self.graph.clone();
        let mut outputs = vec![self.loss];
        outputs.extend(gradient(&mut graph, self.loss, &self.parameters));
        Program {
            graph,
            inputs: of_set(Set::POINT, &self.parameters),
            outputs,
        }
    }

    /// Returns the gradient as a function of the marked data.
    pub(crate) fn data_program(&self) -> Program {
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

    pub(crate) fn linear_program(&self, map: Linear) -> Result<Program, Error> {
        let mut graph = self.graph.clone();
        let (inputs, outputs) = match map {
            Linear::Hessian => {
                let gradient = gradient(&mut graph, self.loss, &self.parameters);
                let v = self.tangent(&mut graph);
                let product = tangents(&mut graph, &self.seeds(&v), &gradient);
                (v, product)
            }
            Linear::GaussNewton | Linear::GaussNewtonForm => {
                let (v, product, form) = self.gauss_newton(&mut graph)?;
                (v, only(map, product, form))
            }
            Linear::Fisher | Linear::FisherForm => {
                let (v, product, form) = self.fisher(&mut graph)?;
                (v, only(map, product, form))
            }
            Linear::OutputHessian => {
                let (u, product) = self.output_hessian(&mut graph)?;
                (vec![u], vec![product])
            }
            Linear::RowSquares => {
                let (u, pulled) = self.pull(&mut graph)?;
                let squares = row_squares(&mut graph, u, &pulled);
                (vec![u], squares)
            }
            Linear::RowNorms => {
                let (u, pulled) = self.pull(&mut graph)?;
                let norms = row_norms(&mut graph, u, &pulled);
                (vec![u], norms)
            }
            Linear::HessianRemainder => self.hessian_remainder(&mut graph)?,
            Linear::Push => {
                let f = self.outputs.ok_or(Error::NoOutputs)?;
                let v = self.tangent(&mut graph);
                let moved = tangents(&mut graph, &self.seeds(&v), &[f]);
                (v, moved)
            }
            Linear::Pull => {
                let (u, product) = self.pull(&mut graph)?;
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

    /// Returns the tangent v, `G v` and `vᵀGv` with `G = Jᵀ H_f J`.
    fn gauss_newton(&self, graph: &mut Graph) -> Result<(Vec<NodeId>, Vec<NodeId>, NodeId), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        let v = self.tangent(graph);
        // J v
        let moved = tangents(graph, &self.seeds(&v), &[f])[0];
        // H_f J v: the derivative of the gradient in f along J v
        let slope = gradient(graph, self.loss, &[f]);
        let curved = tangents(graph, &[(f, moved)], &slope)[0];
        let product = vjp(graph, &[(f, curved)], &self.parameters);
        let terms = graph.mul(moved, curved);
        let form = graph.total(terms);
        Ok((v, product, form))
    }

    /// Returns the tangent v and `(H − G) v`.
    fn hessian_remainder(&self, graph: &mut Graph) -> Result<(Vec<NodeId>, Vec<NodeId>), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        if self.is_moved_beside(graph, f, &self.parameters) {
            let (v, linear, _) = self.gauss_newton(graph)?;
            let gradient = gradient(graph, self.loss, &self.parameters);
            let product = tangents(graph, &self.seeds(&v), &gradient);
            let pairs = product.into_iter().zip(linear);
            let product = pairs.map(|(a, b)| graph.sub(a, b)).collect();
            return Ok((v, product));
        }
        // The Hessian of <c, f> with a fixed c = dL/df.
        let slope = gradient(graph, self.loss, &[f])[0];
        let (shape, dtype) = (graph.shape(slope).to_vec(), graph.dtype(slope));
        let fixed = graph.insert(Primitive::Stop, vec![slope], shape, dtype);
        let pulled = vjp(graph, &[(f, fixed)], &self.parameters);
        let v = self.tangent(graph);
        let product = tangents(graph, &self.seeds(&v), &pulled);
        Ok((v, product))
    }

    /// Returns the tangent v, `F v` and `vᵀFv` with the empirical Fisher matrix F.
    fn fisher(&self, graph: &mut Graph) -> Result<(Vec<NodeId>, Vec<NodeId>, NodeId), Error> {
        let (f, slope) = self.terms(graph)?;
        let v = self.tangent(graph);
        let moved = tangents(graph, &self.seeds(&v), &[f])[0];
        // s_n = N <c_n, (J v)_n>
        let product = graph.mul(slope, moved);
        let mut rows = vec![1; graph.rank(f)];
        rows[0] = graph.shape(f)[0];
        let sums = graph.sum_to(product, rows);
        let count = graph.shape(f)[0];
        #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
        let count = count as f64;
        let slopes = graph.scale(sums, count);
        let weighted = graph.mul(slope, slopes);
        let product = vjp(graph, &[(f, weighted)], &self.parameters);
        let squares = graph.mul(slopes, slopes);
        let sum = graph.total(squares);
        let form = graph.scale(sum, count.recip());
        Ok((v, product, form))
    }

    /// Returns a vector u of the outputs, and `Jᵀ u`.
    fn pull(&self, graph: &mut Graph) -> Result<(NodeId, Vec<NodeId>), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        let (shape, dtype) = (graph.shape(f).to_vec(), graph.dtype(f));
        let u = graph.slot(Set::TANGENT, 0, shape, dtype);
        let product = vjp(graph, &[(f, u)], &self.parameters);
        Ok((u, product))
    }

    /// Returns a vector u of the outputs, and `H_f u`.
    fn output_hessian(&self, graph: &mut Graph) -> Result<(NodeId, NodeId), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        let (shape, dtype) = (graph.shape(f).to_vec(), graph.dtype(f));
        let u = graph.slot(Set::TANGENT, 0, shape, dtype);
        let slope = gradient(graph, self.loss, &[f]);
        let product = tangents(graph, &[(f, u)], &slope)[0];
        Ok((u, product))
    }

    /// Returns for each axis of the outputs whether `H_f` brings no two positions along it
    /// together.
    pub(crate) fn separate_outputs(&self) -> Result<Vec<bool>, Error> {
        let mut graph = self.graph.clone();
        let (u, product) = self.output_hessian(&mut graph)?;
        let axes = 0..graph.rank(u);
        Ok(axes
            .map(|axis| keeps_apart(&graph, u, axis, product))
            .collect())
    }

    /// Returns a graph with the nodes of a product, by Gauss-Newton or the Fisher matrix, and that
    /// of its quadratic form.
    pub(crate) fn product_and_form(
        &self,
        map: Linear,
    ) -> Result<(Graph, Vec<NodeId>, NodeId), Error> {
        let mut graph = self.graph.clone();
        let (_, product, form) = match map {
            Linear::Fisher => self.fisher(&mut graph)?,
            _ => self.gauss_newton(&mut graph)?,
        };
        Ok((graph, product, form))
    }

    /// Returns whether the loss depends on one of `parameters` in another way than through f.
    pub(super) fn is_moved_beside(&self, graph: &Graph, f: NodeId, parameters: &[NodeId]) -> bool {
        let mut beside = HashSet::new();
        for id in graph.ancestors(&[self.loss]) {
            let inputs = &graph.node(id).inputs;
            let moves =
                parameters.contains(&id) || inputs.iter().any(|input| beside.contains(input));
            if moves && id != f {
                beside.insert(id);
            }
        }
        beside.contains(&self.loss)
    }

    /// Returns the outputs f and `∂L/∂f`, if the loss depends on the parameters through f
    /// only: what reaches it beside them belongs to no example.
    fn terms(&self, graph: &mut Graph) -> Result<(NodeId, NodeId), Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        if self.is_moved_beside(graph, f, &self.parameters) {
            return Err(Error::BesideOutputs);
        }
        Ok((f, gradient(graph, self.loss, &[f])[0]))
    }
}

/// Returns the outputs of the program of a product, or of its quadratic form.
fn only(map: Linear, product: Vec<NodeId>, form: NodeId) -> Vec<NodeId> {
    match map {
        Linear::GaussNewtonForm | Linear::FisherForm => vec![form],
        _ => product,
    }
}

fn of_set(set: Set, nodes: &[NodeId]) -> Vec<(NodeId, Set, usize)> {
    nodes
        .iter()
        .enumerate()
        .map(|(index, &id)| (id, set, index))
        .collect()
}

/// Returns the tangents of `targets`, zeros written out.
fn tangents(graph: &mut Graph, seeds: &[(NodeId, NodeId)], targets: &[NodeId]) -> Vec<NodeId> {
    jvp(graph, seeds, targets)
        .into_iter()
        .zip(targets)
        .map(|(tangent, &target)| tangent.unwrap_or_else(|| graph.fill(0.0, target)))
        .collect()
}
