//! Products with captured data, most of which may be zero.

use std::collections::HashMap;

use flex_kernels::Sparse;

use super::plan::Stage;
use super::planning::Planned;
use super::step::{Step, Work};
use crate::graph::{Graph, elements};
use crate::primitive::{MatMul, Primitive};

impl Planned {
    /// Gives each product of a matrix that is known from the captured data alone with one that is
    /// not the panels of the first, which a step of the first stage makes; those of a matrix and
    /// those of its transpose are made once.
    pub(super) fn make_panels(&mut self, graph: &Graph) {
        let mut known: HashMap<(usize, bool), usize> = HashMap::new();
        let mut made = Vec::new();
        let (plan, stages) = (&mut self.plan, &mut self.stages);
        for step in plan
            .point
            .iter_mut()
            .chain(plan.groups.iter_mut().flatten())
        {
            let (Work::One(Primitive::MatMul(product)) | Work::Turned(product)) = &step.work else {
                continue;
            };
            let product = *product;
            let is_data = |place: usize| {
                let value = step.inputs[place];
                let shape = self.nodes.get(value).map(|&id| graph.shape(id));
                stages[value] == Stage::Data
                    && shape.is_some_and(|shape| shape.len() == 2 && is_large(shape))
            };
            let is_first = match [is_data(0), is_data(1)] {
                [true, false] => true,
                [false, true] => false,
                _ => continue,
            };
            let matrix = step.inputs[usize::from(!is_first)];
            let transposed = transposed(product, is_first);
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
            step.work = Work::OfPanels {
                product,
                is_first,
                plain: Box::new(step.work.clone()),
            };
            step.inputs.push(panels);
            step.last.push(false);
            step.last_of_all.push(false);
        }
        plan.data.extend(made);
    }
}

fn is_large(shape: &[usize]) -> bool {
    elements(shape) >= Sparse::FEWEST
}

/// Returns whether the panels of a factor are those of its transpose: see [`Work::OfPanels`].
const fn transposed(product: MatMul, is_first: bool) -> bool {
    if is_first {
        product.transpose_a
    } else {
        !product.transpose_b
    }
}
