//! A method inside burn-train's learner.

mod buffer;
mod in_learner;
#[cfg(feature = "train")]
mod with_sam;

pub use in_learner::{InLearner, LearnerDescent};
#[cfg(feature = "train")]
pub use with_sam::WithSam;
