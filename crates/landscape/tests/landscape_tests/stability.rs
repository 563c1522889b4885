//! Thresholds of stability beside Burn's own optimisers on quadratics, and preconditioners beside
//! the steps that they make.

use burn::module::{Module, Param};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::grad_clipping::GradientClippingConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, OptimizerRecord, RmsPropConfig,
    SgdConfig,
};
use burn::tensor::{Bytes, DType, Device, FloatDType, Tensor, TensorData};
use burn_pack::{Reader, Scalar, Writer};
use landscape::operator::{Dense, LinearOperator, Preconditioned};
use landscape::spectrum::dense_spectrum;
use landscape::stability::{
    Moments, Optimiser, OptimiserSettings, Preconditioner, Stability, stability, stability_of,
};
use landscape::{Error, LanczosConfig, ParameterSpace, Risk, download};

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

/// A point that needs two tensors.
#[derive(Module, Debug)]
struct Two {
    used: Param<Tensor<1>>,
    unused: Param<Tensor<1>>,
}

const START: [f64; 3] = [1e-3, -5e-4, 3e-4];

/// Eigenvalues of the quadratic.
const CURVATURE: [f64; 3] = [1.0, 0.3, 0.05];

fn device() -> Device {
    Device::flex().autodiff()
}

fn param(values: &[f64]) -> Param<Tensor<1>> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Param::from_tensor(Tensor::from_data(data, (&device(), DType::F64)))
}

fn start() -> Point {
    Point { at: param(&START) }
}

/// The same in f32: Burn loads the state of an optimiser in the device's float type.
fn single_start() -> Point {
    let at = start().at.val().inner().cast(FloatDType::F32);
    Point {
        at: Param::from_tensor(Tensor::from_data(at.to_data(), (&device(), DType::F32))),
    }
}

/// Rows x with `½ mean (x·w)² = ½ wᵀHw`, where H has the eigenvalues of `CURVATURE` and no
/// coordinate for an eigenvector.
fn rows(dtype: DType) -> Tensor<2> {
    let third = 1.0 / 3.0;
    let basis = [
        [2.0 * third, -third, 2.0 * third],
        [2.0 * third, 2.0 * third, -third],
        [-third, 2.0 * third, 2.0 * third],
    ];
    let scaled = basis.iter().zip(CURVATURE).flat_map(|(row, lambda)| {
        let scale = (3.0 * lambda).sqrt();
        row.iter().map(move |x| scale * x)
    });
    let data = TensorData::new(scaled.collect::<Vec<f64>>(), [3, 3]);
    Tensor::from_data(data.convert_dtype(dtype), (&Device::flex(), dtype))
}

fn loss(model: &Point, x: &Tensor<2>) -> Tensor<1> {
    let outputs = x.clone().matmul(model.at.val().unsqueeze_dim(1));
    outputs.powi_scalar(2).mean().mul_scalar(0.5)
}

fn risk(dtype: DType) -> Risk<Point, Tensor<2>> {
    Risk::mean([rows(dtype)], loss)
}

/// A step of the optimiser on the quadratic.
fn step(optimiser: &mut ModuleOptimizer, lr: f64, model: Point) -> Point {
    let x = rows(model.at.val().dtype()).to_device(&device());
    let gradients = GradientsParams::from_grads(loss(&model, &x).backward(), &model);
    optimiser.step(lr, model, gradients)
}

