//! One operator, one estimator and one surface over several devices.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::DataLoader;
use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use landscape::curvature::exact_trace;
use landscape::slice::{Quantity, Slice};
use landscape::spectrum::hutchinson_trace;
use landscape::{
    Batch as _, Batches, DensityConfig, Devices, Error, Fisher, GaussNewton, Hessian,
    LanczosConfig, LinearOperator, Objective, ParameterSpace, ProductConfig, Reduction, Risk,
    Statistics, TensorMapper, TraceConfig, download, random_directions, spectral_density,
    top_eigenpairs,
};

#[path = "devices/loader.rs"]
mod loader;

/// Softmax regression behind tanh, 6-5-3 in f64: weights of a formula.
#[derive(Module, Debug)]
struct Net {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
}

type Examples = (Tensor<2>, Tensor<1, Int>);

fn waves(len: usize, frequency: f64) -> Vec<f64> {
    (0..len)
        .map(|i| (frequency * (i * i + 1) as f64).sin())
        .collect()
}

fn matrix(rows: usize, columns: usize, frequency: f64) -> Tensor<2> {
    let data = TensorData::new(waves(rows * columns, frequency), [rows, columns]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn net() -> Net {
    Net {
        first: Param::from_tensor(matrix(6, 5, 0.7)),
        second: Param::from_tensor(matrix(5, 3, 1.1)),
    }
}

fn batch(examples: usize, frequency: f64) -> Examples {
    let labels: Vec<i64> = (0..examples).map(|i| (i * i % 3) as i64).collect();
    let labels = TensorData::new(labels, [examples]);
    (
        matrix(examples, 6, frequency),
        Tensor::from_data(labels, &Device::flex()),
    )
}

fn outputs(net: &Net, (x, _): &Examples) -> Tensor<2> {
    let hidden = x.clone().matmul(net.first.val()).tanh();
    hidden.matmul(net.second.val())
}

fn cross_entropy(outputs: Tensor<2>, (_, y): &Examples) -> Tensor<1> {
    let log = log_softmax(outputs, 1);
    -log.gather(1, y.clone().reshape([-1, 1])).mean()
}

fn risk(batches: impl Into<Batches<Examples>>) -> Risk<Net, Examples> {
    Risk::of(batches, outputs, cross_entropy, Reduction::Mean)
}

fn several() -> Vec<Examples> {
    [9, 4, 12, 7, 1, 8]
        .into_iter()
        .zip([0.3, 0.9, 1.7, 2.3, 0.4, 1.2])
        .map(|(examples, frequency)| batch(examples, frequency))
        .collect()
}

fn flex(count: usize) -> Vec<Device> {
    vec![Device::flex(); count]
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gap.fold(0.0, f64::max) / size
}

/// Sums of some tens of terms of f64 in another order.
const ROUNDING: f64 = 1e-12;

/// All kinds of numbers of a risk, in one list for each kind.
fn numbers(risk: &Risk<Net, Examples>) -> Vec<(&'static str, Vec<f64>)> {
    let net = net();
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let hessian = Hessian::at(&net, risk).unwrap();
    let v = hessian
        .domain()
        .upload(&waves(hessian.dim(), 0.21))
        .unwrap();
    let w = hessian
        .domain()
        .upload(&waves(hessian.dim(), 0.37))
        .unwrap();
    let mut all = vec![("value", vec![risk.value(&net).unwrap()])];
    let (value, gradient) = risk.gradient(&net).unwrap();
    all.push(("value of the gradient", vec![value]));
    all.push(("gradient", download(&gradient)));
    let objective = Objective::at(&net, risk).unwrap();
    all.push(("moved value", vec![objective.value(&v).unwrap()]));
    all.push(("product", download(&hessian.apply(&v).unwrap())));
    let many = hessian.apply_many(&[v.clone(), w.clone()]).unwrap();
    all.extend(many.iter().map(|product| ("one of two", download(product))));
    all.push(("form", vec![hessian.quadratic_form(&v).unwrap()]));
    let gauss_newton = GaussNewton::at(&net, risk).unwrap();
    all.push(("Gauss-Newton", download(&gauss_newton.apply(&v).unwrap())));
    all.push(("diagonal", gauss_newton.diagonal().unwrap()));
    let fisher = Fisher::at(&net, risk).unwrap();
    all.push(("Fisher", download(&fisher.apply(&v).unwrap())));
    let trace = hutchinson_trace(
        &hessian,
        &TraceConfig::new().with_min_probes(4).with_max_probes(4),
    )
    .unwrap();
    all.push(("trace", vec![trace.estimate.mean]));
    let exact = exact_trace(&net, risk).unwrap();
    all.push(("exact trace", vec![exact.gauss_newton]));
    let lanczos = LanczosConfig::new().with_seed(1).with_tolerance(1e-10);
    let pairs = top_eigenpairs(&hessian, 2, &lanczos).unwrap();
    all.push(("eigenvalues", pairs.iter().map(|pair| pair.value).collect()));
    let density = spectral_density(&hessian, &DensityConfig::new()).unwrap();
    let moments = (1..3).map(|power| density.moment(power).mean);
    all.push(("moments", moments.collect()));
    let slice = Slice::along(&net, [&d1, &d2], [Quantity::of("loss", risk)]).unwrap();
    let points = [[0.0, 0.0], [0.5, -0.25], [-1.0, 1.0]];
    let values = slice.values(&points, |_, _| ControlFlow::Continue(()));
    all.push(("slice", values.unwrap().concat()));
    let slopes = slice.slopes(&points).unwrap().concat();
    let slopes = slopes.iter().flat_map(|slopes| slopes.slope);
    all.push(("slopes", slopes.collect()));
    all
}

#[test]
fn numbers_of_several_devices_are_those_of_one_to_rounding_and_twice_the_same_bits() {
    let one = numbers(&risk(several()));
    for count in [1, 2, 3, 7, 60] {
        let spread = || risk(several()).on_devices(&flex(count)).unwrap();
        let [first, second] = [(); 2].map(|()| numbers(&spread()));
        for ((name, one), (_, many)) in one.iter().zip(&first) {
            let gap = difference(one, many);
            let allowed = match *name {
                // Lanczos carries rounding on; the tolerance of the eigenvalues is 1e-10.
                "eigenvalues" | "moments" => 1e-9,
                _ => ROUNDING,
            };
            assert!(gap < allowed, "{name} of {count} devices: {gap:.1e}");
        }
        for ((name, first), (_, second)) in first.iter().zip(&second) {
            let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(first), bits(second), "{name} of {count} devices");
        }
    }
}

#[test]
fn one_batch_is_cut_where_its_loss_is_a_mean_and_stays_whole_elsewhere() {
    let net = net();
    let whole = risk(batch(40, 0.8));
    let parts = |risk: &Risk<Net, Examples>| {
        let config = ProductConfig::new().with_cut_batches(false);
        let hessian = Hessian::at_with(&net, risk, &config).unwrap();
        match hessian.method() {
            landscape::Method::Exact { kept, .. } => kept,
            other => panic!("{other}"),
        }
    };
    assert_eq!(parts(&whole), 1);
    assert_eq!(parts(&whole.on_devices(&flex(4)).unwrap()), 4);
    // The largest loss of a batch is no mean.
    let coupled = Risk::mean(batch(40, 0.8), |net: &Net, batch: &Examples| {
        outputs(net, batch).square().sum_dim(1).max()
    });
    let spread = coupled.on_devices(&flex(4)).unwrap();
    assert_eq!(parts(&spread), 1);
    assert_eq!(spread.value(&net).unwrap(), coupled.value(&net).unwrap());
}

#[test]
fn batches_with_weights_count_for_them_on_every_device() {
    let net = net();
    let weighted = risk(several()).with_weights(|(x, _): &Examples| x.dims()[0] as f64 + 0.5);
    let spread = weighted.on_devices(&flex(3)).unwrap();
    let [one, three] = [&weighted, &spread].map(|risk| risk.value(&net).unwrap());
    assert!((one / three - 1.0).abs() < ROUNDING, "{one} {three}");
    let sums = Risk::of(
        several(),
        outputs,
        |outputs, batch: &Examples| cross_entropy(outputs, batch) * batch.examples() as f64,
        Reduction::Sum,
    )
    .with_weights(|(_, y): &Examples| 2.0 * y.dims()[0] as f64);
    let spread = sums.on_devices(&flex(3)).unwrap();
    let [one, three] = [&sums, &spread].map(|risk| download(&risk.gradient(&net).unwrap().1));
    assert!(difference(&one, &three) < ROUNDING);
}

#[test]
fn streamed_batches_go_round() {
    let net = net();
    let loader: Arc<dyn DataLoader<Examples>> = Arc::new(loader::Fixed(several()));
    let held = risk(several());
    let streamed = risk(loader);
    let expected = Hessian::at(&net, &held).unwrap();
    let v = expected
        .domain()
        .upload(&waves(expected.dim(), 0.3))
        .unwrap();
    let expected = download(&expected.apply(&v).unwrap());
    for count in [2, 4, 9] {
        let spread = streamed.on_devices(&flex(count)).unwrap();
        let product = Hessian::at(&net, &spread).unwrap().apply(&v).unwrap();
        assert!(difference(&expected, &download(&product)) < ROUNDING);
        let value = spread.value(&net).unwrap();
        assert!((value / held.value(&net).unwrap() - 1.0).abs() < ROUNDING);
    }
}

#[derive(Module, Debug)]
struct Normed {
    weight: Param<Tensor<2>>,
    norm: BatchNorm,
}

#[test]
fn statistics_of_batches_stay_those_of_whole_batches_and_nothing_is_moved() {
    let device = Device::flex().autodiff();
    let model = Normed {
        weight: Param::from_tensor(matrix(6, 5, 0.7).cast(DType::F32).to_device(&device)),
        norm: BatchNormConfig::new(5).init(&device),
    };
    let x: Vec<_> = several()
        .into_iter()
        .map(|(x, _)| x.cast(DType::F32))
        .filter(|x| x.dims()[0] > 1)
        .collect();
    let loss = |model: &Normed, x: &Tensor<2>| {
        let normed = model.norm.forward(x.clone().matmul(model.weight.val()));
        normed.tanh().square().mean()
    };
    for statistics in [Statistics::Batch, Statistics::Running] {
        let risk = Risk::mean(x.clone(), loss).with_statistics(statistics);
        let before = model.norm.running_mean.value().to_data();
        let spread = risk.on_devices(&flex(2)).unwrap();
        let [one, two] = [&risk, &spread].map(|risk| {
            let hessian = Hessian::at(&model, risk).unwrap();
            let v = hessian.domain().upload(&waves(hessian.dim(), 0.3)).unwrap();
            download(&hessian.apply(&v).unwrap())
        });
        // Sums of f32.
        assert!(
            difference(&one, &two) < 1e-5,
            "{:.1e}",
            difference(&one, &two)
        );
        assert_eq!(before, model.norm.running_mean.value().to_data());
    }
}

/// A batch that panics on its way to a device for the n-th time: a device that fails in the middle.
#[derive(Debug, Clone)]
struct Failing {
    batch: Examples,
    /// Losses until one fails.
    left: Option<Arc<AtomicUsize>>,
}

impl landscape::Batch for Failing {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self {
            batch: landscape::Batch::map(self.batch, f),
            left: self.left,
        }
    }
}

