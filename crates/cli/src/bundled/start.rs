//! The initial weights of a bundled network.

use burn::module::Module;
use models::{fill_biases, he_normal, rescale_layers, scale_weights, xavier_normal};

use crate::config::choice::{Activation, Initialisation, Model, name};
use crate::config::subject::NetworkPlan;
use crate::config::variation::Variation;
use crate::engine::source::Refusal;

/// Returns `model` with the initial weights that a plan says, from the uniform ones of its seed.
/// With plain settings they stay what they are, to the bit.
pub(super) fn started<M: Module>(model: M, variation: &Variation, seed: u64) -> M {
    let scale = variation.init_scale.get();
    let model = match variation.initialisation {
        Initialisation::Uniform if is_one(scale) => model,
        Initialisation::Uniform => scale_weights(model, scale),
        Initialisation::He => he_normal(model, seed, scale),
        Initialisation::Xavier => xavier_normal(model, seed, scale),
        Initialisation::Zero => he_normal(model, seed, 0.0),
    };
    let model = match variation.init_bias {
        Some(bias) => fill_biases(model, bias.get()),
        None => model,
    };
    match variation.rescale {
        Some(factor) => rescale_layers(model, factor.get()),
        None => model,
    }
}

/// Checks that the settings of the initial weights are of use to the network.
///
/// # Errors
/// When a setting changes nothing, or changes what it must not.
pub(super) fn check_start(plan: &NetworkPlan) -> Result<(), Refusal> {
    let refuse = |key, message: String| Err(Refusal::Setting(vec![key], message));
    let variation = &plan.variation;
    if variation.initialisation == Initialisation::Zero && !is_one(variation.init_scale.get()) {
        let message = "the initialisation is zero, and no factor changes it";
        return refuse("init_scale", message.to_owned());
    }
    if variation.rescale.is_none() {
        return Ok(());
    }
    if !matches!(plan.model, Model::Mlp | Model::Cnn) {
        let message = format!(
            "only in mlp and cnn the first layer is followed by the second alone; here the model is {}",
            name(plan.model)
        );
        return refuse("rescale", message);
    }
    if plan.model == Model::Mlp && plan.hidden.0.is_empty() {
        return refuse(
            "rescale",
            "the network has one layer, and none after it".to_owned(),
        );
    }
    if plan.activation != Activation::Relu {
        let message = format!(
            "only between layers with relu a factor leaves the function as it is; here the activation is {}",
            name(plan.activation)
        );
        return refuse("rescale", message);
    }
    Ok(())
}

#[expect(clippy::float_cmp, reason = "the number that means no change")]
fn is_one(scale: f64) -> bool {
    scale == 1.0
}
