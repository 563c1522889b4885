//! From a remedy of a diagnosis to other settings.

use probes::diagnosis::{ActivationFunction, InitialisationScheme, OptimiserKind, Remedy};

use super::bounded::{Bounded, Count, Range};
use super::choice::{Activation, Initialisation, Method, Model, Optimiser, name};
use super::plan::Plan;
use super::sam::SamSettings;
use super::subject::{NetworkPlan, Subject};
use super::widths::Widths;
use crate::report::number::plain_number;

/// The learning rate of Kingma and Ba (2015), algorithm 1: that of SGD means nothing to Adam.
const ADAM: f64 = 0.001;
/// The momentum of both optimisers.
const MOMENTUM: f64 = 0.9;
/// The share of a batch in running statistics that is usual.
const FOLLOWS: f64 = 0.1;
/// The weight decay of a training that had none.
const DECAY: f64 = 1e-3;
/// Hidden layers that are left of a network with too many.
const FEW: usize = 2;

/// Returns the settings of a training with a remedy.
///
/// # Errors
/// A remedy that is no change of settings: what stands against it, and what can be done by hand.
pub(crate) fn remedied(plan: &Plan, remedy: &Remedy) -> Result<Plan, String> {
    let mut after = plan.clone();
    change(&mut after, remedy)?;
    if after == *plan {
        return Err("the run has these settings already".to_owned());
    }
    Ok(after)
}

fn change(plan: &mut Plan, remedy: &Remedy) -> Result<(), String> {
    match *remedy {
        Remedy::LearningRate { factor } => {
            plan.learning_rate = within(plan.learning_rate.get() * factor, "a learning rate")?;
        }
        Remedy::LongerTraining { factor } => {
            plan.epochs = rounded(plan.epochs.get(), factor, "epochs")?;
        }
        Remedy::BatchSize { factor } => {
            plan.batch_size = rounded(plan.batch_size.get(), factor, "examples in a batch")?;
        }
        Remedy::Initialisation { scheme } => {
            let variation = &mut network(plan)?.variation;
            variation.initialisation = match scheme {
                InitialisationScheme::Glorot => Initialisation::Xavier,
                _ => Initialisation::He,
            };
            variation.init_scale = within(1.0, "a factor")?;
            variation.init_bias = None;
            variation.rescale = None;
        }
        Remedy::Activation { function } => activation(network(plan)?, function)?,
        Remedy::Normalisation => normalised(network(plan)?)?,
        Remedy::Residual => residual(network(plan)?)?,
        Remedy::FewerLayers => fewer_layers(network(plan)?)?,
        Remedy::GradientClip { norm } => {
            if plan.method != Method::Plain {
                return Err(format!(
                    "the gradient is clipped with the method plain alone, and here it is {}; try the method plain first",
                    name(plan.method)
                ));
            }
            plan.clip = Some(within(norm, "a norm")?);
        }
        Remedy::Optimiser { kind } => {
            plan.momentum = within(MOMENTUM, "a momentum")?;
            if kind == OptimiserKind::Adam {
                plan.optimiser = Optimiser::Adam;
                plan.learning_rate = within(ADAM, "a learning rate")?;
            } else {
                plan.optimiser = Optimiser::Sgd;
            }
        }
        Remedy::Sam { rho } => {
            plan.method = Method::Sam;
            plan.rho = within(rho, "a radius")?;
            plan.sam = SamSettings::default().decided(Method::Sam, plan.batch_size);
            plan.clip = None;
        }
        Remedy::MoreRegularisation => {
            let decay = (10.0 * plan.weight_decay.get()).max(DECAY);
            plan.weight_decay = within(decay, "a weight decay")?;
        }
        Remedy::BatchNormStatistics => {
            let variation = &mut network(plan)?.variation;
            if variation.norm_momentum.get() >= FOLLOWS {
                return Err("the running statistics follow the batches as fast as is usual (`norm_momentum`); compute them anew from \
                            the training data after the last step, which is a loop of your own"
                    .to_owned());
            }
            variation.norm_momentum = within(FOLLOWS, "a share")?;
        }
        Remedy::CleanLabels => {
            // Here it is known where wrong labels come from.
            let alteration = &mut network(plan)?.variation.alteration;
            if alteration.random_labels.get() <= 0.0 {
                return Err("look at the examples of the largest loss, and mend or remove those whose labels are wrong".to_owned());
            }
            alteration.random_labels = within(0.0, "a share")?;
        }
        Remedy::Warmup { steps } => {
            return Err(format!(
                "no schedule of this program grows; train {steps} steps with a tenth of the learning rate first, or with a smaller one"
            ));
        }
        Remedy::ScaleInputs => {
            return Err(
                "divide the inputs by their standard deviation where the data are read".to_owned(),
            );
        }
        Remedy::Perturbation => {
            return Err(
                "train with another --seed, or begin from other weights (--initialisation he)"
                    .to_owned(),
            );
        }
        Remedy::MoreSeeds => {
            return Err("train with --seeds 5, say; compare shows mean and spread".to_owned());
        }
        _ => return Err("carry it out by hand".to_owned()),
    }
    Ok(())
}

