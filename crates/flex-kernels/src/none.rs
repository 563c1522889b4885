//! The functions of this crate where its feature is off: none applies.

use burn::tensor::{DType, Tensor};
use burn_dispatch::DispatchTensor;

use crate::{Chain, Sums, Windows};

type Kernel = Option<DispatchTensor>;

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub fn chain(_: &Chain, _: Vec<DispatchTensor>, _: &[usize], _: DType) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub fn chain_sum(_: &Chain, _: Vec<DispatchTensor>, _: &[usize], _: &[usize], _: DType) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn patches(_: &DispatchTensor, _: &Windows, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn unpatches(_: &DispatchTensor, _: &Windows, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn small_products(_: &DispatchTensor, _: &DispatchTensor, _: [bool; 2]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn max_positions(_: &DispatchTensor, _: &Windows, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn maxima(_: &DispatchTensor, _: &Windows, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn gather_last(_: &DispatchTensor, _: &DispatchTensor, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn scatter_last(_: &DispatchTensor, _: &DispatchTensor, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn combine(
    _: &DispatchTensor,
    _: &[DispatchTensor],
    _: &[DispatchTensor],
    _: bool,
    _: &[usize],
) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn softmax(_: &DispatchTensor, _: bool, _: usize, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn sums<const D: usize>(
    _: &Tensor<D>,
    _: Option<(&Tensor<D>, f64)>,
    _: Option<&Tensor<D>>,
) -> Option<Sums> {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn climbed<const D: usize>(
    _: &Tensor<D>,
    _: &Tensor<D>,
    _: f64,
    _: Option<f64>,
) -> Option<Tensor<D>> {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn total(_: &[Tensor<1>], _: f64) -> Option<Tensor<1>> {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn convolution(_: &[[&DispatchTensor; 2]], _: &Windows, _: usize) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn convolution_back(_: &[[&DispatchTensor; 2]], _: &Windows, _: &[usize]) -> Kernel {
    None
}

/// Returns `None`; see the function of this name with the feature `flex`.
#[must_use]
pub const fn convolution_weights(
    _: &DispatchTensor,
    _: &DispatchTensor,
    _: &Windows,
    _: usize,
) -> Kernel {
    None
}

/// A matrix that is never there; see the type of this name with the feature `flex`.
#[derive(Debug)]
pub enum Sparse {}

impl Sparse {
    /// Returns `false`.
    #[must_use]
    pub const fn may_pay(_: usize, _: usize) -> bool {
        false
    }

    /// Returns `None`; see the function of this name with the feature `flex`.
    #[must_use]
    pub const fn new(_: &DispatchTensor, _: bool) -> Option<Self> {
        None
    }

    /// Returns the bytes of the panels.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        match *self {}
    }

    /// Returns `None`; see the function of this name with the feature `flex`.
    #[must_use]
    pub const fn times(&self, _: &DispatchTensor, _: bool, _: bool) -> Kernel {
        match *self {}
    }
}
