//! Kernels of our own, where a device's are measured to be slow.
//!
//! Each gives `None` where it does not apply, and the generic path beside it is taken. They exist for
//! Burn's CPU backend `flex` (feature `flex`): its `gather`, its pooling with indices and the slices
//! that patches are made of cost several times what memory allows, and each of its entrywise
//! operations is a pass over memory.

#[cfg(feature = "flex")]
mod chain;
#[cfg(feature = "flex")]
mod combine;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod maxima;
#[cfg(feature = "flex")]
mod windows;

#[cfg(feature = "flex")]
pub(crate) use combine::combine;

#[cfg(feature = "flex")]
pub(crate) use chain::{chain, chain_sum};
#[cfg(feature = "flex")]
pub(crate) use flex::{gather_last, scatter_last};
#[cfg(feature = "flex")]
pub(crate) use maxima::maxima;
#[cfg(feature = "flex")]
pub(crate) use windows::{max_positions, patches, unpatches};

/// Whether a product $A B^T$, `[m, k]` by `[k, n]`, is faster as the transpose of the transposed factors'
/// product. Burn's CPU matrix product packs its factors for the shorter side; with a long inner axis it
/// is by half slower where the result is wide, as the gradients of convolution weights are.
pub(crate) const fn better_turned(
    device: &burn_dispatch::DispatchDevice,
    m: usize,
    n: usize,
    k: usize,
) -> bool {
    has_chains(device) && 2 * m <= n && k >= 4 * n
}

/// Whether a device has a kernel for chains of entrywise operations.
pub(crate) const fn has_chains(device: &burn_dispatch::DispatchDevice) -> bool {
    #[cfg(feature = "flex")]
    {
        matches!(device, burn_dispatch::DispatchDevice::Flex(_))
    }
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Windows over two axes.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "flex"),
    expect(dead_code, reason = "only kernels read it")
)]
pub(crate) struct Windows {
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
}

#[cfg(not(feature = "flex"))]
mod none {
    use burn_dispatch::DispatchTensor;

    use super::Windows;
    use crate::primitive::{Primitive, Reduce, Site};
    use crate::run::chain::Chain;

    pub(crate) fn chain(
        chain: &Chain,
        inputs: Vec<DispatchTensor>,
        at: &Site<'_>,
    ) -> Option<DispatchTensor> {
        chain.evaluate(inputs, at)
    }

    pub(crate) fn chain_sum(
        chain: &Chain,
        inputs: Vec<DispatchTensor>,
        shape: &[usize],
        at: &Site<'_>,
    ) -> Option<DispatchTensor> {
        let value = chain.evaluate(inputs, &Site { shape, ..*at })?;
        Primitive::from(Reduce::Sum).evaluate(vec![value], at)
    }

    pub(crate) const fn patches(
        _: &DispatchTensor,
        _: &Windows,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn unpatches(
        _: &DispatchTensor,
        _: &Windows,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn max_positions(
        _: &DispatchTensor,
        _: &Windows,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn combine(
        _: &DispatchTensor,
        _: &[DispatchTensor],
        _: &[DispatchTensor],
        _: bool,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn maxima(
        _: &DispatchTensor,
        _: &Windows,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn gather_last(
        _: &DispatchTensor,
        _: &DispatchTensor,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }

    pub(crate) const fn scatter_last(
        _: &DispatchTensor,
        _: &DispatchTensor,
        _: &[usize],
    ) -> Option<DispatchTensor> {
        None
    }
}

#[cfg(not(feature = "flex"))]
pub(crate) use none::{
    chain, chain_sum, combine, gather_last, max_positions, maxima, patches, scatter_last, unpatches,
};
