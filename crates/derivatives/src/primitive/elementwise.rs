//! Entry by entry: functions of one variable, and sums and products with broadcasting.
//!
//! | primitive | value | derivative |
//! |---|---|---|
//! | `Scale(c)` | $c x$ | $c\,\dot x$ (linear) |
//! | `Offset(c)` | $x + c$ | $\dot x$ |
//! | any other function of one variable | $f(x)$ | $f'(x)\,\dot x$ |
//! | `Add`, `Sub` | $x \pm y$ | $\dot x \pm \dot y$ (linear) |
//! | `Mul` | $x y$ | $\dot x y + x \dot y$ (linear in each) |
//! | `Pow` | $x^y$ | $y x^{y-1} \dot x + x^y \log x\; \dot y$ |
//! | `Atan2` | $\operatorname{atan2}(y, x)$ | $(x \dot y - y \dot x) / (x^2 + y^2)$ |
//!
//! Axes of length 1 are repeated; the transpose of a repetition is a sum. At a kink the
//! derivative is the one Burn takes: that of ReLU at 0 is 0.

use burn_backend::TensorMetadata;
use burn_backend::ops::{ActivationOps, BoolTensorOps, FloatTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Primitive, Rules, Site, inputs};
use crate::graph::{Graph, NodeId, Real, broadcast};
use crate::primitive::Layout;

/// A function of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    Scale(Real),
    Offset(Real),
    Recip,
    Exp,
    Log,
    Log1p,
    Sqrt,
    Pow(Real),
    Tanh,
    Sigmoid,
    LogSigmoid,
    Erf,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Asin,
    Acos,
    Atan,
    Asinh,
    Acosh,
    Atanh,
    Relu,
    Abs,
    /// 1 where x > 0, otherwise 0.
    Step,
    Sign,
    Floor,
    Ceil,
    Round,
    Trunc,
}

/// A function of two variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Pow,
    Atan2,
}

impl Graph {
    /// One number everywhere.
    pub(crate) fn fill(&mut self, value: f64, like: NodeId) -> NodeId {
        let (shape, dtype) = (self.shape(like).to_vec(), self.dtype(like));
        self.insert(Primitive::Fill(Real::new(value)), Vec::new(), shape, dtype)
    }

    /// The number that `id` is everywhere, if it is known to be one.
    pub(crate) fn as_fill(&self, id: NodeId) -> Option<f64> {
        match self.primitive(id) {
            Primitive::Fill(value) => Some(value.get()),
            _ => None,
        }
    }

    pub(crate) fn unary(&mut self, function: Unary, x: NodeId) -> NodeId {
        // Entry by entry the order of axes does not matter: a permutation is moved behind, where
        // it meets its inverse, or is not needed at all.
        if let Primitive::Layout(Layout::Permute(axes)) = self.primitive(x) {
            let axes = axes.clone();
            let inner = self.input(x, 0);
            let inner = self.unary(function, inner);
            return self.permute(inner, &axes);
        }
        let (shape, dtype) = (self.shape(x).to_vec(), self.dtype(x));
        self.insert(function, vec![x], shape, dtype)
    }