fn size(model: &Point) -> f64 {
    landscape::norm(&download(&model.at.val().inner()))
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

/// Asserts that Burn's optimiser converges at 0.98 of its threshold, as `stability` measures it,
/// and diverges at 1.02.
fn assert_edge(
    name: &str,
    settings: &OptimiserSettings,
    preconditioner: Option<&Preconditioner>,
    optimiser: impl Fn() -> ModuleOptimizer,
) {
    let measured = |lr: f64| -> Stability {
        let config = LanczosConfig::new().with_tolerance(1e-12);
        stability(
            &start(),
            &risk(DType::F64),
            settings,
            preconditioner,
            lr,
            &config,
        )
        .expect("what the test sets up is valid")
    };
    let largest = measured(1e-3).largest.value;
    for (ratio, shrinks) in [(0.98, true), (1.02, false)] {
        let lr = rate_of(settings, largest / ratio);
        let found = measured(lr);
        assert!(
            (found.ratio - ratio).abs() < 1e-9,
            "{name}: {}",
            found.ratio
        );
        let growth = growth(&mut optimiser(), lr, start());
        assert_eq!(growth < 1.0, shrinks, "{name} at {ratio}: {growth:.1e}");
        assert!(!(1e-3..1e3).contains(&growth), "{name}: {growth:.1e}");
    }
}

#[test]
fn thresholds_of_sgd_are_where_burns_own_stops_converging() {
    let momentum = |momentum, dampening, nesterov| {
        Some(MomentumConfig {
            momentum,
            dampening,
            nesterov,
        })
    };
    for (name, config) in [
        ("gradient descent", SgdConfig::new()),
        (
            "Burn's default momentum",
            SgdConfig::new().with_momentum(Some(MomentumConfig::new())),
        ),
        (
            "heavy ball",
            SgdConfig::new().with_momentum(momentum(0.9, 0.0, false)),
        ),
        (
            "dampened",
            SgdConfig::new().with_momentum(momentum(0.5, 0.4, false)),
        ),
        (
            "Nesterov",
            SgdConfig::new().with_momentum(momentum(0.9, 0.0, true)),
        ),
        (
            "dampened Nesterov",
            SgdConfig::new().with_momentum(momentum(0.8, 0.3, true)),
        ),
        (
            "with weight decay",
            SgdConfig::new()
                .with_momentum(momentum(0.9, 0.0, false))
                .with_weight_decay(Some(WeightDecayConfig::new(0.5))),
        ),
    ] {
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_edge(name, &settings, None, || config.init());
    }
}

/// Returns a record with all tensors of a name set to the given values, and the step counted to
/// `time`.
fn altered(record: OptimizerRecord, tensors: &[(&str, [f64; 3])], time: u64) -> OptimizerRecord {
    let reader = Reader::from_bytes(record.into_bytes().expect("what the test sets up is valid"))
        .expect("what the test sets up is valid");
    let scalars = reader.scalars().clone();
    let metadata = reader.metadata().clone();
    let all = reader
        .into_tensors()
        .expect("what the test sets up is valid")
        .into_iter()
        .map(|tensor| {
            let (name, dtype, shape, id, bytes) =
                tensor.into_parts().expect("what the test sets up is valid");
            let new = tensors.iter().find(|(ending, _)| name.ends_with(ending));
            let bytes = match new {
                Some((_, values)) => {
                    TensorData::from(*values)
                        .convert_dtype(dtype)
                        .into_parts()
                        .0
                }
                None => Bytes::from_bytes_vec(bytes.to_vec()),
            };
            burn_pack::Tensor::new(name, dtype, shape, id, bytes)
        });
    let mut writer = Writer::new(all.collect());
    for (name, value) in scalars {
        let counted = name.ends_with(".time");
        writer = writer.with_scalar(&name, if counted { Scalar::UInt(time) } else { value });
    }
    for (name, value) in metadata {
        writer = writer.with_metadata(&name, &value);
    }
    OptimizerRecord::from_bytes(writer.into_bytes().expect("what the test sets up is valid"))
        .expect("what the test sets up is valid")
}

/// The second moments that are put into a record.
const MOMENT: [f64; 3] = [1.0, 4.0, 0.25];

/// The largest f32 below 1: a mean that forgets by 6e-8 a step stands still over 3,000 steps.
const STILL: f32 = 1.0 - f32::EPSILON / 2.0;

/// Returns an optimiser whose second moments have stood still for a long time, through its record,
/// and the preconditioner that is read from it.
fn still(
    config: &impl Fn() -> ModuleOptimizer,
    settings: &OptimiserSettings,
) -> (OptimizerRecord, Preconditioner, Point) {
    let mut optimiser = config();
    let model = step(&mut optimiser, 0.0, single_start());
    let zero = [0.0; 3];
    let tensors = [
        ("moment_1", zero),
        ("moment_2", MOMENT),
        ("square_avg.square_avg", MOMENT),
        ("centered.avg", MOMENT),
        ("grad_avg", zero),
        ("buf", zero),
    ];
    // 0.99999994 to the power of 10⁹ is e⁻⁵⁹: no correction is left.
    let record = || altered(optimiser.to_record(), &tensors, 1_000_000_000);
    let space = ParameterSpace::of(&model).expect("what the test sets up is valid");
    let preconditioner = Preconditioner::of_record(record(), settings, &space)
        .expect("what the test sets up is valid");
    (record(), preconditioner, model)
}

/// As `assert_edge`, for an optimiser whose preconditioner stands still.
fn assert_preconditioned_edge(
    name: &str,
    settings: &OptimiserSettings,
    config: impl Fn() -> ModuleOptimizer,
) {
    let (record, preconditioner, model) = still(&config, settings);
    // √v + ε.
    for (p, v) in preconditioner.diagonal.iter().zip(MOMENT) {
        assert!((p - v.sqrt()).abs() < 2e-5, "{name}: {p}");
    }
    let bytes = record
        .into_bytes()
        .expect("what the test sets up is valid")
        .to_vec();
    let id = model.at.id;
    let space = ParameterSpace::of(&model).expect("what the test sets up is valid");
    let measured = |lr: f64| {
        let lanczos = LanczosConfig::new().with_tolerance(1e-12);
        stability(
            &model,
            &risk(DType::F32),
            settings,
            Some(&preconditioner),
            lr,
            &lanczos,
        )
        .expect("what the test sets up is valid")
    };
    let largest = measured(1e-3).largest.value;
    for (ratio, shrinks) in [(0.98, true), (1.02, false)] {
        let lr = rate_of(settings, largest / ratio);
        assert!((measured(lr).ratio - ratio).abs() < 1e-9, "{name}");
        let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(bytes.clone()))
            .expect("what the test sets up is valid");
        let mut optimiser = config().load_record(record);
        let model = Point {
            at: Param::initialized(id, single_start().at.val()),
        };
        let growth = growth(&mut optimiser, lr, model);
        // The preconditioner has stood still but for the 6e-8 of a step.
        let after = Preconditioner::of(&optimiser, settings, &space)
            .expect("what the test sets up is valid");
        for (before, after) in preconditioner.diagonal.iter().zip(&after.diagonal) {
            assert!(
                (after / before - 1.0).abs() < 1e-3,
                "{name}: {before} {after}"
            );
        }
        assert_eq!(growth < 1.0, shrinks, "{name} at {ratio}: {growth:.1e}");
        assert!(!(1e-3..1e3).contains(&growth), "{name}: {growth:.1e}");
    }
}

