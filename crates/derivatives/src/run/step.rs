//! One step of a plan, and how steps become fewer and faster.

use std::collections::HashMap;

use burn::tensor::DType;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchDevice, DispatchTensor};

use super::chain::Chain;
use crate::graph::{Graph, Node, elements};
use crate::kernel::{self, better_turned};
use crate::primitive::{Layout, MatMul, Primitive, Reduce, Site, stored};

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    One(Primitive),
    /// Entrywise operations, on a device that has a kernel for them.
    Many(Chain),
    /// The sum of all entries of what those give, which has the shape.
    Sum(Chain, Vec<usize>),
    /// A matrix product that is faster with its factors exchanged and all transposed.
    Turned(MatMul),
}

/// An operation on values, which are given by their positions.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) work: Work,
    pub(crate) inputs: Vec<usize>,
    pub(crate) out: usize,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
    /// For each input, whether this is the last use of a value of this stage.
    pub(crate) last: Vec<bool>,
    /// For each input, whether no later stage uses it either.
    pub(crate) last_of_all: Vec<bool>,
}

impl Step {
    pub(crate) fn new(
        graph: &Graph,
        node: &Node,
        inputs: Vec<usize>,
        out: usize,
        device: &DispatchDevice,
    ) -> Self {
        let work = match (&node.primitive, &node.shape[..]) {
            (Primitive::MatMul(product), [m, n]) => {
                let inner = usize::from(!product.transpose_a);
                let k = graph.shape(node.inputs[0])[inner];
                // Both along their rows: of columns the first is fast as it is.
                let by_rows = !product.transpose_a && product.transpose_b;
                if by_rows && better_turned(device, *m, *n, k) {
                    Work::Turned(*product)
                } else {
                    Work::One(node.primitive.clone())
                }
            }
            (primitive, _) => Work::One(primitive.clone()),
        };
        Self {
            work,
            last: vec![false; inputs.len()],
            last_of_all: vec![false; inputs.len()],
            inputs,
            out,
            shape: node.shape.clone(),
            dtype: stored(node.dtype, device),
        }
    }
}

impl Work {
    pub(crate) fn evaluate(
        &self,
        inputs: Vec<DispatchTensor>,
        site: &Site<'_>,
    ) -> Option<DispatchTensor> {
        match self {
            Self::One(primitive) => primitive.evaluate(inputs, site),
            Self::Many(chain) => kernel::chain(chain, inputs, site),
            Self::Sum(chain, shape) => kernel::chain_sum(chain, inputs, shape, site),
            Self::Turned(product) => {
                let turned = MatMul {
                    transpose_a: !product.transpose_b,
                    transpose_b: !product.transpose_a,
                };
                let exchanged = inputs.into_iter().rev().collect();
                let value = Primitive::MatMul(turned).evaluate(exchanged, site)?;
                Some(Dispatch::float_transpose(value))
            }
        }
    }

    /// For tables of times.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::One(primitive) => format!("{primitive:?}"),
            Self::Turned(product) => format!("turned {product:?}"),
            Self::Many(chain) => names_of(chain),
            Self::Sum(chain, shape) => format!("sum of {} {shape:?}", names_of(chain)),
        }
    }

    /// Whether the value shows entries of the input instead of having its own.
    pub(crate) const fn is_view(&self) -> bool {
        matches!(
            self,
            Self::One(
                Primitive::Barrier
                    | Primitive::Stop
                    | Primitive::Layout(
                        Layout::Reshape | Layout::Permute(_) | Layout::Expand | Layout::Slice(_)
                    )
            )
        )
    }
}

fn names_of(chain: &Chain) -> String {
    let links = chain.links.iter();
    let names: Vec<String> = links.map(|link| format!("{:?}", link.primitive)).collect();
    names.join(", ")
}

/// `steps` with entrywise operations whose value only one other of the same shape uses, or only the
/// sum of all its entries, made one with it. `uses` counts for each value the steps that use it, and
/// `shape_of` gives its shape.
pub(crate) fn fused<'g>(
    steps: Vec<Step>,
    mut uses: Vec<usize>,
    shape_of: impl Fn(usize) -> Option<&'g [usize]>,
) -> Vec<Step> {
    // For each value that a chain makes, where in `found`.
    let mut makers: HashMap<usize, usize> = HashMap::new();
    let mut found: Vec<Option<Step>> = Vec::with_capacity(steps.len());
    for mut step in steps {
        if let Some((mut chain, names)) = chain_of(&step, &shape_of) {
            step.inputs = names;
            let mut at = 0;
            while at < step.inputs.len() {
                let maker = makers.get(&step.inputs[at]).copied();
                let inner = maker.and_then(|maker| found[maker].as_ref());
                let longer = inner.and_then(|inner| match &inner.work {
                    Work::Many(made) if uses[inner.out] == 1 && inner.shape == step.shape => {
                        chain.absorb(&step.inputs, at, made, &inner.inputs)
                    }
                    _ => None,
                });
                let (Some((longer, names)), Some(maker)) = (longer, maker) else {
                    at += 1;
                    continue;
                };
                // What both used has one use less.
                for input in found[maker]
                    .take()
                    .map_or_else(Vec::new, |inner| inner.inputs)
                {
                    uses[input] -= usize::from(step.inputs.contains(&input));
                }
                (chain, step.inputs) = (longer, names);
                at = 0;
            }
            step.last = vec![false; step.inputs.len()];
            step.last_of_all = vec![false; step.inputs.len()];
            step.work = Work::Many(chain);
            makers.insert(step.out, found.len());
        } else if is_whole_sum(&step)
            && let Some(&maker) = makers.get(&step.inputs[0])
            && uses[step.inputs[0]] == 1
            && let Some(inner) = found[maker].take()
            && let Work::Many(chain) = inner.work
        {
            step.work = Work::Sum(chain, inner.shape);
            step.last = vec![false; inner.inputs.len()];
            step.last_of_all = vec![false; inner.inputs.len()];
            step.inputs = inner.inputs;
        }
        found.push(Some(step));
    }
    found.into_iter().flatten().collect()
}

fn is_whole_sum(step: &Step) -> bool {
    let is_sum = matches!(step.work, Work::One(Primitive::Reduce(Reduce::Sum)));
    is_sum && step.dtype.is_float() && elements(&step.shape) == 1
}

/// The step alone as a chain, and the names of its inputs.
fn chain_of<'g>(
    step: &Step,
    shape_of: &impl Fn(usize) -> Option<&'g [usize]>,
) -> Option<(Chain, Vec<usize>)> {
    let Work::One(primitive) = &step.work else {
        return None;
    };
    if !step.dtype.is_float() {
        return None;
    }
    let inputs = step.inputs.iter();
    let inputs = inputs.map(|&input| Some((input, shape_of(input)?)));
    Chain::of(primitive, &inputs.collect::<Option<Vec<_>>>()?, &step.shape)
}
