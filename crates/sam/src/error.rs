//! The reasons why a method was not made, or a step not taken.

use std::fmt::{Display, Formatter};

/// One of the two passes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The first pass, at the weights `w`.
    Weights,
    /// The second pass, at the peak `w + e`.
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

/// The reason why a method was not made, or a step not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of a method is outside its range.
    #[error("{name} is {value}; it must be {allowed}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// A loss that is infinite or not a number.
    #[error("the loss {pass} is {value}: lower the learning rate or rho, or look at this batch")]
    Loss {
        /// The pass that computed the loss.
        pass: Pass,
        /// Its value.
        value: f64,
    },
    /// A gradient with an entry that is infinite or not a number.
    #[error(
        "the gradient {pass} has an entry that is not finite, though the loss {loss} is: look for \
         a square root or a logarithm at zero"
    )]
    Gradient {
        /// The pass that computed the gradient.
        pass: Pass,
        /// The loss at the same place.
        loss: f64,
    },
    /// A weight that was infinite or not a number before the step.
    #[error(
        "`{path}` has an entry that is not finite: go back to an earlier checkpoint and lower the \
         learning rate"
    )]
    Weight {
        /// The path of the parameter.
        path: String,
    },
    /// A loss that does not tell its examples apart, for a method that selects or groups them.
    #[error(
        "this method needs the losses of single examples: call `step_examples` with a closure that \
         gives them, in place of `step`"
    )]
    ExamplesNotApart,
    /// A batch without examples, in `step_examples`.
    #[error("the batch has no examples: leave it out, or say how many it has")]
    NoExamples,
    /// Too many or too few losses from the closure of `step_examples`.
    #[error("the closure must give one loss for each wanted row, but gave {given} for {wanted}")]
    Losses {
        /// The number of losses that it gave.
        given: usize,
        /// The number of rows that were wanted.
        wanted: usize,
    },
    /// A loss that is not a single number.
    #[error("the loss {pass} must be one number, but has {numbers}: take its mean over the batch")]
    NotOneNumber {
        /// The pass that computed the loss.
        pass: Pass,
        /// The number of its entries.
        numbers: usize,
    },
    /// A model on a device that computes no gradients.
    #[error(
        "the model stands on a device without autodiff: make it on `device.autodiff()`, or call \
         `model.train()` if it comes from `valid()`"
    )]
    NoAutodiff,
    /// A model whose parameters are all frozen, or that has none.
    #[error(
        "no parameter of the model requires a gradient: thaw those that are to be trained with \
         `set_require_grad(true)`"
    )]
    Frozen,
    /// A loss from which nothing leads back to a weight.
    #[error(
        "the loss {pass} does not depend on any weight: compute it from the closure's argument, \
         without `detach`, `inner` or numbers read to the host"
    )]
    Constant {
        /// The pass that computed the loss.
        pass: Pass,
    },
    /// A loss that depends on weights, but on none of the model that is trained.
    #[error(
        "the loss {pass} gives no gradient to any parameter of the model: compute it from the \
         closure's argument, not from another model"
    )]
    NoGradient {
        /// The pass that computed the gradient.
        pass: Pass,
    },
    /// A loss that depends on weights of the model outside the closure.
    #[error(
        "the loss {pass} uses `{path}` of a model outside the closure: take every weight from the \
         closure's argument, and `detach` what is meant as a constant"
    )]
    OtherModel {
        /// The pass that computed the loss.
        pass: Pass,
        /// The path of the first such parameter.
        path: String,
    },
    /// A loss with a part that was computed before the closure, and whose graph is used up.
    #[error(
        "a part of the loss {pass} was computed outside this call of the closure, and an earlier \
         backward pass has used its graph up: compute it inside the closure, or `detach` it"
    )]
    UsedUp {
        /// The pass that computed the loss.
        pass: Pass,
    },
    /// A selection that chooses no trained parameter.
    #[error(
        "{selection} chooses no parameter that is trained, so that nothing would be perturbed: the \
         model has {paths}"
    )]
    ChoosesNothing {
        /// The selection, as `Perturbed` writes it.
        selection: String,
        /// The paths that there are.
        paths: String,
    },
    /// A selection whose parameters have no part in the loss.
    #[error("the loss {pass} gives no gradient to any parameter that {selection} chooses")]
    ChosenWithoutGradient {
        /// The pass that computed the gradient.
        pass: Pass,
        /// The selection, as `Perturbed` writes it.
        selection: String,
    },
    /// Two places of one parameter that are no longer equal.
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
        /// The property in which they differ.
        what: &'static str,
    },
    /// A frozen place of a parameter before one that is trained.
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
    /// Places of one parameter that are different leaves of the graph: Burn's gradients keep that
    /// of the last alone.
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
    /// A radius that is negative or not finite.
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
    /// Returns whether the batch is to blame: its loss or gradient is not finite, and another batch
    /// may be trained on. Every other error stays until the program is changed.
    #[must_use]
    pub const fn is_of_the_batch(&self) -> bool {
        matches!(self, Self::Loss { .. } | Self::Gradient { .. })
    }
}

/// Makes the error of a setting that is outside its range.
pub(crate) fn setting(name: &'static str, value: impl Display, allowed: &'static str) -> Error {
    let value = value.to_string();
    Error::Setting {
        name,
        value,
        allowed,
    }
}

/// Refuses a setting that is negative or not finite.
///
/// # Errors
/// [`Error::Setting`].
pub(crate) fn check_not_negative(name: &'static str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(setting(name, value, "finite and not negative"))
    }
}
