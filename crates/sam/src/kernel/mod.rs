//! Passes over one parameter in plain loops, where a device's own operations are measured to be slow.
//!
//! Each function gives `None` where it does not apply, and the operations that every device has are taken instead.
//! They exist for Burn's CPU backend (feature `flex`): an operation on tensors costs about a microsecond there and
//! writes a tensor, which beside the gradient of a small network is not little. The climb is theirs to the last bit;
//! the sums differ from theirs by the order of their terms.

#[cfg(feature = "flex")]
mod flex;

use burn::tensor::Tensor;

/// Sums over the entries of one parameter.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// The squares of g.
    pub(crate) plain: f64,
    /// The squares of T g; those of g where T is 1.
    pub(crate) scaled: f64,
    /// g times the other gradient; 0 without one.
    pub(crate) dot: f64,
}

/// The sums of a gradient, for T = |w| + eta where `scale` has w and eta, with another gradient if there is one.
pub(crate) fn sums<const D: usize>(
    gradient: &Tensor<D>,
    scale: Option<(&Tensor<D>, f64)>,
    other: Option<&Tensor<D>>,
) -> Option<Sums> {
    #[cfg(feature = "flex")]
    return flex::sums(gradient, scale, other);
    #[cfg(not(feature = "flex"))]
    {
        let _ = (gradient, scale, other);
        None
    }
}

/// w + factor T T g, for T = |w| + eta, or 1 without an eta.
pub(crate) fn climbed<const D: usize>(
    weight: &Tensor<D>,
    gradient: &Tensor<D>,
    factor: f64,
    eta: Option<f64>,
) -> Option<Tensor<D>> {
    #[cfg(feature = "flex")]
    return flex::climbed(weight, gradient, factor, eta);
    #[cfg(not(feature = "flex"))]
    {
        let _ = (weight, gradient, factor, eta);
        None
    }
}
