//! Bundled real data as Burn datasets: UCI digits, a subset of MNIST, and MNIST from a folder.
//!
//! [`Digits`] and [`MnistSubset`] are compiled into the program, so an example or a test runs from
//! any folder and without a network; their files are checked against a SHA-256 before they are
//! used. [`Mnist::from_folder`] reads the published idx files. All of them end in a [`Split`] of
//! three [`ImageDataset`]s, which a Burn data loader takes as they are (with an [`ImageBatcher`]),
//! and which a hand-written loop cuts with [`epoch_order`], [`batch`] and [`batches`].
//! [`fixed_sample`] draws the examples on which the program `landscape` measures curvature.
//!
//! Every random choice is a pure function of a seed: the order of an epoch depends on the seed, the
//! epoch and the number of examples, and on nothing that happened before. A run that is resumed at
//! epoch 7 sees the batches that an uninterrupted run would have seen.
//!
//! ```
//! use datasets::{Digits, SplitConfig};
//! let split = Digits::load()?.split(&SplitConfig::new())?;
//! assert_eq!(
//!     [split.train.len(), split.validation.len(), split.test.len()],
//!     [1079, 359, 359]
//! );
//! # Ok::<(), datasets::Error>(())
//! ```

mod batch;
mod bundled;
mod digits;
mod error;
mod idx;
mod image;
mod mnist;
mod order;
mod split;

pub use batch::{ImageBatch, ImageBatcher, batch, batches};
pub use digits::Digits;
pub use error::Error;
pub use image::{Image, ImageDataset};
pub use mnist::{Mnist, MnistSubset};
pub use order::{epoch_order, fixed_sample};
pub use split::{Split, SplitConfig};