#[test]
fn thresholds_of_adaptive_optimisers_are_where_burns_own_stop_converging() {
    for (name, config) in [
        ("Adam", AdamConfig::new()),
        ("Adam without momentum", AdamConfig::new().with_beta_1(0.0)),
        (
            "Adam with an L2 penalty",
            AdamConfig::new().with_weight_decay(Some(WeightDecayConfig::new(0.5))),
        ),
    ] {
        let config = config.with_beta_2(STILL);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_preconditioned_edge(name, &settings, || config.init());
    }
    for (name, decay) in [("AdamW", 1e-4), ("AdamW with a strong decay", 0.02)] {
        let config = AdamWConfig::new()
            .with_beta_2(STILL)
            .with_weight_decay(decay);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_preconditioned_edge(name, &settings, || config.init());
    }
    for (name, momentum, centered) in [
        ("RMSprop", 0.0, false),
        ("RMSprop with Burn's default momentum", 0.9, false),
        ("centred RMSprop", 0.5, true),
    ] {
        let config = RmsPropConfig::new()
            .with_alpha(STILL)
            .with_momentum(momentum)
            .with_centered(centered);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_preconditioned_edge(name, &settings, || config.init());
    }
}

#[test]
fn preconditioner_is_the_gradient_over_the_step_that_the_optimiser_makes() {
    /// Steps until the moments differ from their first values, and the last of which is compared.
    fn assert_divides(name: &str, settings: &OptimiserSettings, mut optimiser: ModuleOptimizer) {
        let lr = 0.3;
        let mut model = Point {
            at: param(&[1.0, -0.5, 0.3]),
        };
        for _ in 0..6 {
            let (_, gradient) = risk(DType::F64)
                .gradient(&model)
                .expect("what the test sets up is valid");
            let gradient = download(&gradient);
            let before = download(&model.at.val().inner());
            model = step(&mut optimiser, lr, model);
            let after = download(&model.at.val().inner());
            let space = ParameterSpace::of(&model).expect("what the test sets up is valid");
            let found = Preconditioner::of(&optimiser, settings, &space)
                .expect("what the test sets up is valid");
            for i in 0..3 {
                let expected = lr * gradient[i] / (before[i] - after[i]);
                // Burn corrects the bias in f32, and so does the preconditioner: what is left is
                // the cancellation of the step.
                assert!(
                    (found.diagonal[i] / expected - 1.0).abs() < 1e-6,
                    "{name}: {} where the step has {expected}",
                    found.diagonal[i]
                );
            }
        }
    }
    for amsgrad in [false, true] {
        let config = AdamConfig::new().with_beta_1(0.0).with_amsgrad(amsgrad);
        // A short memory, so that the second moment falls as the gradient does and its largest
        // value is another one.
        let config = config.with_beta_2(0.5);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_divides("Adam", &settings, config.init());
        let config = AdamWConfig::new()
            .with_beta_1(0.0)
            .with_beta_2(0.9)
            .with_weight_decay(0.0)
            .with_amsgrad(amsgrad);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_divides("AdamW", &settings, config.init());
    }
    for centered in [false, true] {
        let config = RmsPropConfig::new()
            .with_momentum(0.0)
            .with_centered(centered);
        let settings =
            OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
        assert_divides("RMSprop", &settings, config.init());
    }
}

