//! `analyze` against the functions that it calls, and what it says where it cannot measure.

use std::ops::ControlFlow;

use burn::data::dataloader::{DataLoaderBuilder, batcher::Batcher};
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use landscape::critical::critical_point;
use landscape::curvature::exact_trace_with;
use landscape::sharpness::sharpness;
use landscape::spectrum::{EigenPair, Which};
use landscape::stability::Optimiser;
use landscape::{
    Hessian, ParameterSpace, Reduction, Risk, cast, download, filter_normalize, hutchinson_trace,
    line, norm, plane, random_directions, spectral_density, top_eigenpairs,
};
use probes::instrument::{GradientNorm, HessianDensity, LossSurface, TopEigenvalues};
use probes::{
    Analysis, Analyze, AnalyzeConfig, Depth, Moment, Part, Probe, Record, Records, Value, Why,
    analyze, analyze_observed, tag,
};

type Batch = (Tensor<2>, Tensor<1, Int>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    last: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.last.forward(self.first.forward(x).tanh())
    }
}

/// 3 inputs, 4 tanh units, 3 classes: 31 parameters, made of sines so that no seed matters.
fn net(dtype: FloatDType) -> Net {
    let device = Device::flex().autodiff();
    let net = Net {
        first: LinearConfig::new(3, 4).init(&device),
        last: LinearConfig::new(4, 3).init(&device),
    };
    let space = ParameterSpace::of(&net).expect("a space");
    let theta: Vec<f64> = (0..space.dim()).map(|i| (1.7 * i as f64).sin()).collect();
    let theta = space.domain.upload(&theta).expect("f64");
    let net = space.unflatten(&net, &theta).expect("31 numbers");
    cast(&net, dtype).expect("a float type")
}

fn rows(range: std::ops::Range<usize>, dtype: DType) -> Batch {
    let device = Device::flex();
    let count = range.len();
    let x: Vec<f64> = range
        .clone()
        .flat_map(|i| (0..3).map(move |j| (0.9 * (i * 3 + j) as f64).cos()))
        .collect();
    let y: Vec<i64> = range.map(|i| (i % 3) as i64).collect();
    (
        Tensor::from_data(TensorData::new(x, [count, 3]), (&device, dtype)),
        Tensor::from_data(TensorData::new(y, [count]), &device),
    )
}

fn cross_entropy(logits: Tensor<2>, y: &Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits, y.clone())
}

fn apart(batches: Vec<Batch>) -> Risk<Net, Batch> {
    Risk::of(
        batches,
        |net: &Net, (x, _): &Batch| net.forward(x.clone()),
        |logits: Tensor<2>, (_, y): &Batch| cross_entropy(logits, y),
        Reduction::Mean,
    )
}

fn together(batches: Vec<Batch>) -> Risk<Net, Batch> {
    Risk::mean(batches, |net: &Net, (x, y): &Batch| {
        cross_entropy(net.forward(x.clone()), y)
    })
}

/// 20 examples in ragged batches.
fn batches(dtype: DType) -> Vec<Batch> {
    vec![rows(0..12, dtype), rows(12..20, dtype)]
}

/// The ten lines, each of which fits a terminal.
#[track_caller]
fn lines(analysis: &Analysis) -> Vec<String> {
    let text = analysis.to_string();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 10, "{text}");
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    lines
}

#[track_caller]
fn same_pair(found: &EigenPair, expected: &EigenPair) {
    assert_eq!(found.value, expected.value);
    assert_eq!(found.residual, expected.residual);
    assert_eq!(download(&found.vector), download(&expected.vector));
}

fn value<'a>(records: &'a [Record], tag: &str) -> &'a Value {
    let record = records.iter().find(|record| record.tag == tag);
    &record.unwrap_or_else(|| panic!("no {tag}")).value
}

