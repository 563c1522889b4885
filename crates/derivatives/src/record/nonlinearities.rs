//! The nonlinearities that a closure has recorded: which, of what tensors, and after which
//! parameters.
//!
//! They are found in Burn's operations, and not in primitives, because there a tensor still has the
//! axes that the model gave it. Three functions that Burn records in parts are put together again:
//! `x σ(x)` is SiLU, `x (1 + tanh(..x..)) / 2` the approximate GELU, and what else multiplies x by
//! a function of x itself (Mish, hard swish) is no nonlinearity that is known here.

use std::collections::HashMap;

use burn::module::ParamId;
use burn_ir::{
    ActivationOperationIr, BaseOperationIr, FloatOperationIr, ModuleOperationIr,
    NumericOperationIr, OperationIr, TensorId, TensorIr,
};

use crate::loss::NonlinearityKind;

/// √(2/π), the factor of the approximate GELU.
const GELU: f64 = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;

/// A nonlinearity as it was recorded.
#[derive(Debug, Clone)]
pub(crate) struct FoundNonlinearity {
    pub(crate) kind: NonlinearityKind,
    pub(crate) input: TensorId,
    pub(crate) output: TensorId,
    pub(crate) shape: Vec<usize>,
    pub(crate) feature_axis: Option<usize>,
    /// The parameter that was used last on the way to it.
    pub(crate) parameter: Option<ParamId>,
}

/// Returns the nonlinearities among `operations`, in order; `tensors` has the tensors of each
/// parameter. Cost: one pass over the operations.
pub(crate) fn nonlinearities(
    operations: &[OperationIr],
    tensors: &HashMap<ParamId, Vec<TensorId>>,
) -> Vec<FoundNonlinearity> {
    let mut search = Search {
        parameters: tensors
            .iter()
            .flat_map(|(&id, copies)| copies.iter().map(move |&copy| (copy, id)))
            .collect(),
        ..Search::default()
    };
    for (time, operation) in operations.iter().enumerate() {
        search.visit(time, operation);
    }
    search.found.into_iter().flatten().collect()
}

#[derive(Default)]
struct Search {
    parameters: HashMap<TensorId, ParamId>,
    /// For each tensor, the last use of a parameter on its way.
    near: HashMap<TensorId, (usize, ParamId)>,
    /// The axis that counts features, where it is known.
    axes: HashMap<TensorId, usize>,
    /// For a tensor that is a function of another, entry by entry, that other one.
    roots: HashMap<TensorId, TensorId>,
    /// For a tensor that is a multiple of a nonlinearity plus a constant, its number in `found`.
    from: HashMap<TensorId, usize>,
    /// For a tensor that is a multiple of another, that one and the factor.
    scaled: HashMap<TensorId, (TensorId, f64)>,
    /// For a tensor that is twice an approximate GELU, its number in `found`.
    doubled: HashMap<TensorId, usize>,
    /// Empty where one has turned out to be part of a function that is not known.
    found: Vec<Option<FoundNonlinearity>>,
}

impl Search {
    fn visit(&mut self, time: usize, operation: &OperationIr) {
        let near = operation
            .inputs()
            .filter_map(|input| match self.parameters.get(&input.id) {
                Some(&parameter) => Some((time, parameter)),
                None => self.near.get(&input.id).copied(),
            })
            .max_by_key(|&(time, _)| time);
        let axis = self.axis(operation);
        let root = self.root(operation);
        for output in operation.outputs() {
            if let Some(near) = near {
                self.near.insert(output.id, near);
            }
            if let Some(axis) = axis {
                self.axes.insert(output.id, axis);
            }
            if let Some(root) = root {
                self.roots.insert(output.id, root);
            }
        }
        if let Some((kind, input, out)) = kind(operation) {
            let rank = out.shape.to_vec().len();
            // Channels of images stand in front of their positions, features of a sequence behind.
            let usual = match rank {
                0 | 1 => None,
                2 | 3 => Some(rank - 1),
                _ => Some(1),
            };
            self.from.insert(out.id, self.found.len());
            self.found.push(Some(FoundNonlinearity {
                kind,
                input,
                output: out.id,
                shape: out.shape.to_vec(),
                feature_axis: axis.filter(|&axis| axis < rank).or(usual),
                parameter: near.map(|(_, parameter)| parameter),
            }));
        }
        self.join(operation);
    }

