//! Small reference networks for Burn: [`Mlp`], [`Cnn`] and [`ResidualMlp`].
//!
//! They exist so that examples, tests and the command line have something real to measure: each
//! classifies images, is small enough for exact curvature, and covers a kind of layer that
//! measuring treats specially (biases, convolutions, batch statistics, skip connections).
//!
//! Every configuration is made in two ways, and one that describes no network is an [`Error`].
//! `init` takes Burn's initialiser, which draws from the generator of the device when a weight is
//! first used. `init_seeded` draws the same distribution on the host from a seed: the same weights
//! on every device, whatever was drawn before. [`he_normal`] draws He's weights, of any scale, for
//! any module of linear layers and convolutions, and [`xavier_normal`] Glorot's; [`scale_weights`],
//! [`fill_biases`] and [`rescale_layers`] change those that are there. [`load_pytorch_safetensors`]
//! fills any Burn module with weights that PyTorch wrote.
//!
//! ```
//! use burn::tensor::{DType, Device, Tensor};
//! use models::{Activation, MlpConfig};
//!
//! let device = Device::flex();
//! let config = MlpConfig::new(vec![64, 32, 10]).with_activation(Activation::Tanh);
//! let model = config.init_seeded(7, &device)?;
//! assert_eq!(
//!     model
//!         .forward(Tensor::<4>::zeros([5, 1, 8, 8], &device))
//!         .dims(),
//!     [5, 10]
//! );
//!
//! let precise = config.init_seeded(7, (&device, DType::F64))?;
//! let logits = precise.forward(Tensor::<4>::zeros([5, 1, 8, 8], (&device, DType::F64)));
//! assert_eq!(logits.dtype(), DType::F64);
//! # Ok::<(), models::Error>(())
//! ```

mod activation;
mod alter;
mod classifier;
mod cnn;
mod error;
mod he;
mod initialise;
mod mlp;
mod pytorch;
mod residual;

pub use activation::Activation;
pub use alter::{fill_biases, rescale_layers, scale_weights};
pub use classifier::Classifier;
pub use cnn::{Cnn, CnnConfig, ConvLayer};
pub use error::{Error, Mismatch};
pub use he::{he_normal, xavier_normal};
pub use mlp::{Mlp, MlpConfig};
pub use pytorch::{PytorchWeights, load_pytorch_safetensors};
pub use residual::{ResidualBlock, ResidualMlp, ResidualMlpConfig};
