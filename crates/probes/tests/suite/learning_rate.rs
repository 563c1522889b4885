//! Tests of the learning rate on quadratics with a known Hessian, and what they leave alone.

use burn::module::{Module, Param};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device, Tensor};
use landscape::stability::{Optimiser, OptimiserSettings};
use landscape::{ParameterSpace, Risk, download};
use probes::{
    LearningRateConfig, Moment, Probe, RangeTest, Records, Value, learning_rate_sensitivity,
    learning_rate_test, learning_rate_test_by, tag,
};

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn point(at: &[f64]) -> Point {
    let device = Device::flex().autodiff();
    Point {
        at: Param::from_tensor(Tensor::from_data(at, (&device, DType::F64)).require_grad()),
    }
}

/// `½ Σ aᵢ xᵢ²`, the mean over batches of different a.
fn quadratic(batches: &[&[f64]]) -> Risk<Point, Tensor<1>> {
    let device = Device::flex();
    let batches: Vec<Tensor<1>> = batches
        .iter()
        .map(|a| Tensor::from_data(*a, (&device, DType::F64)))
        .collect();
    Risk::mean(batches, |point: &Point, a: &Tensor<1>| {
        (point.at.val().square() * a.clone()).sum() * 0.5
    })
    .without_reduction_check()
}

fn descent() -> ModuleOptimizer {
    SgdConfig::new().init()
}

/// Without smoothing, and with rates that grow by 5 %.
fn config() -> LearningRateConfig {
    LearningRateConfig::new()
        .with_lowest(1e-2)
        .with_highest(1e-2 * 1.05_f64.powi(99))
        .with_steps(100)
        .with_smoothing(0.0)
}