    /// Returns the axis of the result that counts features.
    fn axis(&self, operation: &OperationIr) -> Option<usize> {
        use ModuleOperationIr as Layer;
        let out = operation.outputs().next()?.shape.to_vec();
        match operation {
            OperationIr::Module(
                Layer::Conv1d(_)
                | Layer::Conv2d(_)
                | Layer::Conv3d(_)
                | Layer::DeformableConv2d(_)
                | Layer::ConvTranspose1d(_)
                | Layer::ConvTranspose2d(_)
                | Layer::ConvTranspose3d(_)
                | Layer::BatchNorm(_),
            ) => Some(1),
            OperationIr::Module(Layer::Linear(_) | Layer::LayerNorm(_) | Layer::Embedding(_))
            | OperationIr::Float(_, FloatOperationIr::Matmul(_)) => out.len().checked_sub(1),
            OperationIr::BaseFloat(BaseOperationIr::SwapDims(op)) => {
                let axis = *self.axes.get(&op.input.id)?;
                Some(match axis {
                    axis if axis == op.dim1 => op.dim2,
                    axis if axis == op.dim2 => op.dim1,
                    axis => axis,
                })
            }
            OperationIr::BaseFloat(BaseOperationIr::Permute(op)) => {
                let axis = self.axes.get(&op.input.id)?;
                op.axes.iter().position(|from| from == axis)
            }
            OperationIr::BaseFloat(BaseOperationIr::Reshape(op)) => {
                let axis = *self.axes.get(&op.input.id)?;
                reshaped(&op.input.shape.to_vec(), axis, &out)
            }
            // The features stay where they are where an input of as many axes has them.
            other => other
                .inputs()
                .filter(|input| input.shape.to_vec().len() == out.len())
                .find_map(|input| self.axes.get(&input.id).copied()),
        }
    }

    /// Returns the tensor of which the result is a function, entry by entry; none for other
    /// operations.
    fn root(&self, operation: &OperationIr) -> Option<TensorId> {
        let is_by_entry = match operation {
            OperationIr::Float(_, operation) => !matches!(operation, FloatOperationIr::Matmul(_)),
            OperationIr::NumericFloat(..)
            | OperationIr::BaseFloat(
                BaseOperationIr::MaskWhere(_) | BaseOperationIr::MaskFill(_),
            ) => true,
            OperationIr::Activation(operation) => !matches!(
                operation,
                ActivationOperationIr::Softmax(_)
                    | ActivationOperationIr::LogSoftmax(_)
                    | ActivationOperationIr::Softmin(_)
            ),
            _ => false,
        };
        if !is_by_entry {
            return None;
        }
        let shape = operation.outputs().next()?.shape.to_vec();
        let mut root = None;
        for input in operation.inputs() {
            let of_input = self.roots.get(&input.id).copied().unwrap_or(input.id);
            if input.shape.to_vec() != shape || root.is_some_and(|root| root != of_input) {
                return None;
            }
            root = Some(of_input);
        }
        root
    }