#[test]
fn every_figure_is_that_of_the_single_function() {
    let (model, risk) = (net(FloatDType::F64), apart(batches(DType::F64)));
    for depth in [Depth::Quick, Depth::Standard, Depth::Thorough] {
        let config = AnalyzeConfig::of(depth)
            .with_seed(7)
            .without_limit()
            .with_optimiser(Optimiser::GradientDescent, 0.1);
        let found = analyze(&model, &risk, config).unwrap();
        assert!(found.omitted.is_empty(), "{:?}", found.omitted);
        let settings = &depth.settings(7);
        assert_eq!(found.config.settings, *settings);
        assert_eq!(
            (found.parameters, found.examples, found.examples_given),
            (31, 20, 20)
        );

        let (loss, gradient) = risk.gradient(&model).unwrap();
        let gradient = download(&gradient);
        let of_gradient = found.gradient.as_ref().unwrap();
        assert_eq!((found.loss, of_gradient.norm), (loss, norm(&gradient)));
        let squares: f64 = of_gradient.layers.iter().map(|(_, norm)| norm * norm).sum();
        assert!((squares.sqrt() / norm(&gradient) - 1.0).abs() < 1e-14);
        assert_eq!(of_gradient.layers[0].0, "first");

        let hessian = Hessian::at(&model, &risk).unwrap();
        if depth == Depth::Quick {
            let ends = landscape::spectrum::extremes(&hessian, &settings.lanczos).unwrap();
            same_pair(&found.largest[0], &ends.max);
            same_pair(found.smallest.as_ref().unwrap(), &ends.min);
        } else {
            let of = |which, count| {
                let config = settings.lanczos.clone().with_which(which);
                top_eigenpairs(&hessian, count, &config).unwrap()
            };
            let largest = of(Which::LargestAlgebraic, settings.eigenvalues);
            assert_eq!(found.largest.len(), largest.len());
            for (found, expected) in found.largest.iter().zip(&largest) {
                same_pair(found, expected);
            }
            let smallest = of(Which::SmallestAlgebraic, 1);
            same_pair(found.smallest.as_ref().unwrap(), &smallest[0]);
        }
        let trace = exact_trace_with(&model, &risk, &settings.trace).unwrap();
        assert_eq!(found.exact_trace.as_ref(), Some(&trace));
        let density = spectral_density(&hessian, &settings.density).unwrap();
        assert_eq!(found.density.as_ref(), Some(&density));

        let expected = critical_point(&model, &risk, &settings.critical).unwrap();
        let point = found.critical.as_ref().unwrap();
        assert_eq!(point.to_string(), expected.to_string());
        assert_eq!(point.eigenvalues, expected.eigenvalues);
        let directions = |point: &landscape::critical::CriticalPoint| {
            let escape = point.escape.as_ref();
            escape.map(|escape| download(&escape.direction))
        };
        assert_eq!(directions(point), directions(&expected));

        let space = ParameterSpace::of(&model).unwrap();
        let [first, second] = random_directions(&space, 7)
            .map(|direction| filter_normalize(&space, &model, direction).unwrap());
        let expected = line(&model, &risk, &first, &settings.line).unwrap();
        assert_eq!(found.line.as_ref(), Some(&expected));
        let expected = plane(&model, &risk, [&first, &second], &settings.plane).unwrap();
        assert_eq!(found.surface.as_ref(), Some(&expected));

        let expected = sharpness(&model, &risk, &settings.sharpness).unwrap();
        let report = found.sharpness.as_ref().unwrap();
        assert_eq!(report.measures(), expected.measures());

        // Gradient descent at 0.1 is stable up to a curvature of 20.
        let stability = found.stability.unwrap();
        assert_eq!(stability.threshold, 20.0);
        assert_eq!(stability.ratio, found.largest[0].value / 20.0);
        lines(&found);
    }
}

#[test]
fn records_are_those_of_the_instruments() {
    let (model, risk) = (net(FloatDType::F64), apart(batches(DType::F64)));
    let config = AnalyzeConfig::of(Depth::Standard)
        .with_seed(3)
        .without_limit()
        .with_step(40);
    let analysis = analyze(&model, &risk, config.clone()).unwrap();
    let records = analysis.records().unwrap();
    let settings = &config.settings;
    let measured = |probe: &mut dyn Probe<Net>| {
        let mut records = Records::new(40);
        probe
            .measure(&Moment::new(40, &model), &mut records)
            .unwrap();
        records.into_vec()
    };
    let mut compared = 0;
    let instruments: [&mut dyn Probe<Net>; 4] = [
        &mut GradientNorm::of(&risk),
        &mut TopEigenvalues::of(&risk, settings.eigenvalues)
            .with_config(settings.lanczos.clone())
            .with_smallest(),
        &mut HessianDensity::of(&risk).with_config(settings.density.clone()),
        &mut LossSurface::of(&risk, settings.plane.clone()).with_seed(settings.slice_seed),
    ];
    for instrument in instruments {
        for record in measured(instrument) {
            assert_eq!(record.step, 40);
            assert_eq!(
                value(&records, &record.tag),
                &record.value,
                "{}",
                record.tag
            );
            compared += 1;
        }
    }
    // Three of the gradient, ten of eigenvalues, the density's picture and numbers, the surface's
    // and its mesh.
    assert_eq!(compared, 3 + 10 + 2 + 3);
    // As a probe it records the same, without the seconds that it took.
    let mut probe = Analyze::of(&risk, config);
    let mut beside = measured(&mut probe);
    assert_eq!(probe.last().unwrap().loss, analysis.loss);
    let timeless = |records: &mut Vec<Record>| records.retain(|r| r.tag != tag::ANALYSIS_SUMMARY);
    let mut records = records;
    timeless(&mut beside);
    timeless(&mut records);
    assert_eq!(beside, records);
    // And as one document.
    let document = analysis.to_json();
    assert_eq!(document["values"][tag::LAMBDA_1], analysis.largest[0].value);
    assert_eq!(document["summary"].as_array().unwrap().len(), 10);
}

