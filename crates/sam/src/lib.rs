//! Sharpness-aware minimisation over any Burn optimiser.
//!
//! Plain training descends along the gradient at the weights `w`. Sharpness-aware minimisation
//! descends along the gradient at a *peak* `w + e` close by, where the loss is higher:
//!
//! ```text
//! e = ρ T² g / ‖T g‖,    w ← w − optimiser(∇L(w + e))
//! ```
//!
//! with g the gradient at `w`, the norm taken over all parameters together, and T a diagonal scale.
//! The optimiser is any of Burn's. It sees only the weights `w` and a gradient, so that weight
//! decay and momentum are evaluated at `w`, where they belong.
//!
//! | method | what differs | gradients a step |
//! | --- | --- | --- |
//! | [`Sam`] | `T = 1` | 2 |
//! | [`Asam`] | T = the sizes of the weights | 2 |
//! | [`Gsam`] | descends without raising the loss's gap to the peak | 2 |
//! | [`LookSam`] | looks for the peak in every k-th step | `1 + 1/k` |
//! | [`Esam`] | some of the weights, some of the examples | `1 + γ` backward, `2 + γ` forward |
//! | [`FriendlySam`] | climbs along what is particular to the batch | 2 |
//! | [`MicroBatchSam`] | a peak for each micro-batch | 2 |
//!
//! Each has a configuration of its own with the settings that all share: a [`RhoSchedule`], the
//! [`Perturbed`] parameters, several ascent steps, [`BatchNormStatistics`], equal dropout masks.
//! What a training loop calls is one type, [`SharpnessAware`]. [`MethodConfig`] is any of the
//! configurations, read from a file. A method of one's own is a [`Rule`].
//!
//! On Burn's CPU backend `flex` enable the feature `flex`. It has the passes over the parameters in
//! plain loops: the backend's own operations cost a microsecond each, a tenth of a step of a small
//! network in all.
//!
//! The peak keeps the parameters' identifiers, and Burn's gradients are keyed by them: a gradient
//! taken at the peak is applied at w directly, with no copy to restore.
//!
//! ```
//! use burn::module::{Module, Param};
//! use burn::optim::SgdConfig;
//! use burn::tensor::{Device, Tensor};
//! use sam::SamConfig;
//!
//! #[derive(Module, Debug)]
//! struct Point {
//!     w: Param<Tensor<1>>,
//! }
//!
//! let device = Device::flex().autodiff();
//! let model = Point { w: Param::from_data([3.0, 4.0], &device) };
//! let mut sam = SamConfig::new().with_rho(0.5).init()?;
//! let mut optim = SgdConfig::new().init();
//!
//! // L(w) = ½ ‖w‖² has the gradient w, so the peak of w is 1.1 w and a step goes to 0.89 w.
//! let loss = |point: &Point| point.w.val().square().sum() / 2.0;
//! let step = sam.step(&mut optim, 0.1, model, loss)?;
//!
//! let w: Vec<f32> = step.model.w.val().try_into_vec_as()?;
//! assert!((w[0] - 0.89 * 3.0).abs() < 1e-6 && (w[1] - 0.89 * 4.0).abs() < 1e-6);
//! let peak = step.measured.peak.expect("SAM looks for a peak in every step");
//! assert!((step.measured.loss - 12.5).abs() < 1e-5 && (peak.loss - 15.125).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Loops
//! - [`SharpnessAware::step`] takes the place of `optim.step`, and gives back what the closure
//!   computed beside the loss at the weights. [`step_examples`](SharpnessAware::step_examples) is
//!   for methods that select or group examples.
//! - [`SharpnessAware::ascend`] and [`descend`](SharpnessAware::descend) are the two halves, for a
//!   loop that keeps its own shape: gradients that are accumulated, say.
//! - [`SharpnessAware::gradient`] steps nothing: for optimisers that ask for gradients themselves.
//! - `WithSam` (feature `train`) is a model with a method, for burn-train's learner: the model's
//!   own step knows nothing of it.
//! - [`InLearner`] is a part of a model, for `TrainStep::step` of one's own.
//! - [`SharpnessAware::save`] and [`load`](SharpnessAware::load) keep what a method remembers,
//!   beside the records of model and optimiser.
//!
//! # Five things to know
//! - **The closure.** Every weight that is trained has to come from its argument: a model from
//!   outside has the same weights in both passes and never sees the peak. That is an error, as is a
//!   loss without a way back to the weights and a [`Perturbed`] that chooses nothing. Burn panics
//!   where a part of the loss was computed before the closure and its graph has been used; the
//!   panic is caught and becomes an error, but the process's panic hook prints it, and with `panic
//!   = "abort"` it ends the process.
//! - **Tied weights.** A `Param` or a layer that is cloned into another field is one parameter: it
//!   counts once and moves as one. Burn's optimisers step its first place alone;
//!   [`step`](SharpnessAware::step) keeps all places equal, and so does [`tie`] around an
//!   optimiser's step elsewhere. Places that differ are an error with both paths.
//! - **Clipping.** One factor on the whole gradient changes nothing about the ascent, which is
//!   normalised. Burn's clipping works tensor by tensor, inside the optimiser, and so acts on the
//!   gradient at the peak only.
//! - **Noise.** Dropout draws again in the second pass: the two gradients belong to two masks,
//!   unless [`same_masks`](SamConfig::same_masks) is set.
//! - **Optimisers.** Muon orthogonalises the momentum of whatever gradient it is given, here that
//!   at the peak; ρ stays in units of the weights. LBFGS asks for gradients through a closure, so
//!   that each point it tries has a peak of its own.
//!
//! # References
//! Foret, Kleiner, Mobahi, Neyshabur 2021, "Sharpness-aware minimization for efficiently improving
//! generalization"; Kwon, Kim, Park, Choi 2021, "ASAM: adaptive sharpness-aware minimization for
//! scale-invariant learning of deep neural networks"; those of the other methods stand with them.

mod ascent;
mod error;
mod gradient;
mod kernel;
mod learner;
mod method;
mod module;
mod random;
mod rule;
mod state;
mod step;

pub use ascent::{Ascent, Perturbed, RhoSchedule};
pub use error::{Error, Pass};
pub use gradient::{Carried, Scale};
#[cfg(feature = "train")]
pub use learner::WithSam;
pub use learner::{InLearner, LearnerDescent};
pub use method::{
    AnyMethod, AnyRule, Asam, AsamConfig, Esam, EsamConfig, EsamRule, FriendlySam,
    FriendlySamConfig, FriendlySamRule, Gsam, GsamConfig, GsamRule, LookSam, LookSamConfig,
    LookSamRule, MethodConfig, MicroBatchSam, MicroBatchSamConfig, MicroBatchSamRule, Sam,
    SamConfig, SamRule, SharpnessAware,
};
pub use module::{BatchNormStatistics, tie};
pub use rule::{Angle, BatchUse, Direction, Pair, Rule, StepContext};
pub use state::{State, StateRecord};
pub use step::{Cost, Descent, Measures, Peak, Rejected, Rows, Step, StepLoss};