#[test]
fn settings_are_those_that_burn_computes_with() {
    let read =
        OptimiserSettings::try_from(&SgdConfig::new()).expect("what the test sets up is valid");
    assert_eq!(read, OptimiserSettings::plain(Optimiser::GradientDescent));
    let config = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .with_weight_decay(Some(WeightDecayConfig::new(0.01)));
    let read = OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
    // Burn keeps the momentum in f32.
    let momentum = f64::from(0.9_f32);
    let heavy_ball = Optimiser::HeavyBall {
        momentum,
        dampening: 0.1,
    };
    assert_eq!(
        (read.optimiser, read.weight_decay),
        (heavy_ball, f64::from(0.01_f32))
    );
    let read = OptimiserSettings::try_from(&AdamConfig::new().with_amsgrad(true))
        .expect("what the test sets up is valid");
    let adam = Moments::Adam {
        beta_2: 0.999,
        epsilon: 1e-5,
        amsgrad: true,
    };
    assert_eq!(read.optimiser, Optimiser::Adam { beta_1: momentum });
    assert_eq!(read.moments, Some(adam));
    let read =
        OptimiserSettings::try_from(&AdamWConfig::new()).expect("what the test sets up is valid");
    let adam_w = Optimiser::AdamW {
        beta_1: momentum,
        weight_decay: f64::from(1e-4_f32),
    };
    assert_eq!((read.optimiser, read.weight_decay), (adam_w, 0.0));
    let read =
        OptimiserSettings::try_from(&RmsPropConfig::new()).expect("what the test sets up is valid");
    assert_eq!(read.optimiser, Optimiser::RmsProp { momentum });
    // SAM over gradient descent is SAM over heavy ball without momentum.
    let sam =
        OptimiserSettings::try_from(&SgdConfig::new()).expect("what the test sets up is valid");
    let sam = sam.with_sam(0.05).expect("what the test sets up is valid");
    assert!(matches!(
        sam.optimiser,
        Optimiser::Sam { momentum: 0.0, .. }
    ));
}

fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("what is refused").to_string()
}

#[test]
fn what_has_no_threshold_is_refused_with_its_name() {
    let clipping = Some(GradientClippingConfig::Norm(1.5));
    let clipped = "gradient clipping is by norm at 1.5; it must be off";
    let sgd = SgdConfig::new().with_gradient_clipping(clipping.clone());
    assert!(message(OptimiserSettings::try_from(&sgd)).starts_with(clipped));
    let adam = AdamConfig::new().with_grad_clipping(clipping.clone());
    assert!(message(OptimiserSettings::try_from(&adam)).starts_with(clipped));
    let adam_w = AdamWConfig::new().with_grad_clipping(clipping.clone());
    assert!(message(OptimiserSettings::try_from(&adam_w)).starts_with(clipped));
    let value = Some(GradientClippingConfig::Value(0.5));
    let rms_prop = RmsPropConfig::new().with_grad_clipping(value);
    assert!(message(OptimiserSettings::try_from(&rms_prop)).contains("by value at 0.5"));
    let cautious = AdamWConfig::new().with_cautious_weight_decay(true);
    assert!(message(OptimiserSettings::try_from(&cautious)).starts_with("cautious_weight_decay"));
    let adam =
        OptimiserSettings::try_from(&AdamConfig::new()).expect("what the test sets up is valid");
    assert!(message(adam.with_sam(0.05)).contains("gradient descent or heavy ball"));
    let decayed = SgdConfig::new().with_weight_decay(Some(WeightDecayConfig::new(0.5)));
    let decayed = OptimiserSettings::try_from(&decayed).expect("what the test sets up is valid");
    assert!(message(decayed.with_sam(0.05)).starts_with("the weight decay under SAM is 0.5"));
}

