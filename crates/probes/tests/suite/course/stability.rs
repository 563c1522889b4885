//! The stability monitor beside optimisers that run on both sides of their threshold.

use burn::module::Param;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, OptimizerRecord, RmsPropConfig,
    SgdConfig,
};
use burn::tensor::{Bytes, DType, Device, Tensor, TensorData};
use burn_pack::{Reader, Scalar, Writer};
use landscape::{LanczosConfig, Risk};
use probes::instrument::{
    DivergenceRule, Optimiser, OptimiserSettings, StabilityMonitor, StabilitySeen, TopEigenvalues,
};
use probes::sink::Memory;
use probes::{Message, Observation, Probes, Schedule, Value, tag};
use sam::{SamConfig, Step};

use super::{Point, assert_close, point, quadratic, scalar};

const CURVATURE: [f64; 3] = [1.0, 0.3, 0.05];
const START: [f64; 3] = [1e-3, -5e-4, 3e-4];

fn monitor(settings: OptimiserSettings, dtype: DType) -> StabilityMonitor<Point, Tensor<1>> {
    // In f32 the products have seven digits.
    let tolerance = if dtype == DType::F64 { 1e-12 } else { 1e-5 };
    let lanczos = LanczosConfig::new().with_tolerance(tolerance);
    StabilityMonitor::of(&risk(dtype), settings).with_config(lanczos)
}

fn risk(dtype: DType) -> Risk<Point, Tensor<1>> {
    if dtype == DType::F64 {
        return quadratic(&CURVATURE);
    }
    let data = TensorData::from(CURVATURE).convert_dtype(dtype);
    Risk::mean(
        Tensor::<1>::from_data(data, (&Device::flex(), dtype)),
        |model: &Point, a: &Tensor<1>| (model.at.val().square() * a.clone()).sum() * 0.5,
    )
    .without_reduction_check()
}

fn loss(model: &Point) -> Tensor<1> {
    let at = model.at.val();
    let data = TensorData::from(CURVATURE).convert_dtype(at.dtype());
    let a = Tensor::<1>::from_data(data, (&at.device(), at.dtype()));
    (at.square() * a).sum() * 0.5
}

fn step(optimiser: &mut ModuleOptimizer, lr: f64, model: Point) -> Point {
    let gradients = GradientsParams::from_grads(loss(&model).backward(), &model);
    optimiser.step(lr, model, gradients)
}

fn size(model: &Point) -> f64 {
    landscape::norm(&landscape::download(&model.at.val().inner()))
}

/// Returns by how much the weights have grown after at most 3,000 steps; stops where they have by
/// a thousand times, or have shrunk so.
fn growth(optimiser: &mut ModuleOptimizer, lr: f64, mut model: Point) -> f64 {
    let before = size(&model);
    for _ in 0..3000 {
        model = step(optimiser, lr, model);
        let growth = size(&model) / before;
        if !(1e-3..1e3).contains(&growth) {
            return growth;
        }
    }
    size(&model) / before
}

/// Returns the learning rate whose threshold is `threshold`, by bisection: a threshold falls as
/// the rate grows.
fn rate_of(settings: &OptimiserSettings, threshold: f64) -> f64 {
    let (mut low, mut high) = (1e-6_f64, 1e4_f64);
    for _ in 0..200 {
        let middle = (low * high).sqrt();
        match settings.optimiser.threshold(middle, 0.0) {
            Ok(found) if found > threshold => low = middle,
            _ => high = middle,
        }
    }
    low
}

/// Observes one step with the optimiser, as a loop does.
fn observed(
    settings: OptimiserSettings,
    lr: f64,
    model: &Point,
    optimiser: &ModuleOptimizer,
) -> Observation {
    let dtype = model.at.val().dtype();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), monitor(settings, dtype))
        .with_handler(|_| ());
    probes.set_learning_rate(lr);
    probes.observe_with(1, model, optimiser).expect("a step")
}

