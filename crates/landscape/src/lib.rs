//! Geometry and curvature of the loss of any Burn module.
//!
//! Give it a model, batches and a loss closure; nothing of the model has to be changed:
//!
//! - [`Risk`] is the mean loss over data, with its value and its gradient;
//! - [`ParameterSpace`] says which entries of which tensors are the coordinates of theta;
//! - [`Hessian`] is the curvature as a [`LinearOperator`], and [`spectrum`] finds its eigenvalues,
//!   its trace and its spectral density, each with its error; [`GaussNewton`] and [`Fisher`] are
//!   operators too, and [`Objective::example_gradients`] has the gradients of single examples;
//! - [`curvature::exact_trace`] and [`curvature::exact_diagonal`] need no probe where the outputs are
//!   affine in a parameter, and say where that is;
//! - [`direction`] makes directions, [`slice`](mod@slice) evaluates the loss on lines and planes;
//! - [`sharpness`] measures how the loss rises around the model.
//!
//! This crate performs no I/O and reads no clock. Random numbers are drawn on the host from
//! explicit seeds; the device's generator is never touched. Measuring goes through copies of the
//! model and never changes it.
//!
//! # What a process keeps
//!
//! One set of worker threads, shared by everything that is measured and started at the first use,
//! as many as rayon takes (`RAYON_NUM_THREADS`) or [`ProductConfig`] says; and the devices on which
//! losses were recorded, which Burn never gives back and which are used again. No result depends on
//! either. The panic hook stays the program's: a closure that cannot be recorded may panic inside
//! Burn, which is caught, and a hook that is not to show it asks [`in_trial`].

pub mod curvature;
pub mod direction;
pub mod operator;
pub mod sharpness;
pub mod slice;
pub mod spectrum;

mod batch;
mod error;
mod parameters;
mod risk;
mod vector;

pub use derivatives::{Statistics, in_trial};

pub use batch::{Batch, Fixed, Stated, TensorMapper};
pub use curvature::{
    DifferenceConfig, DifferenceStep, Fisher, GaussNewton, Hessian, Method, Precision,
    ProductConfig,
};
pub use direction::{filter_normalize, normalize, random_direction, random_directions};
pub use error::Error;
pub use operator::LinearOperator;
pub use parameters::{Block, ParameterSpace, cast, snapshot};
pub use risk::{
    Batches, ExampleGradients, ExampleStatistics, ModelOutputs, Objective, Reduction, Risk,
};
pub use slice::{Grid, Line, Surface, line, plane};
pub use spectrum::{
    DensityConfig, LanczosConfig, TraceConfig, hutchinson_trace, spectral_density, top_eigenpairs,
};
pub use vector::{Domain, download, norm};
