//! Stability of an optimiser's steps: how sharp a minimum may be for the steps to stay there.
//!
//! On a quadratic loss with Hessian H a step is a linear map, and it is stable while the largest
//! eigenvalue is below a threshold that the optimiser's settings give ([`Optimiser::threshold`]):
//!
//! | optimiser | threshold | of the largest eigenvalue of |
//! |---|---|---|
//! | gradient descent | `2 / η` | H |
//! | heavy ball `β`, dampening `τ` | `2 (1 + β) / ((1 − τ) η)` | H |
//! | Nesterov `β`, dampening `τ` | `2 (1 + β) / ((1 + 2β − βτ) η)` | H |
//! | SAM with radius `ρ` over one of threshold T | `‖g‖ / (2ρ) · (√(1 + 4ρT / ‖g‖) − 1)` | H |
//! | Adam | `2 (1 + β₁) / ((1 − β₁) η)` | `P^(−1/2) H P^(−1/2)` |
//! | AdamW with decay w | `(2 − η w) (1 + β₁) / ((1 − β₁) η)` | `P^(−1/2) H P^(−1/2)` |
//! | RMSprop with momentum `β` | `2 (1 + β) / η` | `P^(−1/2) H P^(−1/2)` |
//!
//! `η` is the learning rate and `P = diag(p)` the [`Preconditioner`], from the optimiser's own
//! second moments. An L2 penalty w that is added to the gradient makes `H + w I` of H.
//!
//! [`OptimiserSettings`] reads all of this from a configuration of Burn's, and [`stability`]
//! measures the largest eigenvalue beside the threshold. The ratio of both hovers near 1 at the
//! edge of stability.
//!
//! # References
//! Cohen et al. (2021), *Gradient Descent on Neural Networks Typically Occurs at the Edge of
//! Stability*; Cohen et al. (2022), *Adaptive Gradient Methods at the Edge of Stability*, for Adam
//! and RMSprop; Long and Bartlett (2024), *Sharpness-Aware Minimization and the Edge of
//! Stability*.

mod measure;
mod optimiser;
mod preconditioner;
mod read;
mod record;
mod settings;

pub use measure::{Stability, stability, stability_of};
pub use optimiser::Optimiser;
pub use preconditioner::Preconditioner;
pub use settings::{Moments, OptimiserSettings};
