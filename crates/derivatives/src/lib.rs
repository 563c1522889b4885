//! Exact first and second derivatives of a Burn loss.
//!
//! Burn differentiates once. This crate records a loss as a graph, writes it as a small program of
//! its own and transforms programs: derivative in, derivative out. The model is not touched and
//! nothing is written twice.
//!
//! [`Capture`] records a loss; [`CapturedLoss`] has its value, gradient, Hessian, Gauss-Newton and
//! Fisher products, and the gradients of single examples; [`CapturedLoss::linearize`] keeps what
//! several products at one point share, and [`CapturedLoss::on_plane`] what the values at many
//! points of a line or a plane share; [`Workers`] spreads the products of many batches over the
//! cores.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Tensor};
//! use derivatives::{Capture, Workers};
//!
//! let device = Device::flex();
//! let model = LinearConfig::new(2, 1).init(&device);
//! let batches = [1.0, 2.0].map(|x| Tensor::<2>::full([4, 2], x, &device));
//! let mut products = Vec::new();
//! for batch in &batches {
//!     let loss = Capture::of(&model).outputs_and_loss(
//!         |model: &Linear, device| model.forward(batch.clone().to_device(device)),
//!         |outputs, _| outputs.square().mean(),
//!     )?;
//!     products.push(loss.linearize(&loss.origin())?);
//! }
//! // H v for both batches; the last entry belongs to the bias, on which H is 2
//! let v = Tensor::<1>::from_floats([0.0, 0.0, 1.0], &device);
//! for product in Workers::default().map(&products, |loss| loss.hessian_vector(&v)) {
//!     let bias: f32 = product?.slice_dim(0, 2..3).into_scalar();
//!     assert_eq!(bias, 2.0);
//! }
//! # Ok::<(), derivatives::Error>(())
//! ```
//!
//! # What a loss may contain
//!
//! Nearly every operation and all layers of Burn: the table below, which is made from the code. The
//! rest is an error that names the operation, the option and the module near which it was
//! recorded. At a kink the derivative is the one Burn takes. Dropout is off.
//!
//! # Devices
//!
//! A program runs on the device of the parameters. The table of operations and the golden networks
//! are tested in f64 on `flex` and `ndarray` and in f32 on `wgpu`, there with Mesa's software
//! driver for Vulkan. No other device has been tried. Tensors of `ndarray` have at most six axes:
//! where an operation needs as many, as a pixel shuffle does, [`CapturedLoss::gradients`] panics
//! there.
//!
//! # Speed
//!
//! On the CPU backend `flex` enable the feature `flex`, which has kernels of our own for what is
//! slow there, and cut the data into batches that fit the cache, each done by one of the
//! [`Workers`]: some 256 rows for dense layers, 8 to 16 images for convolutions
//! ([`CapturedLoss::largest_value`] tells). [`ProgramCache`] lets batches of one shape share what
//! was derived; [`Linearized::hessian_bytes`] tells what a batch would keep, and
//! [`CapturedLoss::keeping_nothing`] keeps nothing.
//!
//! # What a process keeps
//!
//! The threads of the [`Workers`], started at their first use, and the recording devices, which
//! Burn never gives back and which are used again. No result depends on either. The panic hook
//! stays the program's: a closure that cannot be recorded may panic inside Burn, which is caught,
//! and a hook that is not to show it asks [`in_trial`].
//!
//! # Inside
//!
//! In the order in which a loss travels: `capture` is the way in; `record` runs the closure on a
//! recording device; `lower` writes the recorded operations in primitives; `graph` holds them;
//! `primitive` has the rules of each, side by side with the mathematics; `transform` derives
//! programs from programs; `run` plans a program and runs it on a device; `symmetry` finds the
//! hidden units that may be permuted; `loss` is what users ask.
//!
//! `ADDING.md` beside this crate's manifest shows, step by step, how to add an operation.
//!
//! # References
//!
//! Pearlmutter 1994, "Fast exact multiplication by the Hessian"; Radul, Paszke, Frostig, Johnson,
//! Maclaurin 2023, "You Only Linearize Once"; Schraudolph 2002 for Gauss-Newton products.
#![doc = ""]
#![doc = include_str!("../COVERAGE.md")]

mod capture;
mod error;
mod graph;
mod input_gradient;
mod loss;
mod lower;
mod primitive;
mod record;
mod run;
mod symmetry;
mod transform;

pub use capture::{Capture, Statistics};
pub use error::Error;
pub use input_gradient::{allowing_input_gradients, input_gradient};
pub use loss::{
    CapturedLoss, CapturedLosses, Examples, Linearized, Nonlinearity, NonlinearityKind,
    NonlinearityValues, OutputCurvature, Plane, ProgramCache, SlopedPlane, Slopes,
};
pub use record::{Outputs, check_ids, in_trial, stop_gradient};
#[doc(hidden)]
pub use record::{attempt, burn_names};
pub use run::Workers;
pub use symmetry::{AxisStructure, AxisSymmetries};