/// A risk of which the second of three batches fails the evaluation after so many.
fn failing(left: &Arc<AtomicUsize>) -> Risk<Net, Failing> {
    let batches: Vec<Failing> = [0.3, 0.9, 1.7]
        .into_iter()
        .enumerate()
        .map(|(index, frequency)| Failing {
            batch: batch(8, frequency),
            left: (index == 1).then(|| Arc::clone(left)),
        })
        .collect();
    let streamed: Arc<dyn DataLoader<Failing>> = Arc::new(loader::Counting(batches));
    Risk::mean(streamed, |net: &Net, batch: &Failing| {
        cross_entropy(outputs(net, &batch.batch), &batch.batch)
    })
}

impl loader::Counted for Failing {
    /// Panics when its time has come, once.
    fn read(&self) {
        if let Some(left) = &self.left {
            let before = left.fetch_sub(1, Ordering::SeqCst);
            assert!(before != 1, "the device is gone");
        }
    }
}

#[test]
fn a_product_whose_device_fails_is_an_error_and_the_next_one_is_made_by_the_others() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let alone = Hessian::at(&net, &risk).unwrap();
    let v = alone.domain().upload(&waves(alone.dim(), 0.3)).unwrap();
    let expected = download(&alone.apply(&v).unwrap());
    let spread = risk.on_devices(&flex(3)).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    let product = |hessian: &Hessian<_, _>| hessian.apply(&v).map(|product| download(&product));
    assert!(difference(&product(&hessian).unwrap(), &expected) < ROUNDING);
    left.store(1, Ordering::SeqCst);
    let failed = product(&hessian).expect_err("a device has failed");
    let text = failed.to_string();
    assert!(
        matches!(
            failed,
            Error::DeviceFailed {
                devices: 3,
                left: 2,
                ..
            }
        ),
        "{text}"
    );
    assert!(
        text.contains("the device is gone") && text.contains("of 3 failed"),
        "{text}"
    );
    assert_eq!(spread.lost_devices().len(), 1);
    assert!(difference(&product(&hessian).unwrap(), &expected) < ROUNDING);
    assert_eq!(spread.lost_devices().len(), 1);
}

