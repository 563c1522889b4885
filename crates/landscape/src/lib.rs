//! Geometry and curvature of the loss of any Burn module.
//!
//! Give it a model, batches and a loss closure; nothing of the model has to be changed:
//!
//! - [`Risk`] is the mean loss over data, with its value and its gradient;
//! - [`ParameterSpace`] says which entries of which tensors are the coordinates of theta;
//! - [`Hessian`] is the curvature as a [`LinearOperator`], and [`spectrum`] finds its eigenvalues,
//!   its trace and its spectral density, each with its error; [`GaussNewton`] and [`Fisher`] are
//!   operators too, and [`Objective::example_gradients`] has the gradients of single examples;
//! - [`per_example`] tells the gradient from its noise: noise scale, signal-to-noise ratios, tests
//!   of the batch size;
//! - [`curvature::exact_trace`] and [`curvature::exact_diagonal`] need no probe where the outputs
//!   are affine in a parameter, and say where that is;
//! - [`direction`] makes directions, [`slice`](mod@slice) evaluates the loss on lines and planes;
//! - [`trajectory`] finds the plane in which a training moved, and how straight its path was;
//! - [`sharpness`] measures how the loss rises around the model;
//! - [`connectivity`] trains curves between models and measures the barrier on them;
//! - [`alignment`] finds the hidden units that may be renumbered, and renumbers those of one model
//!   so that it is near another;
//! - [`critical`] says whether the model stands at a minimum or at a saddle, [`stability`] whether
//!   an optimiser's steps are too long for the curvature.
//!
//! # Notation
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `θ`, P | the parameters that are trained, as one vector `[P]`; their number | [`ParameterSpace`] |
//! | `L(θ) = 1/N Σₙ ℓₙ(θ)` | the mean loss over N examples | [`Risk`] |
//! | f, C | the model's outputs for one example; their number | [`Risk::of`] |
//! | `g = ∇L`, `gₙ = ∇ℓₙ` | gradients, of the mean and of one example | [`Risk::gradient`], [`Objective`] |
//! | `H = ∇²L` | the Hessian | [`Hessian`] |
//! | `G = 1/N Σₙ Jₙᵀ Hₙ Jₙ` | the generalised Gauss-Newton matrix; `Jₙ = ∂fₙ/∂θ`, `Hₙ` the Hessian of `ℓₙ` in `fₙ` | [`GaussNewton`] |
//! | `F = 1/N Σₙ gₙ gₙᵀ` | the empirical Fisher matrix | [`Fisher`] |
//! | `λ₁ ≥ .. ≥ λ_P` | eigenvalues; `λ₁` is called sharpness too | [`spectrum`] |
//! | `tr A`, `‖A‖²_F` | trace, sum of squared entries | [`spectrum`], [`curvature`] |
//! | `θ(t)`, t | a point of a curve between two models; its place, 0 to 1 | [`connectivity`] |
//! | d, a | a direction `[P]`; a coordinate along it, in multiples of d | [`direction`], [`slice`](mod@slice) |
//! | e, `ρ`, `σ` | a perturbation of `θ`; its radius; its standard deviation | [`sharpness`] |
//! | `η`, `β` | learning rate, momentum | [`stability`] |
//! | p | an optimiser's preconditioner `[P]`, one number for each coordinate | [`stability`] |
//!
//! # How to choose
//!
//! | question | call | cost |
//! |---|---|---|
//! | How sharp is the minimum? | [`top_eigenpairs`] for `λ₁`; [`sharpness`] for balls, averages and SAM | some tens of products |
//! | .. and in numbers that rescaling ReLU layers does not change? | [`sharpness`] with an adaptive ball, `η = 0` | some tens of gradients |
//! | How much curvature in all, and in which layer? | [`curvature::exact_trace`] where it is exact, else [`hutchinson_trace`] or [`spectrum::xtrace`] | C gradients; products by the error wanted |
//! | Where do the eigenvalues lie? | [`spectral_density`]; [`spectrum::dense_spectrum`] for P up to a few thousand | starts times steps; P products |
//! | How noisy is the gradient, and what batch size does that suggest? | [`per_example::statistics`] | 10 gradients and more |
//! | Is this a minimum or a saddle, and how does one leave it? | [`critical`] | some tens of products |
//! | Is the step too long for this curvature? | [`stability`] | that of `λ₁` |
//! | What does the loss look like around here? | [`line()`], [`plane()`] | a forward pass a point |
//! | .. and the accuracy, on several splits, with few evaluations? | [`slice::Slice`], [`slice::refine`] | a forward pass a point |
//! | Which way did the training go? | [`trajectory`] | loads of checkpoints |
//! | Is there a way between two minima? | [`connectivity`] | a gradient a step, a forward pass a point |
//! | Which units are dead or saturated? | [`activations`](mod@activations) | a forward pass |
//! | What do the weights say without data? | [`weights`](mod@weights) | no data |
//! | Which hidden units may be renumbered, and is the barrier between two models one of numbering? | [`alignment`] | two forward passes for each layer |
//!
//! A product costs about a gradient where what it needs of the point is kept, two where it is not;
//! a gradient about three forward passes.
//!
//! # Invariants
//!
//! - Measuring changes nothing: not the weights, not the running statistics, not a random stream.
//! - Nothing under [`spectrum`] knows a module or data: an algorithm sees a dimension and products.
//! - A number is exact up to rounding, or carries its error: a residual, a standard error, a bound.
//!   Not converging is data, a flag that is false. A number that may be wrong is an error or is
//!   marked.
//! - The coordinates are the parameters that require a gradient, in the order in which Burn visits
//!   them; a parameter in several places counts once.
//! - A batch counts for its examples, a ragged last one for what it has.
//! - Random numbers are drawn on the host from explicit seeds, the same on every device.
//! - This crate performs no I/O, reads no clock and has no state of its own but what follows.
//!
//! # What a process keeps
//!
//! One set of worker threads, shared by everything that is measured and started at the first use,
//! as many as rayon takes (`RAYON_NUM_THREADS`) or [`ProductConfig`] says; and the devices on which
//! losses were recorded, which Burn never gives back and which are used again. No result depends on
//! either. The panic hook stays the program's: a closure that cannot be recorded may panic inside
//! Burn, which is caught, and a hook that is not to show it asks [`in_trial`].

pub mod activations;
pub mod alignment;
pub mod connectivity;
pub mod critical;
pub mod curvature;
pub mod direction;
pub mod operator;
pub mod per_example;
pub mod sharpness;
pub mod slice;
pub mod spectrum;
pub mod stability;
pub mod test_functions;
pub mod trajectory;
pub mod weights;

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
    BatchNormGap, Batches, Devices, ExampleGradients, ExampleStatistics, LostDevice, ModelOutputs,
    Objective, Reduction, Risk, normalises_by_batch,
};
pub use slice::{Grid, Line, Surface, line, plane};
pub use spectrum::{
    DensityConfig, HutchPlusPlusConfig, LanczosConfig, TraceConfig, XTraceConfig, hutch_plus_plus,
    hutchinson_trace, spectral_density, top_eigenpairs, xtrace,
};
pub use vector::{Domain, Downloads, download, norm};