/// Asserts that the probe says 0.98 where the optimiser converges, and 1.02 where it diverges.
fn assert_edge(
    name: &str,
    settings: OptimiserSettings,
    start: impl Fn() -> (ModuleOptimizer, Point),
) {
    let (optimiser, model) = start();
    let exact = model.at.val().dtype() == DType::F64;
    let largest = scalar(
        &observed(settings, 1e-3, &model, &optimiser),
        "stability/lambda_1",
    );
    for (ratio, shrinks) in [(0.98, true), (1.02, false)] {
        let lr = rate_of(&settings, largest / ratio);
        let (mut optimiser, model) = start();
        let found = observed(settings, lr, &model, &optimiser);
        let tolerance = if exact { 1e-9 } else { 1e-4 };
        assert_close(scalar(&found, tag::SHARPNESS_RATIO), ratio, tolerance);
        let error = scalar(&found, tag::SHARPNESS_RATIO_ERROR);
        assert!(error < tolerance, "{name}: {error:.1e}");
        let growth = growth(&mut optimiser, lr, model);
        assert_eq!(growth < 1.0, shrinks, "{name} at {ratio}: {growth:.1e}");
        assert!(!(1e-3..1e3).contains(&growth), "{name}: {growth:.1e}");
    }
}

#[test]
fn ratio_of_sgd_is_below_one_where_it_converges_and_above_where_it_diverges() {
    let momentum = |momentum, dampening, nesterov| {
        Some(MomentumConfig {
            momentum,
            dampening,
            nesterov,
        })
    };
    let sgd = SgdConfig::new;
    let decayed = sgd().with_momentum(momentum(0.9, 0.0, false));
    for (name, config) in [
        ("gradient descent", sgd()),
        ("heavy ball", sgd().with_momentum(momentum(0.9, 0.0, false))),
        ("dampened", sgd().with_momentum(momentum(0.5, 0.4, false))),
        ("Nesterov", sgd().with_momentum(momentum(0.9, 0.0, true))),
        (
            "dampened Nesterov",
            sgd().with_momentum(momentum(0.8, 0.3, true)),
        ),
        (
            "with weight decay",
            decayed.with_weight_decay(Some(WeightDecayConfig::new(0.5))),
        ),
    ] {
        let settings = OptimiserSettings::try_from(&config).expect("settings of SGD");
        assert_edge(name, settings, || (config.init(), point(&START)));
    }
}

/// The second moments that are put into a record.
const MOMENT: [f64; 3] = [1.0, 4.0, 0.25];

/// The largest f32 below 1: a mean that forgets by 6e-8 a step stands still over 3,000 steps.
const STILL: f32 = 1.0 - f32::EPSILON / 2.0;

