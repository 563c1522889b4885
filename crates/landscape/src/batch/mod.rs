//! Batches of examples.

mod containers;
mod fixed;
mod mappers;
mod stated;

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Bool, Device, FloatDType, Int, Tensor};

use crate::error::Error;
pub use fixed::Fixed;
pub(crate) use mappers::for_each_kind;
use mappers::{Double, FirstAxes, Narrow, ToDevice, ToType};
pub use stated::Stated;

/// A function on the tensors of a batch, whatever their kind and rank.
pub trait TensorMapper {
    /// Maps a float tensor.
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor
    }

    /// Maps an integer tensor.
    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        tensor
    }

    /// Maps a boolean tensor.
    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        tensor
    }

    /// Maps a module that goes along with the batch and is the same for all examples.
    fn module<M: Module>(&mut self, module: M) -> M {
        module
    }
}

/// A batch of examples: some tensors whose first axis counts the examples.
///
/// Tensors are batches, and so are tuples of up to eight batches, arrays, vectors and options of
/// them. A struct of one's own needs only [`map`](Self::map):
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use landscape::{Batch, TensorMapper};
///
/// #[derive(Clone)]
/// struct Digits {
///     images: Tensor<4>,
///     labels: Tensor<1, Int>,
/// }
///
/// impl Batch for Digits {
///     fn map<F: TensorMapper>(self, f: &mut F) -> Self {
///         Self {
///             images: f.float(self.images),
///             labels: f.int(self.labels),
///         }
///     }
/// }
/// ```
///
/// A batch goes to the threads of several devices ([`Risk::on_devices`](crate::Risk::on_devices)):
/// it is `Send + Sync + 'static`, as tensors and plain data are.
///
/// A batch whose tensors have different numbers of entries along their first axis (sequences with
/// the time first, class weights beside the images, ragged sentences) must say how many examples it
/// has: by [`stated_examples`](Self::stated_examples), or in a [`Stated`]. Otherwise measuring it
/// is an error. What batches count for in the mean over the data is another matter, and the number
/// of examples only where nothing else is said: a loss per token is weighted by
/// [`Risk::with_weights`](crate::Risk::with_weights).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a batch",
    label = "the trait `landscape::Batch` is not implemented for `{Self}`",
    note = "tensors are batches, and tuples, arrays, vectors and options of batches; for a struct of your own, which is `Clone`, write:\n\nimpl landscape::Batch for {Self} {{\n    fn map<F: landscape::TensorMapper>(self, f: &mut F) -> Self {{\n        Self {{ images: f.float(self.images), labels: f.int(self.labels) }} // each tensor through `f`\n    }}\n}}"
)]
pub trait Batch: Clone + Send + Sync + 'static {
    /// Returns the batch with `f` applied to each of its tensors, always in the same order.
    fn map<F: TensorMapper>(self, f: &mut F) -> Self;

    /// Returns the number of examples, where the tensors' first axes do not tell it. Override it
    /// there.
    ///
    /// ```
    /// use burn::tensor::{Int, Tensor};
    /// use landscape::{Batch, TensorMapper};
    ///
    /// /// The time comes first: `[T, B, C]`, with one label for each of the B sequences.
    /// #[derive(Clone)]
    /// struct Sequences {
    ///     signals: Tensor<3>,
    ///     labels: Tensor<1, Int>,
    /// }
    ///
    /// impl Batch for Sequences {
    ///     fn map<F: TensorMapper>(self, f: &mut F) -> Self {
    ///         Self {
    ///             signals: f.float(self.signals),
    ///             labels: f.int(self.labels),
    ///         }
    ///     }
    ///
    ///     fn stated_examples(&self) -> Option<usize> {
    ///         Some(self.labels.dims()[0])
    ///     }
    /// }
    /// ```
    fn stated_examples(&self) -> Option<usize> {
        None
    }

    /// Returns the number of examples B: what [`stated_examples`](Self::stated_examples) says, or
    /// the length of the first tensor's first axis.
    fn examples(&self) -> usize {
        let first = || first_axes(self).first().copied().unwrap_or(0);
        self.stated_examples().unwrap_or_else(first)
    }

    /// Returns the batch on another device, detached from any graph.
    #[must_use]
    fn on_device(self, device: &Device) -> Self {
        self.map(&mut ToDevice(device))
    }

    /// Returns the batch with its float tensors in another type; integers and booleans stay.
    #[must_use]
    fn to_dtype(self, dtype: FloatDType) -> Self {
        self.map(&mut ToType(dtype))
    }

    /// Returns the examples in `range` alone.
    #[must_use]
    fn narrow(self, range: Range<usize>) -> Self {
        let examples = self.examples();
        self.map(&mut Narrow { examples, range })
    }

    /// Returns the first `count` examples, each twice over: a mean over examples does not notice.
    #[must_use]
    fn doubled(self, count: usize) -> Self {
        let examples = self.examples();
        self.map(&mut Double { examples, count })
    }
}

/// Returns the lengths of the first axes of the batch's tensors.
fn first_axes<B: Batch>(batch: &B) -> Vec<usize> {
    let mut axes = FirstAxes(Vec::new());
    let _ = batch.clone().map(&mut axes);
    axes.0
}

/// Returns whether the batch itself says how many examples it has, by stating it or by its own
/// `examples`.
pub(crate) fn says_its_number<B: Batch>(batch: &B) -> bool {
    batch.stated_examples().is_some() || first_axes(batch).first() != Some(&batch.examples())
}

/// Returns the number of examples of the batch at position `index`, if it is one and clear.
///
/// # Errors
/// [`Error::EmptyBatch`], and [`Error::ExamplesUnclear`] where the tensors disagree and the batch
/// says nothing.
pub(crate) fn clear_examples<B: Batch>(batch: &B, index: usize) -> Result<usize, Error> {
    let axes = first_axes(batch);
    let examples = batch.examples();
    if examples == 0 {
        return Err(Error::EmptyBatch { index });
    }
    match axes.iter().find(|&&axis| axis != examples) {
        Some(&other) if !says_its_number(batch) => Err(Error::ExamplesUnclear {
            index,
            first: examples,
            other,
        }),
        _ => Ok(examples),
    }
}
