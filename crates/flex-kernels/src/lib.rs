//! Kernels of our own for Burn's CPU backend `flex`, where its own are measured to be slow.
//!
//! `flex`'s `gather`, its pooling with indices and the slices that patches are made of cost several
//! times what memory allows; each of its entrywise operations is a pass over memory and costs about
//! a microsecond; its elementary functions take one entry at a time; its matrix products multiply
//! the zeros of data too, and cost several times their arithmetic where matrices are small.
//!
//! This crate is private to the workspace: `derivatives`, `landscape` and `sam` call it. The
//! feature `flex` turns the kernels on, for all at once, whichever crate names it. Without the
//! feature, and for tensors that a kernel is not for, each function returns `None`, and the caller
//! takes Burn's operations; [`vectorised`] is there in any case, for loops of our own over the
//! host's memory.

mod chain;
#[cfg(feature = "flex")]
mod combine;
#[cfg(feature = "flex")]
mod convolution;
#[cfg(feature = "flex")]
mod elementary;
#[cfg(feature = "flex")]
mod index;
#[cfg(feature = "flex")]
mod lanes;
#[cfg(feature = "flex")]
mod machine;
#[cfg(feature = "flex")]
mod maxima;
#[cfg(not(feature = "flex"))]
mod none;
#[cfg(feature = "flex")]
mod parameter;
#[cfg(feature = "flex")]
mod real;
#[cfg(feature = "flex")]
mod small_products;
#[cfg(feature = "flex")]
mod softmax;
#[cfg(feature = "flex")]
mod sparse;
#[cfg(feature = "flex")]
mod sum;
#[cfg(feature = "flex")]
mod total;
mod vectorised;
#[cfg(feature = "flex")]
mod window_kernels;
mod windows;

use burn_dispatch::DispatchDevice;

pub use chain::{Chain, Entrywise, Link, Repeat};
#[cfg(not(feature = "flex"))]
pub use none::{
    Sparse, chain, chain_sum, climbed, combine, convolution, convolution_back, convolution_weights,
    gather_last, max_positions, maxima, patches, scatter_last, small_products, softmax, sums,
    total, unpatches,
};
pub use vectorised::vectorised;
pub use windows::Windows;
#[cfg(feature = "flex")]
pub use {
    combine::combine,
    convolution::{convolution, convolution_back, convolution_weights},
    index::{gather_last, scatter_last},
    machine::{chain, chain_sum},
    maxima::maxima,
    parameter::{climbed, sums},
    small_products::small_products,
    softmax::softmax,
    sparse::Sparse,
    total::total,
    window_kernels::{max_positions, patches, unpatches},
};

/// Returns whether kernels are built in that are for tensors on `device`.
#[must_use]
pub const fn are_for(device: &DispatchDevice) -> bool {
    #[cfg(feature = "flex")]
    {
        matches!(device, DispatchDevice::Flex(_))
    }
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Sums over the entries of one parameter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// The squares of g.
    pub plain: f64,
    /// The squares of T g; those of g where T is 1.
    pub scaled: f64,
    /// g times the other gradient; 0 without one.
    pub dot: f64,
}