    /// Puts together what is recorded in parts.
    fn join(&mut self, operation: &OperationIr) {
        use NumericOperationIr as Op;
        let OperationIr::NumericFloat(_, operation) = operation else {
            return;
        };
        match operation {
            Op::MulScalar(op) => {
                let factor = op.rhs.elem::<f64>();
                self.scaled.insert(op.out.id, (op.lhs.id, factor));
                self.follow(op.lhs.id, op.out.id);
                // The half of `x (1 + tanh(..)) / 2`, where it comes last.
                if is_half(factor)
                    && let Some(&number) = self.doubled.get(&op.lhs.id)
                    && let Some(found) = &mut self.found[number]
                {
                    found.output = op.out.id;
                }
            }
            Op::AddScalar(op) | Op::SubScalar(op) | Op::DivScalar(op) => {
                self.follow(op.lhs.id, op.out.id);
            }
            Op::Mul(op) => {
                for (gate, x) in [(&op.lhs, &op.rhs), (&op.rhs, &op.lhs)] {
                    let root = |id: TensorId| self.roots.get(&id).copied().unwrap_or(id);
                    if gate.id != x.id
                        && root(gate.id) == root(x.id)
                        && let Some(&number) = self.from.get(&gate.id)
                    {
                        self.gated(number, gate.id, x.id, op.out.id);
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    /// Says that `out` is a multiple of `x` plus a constant.
    fn follow(&mut self, x: TensorId, out: TensorId) {
        if let Some(&number) = self.from.get(&x) {
            self.from.insert(out, number);
        }
    }

    /// Says that `out` is `x` times `gate`, which is the nonlinearity with this number, perhaps
    /// scaled and shifted, and a function of the same tensor as `x`.
    fn gated(&mut self, number: usize, gate: TensorId, x: TensorId, out: TensorId) {
        let Some(found) = &mut self.found[number] else {
            return;
        };
        let is_bare = found.output == gate;
        // √(2/π), by which the approximate GELU multiplies before it takes tanh.
        let is_gelus = |(_, factor): &(TensorId, f64)| (factor - GELU).abs() < 1e-3;
        match found.kind {
            NonlinearityKind::Sigmoid if is_bare && found.input == x => {
                (found.kind, found.output) = (NonlinearityKind::Silu, out);
            }
            NonlinearityKind::Tanh
                if !is_bare && self.scaled.get(&found.input).is_some_and(is_gelus) =>
            {
                found.kind = NonlinearityKind::Gelu;
                found.output = out;
                // The half may have been taken of x before.
                match self.scaled.get(&x) {
                    Some(&(whole, factor)) if is_half(factor) => found.input = whole,
                    _ => {
                        found.input = x;
                        self.doubled.insert(out, number);
                    }
                }
            }
            _ => self.found[number] = None,
        }
    }
}

/// Returns the kind of nonlinearity that an operation is, what it is applied to, and its result.
fn kind(operation: &OperationIr) -> Option<(NonlinearityKind, TensorId, &TensorIr)> {
    use ActivationOperationIr as Activation;
    use NonlinearityKind as Kind;
    use NumericOperationIr as Numeric;
    Some(match operation {
        OperationIr::Activation(Activation::Relu(op)) => (Kind::Relu, op.input.id, &op.out),
        OperationIr::Activation(Activation::Gelu(op)) => (Kind::Gelu, op.input.id, &op.out),
        OperationIr::Activation(Activation::Sigmoid(op)) => (Kind::Sigmoid, op.input.id, &op.out),
        OperationIr::Activation(Activation::HardSigmoid(op)) => {
            (Kind::HardSigmoid, op.tensor.id, &op.out)
        }
        OperationIr::Activation(Activation::LeakyRelu(op)) => (Kind::LeakyRelu, op.lhs.id, &op.out),
        OperationIr::Activation(Activation::PRelu(op)) => (Kind::LeakyRelu, op.lhs.id, &op.out),
        OperationIr::Float(_, FloatOperationIr::Tanh(op)) => (Kind::Tanh, op.input.id, &op.out),
        OperationIr::NumericFloat(_, Numeric::ClampMin(op)) if op.rhs.elem::<f64>() == 0.0 => {
            (Kind::Relu, op.lhs.id, &op.out)
        }
        OperationIr::NumericFloat(_, Numeric::Clamp(op)) if op.min.elem::<f64>() == 0.0 => {
            (Kind::ClippedRelu, op.tensor.id, &op.out)
        }
        _ => return None,
    })
}

/// Returns the axis of a reshaped tensor that has the entries of `axis`: as many of them, and as
/// many entries before it.
fn reshaped(from: &[usize], axis: usize, to: &[usize]) -> Option<usize> {
    let (len, before) = (*from.get(axis)?, from[..axis].iter().product::<usize>());
    let same = |&new: &usize| to[new] == len && to[..new].iter().product::<usize>() == before;
    (0..to.len()).find(same)
}

#[expect(clippy::float_cmp, reason = "a half is written as it is")]
fn is_half(factor: f64) -> bool {
    factor == 0.5
}
