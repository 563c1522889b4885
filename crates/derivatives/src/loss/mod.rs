//! A captured loss and all that can be asked of it.

mod cache;
mod captured;
mod examples;
mod hessian_remainder;
mod linearized;
mod losses;
mod nonlinearity;
mod output_curvature;
mod plane;
mod programs;
mod stacked;
mod vectors;

pub use cache::ProgramCache;
pub use captured::CapturedLoss;
pub use examples::Examples;
pub use linearized::Linearized;
pub use losses::CapturedLosses;
pub(crate) use nonlinearity::NonlinearityNodes;
pub use nonlinearity::{Nonlinearity, NonlinearityKind, NonlinearityValues};
pub use output_curvature::OutputCurvature;
pub use plane::{Plane, SlopedPlane, Slopes};
