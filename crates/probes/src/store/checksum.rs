//! Checksums of models, directions and data: CRC-32C of their bytes, little-endian.
//!
//! They tell one thing from another, not an attacker's from an honest one: two different things
//! have the same checksum with probability 2⁻³².

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor, TensorData};
use landscape::{Batch, TensorMapper, download};

/// Returns CRC-32C of the bytes of all parameters and buffers in visit order, statistics of the
/// last batch included.
///
/// # Examples
/// ```
/// use burn::{nn::LinearConfig, tensor::Device};
/// use probes::store::checksum;
///
/// let layer = || LinearConfig::new(2, 3).init(&Device::flex());
/// let (one, other) = (layer(), layer());
/// assert_eq!(checksum::of_model(&one), checksum::of_model(&one));
/// assert_ne!(checksum::of_model(&one), checksum::of_model(&other));
/// ```
pub fn of_model<M: Module>(model: &M) -> u32 {
    let mut checksum = Checksum(0);
    model.valid().visit(&mut checksum);
    checksum.0
}

/// Returns CRC-32C of the entries of vectors as 64-bit floats, one vector after the other.
#[must_use]
pub fn of_directions(directions: &[&Tensor<1>]) -> u32 {
    let entries = directions.iter().flat_map(|direction| download(direction));
    entries.fold(0, |checksum, entry| {
        crc32c::crc32c_append(checksum, &entry.to_bits().to_le_bytes())
    })
}

/// Returns CRC-32C of the shapes and bytes of all tensors of all batches, in their order.
pub fn of_batches<B: Batch>(batches: &[B]) -> u32 {
    let mut checksum = Checksum(0);
    for batch in batches {
        let _ = batch.clone().map(&mut checksum);
    }
    checksum.0
}

/// Returns one checksum of several, for example of the models that span a plane.
///
/// # Examples
/// ```
/// use probes::store::checksum::joined;
/// assert_ne!(joined(&[1, 2]), joined(&[2, 1]));
/// ```
#[must_use]
pub fn joined(checksums: &[u32]) -> u32 {
    checksums
        .iter()
        .fold(0, |all, one| crc32c::crc32c_append(all, &one.to_le_bytes()))
}

struct Checksum(u32);

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }

    /// Adds a tensor of a batch. The same numbers in another shape are other data.
    fn add_shaped(&mut self, data: &TensorData) {
        for &side in data.shape().iter() {
            self.add(&(side as u64).to_le_bytes());
        }
        self.add(data.as_bytes());
    }
}

impl ModuleVisitor for Checksum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(param.val().into_data().as_bytes());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(param.val().into_data().as_bytes());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(param.val().into_data().as_bytes());
    }
}

impl TensorMapper for Checksum {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        self.add_shaped(&tensor.to_data());
        tensor
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        self.add_shaped(&tensor.to_data());
        tensor
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        self.add_shaped(&tensor.to_data());
        tensor
    }

    fn module<M: Module>(&mut self, module: M) -> M {
        self.add(&of_model(&module).to_le_bytes());
        module
    }
}
