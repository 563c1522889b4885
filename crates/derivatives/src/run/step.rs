//! A step of a plan.

use std::sync::Arc;

use burn::tensor::DType;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchDevice, DispatchTensor};
use flex_kernels::{Chain, Sparse, Windows};

use super::sparse::SparseFactor;
use super::value::Value;
use crate::graph::{Graph, Node};
use crate::primitive::{Layout, MatMul, Primitive, Site, stored};

/// The work of a step.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    One(Primitive),
    /// Entrywise operations, on a device that has a kernel for them.
    Many(Chain),
    /// The sum of all entries of what those give, which has the shape.
    Sum(Chain, Vec<usize>),
    /// A matrix product that is faster with its factors exchanged and all transposed.
    Turned(MatMul),
    /// A convolution or one of its derivatives, without patches.
    Direct(Direct, Windows),
    /// The panels of a matrix, or of its transpose.
    Panels {
        transposed: bool,
    },
    /// A matrix product of which one factor also has panels, which are the third input; and the
    /// product without them.
    OfPanels(SparseFactor, Box<Self>),
}

/// A convolution or one of its derivatives; see the kernels of these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direct {
    /// The sum of convolutions, of a weight and images each.
    Forward { images: usize },
    /// The sum of transposes of convolutions, of a weight and outputs each.
    Back,
    /// The derivative by the weight, of outputs and images.
    Weights { images: usize },
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

    /// Makes this step a convolution of `inputs`, of which there is one input or output after the
    /// other.
    pub(super) fn become_direct(&mut self, direct: Direct, windows: Windows, inputs: Vec<usize>) {
        self.work = Work::Direct(direct, windows);
        self.take(inputs);
    }

    /// Puts `inputs` in the place of those that there were; which uses are the last is found later.
    pub(super) fn take(&mut self, inputs: Vec<usize>) {
        self.last = vec![false; inputs.len()];
        self.last_of_all = vec![false; inputs.len()];
        self.inputs = inputs;
    }
}

impl Direct {
    fn evaluate(
        self,
        inputs: &[DispatchTensor],
        windows: &Windows,
        shape: &[usize],
    ) -> Option<DispatchTensor> {
        let (pairs, _) = inputs.as_chunks::<2>();
        let terms: Vec<[&DispatchTensor; 2]> = pairs.iter().map(|[a, b]| [a, b]).collect();
        match self {
            Self::Forward { images } => flex_kernels::convolution(&terms, windows, images),
            Self::Back => flex_kernels::convolution_back(&terms, windows, shape),
            Self::Weights { images } => {
                let [outputs, x] = terms[0];
                flex_kernels::convolution_weights(outputs, x, windows, images)
            }
        }
    }
}

impl Work {
    pub(crate) fn evaluate(&self, mut inputs: Vec<Value>, site: &Site<'_>) -> Option<Value> {
        let tensors = |inputs: Vec<Value>| -> Vec<DispatchTensor> {
            inputs.into_iter().map(Value::tensor).collect()
        };
        let tensor = match self {
            Self::Panels { transposed } => {
                let panels = Sparse::new(&inputs.pop()?.tensor(), *transposed);
                return Some(Value::Panels(panels.map(Arc::new)));
            }
            Self::OfPanels(factor, plain) => {
                if let Some(Value::Panels(Some(panels))) = inputs.pop()
                    && let Some(product) = factor.product(&panels, &inputs)
                {
                    return Some(Value::Tensor(product));
                }
                return plain.evaluate(inputs, site);
            }
            Self::One(primitive) => primitive.evaluate(tensors(inputs), site),
            Self::Many(chain) => {
                flex_kernels::chain(chain, tensors(inputs), site.shape, site.dtype)
            }
            Self::Direct(direct, windows) => direct.evaluate(&tensors(inputs), windows, site.shape),
            Self::Sum(chain, of) => {
                flex_kernels::chain_sum(chain, tensors(inputs), of, site.shape, site.dtype)
            }
            Self::Turned(product) => {
                let turned = MatMul {
                    transpose_a: !product.transpose_b,
                    transpose_b: !product.transpose_a,
                };
                inputs.reverse();
                let value = Primitive::MatMul(turned).evaluate(tensors(inputs), site)?;
                Some(Dispatch::float_transpose(value))
            }
        };
        tensor.map(Value::Tensor)
    }

    /// Returns a name for tables of times.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::One(primitive) => format!("{primitive:?}"),
            Self::Turned(product) => format!("turned {product:?}"),
            Self::Panels { .. } => "panels".to_owned(),
            Self::Direct(direct, windows) => format!("{direct:?} {:?}", windows.kernel),
            Self::OfPanels(_, plain) => format!("{} by panels", plain.name()),
            Self::Many(chain) => names_of(chain),
            Self::Sum(chain, shape) => format!("sum of {} {shape:?}", names_of(chain)),
        }
    }

    /// Returns whether the value shows entries of the input instead of having its own.
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
    let names: Vec<String> = links.map(|link| format!("{:?}", link.operation)).collect();
    names.join(", ")
}

/// Returns whether a product `A Bᵀ`, `[m, k]` by `[k, n]`, is faster as the transpose of the
/// product of the transposed factors.
///
/// Burn's CPU matrix product packs its factors for the shorter side. With a long inner axis it is
/// by half slower where the result is wide, as the gradients of convolution weights are.
const fn better_turned(device: &DispatchDevice, m: usize, n: usize, k: usize) -> bool {
    flex_kernels::are_for(device) && 2 * m <= n && k >= 4 * n
}
