//! Critical points: what kind of point a model stands at, and the way down from a saddle.
//!
//! A point is critical where the gradient vanishes; the signs of the Hessian's eigenvalues say what
//! kind it is. [`critical_point`] measures both and gives a verdict with its evidence:
//!
//! | kind | evidence |
//! |---|---|
//! | [`LocalMinimum`](CriticalKind::LocalMinimum) | every eigenvalue is positive |
//! | [`LocalMaximum`](CriticalKind::LocalMaximum) | every eigenvalue is negative |
//! | [`Saddle`](CriticalKind::Saddle) | eigenvalues of both signs, zeros or not |
//! | [`Degenerate`](CriticalKind::Degenerate) | no two signs, and some eigenvalue is zero: second derivatives do not decide |
//! | [`NotCritical`](CriticalKind::NotCritical) | the gradient is not small |
//! | [`Undecided`](CriticalKind::Undecided) | the evidence does not reach |
//!
//! # When a gradient is small
//!
//! A norm alone says nothing: it changes with the scale of the loss. To first order a point with
//! gradient g is at least `‖g‖ / ‖H‖` away from a critical one, H the Hessian and `‖H‖` its largest
//! `|λ|`. The gradient counts as small where that is at most a share of the length of the weights,
//!
//! ```text
//! ‖g‖ ≤ gradient_tolerance · ‖H‖ · (1 + ‖θ‖)
//! ```
//!
//! which does not change when the loss is multiplied by a number. Beside it stands what a step of
//! Newton's method in `|H|` would gain, `½ gᵀ|H|⁻¹g`, in units of the loss
//! ([`GradientSize::newton_decrease`]).
//!
//! # When an eigenvalue is zero
//!
//! Eigenvalues up to `zero_tolerance · ‖H‖` in magnitude count as zero, and always those that are
//! not told from zero by the products: f32 rounds to about `√P · 6e-8 · ‖H‖`.
//!
//! # Counting negative eigenvalues
//!
//! Up to [`CriticalConfig::dense_limit`] coordinates every eigenvalue is computed, and the index is
//! exact. Above, the index comes as a certified lower bound and an estimate:
//! [`SaddleIndex`] says how.

mod classify;
mod config;
mod escape;
mod evidence;
mod index;
mod point;
mod search;

pub use classify::{classify, critical_point, critical_point_of};
pub use config::{CriticalConfig, EscapeConfig};
pub use escape::{Escape, EscapeStep, follow_escape};
pub use index::{Inertia, SaddleIndex};
pub use point::{Condition, CriticalKind, CriticalPoint, Eigenvalue, GradientSize};
pub use search::{CriticalSearch, SearchConfig, find_critical_point};
