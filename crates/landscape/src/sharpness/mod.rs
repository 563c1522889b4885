//! Measures of how the loss rises around a model.
//!
//! | measure | definition | cost | invariant? |
//! |---|---|---|---|
//! | [`sam_sharpness`] | `L(θ + ρ g/‖g‖) − L(θ)` | 1 gradient, 1 pass | no |
//! | [`adaptive_sam_sharpness`] | `L(θ + ρ T²g/‖Tg‖) − L(θ)` | 1 gradient, 1 pass | by T |
//! | [`sam_peak`] | the same in any ball, and `∇L` there | 2 gradients, 1 pass | by T |
//! | [`random_ball`] | largest and mean rise at n random points of a ball's boundary | n passes | by T |
//! | [`projected_ascent`] | largest rise in the ball, from below | some tens of gradients a start | by T |
//! | [`average_sharpness`] | `E[L(θ + σ T z) − L(θ)]` | 2 passes a pair | by T |
//! | its second order | `σ²/2 tr(T H T)` | half a product a probe; P for the exact value | by T |
//! | [`curvature_summary`] | `λ_max`, `λ_min`, trace, Frobenius norm, negative eigenvalues | products | no |
//!
//! A pass is a forward pass over the data, T the [`Scale`] of each coordinate. The last column
//! says whether the number stays where ReLU units are rescaled, which changes no output of the
//! network: [`Rescaling`] has the argument, and every result the flag. With `T = |θ|` on all
//! tensors and no small constant ([`Scale::INVARIANT`]) it does, and with no other scale; so
//! numbers of two networks are told apart by anything else only if both are scaled alike.
//!
//! [`sharpness`] gathers all of them at one model, and [`compare_minima`] puts several models side
//! by side with the same data, seeds and radii.
//!
//! None of them is claimed to predict generalisation: published evidence is against that.
//!
//! # Which one?
//!
//! SAM's is the cheapest, and what a step of SAM sees. Random directions of a ball are nearly all
//! alike in many dimensions and say what the average case says. The worst case of a ball is
//! [`projected_ascent`]'s; it is a lower bound, and the exact maximum for a quadratic loss in an l2
//! ball. For small σ the average needs no sampling: the second-order value has it.
//!
//! # Numerics
//!
//! All are differences of losses that may be close, so the model is evaluated in f64 where the
//! device and the closures allow it, whatever its own type, and each result states the `rounding`
//! of its differences. A loss that is NaN or infinite at displaced weights is kept as it is,
//! counted in `non_finite`, and makes a mean NaN. Every random number is a function of the seed and
//! of its own index.
//!
//! # Examples
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Tensor};
//! use landscape::Risk;
//! use landscape::sharpness::{
//!     AscentConfig, Ball, RandomBallConfig, Rescaling, Scale, projected_ascent,
//!     random_ball, sam_sharpness,
//! };
//!
//! let device = Device::flex();
//! let model = LinearConfig::new(3, 1).init(&device);
//! let x = Tensor::<2>::from_floats([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0]], &device);
//! let risk = Risk::mean([x], |model: &Linear, x: &Tensor<2>| {
//!     (model.forward(x.clone()) - 1.0).square().mean()
//! });
//! let sam = sam_sharpness(&model, &risk, 0.1)?;
//! let ball = Ball::l2(0.1);
//! let random = random_ball(&model, &risk, &ball, &RandomBallConfig::new())?;
//! let worst = projected_ascent(&model, &risk, &ball, &AscentConfig::new())?;
//! assert!(worst.value >= sam.value && worst.value >= random.worst && worst.converged);
//! assert_eq!(worst.rescaling, Rescaling::NotInvariant);
//! assert_eq!(
//!     ball.with_scale(Scale::INVARIANT).rescaling(),
//!     Rescaling::Invariant
//! );
//! # Ok::<(), landscape::Error>(())
//! ```
//!
//! # References
//! Dinh, Pascanu, Bengio, Bengio 2017, "Sharp Minima Can Generalize For Deep Nets", for the
//! rescaling; Andriushchenko, Croce, Müller, Hein, Flammarion 2023, "A Modern Look at the
//! Relationship between Sharpness and Generalization".

mod average;
mod ball;
mod compare;
mod curvature;
mod losses;
mod measure;
mod projected_ascent;
mod random_ball;
mod report;
mod sam;
mod scale;

pub use average::{AverageConfig, AverageSharpness, SecondOrder, average_sharpness};
pub use ball::{Ball, BallNorm};
pub use compare::{ComparisonRow, MinimaComparison, compare_minima};
pub use curvature::{CurvatureConfig, CurvatureSummary, Eigenvalue, curvature_summary};
pub use measure::{Certainty, Measure};
pub use projected_ascent::{AscentConfig, ProjectedAscent, projected_ascent};
pub use random_ball::{RandomBall, RandomBallConfig, random_ball, random_ball_along};
pub use report::{BallSharpness, SharpnessConfig, SharpnessReport, sharpness};
pub(crate) use sam::ascent_displacement;
pub use sam::{SamPeak, SamSharpness, adaptive_sam_sharpness, sam_peak, sam_sharpness};
pub use scale::{Rescaling, Scale, ScaledTensors};
