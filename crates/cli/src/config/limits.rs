//! The largest values that a training may ask for. Beyond these, memory or patience would end
//! before the work does.

/// Epochs.
pub(crate) const EPOCHS: u32 = 1_000_000;
/// Seeds of one training.
pub(crate) const SEEDS: u32 = 1000;
/// Units of a layer.
pub(crate) const WIDTH: u32 = 65_536;
/// Hidden layers.
pub(crate) const LAYERS: usize = 1000;
/// Further convolutions.
pub(crate) const CONVOLUTIONS: u32 = 1000;
/// Trained parameters: an eigenvalue's basis has 100 vectors of so many numbers.
pub(crate) const PARAMETERS: u64 = 10_000_000;
/// Eigenvalues: as many as the method takes steps.
pub(crate) const EIGENVALUES: u32 = 100;
/// Start vectors of a spectral density.
pub(crate) const DENSITY_STARTS: u32 = 1000;
/// Lanczos steps from a start vector, each of which keeps a vector of all parameters.
pub(crate) const LANCZOS_STEPS: u32 = 1000;
/// Random points, gradients and displacements of a measure of sharpness.
pub(crate) const DIRECTIONS: u32 = 100_000;
/// Parameters of which the whole Hessian is made: 8 P² bytes, and some P³ operations.
pub(crate) const DENSE: u32 = 4096;
/// Points along a side of a surface.
pub(crate) const GRID: u32 = 2000;
/// Bends of a path between two models, each of which is as large as a model.
pub(crate) const BENDS: u32 = 100;
/// Observations of one probe.
pub(crate) const OBSERVATIONS: u64 = 1_000_000;
/// Classes of a data set, whose labels are bytes.
pub(crate) const CLASSES: u32 = 256;
/// Steps of a test of the learning rate.
pub(crate) const RATE_STEPS: u32 = 100_000;
/// Orders of the batches of a test of the learning rate.
pub(crate) const RATE_ORDERS: u32 = 100;
