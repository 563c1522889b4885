//! The activations of a model on the examples of a risk: dead units, saturation, and how far the
//! signal spreads from layer to layer.
//!
//! Nothing of the model has to be changed: the loss is recorded, as for every derivative, and its
//! nonlinearities are found in the recording ([`CapturedLoss::nonlinearities`]). A layer is a
//! nonlinearity after some module; where it is applied several times after the same module, as in
//! a recurrent network, that is one layer. A unit is one entry of the axis of features: a channel
//! of a convolution, over examples and positions; a feature of a sequence `[N, T, D]`, over
//! examples and places.
//!
//! | quantity | of one unit | kinds |
//! |---|---|---|
//! | dead | its value is exactly 0 at all measured entries, and so is its derivative: no gradient reaches its weights | ReLU, ReLU6 |
//! | saturated | `|f′(x)| < 0.01 max |f′|` at more than 95 % of the entries | tanh, sigmoid, hard sigmoid, GELU, SiLU |
//!
//! The two thresholds are settings. An error signal that passes a saturated unit backwards is less
//! than a hundredth of what it could be, and less than 10⁻⁴ after two of them. In terms of the
//! input, with `max |f′|` at 0 for the first two:
//!
//! | f | max `|f′|` | saturated where |
//! |---|---|---|
//! | tanh | 1 | `|x| > 2.993`, since `1 − y² = 0.01` |
//! | σ | 1/4 | `|x| > 5.987`, since `y (1 − y) = 0.0025` |
//! | GELU | 1.1289 at √2 | x < −3.03, and within 0.03 of its minimum at −0.752 |
//! | SiLU | 1.0998 at 2.3994 | x < −6.14, and within 0.06 of its minimum at −1.278 |
//!
//! A unit that is dead on the measured examples may be alive on others. A leaky ReLU is never dead
//! nor saturated.
//!
//! The standard deviation of a layer's values tells whether the signal vanishes or explodes with
//! depth: at a good initialisation it stays of one size (He et al. 2015, equation 10).
//!
//! # References
//! Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural
//! networks", section 3, on saturation and on the spread of activations by layer; He, Zhang, Ren,
//! Sun 2015, "Delving Deep into Rectifiers"; Lu, Shin, Su, Karniadakis 2020, "Dying ReLU and
//! Initialization".
//!
//! [`CapturedLoss::nonlinearities`]: derivatives::CapturedLoss::nonlinearities

mod layer;
mod slope;
mod units;

use burn::config::Config;
use burn::module::Module;
use derivatives::ProgramCache;

pub use derivatives::NonlinearityKind;
use layer::Layers;
pub use layer::{Activations, LayerActivations};

use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Objective, Risk};

/// Settings of [`activations_with`].
#[derive(Config, Debug, PartialEq)]
pub struct ActivationConfig {
    /// Part of the largest derivative of a nonlinearity below which an entry counts as saturated.
    #[config(default = 0.01)]
    pub slope: f64,
    /// Share of its entries that have to be saturated, and more than that, for a unit to be so.
    #[config(default = 0.95)]
    pub share: f64,
}

/// Returns the activations of `model` on the examples of `risk`, layer by layer, in the order in
/// which they are computed.
///
/// Dropout is off, and BatchNorm uses the statistics of the risk. With outputs and loss apart
/// ([`Risk::of`]) the layers are those of the model; otherwise the nonlinearities of the loss
/// itself, such as the sigmoid of a binary cross entropy, are among them. ELU, Mish, hard swish,
/// softplus and softmax are not: see [`CapturedLoss::nonlinearities`]. A model without any has no
/// layers.
///
/// Counts are exact, and do not depend on how the examples are cut into batches. Cost: a forward
/// pass and a recording of each batch. Memory: all activations of one batch, as for a gradient.
///
/// # Errors
/// As [`Risk::value`]; [`Error::NotRecorded`] where the loss cannot be recorded;
/// [`Error::NonFiniteVector`] for an activation that is NaN or infinite.
///
/// # Examples
/// ```
/// use burn::module::Param;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor, activation::relu};
/// use landscape::{Risk, activations::activations};
///
/// let device = Device::flex();
/// let mut model =
///     [(2, 3), (3, 1)].map(|(from, to)| LinearConfig::new(from, to).init(&device));
/// // Weights are within 1 / sqrt(2): the second of three hidden units never gets above zero,
/// // the others always do.
/// let bias = Tensor::<1>::from_floats([2.0, -100.0, 2.0], &device);
/// model[0].bias = Some(Param::from_tensor(bias));
/// let risk = Risk::mean(
///     [Tensor::<2>::ones([4, 2], &device)],
///     |model: &[Linear; 2], x: &Tensor<2>| {
///         model[1]
///             .forward(relu(model[0].forward(x.clone())))
///             .square()
///             .mean()
///     },
/// );
/// let found = activations(&model, &risk)?;
/// assert_eq!(found.layers[0].name, "layer_1_relu");
/// assert_eq!(found.layers[0].dead, Some(vec![1]));
/// assert_eq!(found.dead_share(), Some(1.0 / 3.0));
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// [`CapturedLoss::nonlinearities`]: derivatives::CapturedLoss::nonlinearities
pub fn activations<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
) -> Result<Activations, Error> {
    activations_with(model, risk, &ActivationConfig::new())
}

/// Returns the same as [`activations`] with other thresholds of saturation.
///
/// # Errors
/// As [`activations`], and a setting out of range.
pub fn activations_with<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &ActivationConfig,
) -> Result<Activations, Error> {
    for (name, value) in [("slope", config.slope), ("share", config.share)] {
        if !(0.0..1.0).contains(&value) {
            return Err(Error::Setting {
                name,
                value: value.to_string(),
                allowed: "at least 0 and below 1",
            });
        }
    }
    let objective = Objective::at(model, risk)?;
    let programs = ProgramCache::default();
    let mut layers = Layers::default();
    let mut examples = 0;
    risk.batches().for_each(|index, batch| {
        examples += batch.examples();
        let loss = objective.record(batch.clone()).map_err(not_recorded)?;
        let loss = programs.share(loss).keeping_nothing();
        let origin = objective.origin();
        if index == 0 {
            // A number that the closure reads on the host may have frozen another function.
            let rounding = objective.rounding(&batch)?;
            objective.check_value(&batch, &loss, origin, rounding)?;
        }
        let values = loss.nonlinearity_values(origin)?;
        layers.add(&loss.nonlinearities(), values, config)
    })?;
    Ok(layers.finish(examples, config))
}

fn not_recorded(error: Error) -> Error {
    match error {
        Error::Derivatives(reason) => Error::NotRecorded {
            what: "activations",
            reason: reason.to_string(),
        },
        other => other,
    }
}
