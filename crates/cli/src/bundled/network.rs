//! From settings to a bundled network.

use std::sync::Arc;

use burn::tensor::Device;
use models::{Classifier, CnnConfig, MlpConfig, ResidualMlpConfig};

use super::classification::Classification;
use super::images::Images;
use super::start::started;
use crate::config::choice::{Activation, Model};
use crate::config::limits;
use crate::config::subject::NetworkPlan;
use crate::config::widths::Widths;
use crate::engine::data::Data;
use crate::engine::source::Refusal;
use crate::engine::subject::Subject;

/// The reason why a configuration makes a network.
const CHECKED: &str = "the configuration has been checked";

/// The data and the device for which a network is made.
pub(super) struct Site<'a> {
    pub(super) plan: &'a NetworkPlan,
    pub(super) images: Arc<Images>,
    /// Training images of the sample for curvature, at most.
    pub(super) sample: usize,
}

impl Site<'_> {
    /// Returns the network of the plan with its images. The weights are drawn on the host from the
    /// seed, so they do not depend on the device.
    ///
    /// # Errors
    /// When a network cannot be made from these settings.
    pub(super) fn network(self) -> Result<Arc<dyn Subject>, Refusal> {
        check_sizes(self.plan, &self.images)?;
        let activation = match self.plan.activation {
            Activation::Relu => models::Activation::Relu,
            Activation::Tanh => models::Activation::Tanh,
            Activation::Gelu => models::Activation::Gelu,
            Activation::Sigmoid => models::Activation::Sigmoid,
        };
        let variation = &self.plan.variation;
        let norm_momentum = variation.norm_momentum.get();
        let [height, width] = self.images.size();
        let classes = self.images.classes();
        let hidden = self.plan.hidden.to_vec();
        match self.plan.model {
            Model::Mlp | Model::MlpBatchNorm => {
                let config = MlpConfig::new(dense_widths(self.plan, &self.images))
                    .with_activation(activation)
                    .with_batch_norm(self.plan.model.has_norm())
                    .with_norm_momentum(norm_momentum);
                config.check().map_err(anyhow::Error::new)?;
                Ok(self.with(move |seed, device| config.init_seeded(seed, device).expect(CHECKED)))
            }
            Model::Cnn | Model::CnnBatchNorm | Model::CnnResidual => {
                if height != width {
                    return Err(Refusal::Failure(anyhow::anyhow!(
                        "the convolutional network needs square images, and these have {height} x {width} pixels"
                    )));
                }
                let config = CnnConfig::new(height)
                    .with_classes(classes)
                    .with_activation(activation)
                    .with_batch_norm(self.plan.model.has_norm())
                    .with_norm_momentum(norm_momentum)
                    .with_depth(variation.depth.map_or(0, |depth| depth.get()))
                    .with_skip(self.plan.model == Model::CnnResidual);
                config.check().map_err(anyhow::Error::new)?;
                Ok(self.with(move |seed, device| config.init_seeded(seed, device).expect(CHECKED)))
            }
            Model::ResidualMlp => {
                let first = *hidden.first().expect("the widths have been checked");
                let config = ResidualMlpConfig::new(height * width, first, hidden.len())
                    .with_classes(classes)
                    .with_activation(activation);
                config.check().map_err(anyhow::Error::new)?;
                Ok(self.with(move |seed, device| config.init_seeded(seed, device).expect(CHECKED)))
            }
        }
    }

    fn with<M: Classifier + 'static>(
        self,
        network: impl Fn(u64, &Device) -> M + Send + Sync + 'static,
    ) -> Arc<dyn Subject> {
        let sizes = self.images.sizes();
        let split = u64::from(self.plan.data.split_seed);
        let variation = self.plan.variation.clone();
        let network = move |seed, device: &Device| started(network(seed, device), &variation, seed);
        let workload = Classification {
            images: self.images,
            network: Box::new(network),
        };
        Arc::new(Data::of(Arc::new(workload), sizes, split, self.sample))
    }
}

/// Checks what can be known of the widths without the data.
///
/// # Errors
/// When a residual network has no widths, or uneven ones.
pub(super) fn check_widths(plan: &NetworkPlan) -> Result<(), Refusal> {
    let Widths(hidden) = &plan.hidden;
    let uneven = hidden.is_empty() || hidden.windows(2).any(|pair| pair[0] != pair[1]);
    if plan.model == Model::ResidualMlp && uneven {
        return Err(Refusal::hidden(
            "the model residual-mlp has one block for each number and needs equal widths: --hidden 64,64, or hidden = [64, 64] in workspace.toml",
        ));
    }
    Ok(())
}

/// Checks sizes before anything of such a size is made.
fn check_sizes(plan: &NetworkPlan, images: &Images) -> Result<(), Refusal> {
    let layers = plan.hidden.0.len();
    if layers > limits::LAYERS {
        let message = format!("{layers} layers; allowed: at most {}", limits::LAYERS);
        return Err(Refusal::hidden(message));
    }
    match dense_parameters(plan, images) {
        Some(parameters) if parameters > limits::PARAMETERS => Err(Refusal::hidden(format!(
            "the widths {} make a network of {parameters} parameters; allowed: at most {}",
            plan.hidden,
            limits::PARAMETERS
        ))),
        _ => Ok(()),
    }
}

/// Returns the widths of an MLP, from the pixels to the classes.
fn dense_widths(plan: &NetworkPlan, images: &Images) -> Vec<usize> {
    let [height, width] = images.size();
    let mut widths = vec![height * width];
    widths.extend(plan.hidden.to_vec());
    widths.push(images.classes());
    widths
}

/// Returns the number of parameters of a fully connected network, which its widths decide; the
/// convolutional ones are small.
fn dense_parameters(plan: &NetworkPlan, images: &Images) -> Option<u64> {
    let widths = match plan.model {
        Model::Mlp | Model::MlpBatchNorm => dense_widths(plan, images),
        // Two square layers a block.
        Model::ResidualMlp => {
            let [height, width] = images.size();
            let hidden = plan.hidden.to_vec();
            let mut widths = vec![height * width];
            widths.extend(hidden.iter().flat_map(|&width| [width, width]));
            widths.extend(hidden.first());
            widths.push(images.classes());
            widths
        }
        Model::Cnn | Model::CnnBatchNorm | Model::CnnResidual => return None,
    };
    let layers = widths
        .windows(2)
        .map(|pair| (pair[0] as u64 + 1) * pair[1] as u64);
    // At most 2000 layers of 2³² parameters.
    Some(layers.sum())
}