    /// c x
    pub(crate) fn scale(&mut self, x: NodeId, c: f64) -> NodeId {
        #[expect(
            clippy::float_cmp,
            reason = "only a factor of exactly 1 may be dropped"
        )]
        if c == 1.0 {
            return x;
        }
        if let Some(value) = self.as_fill(x) {
            return self.fill(c * value, x);
        }
        if let Primitive::Unary(Unary::Scale(inner)) = *self.primitive(x) {
            let x = self.input(x, 0);
            return self.scale(x, c * inner.get());
        }
        self.unary(Unary::Scale(Real::new(c)), x)
    }

    pub(crate) fn neg(&mut self, x: NodeId) -> NodeId {
        self.scale(x, -1.0)
    }

    /// x + c
    pub(crate) fn offset(&mut self, x: NodeId, c: f64) -> NodeId {
        if c == 0.0 {
            return x;
        }
        if let Some(value) = self.as_fill(x) {
            return self.fill(value + c, x);
        }
        self.unary(Unary::Offset(Real::new(c)), x)
    }

    /// x^p for a constant p; the exponents of the common cases are not raised but multiplied.
    pub(crate) fn power(&mut self, x: NodeId, p: f64) -> NodeId {
        if let Some(value) = self.as_fill(x) {
            return self.fill(value.powf(p), x);
        }
        match p {
            0.0 => self.fill(1.0, x),
            1.0 => x,
            2.0 => self.mul(x, x),
            3.0 => {
                let square = self.mul(x, x);
                self.mul(square, x)
            }
            0.5 => self.unary(Unary::Sqrt, x),
            -1.0 => self.unary(Unary::Recip, x),
            -2.0 => {
                let square = self.mul(x, x);
                self.unary(Unary::Recip, square)
            }
            _ => self.unary(Unary::Pow(Real::new(p)), x),
        }
    }

    /// An input repeated along an axis may be given unrepeated if another input has the axis.
    fn unexpanded(&self, x: NodeId, other: NodeId) -> NodeId {
        if matches!(self.primitive(x), Primitive::Layout(Layout::Expand)) {
            let inner = self.input(x, 0);
            if broadcast(self.shape(inner), self.shape(other)) == self.shape(x) {
                return inner;
            }
        }
        x
    }

    /// Both operands before a permutation that both have, or that one has and that only moves axes
    /// of length 1 of the other.
    fn unpermuted(&mut self, x: NodeId, y: NodeId) -> Option<(NodeId, NodeId, Vec<usize>)> {
        let axes_of = |graph: &Self, x: NodeId| match graph.primitive(x) {
            Primitive::Layout(Layout::Permute(axes)) => Some(axes.clone()),
            _ => None,
        };
        let (of_x, of_y) = (axes_of(self, x), axes_of(self, y));
        match (of_x, of_y) {
            (Some(a), Some(b)) if a == b => Some((self.input(x, 0), self.input(y, 0), a)),
            (Some(axes), _) if self.is_small(y) => {
                let y = self.moved_back(y, &axes);
                Some((self.input(x, 0), y, axes))
            }
            (_, Some(axes)) if self.is_small(x) => {
                let x = self.moved_back(x, &axes);
                Some((x, self.input(y, 0), axes))
            }
            _ => None,
        }
    }

    /// At most one axis longer than 1: permuting such a tensor moves no entry.
    fn is_small(&self, x: NodeId) -> bool {
        self.shape(x).iter().filter(|&&len| len != 1).count() <= 1
    }

    /// What becomes `x` when permuted by `axes`.
    fn moved_back(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let mut shape = vec![1; axes.len()];
        for (to, &from) in axes.iter().enumerate() {
            shape[from] = self.shape(x)[to];
        }
        self.reshape(x, shape)
    }

    fn negated(&self, x: NodeId) -> Option<NodeId> {
        match self.primitive(x) {
            #[expect(clippy::float_cmp, reason = "a sign is exactly -1")]
            Primitive::Unary(Unary::Scale(c)) if c.get() == -1.0 => Some(self.input(x, 0)),
            _ => None,
        }
    }

    fn binary(&mut self, function: Binary, x: NodeId, y: NodeId) -> NodeId {
        let x = self.unexpanded(x, y);
        let y = self.unexpanded(y, x);
        if let Some((x, y, axes)) = self.unpermuted(x, y) {
            let inner = self.binary(function, x, y);
            return self.permute(inner, &axes);
        }
        let shape = broadcast(self.shape(x), self.shape(y));
        let dtype = self.dtype(x);
        self.insert(function, vec![x, y], shape, dtype)
    }

    /// x + y
    pub(crate) fn add(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let shape = broadcast(self.shape(x), self.shape(y));
        if self.as_fill(x) == Some(0.0) {
            return self.expand(y, shape);
        }
        if self.as_fill(y) == Some(0.0) {
            return self.expand(x, shape);
        }
        if let Some(y) = self.negated(y) {
            return self.sub(x, y);
        }
        if let Some(x) = self.negated(x) {
            return self.sub(y, x);
        }
        self.binary(Binary::Add, x.min(y), x.max(y))
    }

    /// x - y
    pub(crate) fn sub(&mut self, x: NodeId, y: NodeId) -> NodeId {
        if self.as_fill(x) == Some(0.0) || self.as_fill(y) == Some(0.0) {
            let y = self.neg(y);
            return self.add(x, y);
        }
        self.binary(Binary::Sub, x, y)
    }

    /// x y
    pub(crate) fn mul(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let shape = broadcast(self.shape(x), self.shape(y));
        if let Some(c) = self.as_fill(y) {
            let x = self.scale(x, c);
            return self.expand(x, shape);
        }
        if let Some(c) = self.as_fill(x) {
            let y = self.scale(y, c);
            return self.expand(y, shape);
        }
        self.binary(Binary::Mul, x.min(y), x.max(y))
    }

    /// x / y
    pub(crate) fn div(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let reciprocal = self.power(y, -1.0);
        self.mul(x, reciprocal)
    }

    /// x^y
    pub(crate) fn pow(&mut self, x: NodeId, y: NodeId) -> NodeId {
        self.binary(Binary::Pow, x, y)
    }

    /// atan2(y, x)
    pub(crate) fn atan2(&mut self, y: NodeId, x: NodeId) -> NodeId {
        self.binary(Binary::Atan2, y, x)
    }

    /// f'(x), given y = f(x); `None` where it is zero everywhere.
    fn derivative(&mut self, function: Unary, x: NodeId, y: NodeId) -> Option<NodeId> {
        Some(match function {
            Unary::Scale(c) => self.fill(c.get(), x),
            Unary::Offset(_) => self.fill(1.0, x),
            // (1/x)' = -1/x^2
            Unary::Recip => {
                let square = self.mul(y, y);
                self.neg(square)
            }
            Unary::Exp => y,
            Unary::Log => self.power(x, -1.0),
            Unary::Log1p => {
                let shifted = self.offset(x, 1.0);
                self.power(shifted, -1.0)
            }
            // sqrt' = 1 / (2 sqrt)
            Unary::Sqrt => {
                let reciprocal = self.power(y, -1.0);
                self.scale(reciprocal, 0.5)
            }
            Unary::Pow(p) => {
                let power = self.power(x, p.get() - 1.0);
                self.scale(power, p.get())
            }
            // tanh' = 1 - tanh^2
            Unary::Tanh => self.one_minus_square(y),
            // sigma' = sigma - sigma^2
            Unary::Sigmoid => {
                let square = self.mul(y, y);
                self.sub(y, square)
            }
            // (log sigma(x))' = sigma(-x)
            Unary::LogSigmoid => {
                let minus = self.neg(x);
                self.unary(Unary::Sigmoid, minus)
            }
            // erf' = 2 / sqrt(pi) exp(-x^2)
            Unary::Erf => {
                let square = self.mul(x, x);
                let minus = self.neg(square);
                let bell = self.unary(Unary::Exp, minus);
                self.scale(bell, std::f64::consts::FRAC_2_SQRT_PI)
            }
            Unary::Sin => self.unary(Unary::Cos, x),
            Unary::Cos => {
                let sine = self.unary(Unary::Sin, x);
                self.neg(sine)
            }
            // tan' = 1 + tan^2
            Unary::Tan => {
                let square = self.mul(y, y);
                self.offset(square, 1.0)
            }
            Unary::Sinh => self.unary(Unary::Cosh, x),
            Unary::Cosh => self.unary(Unary::Sinh, x),
            // asin' = 1 / sqrt(1 - x^2)
            Unary::Asin => {
                let radicand = self.one_minus_square(x);
                self.inverse_root(radicand)
            }
            Unary::Acos => {
                let radicand = self.one_minus_square(x);
                let root = self.inverse_root(radicand);
                self.neg(root)
            }
            // atan' = 1 / (1 + x^2)
            Unary::Atan => {
                let square = self.mul(x, x);
                let shifted = self.offset(square, 1.0);
                self.power(shifted, -1.0)
            }
            // asinh' = 1 / sqrt(x^2 + 1), acosh' = 1 / sqrt(x^2 - 1)
            Unary::Asinh | Unary::Acosh => {
                let square = self.mul(x, x);
                let sign = if function == Unary::Asinh { 1.0 } else { -1.0 };
                let radicand = self.offset(square, sign);
                self.inverse_root(radicand)
            }
            // atanh' = 1 / (1 - x^2)
            Unary::Atanh => {
                let difference = self.one_minus_square(x);
                self.power(difference, -1.0)
            }
            Unary::Relu => self.unary(Unary::Step, x),
            Unary::Abs => self.unary(Unary::Sign, x),
            Unary::Step
            | Unary::Sign
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Trunc => return None,
        })
    }

    fn one_minus_square(&mut self, x: NodeId) -> NodeId {
        let square = self.mul(x, x);
        let minus = self.neg(square);
        self.offset(minus, 1.0)
    }

    fn inverse_root(&mut self, x: NodeId) -> NodeId {
        let root = self.unary(Unary::Sqrt, x);
        self.power(root, -1.0)
    }
}