#[test]
fn where_the_outputs_are_not_told_the_trace_is_an_estimate_and_that_is_said() {
    let (model, risk) = (net(FloatDType::F64), together(batches(DType::F64)));
    let found = analyze(
        &model,
        &risk,
        AnalyzeConfig::of(Depth::Quick).without_limit(),
    )
    .unwrap();
    let hessian = Hessian::at(&model, &risk).unwrap();
    let trace = hutchinson_trace(&hessian, &found.config.settings.trace).unwrap();
    assert_eq!(found.estimated_trace.as_ref(), Some(&trace));
    assert_eq!(
        found.trace(),
        Some((trace.estimate.mean, trace.estimate.standard_error))
    );
    assert!(found.exact_trace.is_none() && found.layer_traces().is_empty());
    let lines = lines(&found);
    assert!(
        lines[3].contains("±") && lines[3].contains("Risk::of"),
        "{}",
        lines[3]
    );
    let Some(Why::Because(why)) = found.omission(Part::Trace) else {
        panic!("{:?}", found.omitted);
    };
    assert!(why.contains("outputs"), "{why}");
}

#[test]
fn single_precision_and_streams_are_measured_too() {
    let (model, held) = (net(FloatDType::F32), apart(batches(DType::F32)));
    let config = AnalyzeConfig::of(Depth::Quick).without_limit();
    let found = analyze(&model, &held, config.clone()).unwrap();
    assert_eq!(found.dtype, DType::F32);
    assert!(found.omitted.is_empty(), "{:?}", found.omitted);

    struct Rows;
    impl Batcher<usize, Batch> for Rows {
        fn batch(&self, items: Vec<usize>, _: &Device) -> Batch {
            rows(items[0]..items[0] + items.len(), DType::F32)
        }
    }
    let loader = DataLoaderBuilder::new(Rows)
        .batch_size(12)
        .build(InMemDataset::new((0..20).collect()));
    let streamed = held.over(loader);
    let beside = analyze(&model, &streamed, config).unwrap();
    assert!(beside.omitted.is_empty(), "{:?}", beside.omitted);
    // The same sums in another order: f32 rounds each to 6e-8.
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
    close(beside.loss, found.loss);
    close(beside.largest[0].value, found.largest[0].value);
    close(beside.trace().unwrap().0, found.trace().unwrap().0);
}

#[test]
fn batch_norm_and_dropout_are_measured_as_after_training() {
    #[derive(Module, Debug)]
    struct Normed {
        first: Linear,
        norm: BatchNorm,
        dropout: Dropout,
        last: Linear,
    }
    let device = Device::flex().autodiff();
    let model = Normed {
        first: LinearConfig::new(3, 4).init(&device),
        norm: BatchNormConfig::new(4).init(&device),
        dropout: DropoutConfig::new(0.5).init(),
        last: LinearConfig::new(4, 3).init(&device),
    };
    let risk = Risk::of(
        batches(DType::F32),
        |net: &Normed, (x, _): &Batch| {
            let hidden = net.norm.forward(net.first.forward(x.clone())).tanh();
            net.last.forward(net.dropout.forward(hidden))
        },
        |logits: Tensor<2>, (_, y): &Batch| cross_entropy(logits, y),
        Reduction::Mean,
    );
    let config = AnalyzeConfig::of(Depth::Quick).without_limit();
    let found = analyze(&model, &risk, config).unwrap();
    assert!(found.omitted.is_empty(), "{:?}", found.omitted);
    assert_eq!(found.loss, risk.value(&model.valid()).unwrap());
    lines(&found);
}

#[test]
fn a_loss_that_is_not_finite_is_stated_and_nothing_else_is_measured() {
    let nan = Risk::mean(batches(DType::F64), |net: &Net, (x, y): &Batch| {
        cross_entropy(net.forward(x.clone()), y) * f64::NAN
    });
    for config in [
        Depth::Quick.into(),
        AnalyzeConfig::of(Depth::Quick).without_limit(),
    ] {
        let found = analyze(&net(FloatDType::F64), &nan, config).unwrap();
        assert!(found.loss.is_nan() && found.gradient.is_none() && found.largest.is_empty());
        let lines = lines(&found);
        assert!(lines[1].contains("NaN"), "{}", lines[1]);
        assert!(lines[9].contains("the loss is NaN"), "{}", lines[9]);
        assert!(
            found
                .records()
                .unwrap()
                .iter()
                .any(|record| record.tag == tag::ANALYSIS_LOSS)
        );
    }
}

