//! A step of training: its passes, and what they give.

mod backward;
mod descent;
mod evaluated;
mod hardest;
mod loss;
mod measures;
mod passes;
mod step_loss;
mod taken;

pub(crate) use descent::descent;
#[cfg(feature = "train")]
pub(crate) use loss::Forward;
pub use loss::Rows;
pub(crate) use loss::{Examples, Loss, Mean};
pub use measures::{Cost, Descent, Measures, Peak};
pub(crate) use passes::{Caller, Passes, Start};
pub use step_loss::StepLoss;
pub use taken::{Rejected, Step};
