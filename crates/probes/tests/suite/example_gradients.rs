//! Instruments that take the gradients of single examples, in closed form.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::{Reduction, Risk};
use probes::instrument::{
    GradientHistogram, GradientNoise, GradientsAndWeights, TakeuchiCriterion,
};
use probes::{Budget, Moment, Observation, Probe, Probes, Records, Schedule, Value, tag};

fn inputs(rows: &[[f64; 2]]) -> Tensor<2> {
    let data = TensorData::new(rows.as_flattened().to_vec(), [rows.len(), 2]);
    Tensor::from_data(data, (&Device::flex().autodiff(), DType::F64))
}

/// w = (0.5, −1).
fn model() -> Linear {
    let device = Device::flex().autodiff();
    let mut model = LinearConfig::new(2, 1).with_bias(false).init(&device);
    model.weight = Param::from_tensor(inputs(&[[0.5, -1.0]]).reshape([2, 1]));
    model
}

/// The loss terms <w, x> + 10, whose gradients are x.
fn line(batches: Vec<Tensor<2>>) -> Risk<Linear, Tensor<2>> {
    Risk::mean(batches, |model: &Linear, x: &Tensor<2>| {
        model.forward(x.clone()).mean() + 10.0
    })
}

/// Gradients with the mean (2, 1) and the variances 8/3 and 8/3, in ragged batches.
fn four() -> Vec<Tensor<2>> {
    vec![
        inputs(&[[2.0, 1.0], [4.0, -1.0], [0.0, 1.0]]),
        inputs(&[[2.0, 3.0]]),
    ]
}

fn observe(probe: impl Probe<Linear> + Send + 'static) -> Observation {
    let mut probes = Probes::unlimited().with(Schedule::every(1), probe);
    probes.set_learning_rate(0.1);
    let observed = probes.without_cost_records().observe(3, &model());
    let observed = observed.unwrap_or_else(|error| panic!("{error}"));
    assert!(observed.failed.is_empty(), "{:?}", observed.failed);
    observed
}

fn assert_scalars(observation: &Observation, expected: &[(&str, f64)]) {
    for (tag, expected) in expected {
        let found = observation
            .scalar(tag)
            .unwrap_or_else(|| panic!("no {tag}"));
        assert!((found - expected).abs() < 1e-13, "{tag} {found} {expected}");
        assert!(tag::description(tag).is_some(), "{tag}");
    }
    let scalars = observation.records.iter();
    let scalars = scalars.filter(|record| matches!(record.value, Value::Scalar(_)));
    assert_eq!(scalars.count(), expected.len());
}

#[test]
fn gradient_noise_records_the_quantities_of_one_pass() {
    let noise = || GradientNoise::of(&line(four()));
    let observation = observe(noise().with_batch_size(2));
    // Along the gradient the projections 5, 7, 1, 7 have the variance 8 about 5.
    let (total, along) = (16.0 / 3.0, 8.0 / 5.0);
    // (4 + 1) / 2 of 8/3.
    let ratio = 0.9375;
    // The loss is 0.5 · 2 − 1 · 1 + 10.
    assert_scalars(
        &observation,
        &[
            ("gradient/noise_scale", total / 5.0),
            ("gradient/noise_scale_unbiased", total / (5.0 - total / 4.0)),
            ("gradient/signal_to_noise", ratio),
            ("gradient/early_stopping", 1.0 - 4.0 * ratio),
            ("gradient/norm_test", (total / 2.0 / 5.0_f64).sqrt()),
            ("gradient/inner_product_test", (along / 10.0_f64).sqrt()),
            (
                "gradient/orthogonality_test",
                ((total - along) / 10.0_f64).sqrt(),
            ),
            ("gradient/cabs_batch_size", 0.1 * total / 10.0),
        ],
    );
    let norms = observation.records.iter();
    let mut norms = norms.filter(|record| record.tag == "gradient/example_norms");
    let Some(Value::Histogram(norms)) = norms.next().map(|record| &record.value) else {
        panic!("no histogram of norms");
    };
    assert_eq!(norms.bins().iter().map(|bin| bin.weight).sum::<f64>(), 4.0);
    // Without a batch size the tests are those of all four.
    let all = observe(noise());
    let found = all.scalar("gradient/norm_test").unwrap();
    assert!((found - (total / 20.0_f64).sqrt()).abs() < 1e-13);
}

#[test]
fn quantities_that_are_not_defined_are_left_out() {
    // Two gradients that cancel: no ratio to a gradient of zero.
    let observation = observe(GradientNoise::of(&line(vec![inputs(&[
        [1.0, 2.0],
        [-1.0, -2.0],
    ])])));
    assert_scalars(
        &observation,
        &[
            ("gradient/signal_to_noise", 0.0),
            ("gradient/early_stopping", 1.0),
            ("gradient/cabs_batch_size", 0.1 * 10.0 / 10.0),
        ],
    );
}

#[test]
fn one_example_is_reported_and_not_recorded() {
    let mut probe = GradientNoise::of(&line(vec![inputs(&[[1.0, 2.0]])]));
    let mut records = Records::new(0);
    let error = probe.measure(&Moment::new(0, &model()), &mut records);
    let error = error.expect_err("one example").to_string();
    assert!(error.contains("at least 2"), "{error}");
    assert!(records.into_vec().is_empty());
}

