//! Activations, weight spectra, updates and the BatchNorm gap, as they are recorded.

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::Risk;
use probes::instrument::{Activations, BatchNormGap, Updates, WeightSpectra};
use probes::sink::Memory;
use probes::{Moment, Probe, Probes, Record, Records, Schedule, Value, tag};

fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn linear(weight: &[f64], bias: &[f64]) -> Linear {
    let (from, to) = (weight.len() / bias.len(), bias.len());
    let mut layer = LinearConfig::new(from, to).init(&Device::flex());
    layer.weight = Param::from_tensor(tensor(weight, [from, to]));
    layer.bias = Some(Param::from_tensor(tensor(bias, [to])));
    layer
}

/// Returns what a probe records, of which every tag has a sentence.
fn measured<M: Module>(model: &M, step: u64, probe: &mut impl Probe<M>) -> Vec<Record> {
    let mut records = Records::new(step);
    probe
        .measure(&Moment::new(step, model), &mut records)
        .unwrap_or_else(|error| panic!("{error}"));
    let records = records.into_vec();
    for Record { tag, .. } in &records {
        assert!(tag::description(tag).is_some(), "{tag}");
    }
    records
}

fn scalars(records: &[Record]) -> Vec<(&str, f64)> {
    let scalar = |record: &'_ Record| match record.value {
        Value::Scalar(value) => Some(value),
        _ => None,
    };
    let all = records.iter();
    all.filter_map(|record| Some((record.tag.as_str(), scalar(record)?)))
        .collect()
}

#[track_caller]
fn assert_scalar(records: &[Record], tag: &str, expected: f64) {
    let found = scalars(records).into_iter().find(|(of, _)| *of == tag);
    let (_, found) = found.unwrap_or_else(|| panic!("no {tag} in {records:?}"));
    assert!(
        (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{tag}: {found}"
    );
}

fn text<'r>(records: &'r [Record], tag: &str) -> &'r str {
    let found = records.iter().find(|record| record.tag == tag);
    match found.map(|record| &record.value) {
        Some(Value::Text(text)) => text,
        other => panic!("{tag}: {other:?}"),
    }
}