#[test]
fn losses_are_those_of_the_closed_form_and_the_least_is_at_two_over_lambda() {
    let (model, risk) = (point(&[1.0]), quadratic(&[&[8.0]]));
    let test = learning_rate_test(&model, &risk, &descent(), &config()).unwrap();
    let [course] = &test.courses[..] else {
        panic!("one batch has one order");
    };
    // x ← (1 − 8 η) x at each step, and the loss is 4 x².
    let mut x = 1.0_f64;
    assert_eq!(course.start, 4.0);
    for (rate, loss) in course.rates.iter().zip(&course.losses) {
        x *= 1.0 - 8.0 * rate;
        // Roundings of 100 steps, of which those near a rate of 1 / 8 leave little of x.
        assert!(
            (loss - 4.0 * x * x).abs() <= 1e-11 * loss + 1e-300,
            "{loss} {x}"
        );
    }
    let limits = test.limits.unwrap();
    assert!((limits.lambda_1.value - 8.0).abs() < 1e-12);
    assert!((limits.gradient_descent.unwrap() - 0.25).abs() < 1e-12);
    // The largest rate of the grid below 2 / λ₁ is the last whose step lowers the loss.
    let largest = test.largest_stable.unwrap();
    assert!(
        largest.value <= 0.25 && 0.25 < 1.05 * largest.value,
        "{largest}"
    );
    assert!(largest.lowest < 0.25 && 0.25 < largest.highest);
    let text = test.to_string();
    assert!(text.contains("agrees with the test"), "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn short_runs_end_above_the_start_from_the_limit_on() {
    // Three curvatures, and the sharpest limits: 2 / 9.
    let (model, risk) = (point(&[1.0, 1.0, 1.0]), quadratic(&[&[9.0, 1.0, 0.1]]));
    let rates: Vec<f64> = (-10..=10)
        .map(|k| 2.0 / 9.0 * 1.05_f64.powf(f64::from(k) + 0.5))
        .collect();
    let plain = OptimiserSettings::plain(Optimiser::GradientDescent);
    let config = config().with_steps(200).with_optimiser(Some(plain));
    let found = learning_rate_sensitivity(&model, &risk, &descent(), &rates, &config).unwrap();
    let largest = found.largest_stable().unwrap();
    assert!(
        largest < 2.0 / 9.0 && 2.0 / 9.0 < 1.06 * largest,
        "{largest}"
    );
    let limits = found.limits.unwrap();
    assert!((limits.own.unwrap() - 2.0 / 9.0).abs() < 1e-12);
    // Where it is stable, the loss is the closed form.
    for outcome in &found.outcomes {
        let expected: f64 = [9.0_f64, 1.0, 0.1]
            .iter()
            .map(|a| 0.5 * a * (1.0 - a * outcome.rate).powi(400))
            .sum();
        if outcome.rate < 2.0 / 9.0 {
            assert_eq!(outcome.diverged, 0);
            assert!((outcome.losses[0] / expected - 1.0).abs() < 1e-11);
        } else {
            assert_eq!(outcome.diverged, 1, "{}", outcome.rate);
        }
    }
    // Slow directions want the largest stable rate, and the sharp one a smaller: the best is below
    // the limit.
    assert!(found.best().unwrap().rate <= largest);
    assert!(found.picture().unwrap().svg().contains("2 / λ₁"));
    assert!(found.to_string().contains("diverged in 1 of 1 runs"));
}

#[test]
fn the_limit_of_momentum_and_of_a_penalty_is_its_own() {
    let (model, risk) = (point(&[1.0, 1.0]), quadratic(&[&[9.0, 1.0]]));
    let sgd = SgdConfig::new()
        .with_momentum(Some(MomentumConfig {
            momentum: 0.5,
            dampening: 0.0,
            nesterov: false,
        }))
        .with_weight_decay(Some(WeightDecayConfig::new(1.0)));
    // 2 (1 + ½) / (9 + 1).
    let limit = 0.3;
    let settings = OptimiserSettings::try_from(&sgd).unwrap();
    let config = config().with_steps(300).with_optimiser(Some(settings));
    let rates: Vec<f64> = (-6..=6)
        .map(|k| limit * 1.05_f64.powf(f64::from(k) + 0.5))
        .collect();
    let found = learning_rate_sensitivity(&model, &risk, &sgd.init(), &rates, &config).unwrap();
    let own = found.limits.unwrap().own.unwrap();
    // Burn keeps the penalty in f32.
    assert!((own - limit).abs() < 1e-7, "{own}");
    let largest = found.largest_stable().unwrap();
    assert!(largest < limit && limit < 1.06 * largest, "{largest}");
    let adam = OptimiserSettings::try_from(&AdamConfig::new()).unwrap();
    let config = config.with_optimiser(Some(adam)).with_steps(30);
    let test = learning_rate_test(&model, &risk, &AdamConfig::new().init(), &config).unwrap();
    assert_eq!(test.limits.unwrap().own, None);
    assert!(test.to_string().contains("second moments"), "{test}");
}

#[test]
fn neither_model_nor_optimiser_nor_its_state_change() {
    let (model, risk) = (
        point(&[1.0, -2.0]),
        quadratic(&[&[3.0, 1.0], &[1.0, 2.0], &[0.5, 4.0]]),
    );
    let mut optimiser = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    // A step, so that there is a velocity.
    let gradients = |model: &Point| {
        let a = Tensor::from_data([1.0, 1.0], (&Device::flex().autodiff(), DType::F64));
        let loss = (model.at.val().square() * a).sum();
        GradientsParams::from_grads(loss.backward(), model)
    };
    let model = {
        let gradients = gradients(&model);
        optimiser.step(0.1, model, gradients)
    };
    let bits = |model: &Point| -> Vec<u64> {
        let theta = ParameterSpace::of(model).unwrap().flatten(model).unwrap();
        download(&theta).into_iter().map(f64::to_bits).collect()
    };
    let state = |optimiser: &ModuleOptimizer| optimiser.into_bytes().unwrap().to_vec();
    let before = (bits(&model), state(&optimiser));
    let test = learning_rate_test(&model, &risk, &optimiser, &config()).unwrap();
    assert!(test.courses[0].losses.len() > 10);
    learning_rate_sensitivity(&model, &risk, &optimiser, &[0.1, 100.0], &config()).unwrap();
    let mut probe = RangeTest::of(&risk, &optimiser).with_config(config());
    probe
        .measure(&Moment::new(1, &model), &mut Records::new(1))
        .unwrap();
    assert_eq!((bits(&model), state(&optimiser)), before);
}

#[test]
fn the_seed_reproduces_and_chooses_the_order_of_the_batches() {
    let (model, risk) = (
        point(&[1.0, -2.0]),
        quadratic(&[&[3.0, 1.0], &[1.0, 2.0], &[0.5, 4.0], &[2.0, 0.1]]),
    );
    let with = |seed| {
        let config = config().with_seed(seed).with_smoothing(0.8);
        learning_rate_test(&model, &risk, &descent(), &config).unwrap()
    };
    let test = with(7);
    assert_eq!(test, with(7));
    assert_ne!(test.courses, with(8).courses);
    assert_eq!(test.courses.len(), 3);
    // A course with seed 8 is the second of those from seed 7.
    assert_eq!(test.courses[1], with(8).courses[0]);
    let suggestion = test.suggestion.unwrap();
    assert!(suggestion.lowest <= suggestion.value && suggestion.value <= suggestion.highest);
    let largest = test.largest_stable.unwrap();
    assert!(suggestion.value < largest.value);
}

#[test]
fn a_loss_that_is_nan_from_the_start_leaves_nothing_to_test() {
    let (model, risk) = (point(&[f64::NAN]), quadratic(&[&[8.0]]));
    let test = learning_rate_test(&model, &risk, &descent(), &config()).unwrap();
    assert!(test.courses[0].start.is_nan() && test.courses[0].losses.is_empty());
    assert_eq!(
        (test.suggestion, test.largest_stable, test.divergence),
        (None, None, None)
    );
    assert!(test.limits.is_none());
    assert!(
        test.to_string().contains("NaN before the first step"),
        "{test}"
    );
    let mut records = Records::new(0);
    let mut probe = RangeTest::of(&risk, &descent()).with_config(config());
    probe
        .measure(&Moment::new(0, &model), &mut records)
        .unwrap();
    assert!(
        records
            .into_vec()
            .iter()
            .all(|record| record.tag != tag::RATE_PICTURE)
    );
    let found = learning_rate_sensitivity(&model, &risk, &descent(), &[0.1], &config()).unwrap();
    assert!(found.start.is_nan() && found.best().is_none());
    assert!(
        found.to_string().contains("None of them is stable"),
        "{found}"
    );
}

#[test]
fn a_divergence_is_where_the_loss_is_far_above_the_least() {
    let (model, risk) = (point(&[1.0]), quadratic(&[&[8.0]]));
    let config = config().with_highest(1e3).with_steps(200);
    let test = learning_rate_test(&model, &risk, &descent(), &config).unwrap();
    let course = &test.courses[0];
    assert!(course.diverged && course.rates.len() < 200);
    let least = course.losses.iter().copied().fold(4.0, f64::min);
    let last = course.losses.len() - 1;
    // The multiple is 4 of the fall, here from 4 to almost nothing.
    assert!(course.losses[last] - least > 4.0 * (4.0 - least));
    assert!(
        course.losses[..last]
            .iter()
            .all(|loss| loss - least <= 4.0 * (4.0 - least))
    );
    let divergence = test.divergence.unwrap().value;
    assert_eq!(divergence, course.rates[last]);
    assert!((test.tenth_of_divergence.unwrap().value / divergence - 0.1).abs() < 1e-15);
}

#[test]
fn a_step_of_ones_own_is_taken() {
    let (model, risk) = (point(&[1.0]), quadratic(&[&[8.0]]));
    let own = |model: Point, optimiser: &mut ModuleOptimizer, rate: f64, a: &Tensor<1>| {
        let loss = (model.at.val().square() * a.clone()).sum() * 0.5;
        let value = loss.clone().into_scalar::<f64>();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        Ok((optimiser.step(rate, model, gradients), value))
    };
    let test = learning_rate_test_by(&model, &risk, &descent(), &config(), own).unwrap();
    assert_eq!(
        test,
        learning_rate_test(&model, &risk, &descent(), &config()).unwrap()
    );
}

#[test]
fn the_probe_records_rates_picture_and_numbers() {
    let (model, risk) = (point(&[1.0]), quadratic(&[&[8.0]]));
    let mut probe = RangeTest::of(&risk, &descent()).with_config(config());
    let mut records = Records::new(5);
    probe
        .measure(&Moment::new(5, &model), &mut records)
        .unwrap();
    let records = records.into_vec();
    let scalar = |tag: &str| {
        let record = records.iter().find(|record| record.tag == tag);
        match record.map(|record| &record.value) {
            Some(Value::Scalar(value)) => *value,
            other => panic!("{tag}: {other:?}"),
        }
    };
    assert!((scalar(tag::RATE_DESCENT_LIMIT) - 0.25).abs() < 1e-12);
    assert_eq!(
        scalar(tag::RATE_LARGEST),
        probe.last().unwrap().largest_stable.unwrap().value
    );
    for tag in [tag::RATE_PICTURE, tag::RATE_DATA, tag::RATE_TEXT] {
        assert!(
            records
                .iter()
                .any(|record| record.tag == tag && record.step == 5),
            "{tag}"
        );
    }
}

#[test]
fn bad_settings_are_named_with_what_is_allowed() {
    let (model, risk) = (point(&[1.0]), quadratic(&[&[8.0]]));
    let refused = |config: LearningRateConfig| {
        let test = learning_rate_test(&model, &risk, &descent(), &config);
        test.unwrap_err().to_string()
    };
    for (config, words) in [
        (config().with_lowest(0.0), ["lowest", "positive"]),
        (config().with_highest(1e-3), ["highest", "above the lowest"]),
        (config().with_highest(f64::INFINITY), ["highest", "finite"]),
        (config().with_steps(1), ["steps", "at least 2"]),
        (config().with_orders(0), ["orders", "at least 1"]),
        (config().with_smoothing(1.0), ["smoothing", "below 1"]),
        (config().with_divergence(f64::NAN), ["diverged", "positive"]),
    ] {
        let sentence = refused(config);
        assert!(
            words.iter().all(|word| sentence.contains(word)),
            "{sentence}"
        );
    }
    let rate = learning_rate_sensitivity(&model, &risk, &descent(), &[-0.1], &config());
    assert!(rate.unwrap_err().to_string().contains("-0.1"));
    let empty = learning_rate_test(&model, &quadratic(&[]), &descent(), &config());
    assert!(empty.unwrap_err().to_string().contains("no example"));
}