/// Returns the optimiser with second moments that have stood still for a long time, and the model
/// of their ids, in f32, in which Burn loads them.
fn still(config: impl Fn() -> ModuleOptimizer) -> (ModuleOptimizer, Point) {
    let single = || {
        let data = TensorData::from(START).convert_dtype(DType::F32);
        Tensor::<1>::from_data(data, (&Device::flex().autodiff(), DType::F32))
    };
    let mut optimiser = config();
    let model = step(
        &mut optimiser,
        0.0,
        Point {
            at: Param::from_tensor(single()),
        },
    );
    let bytes = optimiser.to_record().into_bytes().expect("a record");
    let reader = Reader::from_bytes(bytes).expect("a record");
    let (scalars, metadata) = (reader.scalars().clone(), reader.metadata().clone());
    let tensors = reader
        .into_tensors()
        .expect("tensors")
        .into_iter()
        .map(|t| {
            let (name, dtype, shape, id, bytes) = t.into_parts().expect("a tensor");
            let second = ["moment_2", "square_avg.square_avg", "centered.avg"];
            let first = ["moment_1", "grad_avg", "buf"];
            let ends = |of: &[&str]| of.iter().any(|ending| name.ends_with(ending));
            let bytes = if ends(&second) {
                TensorData::from(MOMENT).convert_dtype(dtype).into_parts().0
            } else if ends(&first) {
                TensorData::from([0.0; 3])
                    .convert_dtype(dtype)
                    .into_parts()
                    .0
            } else {
                Bytes::from_bytes_vec(bytes.to_vec())
            };
            burn_pack::Tensor::new(name, dtype, shape, id, bytes)
        });
    let mut writer = Writer::new(tensors.collect());
    for (name, value) in scalars {
        // 0.99999994 to the power of 10⁹ is e⁻⁵⁹: no correction is left.
        let is_time = name.ends_with(".time");
        let value = if is_time {
            Scalar::UInt(1_000_000_000)
        } else {
            value
        };
        writer = writer.with_scalar(&name, value);
    }
    for (name, value) in metadata {
        writer = writer.with_metadata(&name, &value);
    }
    let bytes = writer.into_bytes().expect("a record");
    let record = OptimizerRecord::from_bytes(bytes).expect("a record");
    let model = Point {
        at: Param::initialized(model.at.id, single().require_grad()),
    };
    (config().load_record(record), model)
}

#[test]
fn ratio_of_adaptive_optimisers_is_that_of_their_own_second_moments() {
    let adam = || AdamConfig::new().with_beta_2(STILL);
    for (name, config) in [
        ("Adam", adam()),
        ("Adam without momentum", adam().with_beta_1(0.0)),
        (
            "Adam with an L2 penalty",
            adam().with_weight_decay(Some(WeightDecayConfig::new(0.5))),
        ),
    ] {
        let settings = OptimiserSettings::try_from(&config).expect("settings of Adam");
        assert_edge(name, settings, || still(|| config.init()));
    }
    let config = AdamWConfig::new()
        .with_beta_2(STILL)
        .with_weight_decay(0.02);
    let settings = OptimiserSettings::try_from(&config).expect("settings of AdamW");
    assert_edge("AdamW", settings, || still(|| config.init()));
    for (name, momentum, centered) in [
        ("RMSprop", 0.0, false),
        ("RMSprop with momentum", 0.9, false),
        ("centred RMSprop", 0.5, true),
    ] {
        let config = RmsPropConfig::new()
            .with_alpha(STILL)
            .with_momentum(momentum)
            .with_centered(centered);
        let settings = OptimiserSettings::try_from(&config).expect("settings of RMSprop");
        assert_edge(name, settings, || still(|| config.init()));
    }
}

#[test]
fn preconditioned_curvature_is_the_largest_of_the_quotients() {
    // Without moments put in by hand: after one step of rate 0 the corrected second moment is g²,
    // so that p = |g| + ε and the spectrum is aᵢ / (aᵢ |xᵢ| + ε).
    let config = AdamConfig::new();
    let settings = OptimiserSettings::try_from(&config).expect("settings of Adam");
    let mut optimiser = config.init();
    let at = [0.5, -0.25, 2.0];
    let model = step(&mut optimiser, 0.0, point(&at));
    let found = observed(settings, 0.1, &model, &optimiser);
    let quotients = CURVATURE
        .iter()
        .zip(&at)
        .map(|(a, x)| a / (a * x.abs() + 1e-5));
    let largest = quotients.fold(0.0, f64::max);
    // Burn corrects the bias by 1 − β₂ᵗ in f32, where 0.001 has four digits and a half.
    assert_close(
        scalar(&found, tag::STABILITY_LAMBDA),
        largest,
        1e-4 * largest,
    );
    let threshold = 2.0 * 1.9 / (0.1 * 0.1);
    assert_close(
        scalar(&found, tag::STABILITY_THRESHOLD),
        threshold,
        1e-4 * threshold,
    );
    // The gradient's component along it, in the units of p: |g₂| / √p₂ of the second coordinate.
    let p = CURVATURE[1] * at[1].abs() + 1e-5;
    let component = CURVATURE[1] * at[1].abs() / p.sqrt();
    assert_close(
        scalar(&found, tag::STABILITY_COMPONENT),
        component,
        1e-3 * component,
    );
}