impl Rules for Unary {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        match *self {
            Self::Scale(c) => Dispatch::float_mul_scalar(x, c.get().into()),
            Self::Offset(c) => Dispatch::float_add_scalar(x, c.get().into()),
            Self::Recip => Dispatch::float_recip(x),
            Self::Exp => Dispatch::float_exp(x),
            Self::Log => Dispatch::float_log(x),
            Self::Log1p => Dispatch::float_log1p(x),
            Self::Sqrt => Dispatch::float_sqrt(x),
            Self::Pow(p) => Dispatch::float_powf_scalar(x, p.get().into()),
            Self::Tanh => Dispatch::float_tanh(x),
            Self::Sigmoid => Dispatch::sigmoid(x),
            Self::LogSigmoid => Dispatch::log_sigmoid(x),
            Self::Erf => Dispatch::float_erf(x),
            Self::Sin => Dispatch::float_sin(x),
            Self::Cos => Dispatch::float_cos(x),
            Self::Tan => Dispatch::float_tan(x),
            Self::Sinh => Dispatch::float_sinh(x),
            Self::Cosh => Dispatch::float_cosh(x),
            Self::Asin => Dispatch::float_asin(x),
            Self::Acos => Dispatch::float_acos(x),
            Self::Atan => Dispatch::float_atan(x),
            Self::Asinh => Dispatch::float_asinh(x),
            Self::Acosh => Dispatch::float_acosh(x),
            Self::Atanh => Dispatch::float_atanh(x),
            Self::Relu => Dispatch::relu(x),
            Self::Abs => Dispatch::float_abs(x),
            Self::Step => {
                let dtype = x.dtype();
                let mask = Dispatch::float_greater_elem(x, 0.0.into(), at.bool_dtype());
                Dispatch::bool_into_float(mask, dtype.into())
            }
            Self::Sign => Dispatch::float_sign(x),
            Self::Floor => Dispatch::float_floor(x),
            Self::Ceil => Dispatch::float_ceil(x),
            Self::Round => Dispatch::float_round(x),
            Self::Trunc => Dispatch::float_trunc(x),
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let tangent = tangents[0]?;
        match self {
            Self::Scale(c) => Some(graph.scale(tangent, c.get())),
            Self::Offset(_) => Some(tangent),
            _ => {
                let derivative = graph.derivative(*self, inputs[0], out)?;
                Some(graph.mul(tangent, derivative))
            }
        }
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        _inputs: &[NodeId],
        _linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        match self {
            Self::Scale(c) => vec![Some(graph.scale(cotangent, c.get()))],
            other => unreachable!("{other:?} is not linear"),
        }
    }
}

