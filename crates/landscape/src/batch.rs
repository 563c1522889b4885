//! What a batch of examples must be able to do.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Bool, Device, FloatDType, Int, Tensor};

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
/// Tensors and tuples of batches are batches. A struct of one's own needs only [`map`](Self::map):
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
///         Self { images: f.float(self.images), labels: f.int(self.labels) }
///     }
/// }
/// ```
pub trait Batch: Clone {
    /// The batch with `f` applied to each of its tensors, always in the same order.
    fn map<F: TensorMapper>(self, f: &mut F) -> Self;

    /// Number of examples B: the length of the first tensor's first axis, unless overridden.
    fn examples(&self) -> usize {
        let mut first = FirstAxis(None);
        let _ = self.clone().map(&mut first);
        first.0.unwrap_or(0)
    }

    /// The batch on another device, detached from any graph.
    #[must_use]
    fn on_device(self, device: &Device) -> Self {
        self.map(&mut ToDevice(device))
    }

    /// The batch with its float tensors in another type; integers and booleans stay.
    #[must_use]
    fn to_dtype(self, dtype: FloatDType) -> Self {
        self.map(&mut ToType(dtype))
    }

    /// The examples in `range` alone.
    #[must_use]
    fn narrow(self, range: Range<usize>) -> Self {
        let examples = self.examples();
        self.map(&mut Narrow { examples, range })
    }

    /// The first `count` examples, each twice over: a mean over examples does not notice.
    #[must_use]
    fn doubled(self, count: usize) -> Self {
        let examples = self.examples();
        self.map(&mut Double { examples, count })
    }
}

struct FirstAxis(Option<usize>);

impl TensorMapper for FirstAxis {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        self.0 = self.0.or_else(|| tensor.dims().first().copied());
        tensor
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        self.0 = self.0.or_else(|| tensor.dims().first().copied());
        tensor
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        self.0 = self.0.or_else(|| tensor.dims().first().copied());
        tensor
    }
}

/// Without the autodiff state a tensor may have: a checkpointing strategy would go along with it and
/// meet parameters that have another.
struct ToDevice<'d>(&'d Device);

impl TensorMapper for ToDevice<'_> {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.without_autodiff().to_device(self.0)
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        tensor.without_autodiff().to_device(self.0)
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        tensor.without_autodiff().to_device(self.0)
    }

    fn module<M: Module>(&mut self, module: M) -> M {
        module.valid().to_device(self.0)
    }
}

struct ToType(FloatDType);

impl TensorMapper for ToType {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.cast(self.0)
    }
}

/// Tensors whose first axis does not count the examples (class weights, say) stay as they are.
struct Double {
    examples: usize,
    count: usize,
}

impl Double {
    fn covers(&self, dims: &[usize]) -> bool {
        dims.first() == Some(&self.examples)
    }
}

impl TensorMapper for Double {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        if !self.covers(&tensor.dims()) {
            return tensor;
        }
        let part = tensor.slice_dim(0, 0..self.count);
        Tensor::cat(vec![part.clone(), part], 0)
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        if !self.covers(&tensor.dims()) {
            return tensor;
        }
        let part = tensor.slice_dim(0, 0..self.count);
        Tensor::cat(vec![part.clone(), part], 0)
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        if !self.covers(&tensor.dims()) {
            return tensor;
        }
        let part = tensor.slice_dim(0, 0..self.count);
        Tensor::cat(vec![part.clone(), part], 0)
    }
}

/// Tensors whose first axis does not count the examples stay as they are.
struct Narrow {
    examples: usize,
    range: Range<usize>,
}

impl Narrow {
    fn covers(&self, dims: &[usize]) -> bool {
        dims.first() == Some(&self.examples)
    }
}

impl TensorMapper for Narrow {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        if self.covers(&tensor.dims()) {
            tensor.slice_dim(0, self.range.clone())
        } else {
            tensor
        }
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        if self.covers(&tensor.dims()) {
            tensor.slice_dim(0, self.range.clone())
        } else {
            tensor
        }
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        if self.covers(&tensor.dims()) {
            tensor.slice_dim(0, self.range.clone())
        } else {
            tensor
        }
    }
}

impl<const D: usize> Batch for Tensor<D> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.float(self)
    }
}

impl<const D: usize> Batch for Tensor<D, Int> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.int(self)
    }
}

impl<const D: usize> Batch for Tensor<D, Bool> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        f.bool(self)
    }
}

impl<A: Batch, B: Batch> Batch for (A, B) {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        (self.0.map(f), self.1.map(f))
    }
}

impl<A: Batch, B: Batch, C: Batch> Batch for (A, B, C) {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        (self.0.map(f), self.1.map(f), self.2.map(f))
    }
}

impl<A: Batch, B: Batch, C: Batch, D: Batch> Batch for (A, B, C, D) {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        (self.0.map(f), self.1.map(f), self.2.map(f), self.3.map(f))
    }
}