#[test]
fn ratio_of_sam_is_one_where_its_steps_neither_grow_nor_shrink() {
    // One coordinate of curvature 2: a step multiplies the weight by 1 − η a (1 + a ρ / ‖g‖), and
    // the threshold depends on ‖g‖ = a |x|.
    let (a, rho, lr) = (2.0, 0.05, 0.4);
    let risk = quadratic(&[a]);
    for momentum in [0.0, 0.5] {
        let heavy_ball = (momentum > 0.0).then_some(MomentumConfig {
            momentum,
            dampening: 0.0,
            nesterov: false,
        });
        let config = SgdConfig::new().with_momentum(heavy_ball);
        let settings = OptimiserSettings::try_from(&config)
            .and_then(|settings| settings.with_sam(rho))
            .expect("settings of SAM over SGD");
        // ‖g‖ at the edge: η a (1 + a ρ / ‖g‖) = 2 (1 + β).
        let edge = a * rho / (2.0 * (1.0 + momentum) / (lr * a) - 1.0);
        for (norm, grows) in [(edge * 0.97, true), (edge * 1.03, false)] {
            let start = norm / a;
            let mut model = point(&[start]);
            let mut optimiser = config.init();
            let mut probes = Probes::unlimited()
                .with(Schedule::every(1), StabilityMonitor::of(&risk, settings))
                .with_handler(|_| ());
            probes.set_learning_rate(lr);
            let found = probes.observe_with(0, &model, &optimiser).expect("a step");
            let ratio = scalar(&found, tag::SHARPNESS_RATIO);
            assert_eq!(ratio > 1.0, grows, "momentum {momentum}: {ratio}");
            assert!((0.95..1.05).contains(&ratio), "{ratio}");
            if momentum > 0.0 {
                // Its transients are longer than the change of ‖g‖ leaves the ratio alone.
                continue;
            }
            let mut sam = SamConfig::new().with_rho(rho).init().expect("a radius");
            let Step { model: next, .. } = sam
                .step(&mut optimiser, lr, model, |model: &Point| {
                    (model.at.val().square() * (0.5 * a)).sum()
                })
                .expect("a finite loss");
            model = next;
            assert_eq!(size(&model) > start, grows, "{} {start}", size(&model));
        }
    }
}

#[test]
fn eigenpair_of_the_same_step_is_taken_over() {
    let risk = quadratic(&CURVATURE);
    let sgd = SgdConfig::new().with_weight_decay(Some(WeightDecayConfig::new(0.25)));
    let settings = OptimiserSettings::try_from(&sgd).expect("settings of SGD");
    let exact = LanczosConfig::new().with_tolerance(1e-12);
    let eigenvalues = TopEigenvalues::of(&risk, 1).with_config(exact);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), eigenvalues)
        .with(Schedule::every(1), StabilityMonitor::of(&risk, settings));
    probes.set_learning_rate(0.5);
    let found = probes.observe(0, &point(&START)).expect("a step");
    assert_close(scalar(&found, tag::STABILITY_LAMBDA), 1.25, 1e-9);
    assert_close(scalar(&found, tag::SHARPNESS_RATIO), 1.25 / 4.0, 1e-9);
    assert!(found.measured[0].products > 0);
    assert_eq!(found.measured[1].products, 0);
}

