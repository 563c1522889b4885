//! The range test: the rate grows from step to step.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use landscape::{Batch, Batches, Risk};

use super::config::LearningRateConfig;
use super::course::{Step, train};
use super::descent::descent;
use super::limits::RateLimits;
use super::result::{LearningRateTest, RateCourse};
use super::smooth::smoothed;
use crate::Error;

/// Returns how the loss answers to a learning rate that grows from step to step, from a model and
/// an optimiser as they are.
///
/// The steps are those of the risk's gradient over one batch after another, with dropout off and
/// BatchNorm as the risk says; [`learning_rate_test_by`] takes a step of your own. Copies are
/// trained: model, optimiser and random streams stay bit for bit what they were. A loader that
/// shuffles is read once for each pass, so give it one of its own.
///
/// Cost: `orders` times `steps` gradients of one batch, and `λ₁`.
///
/// # Errors
/// A setting out of range, no data, a model that cannot be measured. A loss that is not finite from
/// the start is a result: the course is empty and there is no suggestion.
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::optim::SgdConfig;
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use probes::{LearningRateConfig, learning_rate_test};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// // L = 4 x² has λ₁ = 8: gradient descent is stable up to a rate of 2 / 8.
/// let on = (&Device::flex(), DType::F64);
/// let model = Point {
///     at: Param::from_tensor(Tensor::from_data([1.0], on)),
/// };
/// let risk = Risk::mean(
///     Tensor::from_data([4.0], on),
///     |model: &Point, a: &Tensor<1>| (model.at.val().square() * a.clone()).sum(),
/// )
/// .without_reduction_check();
/// let config = LearningRateConfig::new()
///     .with_smoothing(0.0)
///     .with_lowest(1e-3);
/// let test = learning_rate_test(&model, &risk, &SgdConfig::new().init(), &config)?;
/// let limit = test
///     .limits
///     .and_then(|limits| limits.gradient_descent)
///     .unwrap();
/// assert!((limit - 0.25).abs() < 1e-12);
/// // The largest rate of the grid whose step still lowers the loss.
/// let factor = config.rates()[1] / config.rates()[0];
/// let largest = test.largest_stable.unwrap().value;
/// assert!(largest <= 0.25 && largest * factor > 0.25);
/// # Ok::<(), probes::Error>(())
/// ```
///
/// # References
/// Smith (2017), *Cyclical Learning Rates for Training Neural Networks*, section 3.3, for the test.
/// The rate at the steepest fall and a tenth of that at which the loss diverges are the rules of
/// thumb of the fastai library.
pub fn learning_rate_test<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    optimiser: &ModuleOptimizer,
    config: &LearningRateConfig,
) -> Result<LearningRateTest, Error> {
    learning_rate_test_by(model, risk, optimiser, config, descent(risk))
}

/// Returns the same as [`learning_rate_test`] with a training step of your own: with dropout, with
/// SAM, with clipping. `step` is given the model, the optimiser, the learning rate and a batch, and
/// returns the model after the step and the loss of the batch before it. The risk gives the batches
/// and `λ₁`.
///
/// What the step draws from the device's generator, by dropout for example, it draws: that stream
/// cannot be copied.
///
/// # Errors
/// As [`learning_rate_test`], and what the step returns.
pub fn learning_rate_test_by<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    optimiser: &ModuleOptimizer,
    config: &LearningRateConfig,
    mut step: impl FnMut(M, &mut ModuleOptimizer, f64, &B) -> Result<(M, f64), Error>,
) -> Result<LearningRateTest, Error> {
    config.check()?;
    let rates = config.rates();
    let orders = orders(risk.batches(), config.orders);
    let mut courses = Vec::new();
    for order in 0..orders {
        let seed = (orders > 1).then(|| config.seed.wrapping_add(order as u64));
        courses.push(course(
            (model, optimiser),
            risk.batches(),
            seed,
            &rates,
            config,
            &mut step,
        )?);
    }
    let limits = match courses[0].start.is_finite() {
        true => RateLimits::at(model, risk, config)?,
        false => None,
    };
    Ok(LearningRateTest::of(config.clone(), courses, limits))
}

/// Returns the number of different orders that are worth a course.
pub(super) fn orders<B>(batches: &Batches<B>, wanted: usize) -> usize {
    match batches {
        Batches::Held(batches) if batches.len() < 2 => 1,
        _ => wanted,
    }
}

fn course<M: Module, B: Batch>(
    of: (&M, &ModuleOptimizer),
    batches: &Batches<B>,
    seed: Option<u64>,
    rates: &[f64],
    config: &LearningRateConfig,
    step: &mut impl Step<M, B>,
) -> Result<RateCourse, Error> {
    let mut start = f64::NAN;
    let mut losses: Vec<f64> = Vec::new();
    let mut diverged = false;
    // One step more than there are rates shows the loss after the last one.
    let rate_of = |done: usize| (done <= rates.len()).then(|| rates[done.min(rates.len() - 1)]);
    train(of, batches, seed, step, rate_of, |done, loss| {
        if done == 0 {
            start = loss;
            return loss.is_finite();
        }
        losses.push(loss);
        diverged = has_diverged(start, &losses, config);
        !diverged && done < rates.len()
    })?;
    let smoothed = smoothed(&losses, config.smoothing);
    Ok(RateCourse {
        seed,
        start,
        rates: rates[..losses.len()].to_vec(),
        losses,
        smoothed,
        diverged,
    })
}

/// Tells whether the last loss is not finite, or the smoothed one is far above the least.
pub(super) fn has_diverged(start: f64, losses: &[f64], config: &LearningRateConfig) -> bool {
    if losses.last().is_some_and(|loss| !loss.is_finite()) {
        return true;
    }
    let smoothed = smoothed(losses, config.smoothing);
    let Some(last) = smoothed.last() else {
        return false;
    };
    let least = smoothed.iter().copied().fold(start, f64::min);
    // The fall, and where there was none the size of the loss.
    let scale = if least < start {
        start - least
    } else {
        start.abs()
    };
    last - least > config.divergence * scale
}