#[test]
fn preconditioner_of_another_optimiser_or_model_is_refused_with_the_parameters_path() {
    let config = AdamConfig::new();
    let adam = OptimiserSettings::try_from(&config).expect("what the test sets up is valid");
    let space = |model: &Two| ParameterSpace::of(model).expect("what the test sets up is valid");
    let two = Two {
        used: param(&START),
        unused: param(&[1.0]),
    };
    let mut optimiser = config.init();
    let found = Preconditioner::of(&optimiser, &adam, &space(&two));
    assert!(message(found).contains("missing for `used`"));
    let gradients = two.used.val().powi_scalar(2).sum().backward();
    let gradients = GradientsParams::from_grads(gradients, &two);
    let two = optimiser.step(0.1, two, gradients);
    let found = Preconditioner::of(&optimiser, &adam, &space(&two));
    assert!(message(found).contains("missing for `unused`"));
    // Adam's record read as RMSprop's, and settings that have no preconditioner.
    let rms_prop =
        OptimiserSettings::try_from(&RmsPropConfig::new()).expect("what the test sets up is valid");
    let found = Preconditioner::of(&optimiser, &rms_prop, &space(&two));
    assert!(message(found).contains("missing for `used`"));
    let sgd =
        OptimiserSettings::try_from(&SgdConfig::new()).expect("what the test sets up is valid");
    let found = Preconditioner::of(&optimiser, &sgd, &space(&two));
    assert!(message(found).contains("Adam, AdamW or RMSprop"));
    // A diagonal that is none.
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let found = Preconditioner::from_diagonal(vec![1.0, bad]);
        assert!(
            message(found).contains("must be positive and finite"),
            "{bad}"
        );
    }
}

#[test]
fn stability_asks_for_what_it_needs_and_refuses_what_has_no_use() {
    let op = Dense::new(&[2.0, 0.0, 0.0, 1.0], (&Device::flex(), DType::F64))
        .expect("what the test sets up is valid");
    let config = LanczosConfig::new();
    let adam =
        OptimiserSettings::try_from(&AdamConfig::new()).expect("what the test sets up is valid");
    let sgd = OptimiserSettings::plain(Optimiser::GradientDescent);
    let p = Preconditioner::from_diagonal(vec![1.0, 0.25]).expect("what the test sets up is valid");
    let long = Preconditioner::from_diagonal(vec![1.0; 3]).expect("what the test sets up is valid");
    let found = stability_of(&op, None, &adam, None, 0.1, &config);
    assert!(message(found).starts_with("the preconditioner is missing"));
    let found = stability_of(&op, None, &sgd, Some(&p), 0.1, &config);
    assert!(message(found).starts_with("the preconditioner is given"));
    let found = stability_of(&op, None, &adam, Some(&long), 0.1, &config);
    assert!(matches!(found, Err(Error::Length { .. })));
    let found = stability_of(
        &op,
        None,
        &sgd.with_sam(0.1).expect("what the test sets up is valid"),
        None,
        0.1,
        &config,
    );
    assert!(message(found).starts_with("the norm of the gradient is missing"));
    let found = stability_of(&op, None, &sgd, None, -0.1, &config);
    assert!(message(found).starts_with("the learning rate is -0.1"));
    // The largest of 2 / 1 and 1 / 0.25.
    let found = stability_of(&op, None, &adam, Some(&p), 0.1, &config)
        .expect("what the test sets up is valid");
    assert!((found.largest.value - 4.0).abs() < 1e-12 && found.is_preconditioned);
}

/// Entries of a symmetric matrix and a scale.
fn preconditioned() -> (Dense, Vec<f64>, Vec<f64>) {
    let dim = 7;
    let mut rows = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..dim {
            let (low, high) = (i.min(j), i.max(j));
            rows[i * dim + j] = ((3 * low + 5 * high * high) as f64).sin();
        }
    }
    let scale: Vec<f64> = (-3..4).map(|i| 10_f64.powi(i)).collect();
    let op =
        Dense::new(&rows, (&Device::flex(), DType::F64)).expect("what the test sets up is valid");
    (op, rows, scale)
}