#[test]
fn what_the_loop_does_not_tell_is_named() {
    let adam = OptimiserSettings::try_from(&AdamConfig::new()).expect("settings of Adam");
    let risk = quadratic(&CURVATURE);
    let probe = || StabilityMonitor::of(&risk, adam);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), probe().with_learning_rate(0.1))
        .with_handler(|_| ());
    // Before the first step there is nothing to know.
    let found = probes.observe(0, &point(&START)).expect("a step");
    assert!(found.failed.is_empty() && found.scalar(tag::SHARPNESS_RATIO).is_none());
    let found = probes.observe(1, &point(&START)).expect("a step");
    assert!(
        found.failed[0]
            .1
            .to_string()
            .contains("Probes::observe_with")
    );
    // An optimiser that has made no step yet.
    let optimiser = AdamConfig::new().init();
    let found = probes
        .observe_with(2, &point(&START), &optimiser)
        .expect("a step");
    assert!(found.failed[0].1.to_string().contains("missing for `at`"));
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), probe())
        .with_handler(|_| ());
    let found = probes.observe(1, &point(&START)).expect("a step");
    assert!(found.failed[0].1.to_string().contains("set_learning_rate"));
}

#[test]
fn beside_the_training_the_records_are_the_same() {
    let records = |beside: bool| {
        let memory = Memory::new();
        let config = AdamConfig::new();
        let settings = OptimiserSettings::try_from(&config).expect("settings of Adam");
        let probes = Probes::unlimited()
            .with(Schedule::every(2), monitor(settings, DType::F64))
            .without_cost_records()
            .with_sink(memory.clone());
        let mut probes = if beside {
            probes.in_background()
        } else {
            probes
        };
        probes.set_learning_rate(0.01);
        let (mut optimiser, mut model) = (config.init(), point(&[0.5, -0.25, 2.0]));
        for number in 0..9 {
            probes
                .observe_with(number, &model, &optimiser)
                .expect("a step");
            model = step(&mut optimiser, 0.01, model);
        }
        assert!(probes.finish().undelivered.is_empty());
        (
            memory.records(),
            landscape::download(&model.at.val().inner()),
        )
    };
    let (here, weights) = records(false);
    assert_eq!(
        here.iter()
            .filter(|r| r.tag == tag::SHARPNESS_RATIO)
            .count(),
        4
    );
    assert_eq!(records(true), (here, weights));
}

/// Gradient descent on a quadratic from rate to rate; the warnings as records and as messages.
fn warned(rates: impl Fn(u64) -> f64, steps: u64) -> (Vec<u64>, Vec<u64>) {
    let memory = Memory::new();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (config, kept) = (SgdConfig::new(), std::sync::Arc::clone(&told));
    let settings = OptimiserSettings::try_from(&config).expect("settings of SGD");
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), monitor(settings, DType::F64))
        .with_sink(memory.clone())
        .with_handler(move |message| {
            if let Message::Warning { step, text } = message
                && text.contains("about to diverge")
            {
                kept.lock().expect("no other thread").push(*step);
            }
        });
    let (mut optimiser, mut model) = (config.init(), point(&START));
    for number in 0..steps {
        probes.set_learning_rate(rates(number));
        probes.observe(number, &model).expect("a step");
        model = step(&mut optimiser, rates(number), model);
    }
    let records = memory.records().into_iter();
    let texts = records.filter(|r| r.tag == tag::STABILITY_WARNING);
    let texts = texts.inspect(|r| assert!(matches!(r.value, Value::Text(_))));
    let steps = texts.map(|record| record.step).collect();
    let told = told.lock().expect("no other thread").clone();
    (steps, told)
}

