//! Instruments against closed forms, on a linear model whose Hessian is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::{Grid, Risk, TraceConfig};
use probes::instrument::{
    Accuracy, AscentSharpness, GradientNorm, HessianDensity, HessianTrace, LineDirection, LossLine,
    LossSurface, MeanLoss, Optimiser, TopEigenvalues,
};
use probes::sink::TensorBoard;
use probes::{Error, Observation, Probe, Probes, Schedule, Value, tag};

type Pair = (Tensor<2>, Tensor<2>);

fn matrix<const R: usize, const C: usize>(device: &Device, rows: [[f64; C]; R]) -> Tensor<2> {
    Tensor::from_data(TensorData::from(rows), (device, DType::F64))
}

/// y = w'x in f64 with w = (2, -1), and the loss mean (w'x)^2 over x = (3, 0) and (0, 1) as ragged
/// batches with targets zero.
///
/// L = (9 w1^2 + w2^2) / 2 = 18.5, g = (9 w1, w2) = (18, -1), H = diag(9, 1).
fn problem() -> (Linear, Risk<Linear, Pair>) {
    let device = Device::flex().autodiff();
    let mut model = LinearConfig::new(2, 1).with_bias(false).init(&device);
    model.weight = Param::from_tensor(matrix(&device, [[2.0], [-1.0]]));
    let batches = [
        (matrix(&device, [[3.0, 0.0]]), matrix(&device, [[0.0]])),
        (matrix(&device, [[0.0, 1.0]]), matrix(&device, [[0.0]])),
    ];
    let risk = Risk::mean(batches, |model: &Linear, (x, y): &Pair| {
        (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
    });
    (model, risk)
}

fn observe(model: &Linear, probe: impl Probe<Linear> + Send + 'static) -> Observation {
    let probes = Probes::unlimited().with(Schedule::every(1), probe);
    let observed = probes.without_cost_records().observe(3, model);
    observed.unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn assert_scalar(observation: &Observation, tag: &str, expected: f64, tolerance: f64) {
    assert!(observation.failed.is_empty(), "{:?}", observation.failed);
    let found = observation.scalar(tag).unwrap_or_else(|| {
        panic!(
            "no {tag} among {:?}",
            observation
                .records
                .iter()
                .map(|r| &r.tag)
                .collect::<Vec<_>>()
        )
    });
    assert!(
        (found - expected).abs() <= tolerance,
        "{tag} is {found}, expected {expected}"
    );
}

/// The products are central differences in f64 with a relative step of 1e-8: a relative error of
/// about 1e-8, 1e-6 with room for the sums.
const DIFFERENCE: f64 = 1e-6;

#[test]
fn loss_and_accuracy_weigh_examples_equally() {
    let (model, risk) = problem();
    assert_scalar(
        &observe(&model, MeanLoss::of(&risk, "loss/valid")),
        "loss/valid",
        18.5,
        1e-12,
    );
    // Of six answers in ragged batches five are right: 3 of 4 and 2 of 2.
    let device = Device::flex();
    let batches = [
        (
            matrix(&device, [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]),
            matrix(&device, [[1.0]; 4]),
        ),
        (
            matrix(&device, [[1.0, 1.0], [2.0, 2.0]]),
            matrix(&device, [[1.0]; 2]),
        ),
    ];
    let positive = |model: &Linear, (x, _): &Pair| {
        let outputs: Vec<f64> = model.forward(x.clone()).into_data().iter::<f64>().collect();
        (outputs.iter().filter(|y| **y > 0.0).count(), outputs.len())
    };
    assert_scalar(
        &observe(&model, Accuracy::of(batches, positive, "accuracy/valid")),
        "accuracy/valid",
        5.0 / 6.0,
        1e-15,
    );
}

#[test]
fn gradient_norm_and_histograms_are_those_of_the_gradient() {
    let (model, risk) = problem();
    let observation = observe(&model, GradientNorm::of(&risk).with_histograms());
    assert_scalar(&observation, "gradient/norm", 325.0_f64.sqrt(), 1e-12);
    // The one parameter stands in the model itself and is a layer under its own name.
    let by_layer = 325.0_f64.sqrt();
    assert_scalar(&observation, "gradient/layer/weight", by_layer, 1e-12);
    let histogram = observation
        .records
        .iter()
        .find(|record| record.tag == "gradient/values/weight")
        .unwrap();
    let Value::Histogram(histogram) = &histogram.value else {
        panic!("{histogram:?}")
    };
    assert_eq!(
        (
            histogram.bins()[0].left,
            histogram.bins().last().unwrap().right
        ),
        (-1.0, 18.0)
    );
}

#[test]
fn eigenvalues_trace_and_sharpness_are_those_of_the_quadratic() {
    let (model, risk) = problem();
    for observation in [
        observe(
            &model,
            TopEigenvalues::of(&risk, 1).with_seed(7).with_smallest(),
        ),
        observe(
            &model,
            TopEigenvalues::of(&risk, 2).with_seed(7).with_smallest(),
        ),
    ] {
        assert_scalar(&observation, "curvature/lambda_1", 9.0, 9.0 * DIFFERENCE);
        assert_scalar(&observation, "curvature/lambda_min", 1.0, 9.0 * DIFFERENCE);
        assert_scalar(
            &observation,
            "curvature_check/lambda_1_residual",
            0.0,
            9.0 * DIFFERENCE,
        );
        let at = |tag| observation.scalar(tag).unwrap();
        let residual = at("curvature_check/lambda_1_residual");
        let [lower, upper] = tag::LAMBDA_1_BAND.map(at);
        assert_eq!(lower, at(tag::LAMBDA_1) - residual);
        assert_eq!(upper, at(tag::LAMBDA_1) + residual);
    }
    // Typed, the same.
    let observation = observe(&model, TopEigenvalues::of(&risk, 2).with_smallest());
    let found = observation.eigenvalues().unwrap();
    assert!((found.largest[1].value - 1.0).abs() < 1e-9 && found.largest[0].converged);
    assert!((found.smallest.unwrap().value - 1.0).abs() < 1e-9);
    let products = observation.products().next().unwrap();
    assert_eq!((products.examples, products.examples_given), (2, 2));
    assert!(matches!(products.method, landscape::Method::Exact { .. }));
    let observation = observe(
        &model,
        HessianTrace::of(&risk).with_config(TraceConfig::new().with_seed(3)),
    );
    assert_eq!(observation.trace().unwrap().count, 16);
    // Rademacher probes are exact for a diagonal matrix.
    assert_scalar(&observation, "curvature/trace", 10.0, 10.0 * DIFFERENCE);
    assert_scalar(
        &observation,
        "curvature_check/trace_standard_error",
        0.0,
        10.0 * DIFFERENCE,
    );
    // L(w + rho u) - L(w) = rho ||g|| + rho^2 u'Hu / 2 with u = g / ||g||, exact for a quadratic.
    let (rho, squared) = (0.1, 325.0_f64);
    let expected = rho * squared.sqrt() + rho * rho * (9.0 * 324.0 + 1.0) / squared / 2.0;
    assert_scalar(
        &observe(&model, AscentSharpness::of(&risk, rho)),
        "sharpness/sam",
        expected,
        1e-12,
    );
}

#[test]
fn one_step_makes_one_hessian_whoever_asks() {
    let (model, _) = problem();
    let device = Device::flex();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let batch = (matrix(&device, [[3.0, 0.0]]), matrix(&device, [[0.0]]));
    let risk = Risk::mean([batch], move |model: &Linear, (x, y): &Pair| {
        counted.fetch_add(1, Ordering::Relaxed);
        (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
    });
    // The closure is called to record it and to check the recording; products do not call it.
    let every = || Schedule::every(1);
    let mut one = Probes::unlimited().with(every(), TopEigenvalues::of(&risk, 1));
    let mut three = Probes::unlimited()
        .with(every(), TopEigenvalues::of(&risk, 1))
        .with(every(), HessianTrace::of(&risk))
        .with(every(), HessianDensity::of(&risk));
    let calls_of = |probes: &mut Probes<Linear>, step| {
        let before = calls.load(Ordering::Relaxed);
        let observation = probes.observe(step, &model).unwrap();
        assert!(observation.failed.is_empty(), "{:?}", observation.failed);
        assert_eq!(observation.products().count(), 1);
        calls.load(Ordering::Relaxed) - before
    };
    // The first observation also checks the loss, once for each risk.
    let _ = calls_of(&mut one, 0);
    let of_one = calls_of(&mut one, 1);
    assert!(of_one > 0);
    assert_eq!(calls_of(&mut three, 1), of_one);
    assert_eq!(calls_of(&mut three, 2), of_one);
}

#[test]
fn how_products_are_made_is_recorded_with_the_reason() {
    let (model, _) = problem();
    let batch = (
        matrix(&Device::flex(), [[3.0, 0.0]]),
        matrix(&Device::flex(), [[0.0]]),
    );
    let reads = Risk::mean([batch], |model: &Linear, (x, y): &Pair| {
        let loss = (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean();
        let _: f64 = loss.clone().into_scalar();
        loss
    });
    let mut probes = Probes::unlimited().with(Schedule::every(1), TopEigenvalues::of(&reads, 1));
    let method = |observation: &Observation| {
        let mut records = observation.records.iter();
        records.find_map(|record| match &record.value {
            Value::Text(text) if record.tag == tag::METHOD => Some(text.clone()),
            _ => None,
        })
    };
    let first = method(&probes.observe(0, &model).unwrap()).unwrap();
    assert!(
        first.contains("central difference") && first.contains("because"),
        "{first}"
    );
    // Told again only when it changes.
    assert_eq!(method(&probes.observe(1, &model).unwrap()), None);
}

#[test]
fn stability_ratio_is_lambda_over_the_threshold_of_the_optimiser() {
    let (model, risk) = problem();
    let probe = || TopEigenvalues::of(&risk, 1).with_optimiser(Optimiser::GradientDescent);
    let observation = observe(&model, probe().with_learning_rate(0.1));
    assert_scalar(&observation, "stability/threshold", 20.0, 1e-12);
    assert_scalar(
        &observation,
        "stability/sharpness_ratio",
        0.45,
        0.45 * DIFFERENCE,
    );
    // The rate that the loop tells comes first.
    let mut probes = Probes::unlimited().with(Schedule::every(1), probe().with_learning_rate(0.1));
    probes.set_learning_rate(0.2);
    assert_scalar(
        &probes.observe(0, &model).unwrap(),
        "stability/sharpness_ratio",
        0.9,
        0.9 * DIFFERENCE,
    );
    // SAM's threshold takes the norm of the gradient of the risk.
    let sam = Optimiser::Sam {
        rho: 0.05,
        momentum: 0.0,
        dampening: 0.0,
    };
    let observation = observe(
        &model,
        TopEigenvalues::of(&risk, 1)
            .with_optimiser(sam)
            .with_learning_rate(0.1),
    );
    assert_scalar(
        &observation,
        "stability/threshold",
        sam.threshold(0.1, 325.0_f64.sqrt()).unwrap(),
        1e-9,
    );
    // Without a rate, and for Adam, the eigenvalues are recorded all the same.
    for (probe, is_expected) in [
        (
            probe(),
            (|error: &Error| matches!(error, Error::Missing { .. })) as fn(&Error) -> bool,
        ),
        (
            TopEigenvalues::of(&risk, 1)
                .with_optimiser(Optimiser::Adam { beta_1: 0.9 })
                .with_learning_rate(0.1),
            |error| error.to_string().contains("StabilityMonitor"),
        ),
    ] {
        let observation = observe(&model, probe);
        assert!(
            observation
                .failed
                .iter()
                .any(|(_, error)| is_expected(error))
        );
        assert!(observation.scalar("curvature/lambda_1").is_some());
    }
}

#[test]
fn density_line_and_surface_record_numbers_and_pictures() {
    let (model, risk) = problem();
    let grid = Grid::rectangle((-1.0..=1.0, 3), (-1.0..=1.0, 5));
    let directory = tempfile::tempdir().unwrap();
    let sink = TensorBoard::create(directory.path()).unwrap();
    let path = sink.path().to_owned();
    let mut probes = Probes::unlimited()
        .with(Schedule::at_start(), HessianDensity::of(&risk))
        .with(
            Schedule::at_start(),
            LossLine::of(&risk, "train", vec![-1.0, 0.0, 1.0])
                .along(LineDirection::TopEigenvector { seed: 1 }),
        )
        .with(
            Schedule::at_start(),
            LossSurface::of(&risk, grid).with_seed(42),
        )
        .with_sink(sink);
    let observation = probes.observe(0, &model).unwrap();
    assert!(observation.failed.is_empty(), "{:?}", observation.failed);
    let data = |tag: &str| match &observation
        .records
        .iter()
        .find(|record| record.tag == tag)
        .unwrap()
        .value
    {
        Value::Data(data) => data.clone(),
        other => panic!("{other:?}"),
    };
    // Along the eigenvector (1, 0): (9 (2 + a)^2 + 1) / 2.
    let losses = data("landscape/line_data")["curves"][0]["loss"].clone();
    for (loss, expected) in losses.as_array().unwrap().iter().zip([5.0, 18.5, 41.0]) {
        assert!(
            (loss.as_f64().unwrap() - expected).abs() < 1e-3,
            "{loss} {expected}"
        );
    }
    let surface = data("landscape/surface_data");
    assert_eq!(surface["loss"].as_array().unwrap().len(), 15);
    assert!((surface["loss"][7].as_f64().unwrap() - 18.5).abs() < 1e-12);
    // The mesh is the same surface, between the least and the greatest loss.
    let mesh = observation
        .records
        .iter()
        .find_map(|record| match &record.value {
            Value::Mesh(mesh) if record.tag == tag::SURFACE_MESH => Some(mesh.clone()),
            _ => None,
        });
    let mesh = mesh.unwrap();
    assert_eq!((mesh.vertices.len(), mesh.faces.len()), (15, 16));
    let losses: Vec<f64> = surface["loss"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(greatest > 100.0 * least, "{least} {greatest}");
    for (vertex, loss) in mesh.vertices.iter().zip(&losses) {
        // The losses span more than two decades, so heights are logarithmic.
        let height = (loss / least).ln() / (greatest / least).ln() - 0.5;
        assert!(
            (f64::from(vertex[1]) - height).abs() < 1e-6,
            "{vertex:?} {height}"
        );
    }
    let weights: f64 = data("curvature/density_data")["weights"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .sum();
    assert!((weights - 1.0).abs() < 1e-9);
    probes.finish().delivered().unwrap();
    let points = tensorboard::read_events(&path).unwrap().points;
    let written = points.iter().find(|point| point.tag == tag::SURFACE_MESH);
    assert_eq!(
        written.map(|point| &point.value),
        Some(&tensorboard::SummaryValue::Mesh(mesh))
    );
    for tag in [
        "landscape/line",
        "landscape/surface",
        "curvature/density_picture",
    ] {
        assert!(
            points.iter().any(|point| point.tag == tag
                && matches!(point.value, tensorboard::SummaryValue::Image(_))),
            "{tag}"
        );
    }
}

#[test]
fn a_diverged_model_is_reported_and_its_loss_recorded() {
    let (mut model, risk) = problem();
    model.weight = Param::from_tensor(matrix(&Device::flex().autodiff(), [[f64::NAN], [1.0]]));
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), MeanLoss::of(&risk, "loss/valid"))
        .with(Schedule::every(1), TopEigenvalues::of(&risk, 2))
        .with(Schedule::every(1), HessianTrace::of(&risk))
        .with(Schedule::every(1), HessianDensity::of(&risk))
        .with(Schedule::every(1), AscentSharpness::of(&risk, 0.05))
        .with(
            Schedule::every(1),
            LossSurface::of(&risk, Grid::square(-1.0..=1.0, 3)),
        );
    let observation = probes.observe(0, &model).unwrap();
    assert!(observation.scalar("loss/valid").is_some_and(f64::is_nan));
    assert!(observation.failed.len() >= 4, "{:?}", observation.failed);
}

#[test]
fn curve_that_cannot_be_measured_leaves_the_others() {
    let (model, risk) = problem();
    let nothing = Risk::mean(Vec::<Pair>::new(), |model: &Linear, (x, _): &Pair| {
        model.forward(x.clone()).mean()
    });
    // Along the eigenvector (1, 0): (9 (2 + a)^2 + 1) / 2.
    let line = LossLine::of(&risk, "train", vec![-1.0, 0.0, 1.0])
        .and(&nothing, "nothing")
        .and(&risk, "again")
        .along(LineDirection::TopEigenvector { seed: 1 });
    let observation = observe(&model, line);
    assert_eq!(observation.failed.len(), 1, "{:?}", observation.failed);
    let tags: Vec<&str> = observation.records.iter().map(|r| r.tag.as_str()).collect();
    assert_eq!(
        tags,
        [
            tag::LINE_DATA,
            tag::LINE,
            tag::METHOD,
            tag::PRODUCTS,
            tag::NOTES
        ]
    );
    let Value::Data(data) = &observation.records[0].value else {
        panic!("{:?}", observation.records[0])
    };
    for (curve, name) in [(0, "train"), (1, "again")] {
        assert_eq!(data["curves"][curve]["name"], name);
        let middle = data["curves"][curve]["loss"][1].as_f64().unwrap();
        assert!((middle - 18.5).abs() < 1e-9, "{middle}");
    }
}

#[test]
fn more_right_answers_than_questions_are_an_error() {
    let (model, _) = problem();
    let x = matrix(&Device::flex(), [[1.0, 0.0]; 4]);
    // A closure that counts over the batch what it asked once.
    let count = |_: &Linear, _: &Pair| (4_usize, 1_usize);
    let observation = observe(
        &model,
        Accuracy::of([(x.clone(), x)], count, "accuracy/valid"),
    );
    assert!(observation.scalar("accuracy/valid").is_none());
    let error = observation.failed[0].1.to_string();
    assert!(
        error.contains("right answers that the closure counts is 4"),
        "{error}"
    );
}

#[test]
fn long_instruments_stop_when_they_are_told_to() {
    let (model, risk) = problem();
    let grid = Grid::square(-1.0..=1.0, 100);
    let points = landscape::slice::linspace(-1.0..=1.0, 10_000);
    // Questions until they are told to stop: one at the beginning, then one after each product or
    // point.
    let stops = |probe: Box<dyn Probe<Linear> + Send>| {
        let asked = std::sync::atomic::AtomicU64::new(0);
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), Boxed(probe))
            .with_interrupt(move || asked.fetch_add(1, Ordering::Relaxed) > 1);
        probes.observe(1, &model).is_ok_and(|observation| {
            observation.interrupted
                && observation.records.is_empty()
                && observation.measured.is_empty()
        })
    };
    assert!(stops(Box::new(LossSurface::of(&risk, grid))));
    assert!(stops(Box::new(LossLine::of(&risk, "loss", points.clone()))));
    let top = LossLine::of(&risk, "loss", points).along(LineDirection::TopEigenvector { seed: 1 });
    assert!(stops(Box::new(top)));
    assert!(stops(Box::new(TopEigenvalues::of(&risk, 1))));
    assert!(stops(Box::new(TopEigenvalues::of(&risk, 2))));
    assert!(stops(Box::new(HessianTrace::of(&risk))));
    assert!(stops(Box::new(HessianDensity::of(&risk))));
}

/// A probe of any kind.
struct Boxed(Box<dyn Probe<Linear> + Send>);

impl Probe<Linear> for Boxed {
    fn name(&self) -> String {
        self.0.name()
    }

    fn measure(
        &mut self,
        moment: &probes::Moment<'_, Linear>,
        records: &mut probes::Records,
    ) -> Result<(), Error> {
        self.0.measure(moment, records)
    }
}
