//! The error of this crate.

use burn::tensor::DType;

/// An error of this crate. Every variant carries the values that led to it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No parameter of the module requires a gradient, so there is nothing to differentiate by.
    #[error(
        "the module has no trainable parameter: {frozen} float tensors are frozen; call `unfreeze()` or `set_require_grad(true)` on what shall be measured"
    )]
    NoTrainableParameter {
        /// Number of float tensors that were seen, buffers included.
        frozen: usize,
    },
    /// The module's parameters lie on more than one device.
    #[error(
        "the module's parameters lie on {count} devices; move the module to one device before it is measured"
    )]
    SeveralDevices {
        /// Number of devices found.
        count: usize,
    },
    /// The module's parameters do not share a floating-point type.
    #[error(
        "parameter `{path}` is {found:?} where the others are {expected:?}; cast the module to one float type"
    )]
    MixedTypes {
        /// Path of the first parameter that differs.
        path: String,
        /// Type of the parameters before it.
        expected: DType,
        /// Type of this parameter.
        found: DType,
    },
    /// A parameter's type cannot be measured.
    #[error("parameter `{path}` is {found:?}; only F32 and F64 are measured: cast the module")]
    UnsupportedType {
        /// Path of the parameter.
        path: String,
        /// Its type.
        found: DType,
    },
    /// A module has not the parameters of a space.
    #[error(
        "the modules do not match: `{path}` of shape {shape:?} has as its counterpart {found}; make both with the same configuration"
    )]
    AnotherModule {
        /// Path of the parameter in the space.
        path: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Path and shape of what was found in the module, or that there is none.
        found: String,
    },
    /// A model has an entry that is NaN or infinite.
    #[error(
        "`{path}` of {model} has a NaN or infinite entry; measure an earlier checkpoint, or leave this one out"
    )]
    NonFiniteWeights {
        /// The model: "the model", "model 1".
        model: String,
        /// Path of the first such tensor.
        path: String,
    },
    /// A checkpoint of a trajectory could not be read, or is not one of the trajectory's models.
    #[error("checkpoint {index}: {reason}")]
    Checkpoint {
        /// Position of the checkpoint, from zero.
        index: usize,
        /// The problem, in a sentence.
        reason: String,
    },
    /// Two models differ in a tensor that is no coordinate.
    #[error("`{path}`, which is no trainable parameter, differs between the models; {help}")]
    RestDiffers {
        /// Path of the tensor.
        path: String,
        /// The remedy.
        help: &'static str,
    },
    /// A model with all tensors of another has another loss.
    #[error(
        "the models differ in something that is no tensor: the first with all tensors of model {number} has the loss {found} in place of {expected}; make all with the same configuration"
    )]
    OtherFunction {
        /// Position of the other model among those given, from zero.
        number: usize,
        /// Its loss.
        expected: f64,
        /// The loss of the first with its tensors.
        found: f64,
    },
    /// No hidden unit of a model may be permuted.
    #[error(
        "the model has no hidden units that may be permuted, so there is nothing to align: {reason}; compare the models as they are"
    )]
    NoSymmetry {
        /// The obstacle.
        reason: String,
    },
    /// A permuted model does not compute what it did.
    #[error(
        "the permuted model differs from the model by {difference:.1e} of its outputs where rounding explains {allowed:.1e}; its loss uses the order of hidden units in a way that its first batch does not show"
    )]
    PermutedDiffers {
        /// Largest difference of outputs, relative to the largest output, or of losses.
        difference: f64,
        /// The difference that is taken for rounding.
        allowed: f64,
    },
    /// BatchNorm's statistics cannot be recomputed.
    #[error(
        "the statistics of `{path}` cannot be recomputed: a pass over the data does not change them (momentum 0, or the loss does not use the layer)"
    )]
    StatisticsStay {
        /// Path of the running statistics.
        path: String,
    },
    /// A vector has the wrong length.
    #[error("the {what} has {found} entries where {expected} are needed")]
    Length {
        /// Name of the vector.
        what: &'static str,
        /// Entries needed.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A vector that gives a direction is zero or not finite.
    #[error("the {what} {problem}; it gives no direction")]
    NoDirection {
        /// Name of the vector.
        what: &'static str,
        /// The problem: "is zero", "is not finite".
        problem: &'static str,
    },
    /// There is no data.
    #[error("there is no example to measure on: give at least one batch with at least one example")]
    NoData,
    /// A batch has no example.
    #[error("batch {index} has no example; leave empty batches out")]
    EmptyBatch {
        /// Position of the batch, from zero.
        index: usize,
    },
    /// The tensors of a batch do not agree on the number of examples.
    #[error(
        "the tensors of batch {index} have {first} and {other} entries along their first axis, so how many examples it has is not clear: override `Batch::stated_examples`, or wrap it in `Stated::new(batch, examples)`, and weight batches with `Risk::with_weights`; class weights may go into the closure"
    )]
    ExamplesUnclear {
        /// Position of the batch, from zero.
        index: usize,
        /// Length of the first tensor's first axis.
        first: usize,
        /// Another length.
        other: usize,
    },
    /// The weight of a batch is no positive number.
    #[error(
        "the weight of batch {index} is {weight}; it must be positive: leave out batches without any"
    )]
    Weight {
        /// Position of the batch, from zero.
        index: usize,
        /// The weight.
        weight: f64,
    },
    /// Two products with one vector differ.
    #[error(
        "two products with one vector differ by {change:.1e} of their size: the loss or its data change from one evaluation to the next (random numbers, a counter, a shuffling loader); fix them, then measure"
    )]
    ChangingProducts {
        /// Norm of the difference over the norm of the larger product.
        change: f64,
    },
    /// An operator or a matrix is not symmetric.
    #[error(
        "the {what} is not symmetric: relative asymmetry {asymmetry:.1e} where rounding explains {allowed:.1e}; eigenvalues, traces and densities here are of symmetric operators"
    )]
    NotSymmetric {
        /// Either "operator" or "matrix".
        what: &'static str,
        /// Departure from symmetry, relative to the size of the operator.
        asymmetry: f64,
        /// The asymmetry that is taken for rounding.
        allowed: f64,
    },
    /// An operator is not linear.
    #[error(
        "the operator is not linear: the product with a sum of two vectors differs from the sum of their products by {departure:.1e} of its size where rounding explains {allowed:.1e}"
    )]
    NotLinear {
        /// Departure from linearity, relative to the size of the product.
        departure: f64,
        /// The departure that is taken for rounding.
        allowed: f64,
    },
    /// The quadratic form of an operator is not that of its products.
    #[error(
        "the operator's quadratic form differs from the inner product with its product by {difference:.1e} of the product's size where rounding explains {allowed:.1e}; correct `quadratic_form`"
    )]
    AnotherForm {
        /// The difference over the norm of the product.
        difference: f64,
        /// The difference that is taken for rounding.
        allowed: f64,
    },
    /// A pattern matches no parameter.
    #[error(
        "no trainable parameter matches `{pattern}`; there are {paths}: `*` stands for any characters, `?` for one"
    )]
    NoSuchParameter {
        /// The pattern.
        pattern: String,
        /// The paths there are, or the first of them.
        paths: String,
    },
    /// Reading a batch from a data loader failed.
    #[error("batch {index} could not be read: {reason}")]
    Data {
        /// Position of the batch, from zero.
        index: usize,
        /// The loader's message.
        reason: String,
    },
    /// The loss of a batch is not a single number.
    #[error(
        "the loss of batch {index} has {elements} elements; reduce it to its mean over the batch, one number"
    )]
    LossNotScalar {
        /// Position of the batch, from zero.
        index: usize,
        /// Elements found.
        elements: usize,
    },
    /// The loss looks like a sum over examples where a mean was promised.
    #[error(
        "the loss is not a mean over examples: doubling a batch of {examples} multiplies it by {ratio:.3}; divide by the number of examples, or use `Risk::of(.., Reduction::Sum)`"
    )]
    LossIsNotMean {
        /// Examples in the batch that was doubled.
        examples: usize,
        /// Loss of the doubled batch over loss of the batch: 1 for a mean, 2 for a sum.
        ratio: f64,
    },
    /// The loss does not depend on any parameter.
    #[error(
        "the loss of batch {index} does not depend on any trainable parameter; use the model that the closure is given"
    )]
    Disconnected {
        /// Position of the batch, from zero.
        index: usize,
    },
    /// The loss closure panicked.
    #[error("the loss closure panicked in batch {index}: {message}")]
    LossPanicked {
        /// Position of the batch, from zero.
        index: usize,
        /// The first line of the panic's message.
        message: String,
    },
    /// Burn could not take the gradient of a loss.
    #[error(
        "Burn cannot take the gradient of the loss of batch {index}: {message}; a closure that calls `backward` itself uses up the graph: write `derivatives::input_gradient` in its place"
    )]
    Backward {
        /// Position of the batch, from zero.
        index: usize,
        /// The first line of what Burn said.
        message: String,
    },
    /// The gradient that Burn gives is not the derivative of the loss.
    #[error(
        "the gradient that Burn gives is not the derivative of the loss: along one direction {burns:.6e} where the values change by {values:.6e}; if the closure detaches a tensor, write `derivatives::stop_gradient` in place of `detach`; if it takes a derivative inside, `derivatives::input_gradient` in place of `backward`"
    )]
    GradientIsNotOfValue {
        /// Burn's gradient along a direction.
        burns: f64,
        /// The derivative of the value along it, by differences.
        values: f64,
    },
    /// A loss is NaN or infinite where a finite one is needed.
    #[error(
        "the loss is {value} {place}; lower the learning rate or measure an earlier checkpoint"
    )]
    NonFiniteLoss {
        /// The value.
        value: f64,
        /// The place: "in batch 3", "at coordinate 0.5".
        place: String,
    },
    /// A gradient or a product has an entry that is NaN or infinite.
    #[error(
        "the {what} has a NaN or infinite entry; the loss is not differentiable here, or overflows"
    )]
    NonFiniteVector {
        /// Name of the vector.
        what: &'static str,
    },
    /// A loss could not be captured, or has no derivative.
    #[error(transparent)]
    Derivatives(#[from] derivatives::Error),
    /// A quantity that is read from the recorded loss, and a loss that cannot be recorded.
    #[error(
        "the {what} are read from the recorded loss, and this one cannot be recorded: {reason}"
    )]
    NotRecorded {
        /// The quantity.
        what: &'static str,
        /// The reason.
        reason: String,
    },
    /// A quantity of the outputs of a risk whose closure gives the loss at once.
    #[error(
        "the risk does not tell outputs and loss apart, which Gauss-Newton, Fisher and coupled examples need: make it with `Risk::of(batches, outputs, loss, reduction)`"
    )]
    OutputsNotApart,
    /// Outputs whose first axis does not count the examples.
    #[error(
        "the outputs have {rows} rows for {examples} examples; their first axis must count the examples"
    )]
    OutputRows {
        /// Length of the outputs' first axis.
        rows: usize,
        /// Examples in the batch.
        examples: usize,
    },
    /// A loss whose Hessian in the outputs is no sum over their rows.
    #[error(
        "the loss brings the rows of the outputs together (as a contrastive loss does), so that its curvature has no diagonal by rows; estimate it by `hutchinson_trace` of the Hessian"
    )]
    CoupledOutputs,
    /// A setting is outside its range.
    #[error("{name} is {value}; it must be {allowed}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// The value given.
        value: String,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// An eigen-decomposition of a small dense matrix did not converge.
    #[error("the eigen-decomposition of a {dim} x {dim} matrix failed: {reason}")]
    Decomposition {
        /// Dimension.
        dim: usize,
        /// The solver's message.
        reason: String,
    },
    /// A device over which a risk is spread failed.
    #[error(
        "device {} of {devices} failed, and nothing was added up: {reason}; {}",
        position + 1,
        left_over(*left)
    )]
    DeviceFailed {
        /// Position of the device among those given, from zero.
        position: usize,
        /// Devices given.
        devices: usize,
        /// Devices that have not failed.
        left: usize,
        /// The failure, in the words of the device's backend.
        reason: String,
    },
    /// Devices of which some compute in f64 and others do not.
    #[error(
        "device {} computes in f64 and device {} does not, so that their sums would be of two kinds; measure on devices of one kind",
        with + 1,
        without + 1
    )]
    DeviceTypes {
        /// Position of the first device that computes in f64, from zero.
        with: usize,
        /// Position of the first that does not.
        without: usize,
    },
    /// Devices that do not compute in the model's float type.
    #[error("the model is {dtype:?}, in which the devices do not compute; cast the model")]
    DeviceLacksType {
        /// The type of the model.
        dtype: DType,
    },
    /// The caller's callback asked to stop.
    #[error("stopped by the caller after {done} steps")]
    Cancelled {
        /// Steps that were finished.
        done: usize,
    },
}

/// Returns what can be done after a device has failed.
fn left_over(left: usize) -> String {
    match left {
        0 => "no device is left: start it anew, or measure on others".to_owned(),
        1 => "what is measured next uses the one that is left".to_owned(),
        left => format!("what is measured next uses the {left} that are left"),
    }
}
