//! The way in which the losses of a slice were obtained.

use std::fmt;

/// The way in which the losses on a line or a plane were obtained. Both ways agree up to rounding.
///
/// A recorded loss is compared with the model's at the outermost points of the slice and at two
/// within, for the first part of the first batch; every other batch is compared at one of them.
/// Where they differ, because the closure reads a number on the host, the model is evaluated. A
/// parameter cannot be read while it is recorded. What no comparison can see is a read of another
/// number whose failure the closure hides (`try_into_scalar().unwrap_or(..)`) and that matters at
/// none of these points.
///
/// Where a loss branches on two numbers that are equal but for rounding, both ways may take
/// different branches: the affine parts of the recorded loss are summed in another order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evaluation {
    /// From the captured loss, as a program of the coordinates; a loss that came out as no finite
    /// number was evaluated once more by the model.
    Captured,
    /// By forward passes of the model at the moved parameters.
    Model {
        /// The reason why the loss was not captured.
        because: String,
    },
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Captured => write!(f, "the captured loss as a program of the coordinates"),
            Self::Model { because } => {
                write!(f, "forward passes of the model, because {because}")
            }
        }
    }
}
