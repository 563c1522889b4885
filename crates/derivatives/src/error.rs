//! The errors of this crate.

use burn::tensor::DType;

/// The reason why a loss could not be captured or differentiated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model has nothing to differentiate by.
    #[error("the model has no trainable parameter: nothing to differentiate by")]
    NoTrainableParameter,
    /// Two tensors of the model have one id and are not one parameter.
    #[error(
        "`{first}` and `{second}` have one parameter id but {problem}: Burn tells parameters apart by their ids, so clones of a layer (`vec![layer; n]`) part in training and in loading; make each layer by its own `init`, or tie them to one value"
    )]
    OneId {
        /// Path of the first.
        first: String,
        /// Path of the second.
        second: String,
        /// In what they differ.
        problem: String,
    },
    /// A parameter that was asked for is not in the model, or is no float tensor.
    #[error("the model has no float parameter with the id {id}")]
    UnknownParameter {
        /// The id that was asked for.
        id: String,
    },
    /// The loss is not one number.
    #[error("the loss has the shape {shape:?}; reduce it to one number, for example with `mean()`")]
    LossNotScalar {
        /// The shape of the loss.
        shape: Vec<usize>,
    },
    /// The closure gave a tensor that does not stand on the device it was given.
    #[error(
        "the {what} is not on the capture device: use the model and the device given to the closure, and move the batch to that device"
    )]
    NotCaptured {
        /// Loss or outputs.
        what: &'static str,
    },
    /// The loss depends on no parameter that was asked for.
    #[error("the loss depends on none of the parameters")]
    Disconnected,
    /// The closure reads values of tensors, which a captured loss does not have.
    #[error(
        "the loss closure reads data from a tensor (`into_scalar`, `into_data`), so it cannot be captured; use differences of gradients for this loss"
    )]
    ReadsData,
    /// The closure uses a tensor that stands elsewhere than what it is given.
    #[error(
        "the loss closure uses a tensor from outside it that stands on another device (class weights, say); give it with the batch, or make it inside the closure on the device of the batch"
    )]
    Elsewhere,
    /// The closure differentiates by Burn, which a recording device cannot.
    #[error(
        "the loss closure differentiates inside (`require_grad`, `backward`), which cannot be recorded; write `derivatives::input_gradient` in its place"
    )]
    BackwardInside,
    /// The closure panicked.
    #[error("the loss closure panicked while it was captured: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The loss draws random numbers.
    #[error(
        "the loss draws random numbers ({operation}{}): a derivative needs a fixed function; draw them on the host and pass them in with the batch",
        place(near)
    )]
    Random {
        /// The recorded operation.
        operation: String,
        /// Path of the module whose parameters feed it directly or were the last to do so.
        near: Option<String>,
    },
    /// An operation, or an option of one, without a rule.
    #[error(
        "no derivative for {operation}{}: {option}; use differences of gradients for this loss",
        place(near)
    )]
    Unsupported {
        /// The recorded operation.
        operation: String,
        /// The option, or what else is missing.
        option: String,
        /// Path of the module whose parameters feed it directly or were the last to do so.
        near: Option<String>,
    },
    /// A float type other than f32 and f64.
    #[error(
        "tensors of type {dtype:?} cannot be differentiated{}; use f32 or f64",
        place(near)
    )]
    Type {
        /// The type met.
        dtype: DType,
        /// Path of the parameter that has it, or of the module near which it was recorded.
        near: Option<String>,
    },
    /// The parameters have different types.
    #[error("the parameters have the types {first:?} and, at `{path}`, {second:?}; use one type")]
    MixedTypes {
        /// The type of the first parameter.
        first: DType,
        /// Another one.
        second: DType,
        /// Path of a parameter that has it.
        path: String,
    },
    /// The parameters stand on several devices.
    #[error("the parameter `{path}` is not on the device of the first; move the model to one")]
    SeveralDevices {
        /// Path of a parameter that is elsewhere.
        path: String,
    },
    /// A quantity of the outputs of a loss whose outputs were not marked.
    #[error(
        "mark the model's outputs while the loss is captured: Gauss-Newton, Fisher and per-example quantities need them"
    )]
    NoOutputs,
    /// A quantity of single examples of a loss that does not depend on the outputs alone.
    #[error(
        "the loss depends on the parameters beside the marked outputs (a penalty on the weights?): that part belongs to no example; leave it out"
    )]
    BesideOutputs,
    /// Data that does not fit the loss.
    #[error("the data does not fit the loss: {reason}")]
    Examples {
        /// The fault.
        reason: String,
    },
    /// A vector of the wrong length.
    #[error("expected a vector with {expected} entries, one for each parameter entry, got {found}")]
    Length {
        /// Number of parameter entries P.
        expected: usize,
        /// Length of the vector.
        found: usize,
    },
    /// The captured loss is another function than the closure's.
    #[error(
        "the captured loss has another {what} than the closure gives: a number that the closure reads on the host is frozen in a captured loss; use differences of gradients for this loss"
    )]
    Differs {
        /// Value or gradient.
        what: &'static str,
    },
    /// The loss brings the rows of the outputs together.
    #[error(
        "the loss brings the rows of the outputs together, so that its Hessian in them is no sum over rows"
    )]
    CoupledRows,
    /// Burn's capture failed.
    #[error("the loss could not be captured: {message}")]
    Capture {
        /// Burn's message.
        message: String,
    },
}

impl Error {
    /// Adds the module near which an operation was recorded, where that says more.
    pub(crate) fn recorded_near(mut self, module: impl FnOnce() -> Option<String>) -> Self {
        if let Self::Unsupported { near, .. } | Self::Random { near, .. } | Self::Type { near, .. } =
            &mut self
            && near.is_none()
        {
            *near = module();
        }
        self
    }
}

/// Returns the place of an error in its message.
fn place(near: &Option<String>) -> String {
    near.as_ref()
        .map_or_else(String::new, |path| format!(" near `{path}`"))
}
