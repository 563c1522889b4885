//! Entry by entry: functions of one variable.
//!
//! | primitive | value | derivative |
//! |---|---|---|
//! | `Scale(c)` | `c x` | `c ẋ` (linear) |
//! | `Offset(c)` | `x + c` | `ẋ` |
//! | any other | `f(x)` | `f′(x) ẋ` |
//!
//! At a kink the derivative is the one Burn takes: that of ReLU at 0 is 0.

use burn_backend::TensorMetadata;
use burn_backend::ops::{ActivationOps, BoolTensorOps, FloatTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Primitive, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId, Real};
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

impl Graph {
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

    /// Returns `c x`.
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

    /// Returns `x + c`.
    pub(crate) fn offset(&mut self, x: NodeId, c: f64) -> NodeId {
        if c == 0.0 {
            return x;
        }
        if let Some(value) = self.as_fill(x) {
            return self.fill(value + c, x);
        }
        self.unary(Unary::Offset(Real::new(c)), x)
    }

    /// Returns `x^p` for a constant p; the exponents of the common cases are not raised but
    /// multiplied.
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

    /// Returns `f′(x)`, given `y = f(x)`; `None` where it is zero everywhere.
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

    /// Applies the operation entry by entry, as without the axis.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let x = stack.inputs[0];
        match self {
            Self::Scale(c) => graph.scale(x, c.get()),
            Self::Offset(c) => graph.offset(x, c.get()),
            _ => graph.unary(*self, x),
        }
    }
}