/// Returns the bundled network of a plan.
fn network(plan: &mut Plan) -> Result<&mut NetworkPlan, String> {
    match &mut plan.subject {
        Subject::Network(network) => Ok(network),
        Subject::Own { workload } => Err(format!(
            "the network and the data are those of the workload `{workload}`: change them in its program"
        )),
    }
}

fn activation(network: &mut NetworkPlan, function: ActivationFunction) -> Result<(), String> {
    network.activation = match function {
        ActivationFunction::Relu => Activation::Relu,
        ActivationFunction::Gelu => Activation::Gelu,
        ActivationFunction::Tanh => Activation::Tanh,
        _ => {
            return Err("the bundled networks do not have this activation; gelu is near to it (--activation gelu)".to_owned());
        }
    };
    if network.activation != Activation::Relu {
        network.variation.rescale = None;
    }
    Ok(())
}

fn normalised(network: &mut NetworkPlan) -> Result<(), String> {
    network.model = match network.model {
        Model::Mlp => Model::MlpBatchNorm,
        Model::Cnn | Model::CnnResidual => Model::CnnBatchNorm,
        Model::ResidualMlp => {
            return Err("residual-mlp has no form with normalisation; mlp-batch-norm is one without the connections".to_owned());
        }
        Model::MlpBatchNorm | Model::CnnBatchNorm => {
            return Err("the network has BatchNorm already".to_owned());
        }
    };
    network.variation.rescale = None;
    Ok(())
}

/// Gives the network skip connections, and as many layers as it has: a residual perceptron has two
/// layers a block, and two more.
fn residual(network: &mut NetworkPlan) -> Result<(), String> {
    match network.model {
        Model::Mlp | Model::MlpBatchNorm => {
            let widest = network.hidden.0.iter().max_by_key(|width| width.get());
            let Some(&width) = widest else {
                return Err("a network of one layer has nothing to go around".to_owned());
            };
            let blocks = network.hidden.0.len().saturating_sub(1).div_ceil(2).max(1);
            network.hidden = Widths(vec![width; blocks]);
            network.model = Model::ResidualMlp;
        }
        Model::Cnn | Model::CnnBatchNorm if network.variation.depth.is_some() => {
            network.model = Model::CnnResidual;
        }
        Model::Cnn | Model::CnnBatchNorm => {
            return Err(
                "the network has two convolutions and a layer after them, and nothing to go around"
                    .to_owned(),
            );
        }
        Model::ResidualMlp | Model::CnnResidual => {
            return Err("the network has residual connections already".to_owned());
        }
    }
    network.variation.rescale = None;
    Ok(())
}

fn fewer_layers(network: &mut NetworkPlan) -> Result<(), String> {
    let dense = network.is_dense();
    if dense && network.hidden.0.len() > FEW {
        network.hidden.0.truncate(FEW);
        Ok(())
    } else if !dense && network.variation.depth.is_some() {
        network.variation.depth = None;
        Ok(())
    } else {
        Err("the network has few layers already".to_owned())
    }
}

/// Returns a number in its range.
fn within<R: Range>(value: f64, what: &str) -> Result<Bounded<R>, String> {
    Bounded::new(value).ok_or_else(|| {
        format!(
            "{} cannot be {what}: expected {}",
            plain_number(value),
            R::EXPECTED
        )
    })
}

/// Returns a count times a factor, at least 1.
fn rounded<const MAX: u32>(count: usize, factor: f64, what: &str) -> Result<Count<MAX>, String> {
    #[expect(clippy::cast_precision_loss, reason = "a count of 32 bits")]
    let value = (count as f64 * factor).round().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 or more; what is too large becomes the largest, which is refused"
    )]
    let count = Count::new(value as usize);
    count.ok_or_else(|| format!("{} {what} are too many: at most {MAX}", plain_number(value)))
}
