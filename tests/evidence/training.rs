//! One training of the digits MLP, and what is measured of its end.

use anyhow::{Result, anyhow};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, ImageDataset, Split, SplitConfig, batch, epoch_order};
use landscape::sharpness::sam_sharpness;
use landscape::{Hessian, LanczosConfig, Risk, TraceConfig, hutchinson_trace, top_eigenpairs};
use models::{Mlp, MlpConfig};
use sam::{AsamConfig, SamConfig, SharpnessAware};

/// How the gradient of a step is made.
#[derive(Clone, Copy)]
pub(crate) enum Method {
    Sgd,
    Sam,
    Asam,
}

/// What is the same for all methods of a comparison.
pub(crate) struct Recipe {
    pub(crate) epochs: u64,
    pub(crate) seed: u64,
    pub(crate) learning_rate: f64,
    pub(crate) batch_size: usize,
}

/// The figures of a trained model.
pub(crate) struct Outcome {
    pub(crate) training_loss: f64,
    pub(crate) validation_loss: f64,
    pub(crate) validation_accuracy: f64,
    pub(crate) lambda_max: f64,
    pub(crate) lambda_residual: f64,
    pub(crate) trace: f64,
    pub(crate) trace_error: f64,
    pub(crate) sam_sharpness: f64,
}

type Batch = (Tensor<4>, Tensor<1, Int>);

fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn whole(data: &ImageDataset, device: &Device) -> Batch {
    let all: Vec<usize> = (0..data.len()).collect();
    let batch = batch(data, &all, device);
    (batch.images, batch.labels)
}

/// Trains by `method` and measures the model on the training data.
pub(crate) fn train(method: Method, recipe: &Recipe) -> Result<Outcome> {
    let device = Device::flex().autodiff();
    let Split {
        train, validation, ..
    } = Digits::load()?.split(&SplitConfig::new().with_seed(recipe.seed))?;
    let mut model = MlpConfig::new(vec![64, 128, 64, 10]).init_seeded(recipe.seed, &device);
    // Burn's default dampening is 0.1; PyTorch's momentum has none.
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let (mut sam, mut asam) = (SamConfig::new().init(), AsamConfig::new().init());
    let steps_per_epoch = train.len().div_ceil(recipe.batch_size) as u64;
    let total = recipe.epochs * steps_per_epoch;
    let mut step = 0_u64;
    for epoch in 0..recipe.epochs {
        for indices in epoch_order(recipe.seed, epoch, train.len()).chunks(recipe.batch_size) {
            let examples = batch(&train, indices, &device);
            let examples = (examples.images, examples.labels);
            #[allow(clippy::cast_precision_loss, reason = "some thousand steps")]
            let progress = step as f64 / total as f64;
            let rate = recipe.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
            let on_batch = |model: &Mlp| loss(model, &examples);
            model = match method {
                Method::Sgd => {
                    let gradients = on_batch(&model).backward();
                    let gradients = GradientsParams::from_grads(gradients, &model);
                    optimiser.step(rate, model, gradients)
                }
                Method::Sam => taken(sam.step(&mut optimiser, rate, model, on_batch))?,
                Method::Asam => taken(asam.step(&mut optimiser, rate, model, on_batch))?,
            };
            step += 1;
        }
    }
    measure(
        &model,
        &whole(&train, &device),
        &whole(&validation, &device),
        recipe.seed,
    )
}

fn taken<M>(step: Result<sam::Step<M>, sam::Rejected<M>>) -> Result<M> {
    step.map(|step| step.model)
        .map_err(|rejected| anyhow!("{}", rejected.reason))
}

fn measure(model: &Mlp, train: &Batch, validation: &Batch, seed: u64) -> Result<Outcome> {
    let risk = Risk::mean([train.clone()], loss);
    let hessian = Hessian::at(model, &risk)?;
    let pairs = top_eigenpairs(&hessian, 1, &LanczosConfig::new().with_seed(seed))?;
    let trace = TraceConfig::new().with_relative_error(0.02).with_seed(seed);
    let trace = hutchinson_trace(&hessian, &trace)?;
    Ok(Outcome {
        training_loss: risk.value(model)?,
        validation_loss: risk.over([validation.clone()]).value(model)?,
        validation_accuracy: accuracy(model, validation),
        lambda_max: pairs[0].value,
        lambda_residual: pairs[0].residual,
        trace: trace.mean,
        trace_error: trace.standard_error,
        sam_sharpness: sam_sharpness(model, &risk, 0.05)?.value,
    })
}

#[allow(clippy::cast_precision_loss, reason = "some hundred images")]
fn accuracy(model: &Mlp, (images, labels): &Batch) -> f64 {
    let device = images.device().without_autodiff();
    let images = images.clone().to_device(&device);
    let predicted = model.valid().forward(images).argmax(1).reshape([-1]);
    let equal = predicted
        .equal(labels.clone().to_device(&device))
        .int()
        .sum();
    equal.to_data().iter::<f64>().sum::<f64>() / labels.dims()[0] as f64
}