#[test]
fn histograms_and_pictures_count_every_entry() {
    let observation = observe(GradientHistogram::of(&line(four())));
    let [record] = &observation.records[..] else {
        panic!("{:?}", observation.records)
    };
    assert_eq!(record.tag, "gradient/example_values");
    let Value::Histogram(histogram) = &record.value else {
        panic!("{record:?}")
    };
    assert_eq!(
        histogram.bins().iter().map(|bin| bin.weight).sum::<f64>(),
        8.0
    );

    let observation = observe(GradientsAndWeights::of(&line(four())));
    let value = |tag: &str| {
        let mut records = observation.records.iter();
        let record = records.find(|record| record.tag == tag);
        record.map(|record| &record.value).expect("a record")
    };
    let Value::Data(data) = value("gradient/values_and_weights_data") else {
        panic!("no numbers");
    };
    let counts = data["counts"].as_array().expect("a list");
    let count: u64 = counts.iter().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(count, 8);
    // The weight of −1 is in the first column, with gradients from −1 to 3.
    let columns = data["weight_edges"].as_array().expect("a list").len() - 1;
    let first: u64 = counts
        .iter()
        .step_by(columns)
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(first, 4);
    let Value::Picture(picture) = value("gradient/values_and_weights") else {
        panic!("no picture");
    };
    assert!(picture.svg().contains("gradient of an example"));
}

/// Loss terms (<w, x> − y)² with G = H = 2/N Σ x xᵀ and gradients 2 r x.
#[test]
fn takeuchis_criterion_is_that_of_least_squares() {
    let x = [[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]];
    let risk = Risk::of(
        [inputs(&x)],
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| (outputs - 1.0).square().mean(),
        Reduction::Mean,
    );
    let (mut c, mut h) = ([0.0; 2], [0.0; 2]);
    for x in x {
        let residual = 0.5 * x[0] - x[1] - 1.0;
        for i in 0..2 {
            c[i] += (2.0 * residual * x[i]).powi(2) / 3.0;
            h[i] += 2.0 * x[i] * x[i] / 3.0;
        }
    }
    assert_scalars(
        &observe(TakeuchiCriterion::of(&risk).with_damping(0.5)),
        &[
            ("curvature/tic_trace", (c[0] + c[1]) / (h[0] + h[1])),
            (
                "curvature/tic_diagonal",
                c[0] / (h[0] + 0.5) + c[1] / (h[1] + 0.5),
            ),
        ],
    );
}

/// A measurement of unknown cost is made once without a limit, whatever the budget.
#[test]
fn cost_is_known_before_the_first_measurement() {
    let risk = Risk::of(
        four(),
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
        |outputs: Tensor<2>, _: &Tensor<2>| outputs.square().mean(),
        Reduction::Mean,
    );
    let model = model();
    let moment = Moment::new(1, &model);
    let costs = [
        GradientNoise::of(&risk).cost(&moment),
        GradientHistogram::of(&risk).cost(&moment),
        GradientsAndWeights::of(&risk).cost(&moment),
        TakeuchiCriterion::of(&risk).cost(&moment),
    ];
    for cost in costs {
        assert!(cost.expect("a cost").is_some());
    }
}

/// Under a budget that allows next to nothing, measurements are made of part of the data, or wait;
/// where steps take long they are made, once the budget has saved up a trial of what they cost.
#[test]
fn measurement_waits_where_a_step_is_shorter_than_it() {
    const STEPS: u64 = 80;
    let rows: Vec<[f64; 2]> = (0..2048).map(|n| [f64::from(n).sin(), 1.0]).collect();
    let risk = line(vec![inputs(&rows)]);
    let model = model();
    let measured = |budget: Budget, step_takes: Duration| {
        // A clock that only the training moves.
        let steps = Arc::new(AtomicU32::new(0));
        let now = Arc::clone(&steps);
        let mut probes = Probes::new()
            .with_budget(budget)
            .with_total_steps(STEPS)
            .with_whole_samples()
            .with_clock(move || step_takes * now.load(Ordering::Relaxed))
            .with(Schedule::every(1), GradientNoise::of(&risk));
        let mut measured = Vec::new();
        for step in 0..=STEPS {
            steps.fetch_add(1, Ordering::Relaxed);
            let observation = probes.observe(step, &model).expect("an observation");
            assert!(observation.failed.is_empty(), "{:?}", observation.failed);
            if observation.scalar("gradient/noise_scale").is_some() {
                measured.push(step);
            }
        }
        measured
    };
    let (short, long) = (Duration::from_micros(1), Duration::from_secs(1000));
    let all: Vec<u64> = (0..=STEPS).collect();
    assert_eq!(measured(Budget::unlimited(), short), all);
    // Before its own time is known, a few may be made whatever they take.
    let few = measured(Budget::fraction(0.05), short);
    assert!(few.len() < 10, "{few:?}");
    // A trial is taken to last two steps, and each step saves 5/95 of its time: 38 of them, one of
    // which was over when the run began.
    let most = measured(Budget::fraction(0.05), long);
    assert_eq!(most, all[37..]);
}
