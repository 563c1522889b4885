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
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// A weight was infinite or not a number before the step.
    #[error(
        "`{path}` has an entry that is not finite: go back to an earlier checkpoint and lower the \
         learning rate"
    )]
    Weight {
        /// Where the parameter stands.
        path: String,
    },
    /// A method that selects or groups examples was given a loss that does not tell them apart.
    #[error(
        "this method needs the losses of single examples: call `step_examples` with a closure that \
         gives them, in place of `step`"
    )]
    ExamplesNotApart,
    /// `step_examples` was called for a batch of none.
    #[error("the batch has no examples: leave it out, or say how many it has")]
    NoExamples,
    /// The closure of `step_examples` gave too many losses or too few.
    #[error("the closure must give one loss for each wanted row, but gave {given} for {wanted}")]
    Losses {
        /// How many losses it gave.
        given: usize,
        /// How many rows were wanted.
        wanted: usize,
    },
    /// The loss was no single number.
    #[error("the loss {pass} must be one number, but has {numbers}: take its mean over the batch")]
    NotOneNumber {
        /// Where the loss was taken.
        pass: Pass,
        /// How many numbers it has.
        numbers: usize,
    },
    /// The model stands on a device that computes no gradients.
    #[error(
        "the model stands on a device without autodiff: make it on `device.autodiff()`, or call \
         `model.train()` if it comes from `valid()`"
    )]
    NoAutodiff,
    /// Every parameter is frozen, or there are none.
    #[error(
        "no parameter of the model requires a gradient: thaw those that are to be trained with \
         `set_require_grad(true)`"
    )]
    Frozen,
    /// Nothing leads from the loss back to a weight.
    #[error(
        "the loss {pass} does not depend on any weight: compute it from the closure's argument, \
         without `detach`, `inner` or numbers read to the host"
    )]
    Constant {
        /// Where the loss was taken.
        pass: Pass,
    },
    /// The loss depends on weights, but on none of the model that is trained.
    #[error(
        "the loss {pass} gives no gradient to any parameter of the model: compute it from the \
         closure's argument, not from another model"
    )]
    NoGradient {
        /// Where the gradient was taken.
        pass: Pass,
    },
    /// The loss depends on weights of the model outside the closure.
    #[error(
        "the loss {pass} uses `{path}` of a model outside the closure: take every weight from the \
         closure's argument, and `detach` what is meant as a constant"
    )]
    OtherModel {
        /// Where the loss was taken.
        pass: Pass,
        /// Where the first such parameter stands.
        path: String,
    },
    /// A part of the loss comes from before the closure, and its graph is used up.
    #[error(
        "a part of the loss {pass} was computed outside this call of the closure, and an earlier \
         backward pass has used its graph up: compute it inside the closure, or `detach` it"
    )]
    UsedUp {
        /// Where the loss was taken.
        pass: Pass,
    },
    /// The parameters to be perturbed are none.
    #[error(
        "{selection} chooses no parameter that is trained, so that nothing would be perturbed: the \
         model has {paths}"
    )]
    ChoosesNothing {
        /// The selection, as `Perturbed` writes it.
        selection: String,
        /// Paths that there are.
        paths: String,
    },
    /// The parameters to be perturbed have no part in the loss.
    #[error("the loss {pass} gives no gradient to any parameter that {selection} chooses")]
    ChosenWithoutGradient {
        /// Where the gradient was taken.
        pass: Pass,
        /// The selection, as `Perturbed` writes it.
        selection: String,
    },
    /// Two places of one parameter are no longer equal.
    #[error(
        "`{first}` and `{second}` have one identifier but differ in {what}: give layers that differ \
         identifiers of their own, or, if they are one parameter, wrap the optimiser's step in \
         `sam::tie`, for Burn's optimisers step the first place alone"
    )]
    Places {
        /// The path of the first place.
        first: String,
        /// The path of the other.
        second: String,
        /// What differs.
        what: &'static str,
    },
    /// A frozen place of a parameter stands before one that is trained.
    #[error(
        "`{frozen}` is frozen and has the identifier of `{trained}`, which is trained: Burn's \
         optimisers would step the first of them, so let the trained one stand first, or give the \
         frozen one an identifier of its own"
    )]
    FrozenFirst {
        /// The path of the frozen place.
        frozen: String,
        /// The path of the trained one.
        trained: String,
    },
    /// The places of one parameter are leaves apart, and Burn's gradients keep that of the last alone.
    #[error(
        "`{first}` and `{second}` are one parameter but two leaves of the graph, and a gradient by \
         Burn's `from_grads` is that of one of them alone: make them one with `sam::tie` before the \
         loss is computed"
    )]
    LeavesApart {
        /// The path of the first place.
        first: String,
        /// The path of the other.
        second: String,
    },
    /// The schedule gave no radius.
    #[error(
        "rho is {rho} at a learning rate of {rate}: the schedule of the radius needs a learning rate \
         that is finite and not negative"
    )]
    Radius {
        /// The radius.
        rho: f64,
        /// The learning rate.
        rate: f64,
    },
}

impl Error {
    /// Whether another batch may well be trained on: the loss or the gradient of this one is not finite.
    /// Everything else stays wrong until the program is changed.
    #[must_use]
    pub const fn is_of_the_batch(&self) -> bool {
        matches!(self, Self::Loss { .. } | Self::Gradient { .. })
    }
}
