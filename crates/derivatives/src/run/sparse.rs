//! Products with captured data, most of which may be zero.

use std::collections::HashMap;

use burn_dispatch::DispatchTensor;
use flex_kernels::Sparse;

use super::plan::Stage;
use super::planning::Planned;
use super::step::{Step, Work};
use super::value::Value;
use crate::graph::Graph;
use crate::primitive::{MatMul, Primitive};

impl Planned {
    /// Gives each product of a matrix that is known from the captured data alone with one that is
    /// not the panels of the first, which a step of the first stage makes; those of a matrix and
    /// those of its transpose are made once, for products of the last stage: they do not pay for
    /// one product, but one of the second stage takes what is there.
    pub(super) fn make_panels(&mut self, graph: &Graph) {
        let mut known: HashMap<(usize, bool), usize> = HashMap::new();
        let mut made = Vec::new();
        let (plan, stages) = (&mut self.plan, &mut self.stages);
        let last = plan.groups.iter_mut().flatten().map(|step| (step, true));
        let second = plan.point.iter_mut().map(|step| (step, false));
        for (step, is_last) in last.chain(second) {
            let (Work::One(Primitive::MatMul(product)) | Work::Turned(product)) = &step.work else {
                continue;
            };
            let product = *product;
            let is_data = |place: usize| {
                let value = step.inputs[place];
                let shape = self.nodes.get(value).map(|&id| graph.shape(id));
                let may_pay = matches!(shape, Some(&[m, n]) if Sparse::may_pay(m, n));
                stages[value] == Stage::Data && may_pay
            };
            let is_first = match [is_data(0), is_data(1)] {
                [true, false] => true,
                [false, true] => false,
                _ => continue,
            };
            let matrix = step.inputs[usize::from(!is_first)];
            let factor = SparseFactor { product, is_first };
            let transposed = factor.is_transposed();
            if !is_last && !known.contains_key(&(matrix, transposed)) {
                continue;
            }
            let panels = *known.entry((matrix, transposed)).or_insert_with(|| {
                made.push(Step {
                    work: Work::Panels { transposed },
                    inputs: vec![matrix],
                    out: stages.len(),
                    shape: graph.shape(self.nodes[matrix]).to_vec(),
                    dtype: step.dtype,
                    last: vec![false],
                    last_of_all: vec![false],
                });
                stages.push(Stage::Data);
                stages.len() - 1
            });
            step.work = Work::OfPanels(factor, Box::new(step.work.clone()));
            step.inputs.push(panels);
            step.last.push(false);
            step.last_of_all.push(false);
        }
        plan.data.extend(made);
    }
}

/// A factor of a matrix product that has panels. A product whose second factor has them is the
/// transpose of the product of both transposed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SparseFactor {
    product: MatMul,
    is_first: bool,
}

impl SparseFactor {
    /// Returns whether the panels are those of the transposed factor.
    const fn is_transposed(self) -> bool {
        if self.is_first {
            self.product.transpose_a
        } else {
            !self.product.transpose_b
        }
    }

    /// Returns the product of the panels and the other factor; `None` where it is to be made of
    /// all entries.
    pub(super) fn product(self, panels: &Sparse, factors: &[Value]) -> Option<DispatchTensor> {
        let other = factors[usize::from(self.is_first)].clone().tensor();
        if self.is_first {
            panels.times(&other, self.product.transpose_b, false)
        } else {
            panels.times(&other, !self.product.transpose_a, true)
        }
    }
}