#[test]
fn activations_are_recorded_by_layer_and_in_all() {
    // relu(x, x - 100) of 1 and 3: values 1, 3 and 0, 0. tanh(10 x, 0.1 x) of them.
    let model = [
        linear(&[1.0, 1.0], &[0.0, -100.0]),
        linear(&[10.0, 0.1, 0.0, 0.0], &[0.0, 0.0]),
    ];
    let risk = Risk::mean(
        [tensor(&[1.0, 3.0], [2, 1])],
        |[first, second]: &[Linear; 2], x: &Tensor<2>| {
            tanh(second.forward(relu(first.forward(x.clone())))).mean()
        },
    );
    let records = measured(&model, 7, &mut Activations::of(&risk));
    assert!(records.iter().all(|record| record.step == 7));
    assert_scalar(&records, "activation/layer_1_relu/dead_share", 0.5);
    assert_scalar(&records, "activation/layer_1_relu/zero_share", 0.5);
    // Of 1, 0, 3, 0: mean 1, squares 1, 1, 4, 1... about the mean 0, 1, 4, 1 over four.
    assert_scalar(&records, "activation/layer_1_relu/std", 1.5_f64.sqrt());
    assert_scalar(&records, "activation/layer_2_tanh/saturated_share", 0.5);
    assert_scalar(&records, "activation/dead_share", 0.5);
    assert_scalar(&records, "activation/saturated_share", 0.5);
    assert_scalar(&records, "activation/largest_std", 1.5_f64.sqrt());
    let values = [10.0_f64, 0.1, 30.0, 0.3].map(f64::tanh);
    let mean = values.iter().sum::<f64>() / 4.0;
    let std = (values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    assert_scalar(&records, "activation/smallest_std", std);
    assert_scalar(&records, "activation/layer_2_tanh/std", std);
    let names: Vec<&str> = scalars(&records).iter().map(|(tag, _)| *tag).collect();
    assert!(!names.contains(&"activation/layer_2_tanh/dead_share"));
    assert!(!names.contains(&"activation/layer_2_tanh/zero_share"));
    assert!(!names.contains(&"activation/layer_1_relu/saturated_share"));
    let table = text(&records, "activation/layers");
    assert!(
        table.contains("| layer_1_relu | `0` | 2 | 1 | - | 50.0 % |"),
        "{table}"
    );
    assert!(
        table.contains("| layer_2_tanh | `1` | 2 | - | 1 | 0.0 % |"),
        "{table}"
    );

    let affine = Risk::mean(
        [tensor(&[1.0, 3.0], [2, 1])],
        |model: &[Linear; 2], x: &Tensor<2>| model[0].forward(x.clone()).mean(),
    );
    assert_eq!(measured(&model, 0, &mut Activations::of(&affine)), []);
}

#[derive(Module, Debug)]
struct Nested {
    block: Linear,
    norm: BatchNorm,
}

#[test]
fn spectra_are_recorded_under_the_path_of_the_layer_and_small_tails_are_marked() {
    let device = Device::flex();
    let model = Nested {
        block: linear(&[2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.5], &[0.0; 3]),
        norm: BatchNormConfig::new(3).init(&device),
    };
    let model = landscape::cast(&model, burn::tensor::FloatDType::F64).unwrap();
    let mut probe = WeightSpectra::new();
    let records = measured(&model, 0, &mut probe);
    assert_scalar(&records, "weights/block/spectral_norm", 2.0);
    assert_scalar(&records, "weights/block/stable_rank", 5.25 / 4.0);
    // Eigenvalues 4, 1, 1/4: α = 1 + 3 / (0 + ln 4 + ln 16).
    assert_scalar(&records, "weights/block/alpha", 1.0 + 1.0 / 4.0_f64.ln());
    assert_scalar(
        &records,
        "weights/block/alpha_error",
        1.0 / 4.0_f64.ln() / 3.0_f64.sqrt(),
    );
    assert_scalar(&records, "weights/block/alpha_tail", 3.0);
    let table = text(&records, "weights/spectra");
    assert!(
        table.contains("| `block.weight` | 3 × 3 | 2.000 | 1.31 | 1.72 ± 0.42 * | 3 of 3 |"),
        "{table}"
    );
    assert!(table.contains("fewer than 50 eigenvalues"), "{table}");
    // The scale of BatchNorm is no matrix.
    assert_eq!(scalars(&records).len(), 5);
    assert!(probe.cost(&Moment::new(0, &model)).unwrap().unwrap().full > 0.0);
}

/// A model whose parameters are these: weights of two inputs and a bias.
fn at(parameters: [f64; 3]) -> Linear {
    linear(&parameters[..2], &parameters[2..])
}

#[test]
fn updates_are_those_since_the_last_observation() {
    let mut probe = Updates::new().with_layers();
    let first = measured(&at([3.0, 0.0, 4.0]), 0, &mut probe);
    assert_scalar(&first, "parameters/norm", 5.0);
    assert_scalar(&first, "parameters/norm/weight", 3.0);
    assert_scalar(&first, "parameters/norm/bias", 4.0);
    assert_scalar(&first, "parameters/distance_from_start", 0.0);
    assert_eq!(first.len(), 6);
    let second = measured(&at([3.0, 2.0, 5.0]), 4, &mut probe);
    assert_scalar(&second, "parameters/norm", 38.0_f64.sqrt());
    assert_scalar(&second, "parameters/distance_from_start", 5.0_f64.sqrt());
    assert_scalar(&second, "parameters/update_norm", 5.0_f64.sqrt());
    assert_scalar(&second, "parameters/relative_update", 5.0_f64.sqrt() / 5.0);
    assert_scalar(&second, "parameters/relative_update/bias", 0.25);
    assert_scalar(&second, "parameters/update_steps", 4.0);
    let third = measured(&at([3.0, 2.0, 4.0]), 5, &mut probe);
    assert_scalar(&third, "parameters/distance_from_start", 2.0);
    assert_scalar(&third, "parameters/update_norm", 1.0);
    assert_scalar(&third, "parameters/update_norm/weight", 0.0);
    assert_scalar(&third, "parameters/relative_update", 1.0 / 38.0_f64.sqrt());
    assert_scalar(&third, "parameters/update_steps", 1.0);
    // The same step again, as after a resumption, makes no update of zero steps.
    let again = measured(&at([3.0, 2.0, 4.0]), 5, &mut probe);
    assert!(
        scalars(&again)
            .iter()
            .all(|(tag, _)| !tag.contains("update")),
        "{again:?}"
    );
}

#[test]
fn relative_updates_from_zero_are_left_out() {
    let mut probe = Updates::new();
    measured(&at([0.0; 3]), 0, &mut probe);
    let records = measured(&at([1.0, 0.0, 0.0]), 1, &mut probe);
    assert_scalar(&records, "parameters/update_norm", 1.0);
    let tags: Vec<&str> = records.iter().map(|record| record.tag.as_str()).collect();
    assert!(!tags.contains(&"parameters/relative_update"), "{tags:?}");
}

#[test]
fn a_run_that_is_first_seen_later_does_not_know_its_start_unless_it_is_told() {
    let mut probe = Updates::new();
    let records = measured(&at([3.0, 0.0, 4.0]), 20, &mut probe);
    assert!(text(&records, "parameters/start").contains("first observed at step 20"));
    assert_eq!(scalars(&records), [("parameters/norm", 5.0)]);
    let next = measured(&at([3.0, 1.0, 4.0]), 30, &mut probe);
    assert_scalar(&next, "parameters/update_norm", 1.0);
    assert!(next.iter().all(|record| {
        record.tag != "parameters/start" && record.tag != "parameters/distance_from_start"
    }));
    let mut told = Updates::new().starting_at(&at([0.0; 3])).unwrap();
    let records = measured(&at([3.0, 0.0, 4.0]), 20, &mut told);
    assert_scalar(&records, "parameters/distance_from_start", 5.0);
    let other = linear(&[1.0; 4], &[0.0, 0.0]);
    let error = told.measure(&Moment::new(30, &other), &mut Records::new(30));
    let text = error.unwrap_err().to_string();
    assert_eq!(text, "the model has 6 entries where 3 are needed");
}

#[test]
fn the_gap_is_recorded_with_both_losses_where_there_is_batch_norm() {
    let loss = |model: &Nested, x: &Tensor<2>| {
        model
            .norm
            .forward(model.block.forward(x.clone()))
            .square()
            .mean()
    };
    let device = Device::flex();
    let model = Nested {
        block: linear(&[1.0], &[0.0]),
        norm: BatchNormConfig::new(1).init(&device),
    };
    let model = landscape::cast(&model, burn::tensor::FloatDType::F64).unwrap();
    // Mean 2 and variance 1 in the batch; 0 and 1 in a fresh layer.
    let risk = Risk::mean([tensor(&[1.0, 3.0], [2, 1])], loss);
    let records = measured(&model, 0, &mut BatchNormGap::of(&risk));
    let values: Vec<f64> = scalars(&records).iter().map(|(_, value)| *value).collect();
    let scale = 1.0 / (1.0 + 1e-5);
    for (found, expected) in values.iter().zip([-4.0 * scale, scale, 5.0 * scale]) {
        // Burn has the epsilon in f32.
        assert!((found - expected).abs() < 1e-10, "{values:?}");
    }
    let tags: Vec<&str> = records.iter().map(|record| record.tag.as_str()).collect();
    let expected = [
        "batch_norm/loss_gap",
        "batch_norm/batch_loss",
        "batch_norm/running_loss",
    ];
    assert_eq!(tags, expected);
    let without = Risk::mean(
        [tensor(&[1.0, 3.0], [2, 1])],
        |model: &Linear, x: &Tensor<2>| model.forward(x.clone()).mean(),
    );
    assert_eq!(
        measured(&model.block, 0, &mut BatchNormGap::of(&without)),
        []
    );
}

#[test]
fn a_loss_that_cannot_be_recorded_fails_with_a_sentence_and_training_goes_on() {
    let model = linear(&[1.0], &[0.5]);
    let risk = Risk::mean(
        [tensor(&[1.0, 3.0], [2, 1])],
        |model: &Linear, x: &Tensor<2>| {
            let hidden = relu(model.forward(x.clone()));
            let size: f64 = hidden.clone().mean().into_scalar();
            (hidden * size).mean()
        },
    );
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Activations::of(&risk))
        .with(Schedule::every(1), Updates::new())
        .with_sink(memory.clone());
    let seen = probes.observe(0, &model).unwrap();
    assert_eq!(seen.failed.len(), 1);
    let reason = format!("{:?}", seen.failed);
    assert!(
        reason.contains("activations are read from the recorded loss")
            || reason.contains("NotRecorded"),
        "{reason}"
    );
    assert_eq!(memory.scalars("parameters/distance_from_start"), [(0, 0.0)]);
}