#[test]
fn preconditioned_operator_is_the_product_of_the_three_matrices() {
    let (op, rows, scale) = preconditioned();
    let dim = op.dim();
    let tensor = op
        .domain()
        .upload(&scale)
        .expect("what the test sets up is valid");
    let preconditioned = Preconditioned::new(&op, &tensor).expect("what the test sets up is valid");
    let entry = |i: usize, j: usize| scale[i] * rows[i * dim + j] * scale[j];
    let vectors: Vec<Vec<f64>> = (0..3)
        .map(|k| (0..dim).map(|i| ((k + 2 * i) as f64).cos()).collect())
        .collect();
    let tensors: Vec<Tensor<1>> = vectors
        .iter()
        .map(|v| {
            op.domain()
                .upload(v)
                .expect("what the test sets up is valid")
        })
        .collect();
    let together = preconditioned
        .apply_many(&tensors)
        .expect("what the test sets up is valid");
    for ((v, tensor), product) in vectors.iter().zip(&tensors).zip(together) {
        let expected: Vec<f64> = (0..dim)
            .map(|i| (0..dim).map(|j| entry(i, j) * v[j]).sum())
            .collect();
        let single = download(
            &preconditioned
                .apply(tensor)
                .expect("what the test sets up is valid"),
        );
        assert_eq!(single, download(&product));
        for (found, expected) in single.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1e-3));
        }
        let form: f64 = v.iter().zip(&expected).map(|(v, e)| v * e).sum();
        let found = preconditioned
            .quadratic_form(tensor)
            .expect("what the test sets up is valid");
        assert!((found / form - 1.0).abs() < 1e-12);
    }
    let spectrum = dense_spectrum(&preconditioned).expect("what the test sets up is valid");
    let trace: f64 = (0..dim).map(|i| entry(i, i)).sum();
    assert!((spectrum.statistics.trace / trace - 1.0).abs() < 1e-12);
}

#[test]
fn eigenvalues_of_the_preconditioned_operator_are_those_of_the_quotient() {
    // Each eigenpair (λ, u) of D A D is one of P⁻¹ A with eigenvector D u: A D u = λ P D u.
    let (op, _, scale) = preconditioned();
    let p: Vec<f64> = scale.iter().map(|d| d.powi(-2)).collect();
    let preconditioned = Preconditioner::from_diagonal(p.clone())
        .expect("what the test sets up is valid")
        .apply_to(&op)
        .expect("what the test sets up is valid");
    let matrix =
        landscape::spectrum::materialize(&preconditioned).expect("what the test sets up is valid");
    let eigen = matrix.eigen().expect("what the test sets up is valid");
    let (lambda, u) = (eigen.values[op.dim() - 1], &eigen.vectors[op.dim() - 1]);
    let moved: Vec<f64> = u.iter().zip(&scale).map(|(u, d)| u * d).collect();
    let product = download(
        &op.apply(
            &op.domain()
                .upload(&moved)
                .expect("what the test sets up is valid"),
        )
        .expect("what the test sets up is valid"),
    );
    for ((product, moved), (p, d)) in product.iter().zip(&moved).zip(p.iter().zip(&scale)) {
        // In the units of D u: A D u / (P D u) = λ.
        let residual = d * (product - lambda * p * moved);
        assert!(residual.abs() < 1e-12 * lambda.abs(), "{residual:.1e}");
    }
}

#[test]
fn scale_that_is_none_is_refused() {
    let (op, _, mut scale) = preconditioned();
    let upload = |scale: &[f64]| {
        Tensor::from_data(
            TensorData::new(scale.to_vec(), [scale.len()]),
            (&Device::flex(), DType::F64),
        )
    };
    let short = Preconditioned::new(&op, &upload(&scale[..3]));
    assert!(matches!(short, Err(Error::Length { .. })));
    scale[2] = f64::NAN;
    let bad = Preconditioned::new(&op, &upload(&scale));
    assert!(matches!(bad, Err(Error::NonFiniteVector { .. })));
    let good =
        Preconditioned::new(&op, &upload(&[1.0; 7])).expect("what the test sets up is valid");
    assert!(matches!(
        good.apply(&upload(&[1.0; 3])),
        Err(Error::Length { .. })
    ));
}
