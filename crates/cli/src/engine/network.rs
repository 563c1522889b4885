//! From the settings to a network with its initial weights.

use anyhow::Context;
use burn::tensor::Device;
use models::{Classifier, CnnConfig, MlpConfig, ResidualMlpConfig};

use super::data::Data;
use crate::config::Plan;
use crate::config::choice::{Activation, Model};

/// A network that classifies images and owns what it holds.
pub(crate) trait Network: Classifier + 'static {}

impl<M: Classifier + 'static> Network for M {}

/// Something to do with a network of whatever type the settings ask for.
pub(crate) trait WithNetwork {
    /// What comes out.
    type Output;

    /// Does it. `initial` has the weights of the seed, on an autodiff device.
    ///
    /// # Errors
    ///
    /// Whatever goes wrong in it.
    fn with<M: Network>(self, initial: M) -> anyhow::Result<Self::Output>;
}

/// Makes the network of `plan` for the images of `data` and hands it to `work`.
///
/// The weights are drawn on the host from the seed, so they do not depend on the device.
///
/// # Errors
///
/// A network that cannot be made from these settings, or what `work` says.
pub(crate) fn with_network<W: WithNetwork>(
    plan: &Plan,
    data: &Data,
    device: &Device,
    work: W,
) -> anyhow::Result<W::Output> {
    let seed = u64::from(plan.seed);
    let activation = match plan.activation {
        Activation::Relu => models::Activation::Relu,
        Activation::Tanh => models::Activation::Tanh,
        Activation::Gelu => models::Activation::Gelu,
    };
    let (height, width) = (data.train.height, data.train.width);
    let hidden = plan.hidden.to_vec();
    match plan.model {
        Model::Mlp => {
            let mut widths = vec![height * width];
            widths.extend(hidden);
            widths.push(data.train.classes);
            let config = MlpConfig::new(widths).with_activation(activation);
            work.with(config.init_seeded(seed, device)?)
        }
        Model::Cnn | Model::CnnBatchNorm => {
            anyhow::ensure!(
                height == width,
                "the convolutional network needs square images, and these have {height} x {width} pixels"
            );
            let config = CnnConfig::new(height)
                .with_classes(data.train.classes)
                .with_activation(activation)
                .with_batch_norm(plan.model == Model::CnnBatchNorm);
            work.with(config.init_seeded(seed, device)?)
        }
        Model::ResidualMlp => {
            let width = hidden.first().copied();
            let width = width.context("the residual network needs at least one hidden width")?;
            let config = ResidualMlpConfig::new(height * data.train.width, width, hidden.len())
                .with_classes(data.train.classes)
                .with_activation(activation);
            work.with(config.init_seeded(seed, device)?)
        }
    }
}

/// The number of parameters of a fully connected network, which its widths decide; the convolutional ones are small.
pub(crate) fn dense_parameters(plan: &Plan, data: &Data) -> Option<u64> {
    let (features, classes) = (data.train.height * data.train.width, data.train.classes);
    let mut widths = vec![features];
    match plan.model {
        Model::Mlp => widths.extend(plan.hidden.to_vec()),
        // Two square layers a block.
        Model::ResidualMlp => {
            for width in plan.hidden.to_vec() {
                widths.extend([width, width]);
            }
            widths.extend(plan.hidden.to_vec().first());
        }
        Model::Cnn | Model::CnnBatchNorm => return None,
    }
    widths.push(classes);
    let layers = widths
        .windows(2)
        .map(|pair| (pair[0] as u64 + 1) * pair[1] as u64);
    // At most 2000 layers of 2^32 parameters.
    Some(layers.sum())
}