impl Rules for Binary {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, _at: &Site<'_>) -> DispatchTensor {
        let [x, y] = inputs(tensors);
        match self {
            Self::Add => Dispatch::float_add(x, y),
            Self::Sub => Dispatch::float_sub(x, y),
            Self::Mul => Dispatch::float_mul(x, y),
            Self::Pow => Dispatch::float_powf(x, y),
            Self::Atan2 => Dispatch::float_atan2(x, y),
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let shape = graph.shape(out).to_vec();
        let (x, y) = (inputs[0], inputs[1]);
        let (first, second) = match self {
            Self::Add => (tangents[0], tangents[1]),
            Self::Sub => {
                if let (Some(dx), Some(dy)) = (tangents[0], tangents[1]) {
                    return Some(graph.sub(dx, dy));
                }
                (tangents[0], tangents[1].map(|dy| graph.neg(dy)))
            }
            Self::Mul => {
                if x == y {
                    // d(x^2) = 2 x dx
                    let dx = graph.scale(tangents[0]?, 2.0);
                    return Some(graph.mul(dx, x));
                }
                (
                    tangents[0].map(|dx| graph.mul(dx, y)),
                    tangents[1].map(|dy| graph.mul(dy, x)),
                )
            }
            Self::Pow => {
                let first = tangents[0].map(|dx| {
                    let lower = graph.offset(y, -1.0);
                    let power = graph.pow(x, lower);
                    let slope = graph.mul(power, y);
                    graph.mul(dx, slope)
                });
                let second = tangents[1].map(|dy| {
                    // x^y log x tends to 0 with x for y > 0: no logarithm of what is not positive.
                    let positive = graph.unary(Unary::Step, x);
                    let one = graph.fill(1.0, x);
                    let missing = graph.sub(one, positive);
                    let kept = graph.mul(x, positive);
                    let safe = graph.add(kept, missing);
                    let log = graph.unary(Unary::Log, safe);
                    let slope = graph.mul(out, log);
                    graph.mul(dy, slope)
                });
                (first, second)
            }
            Self::Atan2 => {
                // inputs are (y, x): d = (x dy - y dx) / (x^2 + y^2)
                let (a, b) = (graph.mul(x, x), graph.mul(y, y));
                let norm = graph.add(a, b);
                let inverse = graph.power(norm, -1.0);
                (
                    tangents[0].map(|dy| {
                        let slope = graph.mul(y, inverse);
                        graph.mul(dy, slope)
                    }),
                    tangents[1].map(|dx| {
                        let slope = graph.mul(x, inverse);
                        let product = graph.mul(dx, slope);
                        graph.neg(product)
                    }),
                )
            }
        };
        match (first, second) {
            (Some(first), Some(second)) => Some(graph.add(first, second)),
            (Some(one), None) | (None, Some(one)) => Some(graph.expand(one, shape)),
            (None, None) => None,
        }
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        (0..2)
            .map(|position| {
                if !linear[position] {
                    return None;
                }
                let other = inputs[1 - position];
                let contribution = match self {
                    Self::Add => cotangent,
                    Self::Sub if position == 0 => cotangent,
                    Self::Sub => graph.neg(cotangent),
                    Self::Mul => graph.mul(cotangent, other),
                    other => unreachable!("{other:?} is not linear"),
                };
                let shape = graph.shape(inputs[position]).to_vec();
                Some(graph.sum_to(contribution, shape))
            })
            .collect()
    }
}