#[test]
fn what_cannot_be_measured_at_all_is_one_clear_sentence() {
    let model = net(FloatDType::F64);
    let sentence = |risk: &Risk<Net, Batch>, config: AnalyzeConfig| {
        analyze(&model, risk, config).unwrap_err().to_string()
    };
    let config = || AnalyzeConfig::of(Depth::Quick);
    let empty = sentence(&apart(Vec::new()), config());
    assert!(
        empty.contains("there is no example to measure on"),
        "{empty}"
    );
    let risk = apart(batches(DType::F64));
    let limit = sentence(&risk, config().with_seconds(-1.0));
    assert!(
        limit.contains("-1") && limit.contains("positive"),
        "{limit}"
    );
    let none = sentence(&risk, config().with_examples(0));
    assert!(
        none.contains("examples") && none.contains("at least 1"),
        "{none}"
    );
    let constant = Risk::mean(batches(DType::F64), |_: &Net, (x, _): &Batch| {
        x.clone().mean()
    });
    let constant = sentence(&constant, config());
    assert!(constant.contains("depend"), "{constant}");
    let depth = "deep".parse::<Depth>().unwrap_err().to_string();
    assert!(
        depth.contains("deep") && depth.contains("quick, standard or thorough"),
        "{depth}"
    );
}

#[test]
fn one_parameter_and_one_example_are_enough() {
    let device = Device::flex().autodiff();
    let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
    let model = cast(&model, FloatDType::F64).unwrap();
    let x = Tensor::<2>::from_data([[3.0]], (&Device::flex(), DType::F64));
    // (3 w)² has the second derivative 18.
    let risk = Risk::of(
        [x],
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| outputs.square().mean(),
        Reduction::Mean,
    );
    for depth in [Depth::Quick, Depth::Standard, Depth::Thorough] {
        let config = AnalyzeConfig::of(depth).without_limit();
        let found = analyze(&model, &risk, config).unwrap();
        assert_eq!((found.parameters, found.examples), (1, 1));
        if let Some(pair) = found.largest.first() {
            assert!((pair.value - 18.0).abs() < 1e-12);
        }
        assert!((found.trace().unwrap().0 - 18.0).abs() < 1e-12);
        lines(&found);
    }
}

#[test]
fn stopping_keeps_what_is_done() {
    let (model, risk) = (net(FloatDType::F64), apart(batches(DType::F64)));
    let config = AnalyzeConfig::of(Depth::Quick).without_limit();
    let mut parts = Vec::new();
    let found = analyze_observed(&model, &risk, config, |progress| {
        if parts.last() != Some(&progress.part) {
            parts.push(progress.part);
        }
        match progress.part {
            Part::Line if progress.done == 3 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })
    .unwrap();
    assert!(found.interrupted);
    assert!(found.trace().is_some() && found.critical.is_some());
    assert!(found.line.is_none() && found.density.is_none());
    for part in [Part::Line, Part::Plane, Part::Sharpness, Part::Density] {
        assert_eq!(found.omission(part), Some(&Why::Stopped), "{part}");
    }
    assert_eq!(parts.first(), Some(&Part::Gradient));
    assert_eq!(parts.last(), Some(&Part::Line));
    assert!(lines(&found)[9].contains("stopped"));
}

#[test]
fn what_there_is_no_time_for_is_left_out_and_said() {
    let (model, risk) = (net(FloatDType::F64), apart(batches(DType::F64)));
    // Over before it begins.
    let found = analyze(&model, &risk, Depth::Standard.with_seconds(1e-9)).unwrap();
    assert_eq!(found.loss, risk.value(&model).unwrap());
    assert!(!found.interrupted && found.largest.is_empty());
    let no_time = found
        .omitted
        .iter()
        .filter(|omission| omission.why == Why::NoTime);
    assert_eq!(no_time.count(), 7);
    let lines = lines(&found);
    assert!(lines[9].contains("no time for"), "{}", lines[9]);
    assert_eq!(lines[2], "Curvature  not measured");
}

#[test]
fn a_sample_is_measured_where_it_is_asked_for() {
    let (model, risk) = (net(FloatDType::F64), apart(batches(DType::F64)));
    let config = AnalyzeConfig::of(Depth::Quick)
        .without_limit()
        .with_examples(10);
    let found = analyze(&model, &risk, config).unwrap();
    assert_eq!((found.examples, found.examples_given), (10, 20));
    assert_eq!(found.loss, risk.limited(10).unwrap().value(&model).unwrap());
    assert!(lines(&found)[0].contains("10 of 20 examples"));
}

#[test]
fn a_sum_that_is_called_a_mean_is_refused() {
    let sum = Risk::mean(batches(DType::F64), |net: &Net, (x, _): &Batch| {
        net.forward(x.clone()).sum()
    });
    let failed = analyze(&net(FloatDType::F64), &sum, Depth::Quick);
    assert!(failed.unwrap_err().to_string().contains("mean"));
}
