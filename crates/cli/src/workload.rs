//! A workload: a model, its loss and its data, to which the program gives all of its commands.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use landscape::{Batch, TensorMapper};

/// Examples of a batch of which a checksum is computed at once.
const SUMMED_AT_ONCE: usize = 1024;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Trained on; curvature and landscape are those of a fixed sample of it.
    Training,
    /// Looked at while training.
    Validation,
    /// Looked at once, after the last step.
    Test,
}

impl Part {
    /// All parts, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// Returns the name of the part in tables, documents and tags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A model, its loss and its data.
///
/// [`main`](crate::main) makes a program of it: `train`, `run`, `list`, `compare`, `measure`,
/// `spectrum`, `sharpness`, `critical`, `surface`, `line`, `connect`, `trajectory`, checkpoints and
/// all else that the program `landscape` has.
/// Only what makes and measures a batch is said here; the optimiser, the learning rate, a
/// sharpness-aware method, the epochs and the probes are settings.
///
/// A batch is anything that implements [`landscape::Batch`]: a tensor, a tuple of tensors, or a
/// struct of one's own.
///
/// # Examples
/// A plane through noiseless points; the crate's page has a whole program.
/// ```no_run
/// use burn::nn::loss::{MseLoss, Reduction};
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use cli::{Part, Workload};
///
/// struct Plane;
///
/// impl Workload for Plane {
///     type Model = Linear;
///     type Batch = (Tensor<2>, Tensor<2>);
///
///     fn model(&self, _seed: u64, device: &Device) -> Linear {
///         LinearConfig::new(2, 1).init(device)
///     }
///
///     fn examples(&self, part: Part) -> usize {
///         if part == Part::Training { 64 } else { 16 }
///     }
///
///     fn batch(&self, _part: Part, indices: &[usize], device: &Device) -> Self::Batch {
///         let point = |&i: &usize| [i as f32 / 64.0, (i % 7) as f32 / 7.0];
///         let points: Vec<[f32; 2]> = indices.iter().map(point).collect();
///         let x = Tensor::<1>::from_data(points.as_flattened(), device);
///         let x: Tensor<2> = x.reshape([-1, 2]);
///         (x.clone(), x.sum_dim(1))
///     }
///
///     fn loss(&self, model: &Linear, (x, y): &Self::Batch) -> Tensor<1> {
///         MseLoss::new().forward(model.forward(x.clone()), y.clone(), Reduction::Mean)
///     }
/// }
/// ```
pub trait Workload: Send + Sync + 'static {
    /// The network.
    type Model: Module + 'static;
    /// Some examples with what is known of them.
    type Batch: Batch + Send + Sync + 'static;

    /// Returns the name of the workload, in small letters, under which its runs are known: that of
    /// the type, if nothing else is said. A run goes on only under the name it was begun with.
    fn name(&self) -> String {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path).to_lowercase()
    }

    /// Returns the network with its initial weights on `device`.
    ///
    /// The random numbers of the device have been seeded with `seed`, so that Burn's initialisers
    /// need nothing more; `seed` is for those who draw on the host.
    fn model(&self, seed: u64, device: &Device) -> Self::Model;

    /// Returns the number of examples of a part, at least one.
    fn examples(&self, part: Part) -> usize;

    /// Returns the examples with these indices, each below [`examples`](Self::examples), on
    /// `device`.
    ///
    /// The same indices give the same examples, whenever they are asked for: that makes a run
    /// resumable. Data that have to be read are read before the program begins.
    fn batch(&self, part: Part, indices: &[usize], device: &Device) -> Self::Batch;

    /// Returns the mean loss over a batch, shape `[1]`.
    ///
    /// A sum is an error: it would count a ragged last batch for less than it is.
    fn loss(&self, model: &Self::Model, batch: &Self::Batch) -> Tensor<1>;

    /// Returns the losses of the examples of a batch, shape `[B]`, whose mean is
    /// [`loss`](Self::loss).
    ///
    /// The methods `esam` and `m-sam`, which tell examples apart, need it; the others do not. It is
    /// there for every batch or for none.
    fn losses(&self, model: &Self::Model, batch: &Self::Batch) -> Option<Tensor<1>> {
        let _ = (model, batch);
        None
    }

    /// Returns the outputs of the model for a batch, shape `[B, n]`, of which
    /// [`loss_of_outputs`](Self::loss_of_outputs) makes the loss.
    ///
    /// The Gauss-Newton and the Fisher matrix need both; nothing else does. They are there for
    /// every batch or for none.
    fn outputs(&self, model: &Self::Model, batch: &Self::Batch) -> Option<Tensor<2>> {
        let _ = (model, batch);
        None
    }

    /// Returns the mean loss of [`outputs`](Self::outputs), shape `[1]`, which is
    /// [`loss`](Self::loss).
    fn loss_of_outputs(&self, outputs: Tensor<2>, batch: &Self::Batch) -> Option<Tensor<1>> {
        let _ = (outputs, batch);
        None
    }

    /// Returns which examples of a batch the model classifies right, shape `[B]`.
    ///
    /// Without it, as for a regression, no accuracy is in tables, files and tags. It is there for
    /// every batch or for none.
    fn correct(&self, model: &Self::Model, batch: &Self::Batch) -> Option<Tensor<1, Bool>> {
        let _ = (model, batch);
        None
    }

    /// Returns a checksum of the examples of a part: CRC-32C of all their tensors.
    ///
    /// A run that goes on, and runs that are compared, must have the same ones. Where reading all
    /// data takes long, a checksum of the files serves as well.
    fn checksum(&self, part: Part, device: &Device) -> u32 {
        let indices: Vec<usize> = (0..self.examples(part)).collect();
        let mut checksum = Checksum(0);
        for some in indices.chunks(SUMMED_AT_ONCE) {
            let _ = self.batch(part, some, device).map(&mut checksum);
        }
        checksum.0
    }
}

/// CRC-32C of the bytes of the tensors of batches.
struct Checksum(u32);

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        self.0 = crc32c::crc32c_append(self.0, bytes);
    }
}

impl TensorMapper for Checksum {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        self.add(tensor.to_data().as_bytes());
        tensor
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        self.add(tensor.to_data().as_bytes());
        tensor
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        self.add(tensor.to_data().as_bytes());
        tensor
    }
}
