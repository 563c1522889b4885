//! Why a step was not taken.

use std::fmt::{Display, Formatter};

/// Which of the two gradients of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The first, at the weights w.
    Weights,
    /// The second, at the peak w + e.
    Peak,
}

impl Display for Pass {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Weights => "at the weights",
            Self::Peak => "at the peak",
        })
    }
}

/// Why a step was not taken.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The loss was infinite or not a number.
    #[error("the loss {pass} is {value}: lower the learning rate or rho, or look at this batch")]
    Loss {
        /// Where the loss was taken.
        pass: Pass,
        /// Its value.
        value: f64,
    },
    /// An entry of the gradient was infinite or not a number.
    #[error(
        "the gradient {pass} has an entry that is not finite, though the loss {loss} is: look for \
         a square root or a logarithm at zero"
    )]
    Gradient {
        /// Where the gradient was taken.
        pass: Pass,
        /// The loss at the same place.
        loss: f64,
    },
    /// A method that selects or groups examples was given a loss that does not tell them apart.
    #[error(
        "this method needs the losses of single examples: call `step_examples` with a closure that \
         gives them, in place of `step`"
    )]
    ExamplesNotApart,
}