#[test]
fn a_trace_goes_on_with_the_devices_that_are_left() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let config = TraceConfig::new()
        .with_seed(5)
        .with_min_probes(4)
        .with_max_probes(6);
    let trace = |risk: &Risk<Net, Failing>| {
        let hessian = Hessian::at(&net, risk).unwrap();
        left.store(7, Ordering::SeqCst);
        hutchinson_trace(&hessian, &config).map(|trace| trace.estimate.mean)
    };
    let spread = risk.on_devices(&flex(3)).unwrap();
    let gone_on = trace(&spread).unwrap();
    assert_eq!(spread.lost_devices().len(), 1);
    let devices = Devices::new(&flex(3)).unwrap();
    let undisturbed = Hessian::at(&net, &risk.spread_over(&devices)).unwrap();
    let undisturbed = hutchinson_trace(&undisturbed, &config)
        .unwrap()
        .estimate
        .mean;
    assert!(devices.lost_devices().is_empty());
    assert!((gone_on / undisturbed - 1.0).abs() < ROUNDING);
}

#[test]
fn a_surface_goes_on_with_the_devices_that_are_left() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let grid = landscape::Grid::square(-1.0..=1.0, 4);
    let expected = landscape::plane(&net, &risk, [&d1, &d2], &grid).unwrap();
    let spread = risk.on_devices(&flex(3)).unwrap();
    left.store(9, Ordering::SeqCst);
    let found = landscape::plane(&net, &spread, [&d1, &d2], &grid).unwrap();
    assert_eq!(spread.lost_devices().len(), 1);
    assert!(difference(&expected.loss, &found.loss) < ROUNDING);
}

#[test]
fn what_fails_on_every_device_ends_with_an_error() {
    let net = net();
    let batches = vec![batch(4, 0.3), batch(4, 0.9)];
    let risk = Risk::mean(batches, |_: &Net, _: &Examples| {
        panic!("a slip of the closure")
    });
    let error = risk.on_devices(&flex(2)).unwrap().value(&net).unwrap_err();
    assert!(matches!(error, Error::LossPanicked { .. }), "{error}");
}

#[test]
fn devices_that_do_not_go_together_are_refused() {
    let risk = risk(batch(4, 0.3));
    let none = risk.on_devices(&[]).unwrap_err();
    assert_eq!(
        none.to_string(),
        "number of devices is 0; it must be at least 1"
    );
}