#[test]
fn divergence_is_warned_of_once_and_before_the_loss_has_doubled() {
    // 0.9 of the threshold 2 / λ₁ for 100 steps, then 2.5 times it: the first component grows by
    // four in each step from 0.8¹⁰⁰ · 1e-3 on, while the loss is still that of the others.
    let rate = |step| if step < 100 { 1.8 } else { 5.0 };
    let (records, messages) = warned(rate, 130);
    assert_eq!(records.len(), 1);
    assert_eq!(records, messages);
    let loss = |step: u64| {
        let mut at = START;
        for number in 0..step {
            for (x, a) in at.iter_mut().zip(CURVATURE) {
                *x *= 1.0 - rate(number) * a;
            }
        }
        let terms = at.iter().zip(CURVATURE);
        terms.map(|(x, a)| 0.5 * a * x * x).sum::<f64>()
    };
    let doubled = (101..130).find(|step| loss(*step) > 2.0 * loss(100));
    assert!(
        doubled.is_some_and(|doubled| records[0] < doubled),
        "{records:?} {doubled:?}"
    );
    // Below the threshold nothing is said. Above it a quadratic diverges at any ratio, since it
    // cannot flatten itself: at 1.05 times the threshold, once the loss rises.
    assert_eq!(warned(|_| 1.9, 40).0, [0_u64; 0]);
    assert_eq!(warned(|_| 2.1, 60).0.len(), 1);
}

#[test]
fn rule_needs_all_of_its_conditions() {
    let seen = |step, ratio, loss, component| StabilitySeen {
        step,
        ratio,
        ratio_error: 0.01,
        loss,
        component,
    };
    type Change = fn(&mut StabilitySeen);
    let warnings = |all: &[StabilitySeen], change: Change| {
        let mut rule = DivergenceRule::default();
        let mut all = all.to_vec();
        all.iter_mut().for_each(change);
        all.iter().filter_map(|seen| rule.see(*seen)).count()
    };
    // Beyond twice the threshold, with a component that doubles.
    let beyond: Vec<_> = (0..6)
        .map(|k| seen(k, 2.5, 1.0, 2_f64.powf(k as f64)))
        .collect();
    // One episode is one warning.
    assert_eq!(warnings(&beyond, |_| ()), 1);
    assert_eq!(warnings(&beyond, |seen| seen.ratio = 1.95), 0);
    assert_eq!(warnings(&beyond, |seen| seen.ratio_error = 0.6), 0);
    assert_eq!(warnings(&beyond, |seen| seen.component = 1.0), 0);
    assert_eq!(warnings(&beyond, |seen| seen.component = f64::NAN), 0);
    // The loss alone is enough.
    let loss: Change = |seen| (seen.loss, seen.component) = (1.0 + seen.step as f64, f64::NAN);
    assert_eq!(warnings(&beyond, loss), 1);
    // Not as far above it, with a loss that rises by a fifth in each observation.
    let near: Vec<_> = (0..6)
        .map(|k| seen(k, 1.05, 1.2_f64.powf(k as f64), f64::NAN))
        .collect();
    assert_eq!(warnings(&near, |_| ()), 1);
    assert_eq!(warnings(&near[..3], |_| ()), 0);
    assert_eq!(warnings(&near, |seen| seen.ratio = 1.005), 0);
    // By a twentieth it is less than half in all.
    let slowly: Change = |seen| seen.loss = seen.loss.sqrt().sqrt();
    assert_eq!(warnings(&near, slowly), 0);
    // At the edge of stability a rising loss takes the ratio down.
    let edge: Change = |seen| seen.ratio = 1.3 - 0.01 * seen.step as f64;
    assert_eq!(warnings(&near, edge), 0);
    let nothing: Change = |seen| (seen.loss, seen.component) = (f64::NAN, f64::NAN);
    assert_eq!(warnings(&beyond, nothing) + warnings(&near, nothing), 0);
}

#[test]
fn settings_that_have_no_threshold_are_an_error_of_the_measurement() {
    let settings = OptimiserSettings::plain(Optimiser::HeavyBall {
        momentum: 1.5,
        dampening: 0.0,
    });
    let model = point(&START);
    let found = observed(settings, 0.1, &model, &SgdConfig::new().init());
    assert!(
        found.failed[0]
            .1
            .to_string()
            .contains("the momentum is 1.5")
    );
}
