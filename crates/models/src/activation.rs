//! The nonlinearity between two layers.

use burn::config::Config;
use burn::tensor::{Tensor, activation};

/// The nonlinearity between two layers, applied to every element.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`. Its second derivative is zero almost everywhere, so the Hessian of a ReLU
    /// network misses its kinks.
    Relu,
    /// `tanh x`: smooth, the choice where second derivatives are compared closely.
    Tanh,
    /// `x Φ(x)` with the Gaussian distribution function `Φ`, by the error function and not its
    /// approximation by `tanh`.
    Gelu,
    /// `1 / (1 + exp(−x))`: smooth, with a slope of at most a quarter, so that the gradient of a
    /// deep network vanishes.
    Sigmoid,
}

impl Activation {
    /// Applies the activation to every element of `input`; the shape stays.
    #[must_use]
    pub fn apply<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(input),
            Self::Tanh => activation::tanh(input),
            Self::Gelu => activation::gelu(input),
            Self::Sigmoid => activation::sigmoid(input),
        }
    }
}
