//! The loss between models that differ in more than their parameters.

use burn::module::{Module, Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use landscape::direction::between;
use landscape::slice::{
    Buffers, Evaluation, line_between, line_between_observed, linspace, plane_between,
};
use landscape::{Error, Grid, ParameterSpace, Risk, Statistics};

type Pair = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
    slope: f64,
}

impl Net {
    fn new(momentum: f64, device: &Device) -> Self {
        Self {
            first: layer(2, 8, 1.3, device),
            norm: BatchNormConfig::new(8).with_momentum(momentum).init(device),
            second: layer(8, 2, 0.9, device),
            slope: 1.0,
        }
    }

    fn loss(&self, (x, y): &Pair) -> Tensor<1> {
        let hidden = self.norm.forward(self.first.forward(x.clone()));
        let hidden = (hidden * self.slope).tanh();
        (self.second.forward(hidden) - y.clone()).square().mean()
    }

    fn trained(mut self, batch: &Pair, steps: usize) -> Self {
        let mut optim = SgdConfig::new().init();
        for _ in 0..steps {
            let gradients = self.loss(batch).backward();
            let gradients = GradientsParams::from_grads(gradients, &self);
            self = optim.step(0.2, self, gradients);
        }
        self
    }

    /// As loaded twice from one file: the same ids, statistics of its own.
    fn loaded(&self) -> Self {
        self.valid().train()
    }
}

/// A layer of fixed weights: those of Burn are drawn from the process's generator, which other
/// tests use too.
fn layer(inputs: usize, outputs: usize, speed: f32, device: &Device) -> Linear {
    let values: Vec<f32> = (0..inputs * outputs)
        .map(|i| (speed * (i * i) as f32 + 0.2).sin() / (inputs as f32).sqrt())
        .collect();
    let weight = Tensor::from_data(TensorData::new(values, [inputs, outputs]), device);
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = Param::from_tensor(weight);
    layer.bias = Some(Param::from_tensor(Tensor::zeros([outputs], device)));
    layer
}

fn waves(rows: usize, speed: f32, offset: f32, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..rows * 2)
        .map(|i| (speed * (i * i) as f32 + 0.4).sin() + offset)
        .collect();
    Tensor::from_data(TensorData::new(values, [rows, 2]), device)
}

fn pair(rows: usize, speed: f32, device: &Device) -> Pair {
    (
        waves(rows, speed, 4.0, device),
        waves(rows, 2.0 * speed, 0.0, device),
    )
}

fn batches(device: &Device) -> [Pair; 2] {
    [pair(24, 0.3, device), pair(8, 0.9, device)]
}

/// Three networks trained from one start, for different times.
fn networks() -> [Net; 3] {
    let device = Device::flex().autodiff();
    let start = Net::new(0.1, &device);
    let [batch, other] = batches(&device);
    [
        start.loaded().trained(&batch, 30),
        start.loaded().trained(&batch, 300),
        start.loaded().trained(&other, 100),
    ]
}

/// Entries as f64 in rows.
fn rows<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// What a network is made of, on the host: first, norm, second, statistics.
fn entries(net: &Net) -> Vec<Vec<f64>> {
    let net = net.valid();
    vec![
        rows(&net.first.weight.val()),
        rows(&net.first.bias.as_ref().expect("a bias").val()),
        rows(&net.norm.gamma.val()),
        rows(&net.norm.beta.val()),
        rows(&net.second.weight.val()),
        rows(&net.second.bias.as_ref().expect("a bias").val()),
        rows(&net.norm.running_mean.value()),
        rows(&net.norm.running_var.value()),
    ]
}

/// The first layer's outputs, `[rows, 8]`, by hand.
fn first_layer(parts: &[Vec<f64>], x: &[f64]) -> Vec<[f64; 8]> {
    let of_row = |x: &[f64]| {
        std::array::from_fn(|j| parts[1][j] + x[0] * parts[0][j] + x[1] * parts[0][8 + j])
    };
    x.chunks(2).map(of_row).collect()
}

/// The mean square over all batches by hand, in f64.
fn loss_by_hand(parts: &[Vec<f64>], batches: &[Pair]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (x, y) in batches {
        let hidden = first_layer(parts, &rows(x));
        for (hidden, y) in hidden.iter().zip(rows(y).chunks(2)) {
            for k in 0..2 {
                let mut output = parts[5][k];
                for j in 0..8 {
                    let deviation = (parts[7][j] + 1e-5).sqrt();
                    let normal = (hidden[j] - parts[6][j]) / deviation;
                    let active = (parts[2][j] * normal + parts[3][j]).tanh();
                    output += active * parts[4][2 * j + k];
                }
                sum += (output - y[k]).powi(2);
                count += 1.0;
            }
        }
    }
    sum / count
}

fn combined(nets: &[Net; 3], weights: [f64; 3]) -> Vec<Vec<f64>> {
    let parts = nets.each_ref().map(entries);
    (0..8)
        .map(|part| {
            let len = parts[0][part].len();
            let sum = |i: usize| (0..3).map(|n| weights[n] * parts[n][part][i]).sum();
            (0..len).map(sum).collect()
        })
        .collect()
}

/// With the statistics that the data give the first layer's outputs: averages over the batches of
/// mean and biased variance, by examples.
fn with_statistics_of(mut parts: Vec<Vec<f64>>, batches: &[Pair]) -> Vec<Vec<f64>> {
    let total: f64 = batches.iter().map(|(x, _)| x.dims()[0] as f64).sum();
    let (mut means, mut variances) = (vec![0.0; 8], vec![0.0; 8]);
    for (x, _) in batches {
        let hidden = first_layer(&parts, &rows(x));
        let count = hidden.len() as f64;
        for j in 0..8 {
            let mean = hidden.iter().map(|row| row[j]).sum::<f64>() / count;
            let square = hidden
                .iter()
                .map(|row| (row[j] - mean).powi(2))
                .sum::<f64>();
            means[j] += count / total * mean;
            variances[j] += count / total * square / count;
        }
    }
    parts[6] = means;
    parts[7] = variances;
    parts
}

fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "{found} for {expected}"
    );
}

#[test]
fn a_direction_between_networks_of_other_statistics_is_refused() {
    let [a, b, _] = networks();
    let space = ParameterSpace::of(&a).unwrap();
    let error = between(&space, &a, &b).unwrap_err();
    assert!(matches!(&error, Error::RestDiffers { path, .. } if path == "norm.running_mean"));
    assert!(
        error.to_string().contains("`slice::line_between`"),
        "{error}"
    );
    // The way in the parameters alone does not lead to b.
    let risk = Risk::mean(batches(&Device::flex()), Net::loss);
    let alone = line_between(&a, &b, &risk, &Buffers::Keep, &[1.0]).unwrap();
    assert!((alone.loss[0] / risk.value(&b).unwrap() - 1.0).abs() > 0.1);
    assert_eq!(alone.evaluation, Evaluation::Captured);
}

#[test]
fn interpolated_statistics_lead_from_one_network_to_the_other() {
    let nets = networks();
    let [a, b, _] = &nets;
    let data = batches(&Device::flex());
    let risk = Risk::mean(&data, Net::loss);
    let before = [entries(a), entries(b)];
    let points = linspace(0.0..=1.0, 5);
    let line = line_between(a, b, &risk, &Buffers::Interpolate, &points).unwrap();
    assert_eq!(line.loss[0], risk.value(a).unwrap());
    assert_eq!(line.loss[4], risk.value(b).unwrap());
    for (t, loss) in points.iter().zip(&line.loss) {
        let parts = combined(&nets, [1.0 - t, *t, 0.0]);
        // f32 against f64.
        assert_near(*loss, loss_by_hand(&parts, &data), 1e-5);
    }
    let Evaluation::Model { because } = line.evaluation else {
        panic!("captured")
    };
    assert!(because.contains("`norm.running_mean`"), "{because}");
    assert_eq!(
        [entries(a), entries(b)],
        before,
        "measuring changes nothing"
    );
}

#[test]
fn a_plane_through_three_networks_meets_all_of_them() {
    let nets = networks();
    let data = batches(&Device::flex());
    let risk = Risk::mean(&data, Net::loss);
    let grid = Grid {
        a: vec![0.0, 0.25, 1.0],
        b: vec![0.0, 1.0],
    };
    let [a, b, c] = nets.each_ref();
    let surface = plane_between([a, b, c], &risk, &Buffers::Interpolate, &grid).unwrap();
    assert_eq!(surface.at(0, 0), risk.value(a).unwrap());
    assert_eq!(surface.at(2, 0), risk.value(b).unwrap());
    assert_eq!(surface.at(0, 1), risk.value(c).unwrap());
    let parts = combined(&nets, [0.75, 0.25, 0.0]);
    assert_near(surface.at(1, 0), loss_by_hand(&parts, &data), 1e-5);
    // Outside of the triangle a variance may be negative; then there is no loss.
    let outside = loss_by_hand(&combined(&nets, [-1.0, 1.0, 1.0]), &data);
    if outside.is_finite() {
        assert_near(surface.at(2, 1), outside, 1e-4);
    } else {
        assert!(surface.at(2, 1).is_nan());
    }
}

#[test]
fn recomputed_statistics_are_those_of_the_data_at_each_point() {
    let nets = networks();
    let [a, b, c] = nets.each_ref();
    let data = batches(&Device::flex());
    let risk = Risk::mean(&data, Net::loss);
    let buffers = Buffers::Recompute(risk.clone());
    let points = [0.0, 0.5, 1.0];
    let line = line_between(a, b, &risk, &buffers, &points).unwrap();
    for (t, loss) in points.iter().zip(&line.loss) {
        let parts = with_statistics_of(combined(&nets, [1.0 - t, *t, 0.0]), &data);
        assert_near(*loss, loss_by_hand(&parts, &data), 1e-5);
    }
    let end = risk.recompute_statistics(b).unwrap();
    assert_eq!(line.loss[2], risk.value(&end).unwrap());
    let surface = plane_between([a, b, c], &risk, &buffers, &Grid::square(0.5..=0.5, 1));
    let parts = with_statistics_of(combined(&nets, [0.0, 0.5, 0.5]), &data);
    assert_near(surface.unwrap().loss[0], loss_by_hand(&parts, &data), 1e-5);
}

#[test]
fn recomputed_statistics_do_not_depend_on_momentum_and_leave_the_model_alone() {
    let device = Device::flex().autodiff();
    let data = batches(&Device::flex());
    let risk = Risk::mean(&data, Net::loss);
    for momentum in [0.01, 0.1, 0.3, 0.123_456_789, 1.0] {
        let net = Net::new(momentum, &device).trained(&batches(&device)[0], 20);
        let before = entries(&net);
        let found = entries(&risk.recompute_statistics(&net).unwrap());
        let expected = with_statistics_of(before.clone(), &data);
        for part in 0..8 {
            for (x, y) in found[part].iter().zip(&expected[part]) {
                assert!(
                    (x - y).abs() < 1e-4 * y.abs().max(0.01),
                    "{x} for {y} at {momentum}"
                );
            }
        }
        assert_eq!(entries(&net), before);
    }
    let still = Net::new(0.0, &device);
    let error = risk.recompute_statistics(&still).unwrap_err();
    assert!(matches!(error, Error::StatisticsStay { path } if path == "norm.running_mean"));
}

#[test]
fn statistics_of_the_batch_need_none_of_the_model() {
    let [a, b, _] = networks();
    let risk = Risk::mean(batches(&Device::flex()), Net::loss);
    let risk = risk.with_statistics(Statistics::Batch);
    for buffers in [Buffers::Keep, Buffers::Interpolate] {
        let line = line_between(&a, &b, &risk, &buffers, &[0.0, 1.0]).unwrap();
        for (loss, model) in line.loss.iter().zip([&a, &b]) {
            assert_near(*loss, risk.value(model).unwrap(), 1e-5);
        }
    }
}

#[test]
fn networks_that_differ_in_parameters_only_are_captured() {
    let [a, ..] = networks();
    let mut b = a.loaded();
    b.first.weight = b
        .first
        .weight
        .map(|weight| (weight * 1.5).detach().require_grad());
    let risk = Risk::mean(batches(&Device::flex()), Net::loss);
    let points = [0.0, 0.5, 1.0];
    let line = line_between(&a, &b, &risk, &Buffers::Interpolate, &points).unwrap();
    assert_eq!(line.evaluation, Evaluation::Captured);
    assert_near(line.loss[2], risk.value(&b).unwrap(), 1e-5);
}

#[test]
fn a_network_of_another_setting_and_statistics_of_other_shapes_are_refused() {
    let [a, b, _] = networks();
    let risk = Risk::mean(batches(&Device::flex()), Net::loss);
    let steeper = Net {
        slope: 3.0,
        ..b.loaded()
    };
    let between = |to: &Net, buffers| line_between(&a, to, &risk, &buffers, &[0.0]).unwrap_err();
    let error = between(&steeper, Buffers::Interpolate);
    assert!(
        matches!(error, Error::OtherFunction { number: 1, .. }),
        "{error}"
    );
    let mut other = b.loaded();
    other.norm.running_var = RunningState::new(Tensor::ones([1], &Device::flex()));
    let error = between(&other, Buffers::Interpolate);
    assert!(matches!(&error, Error::RestDiffers { path, .. } if path == "norm.running_var"));
    let none = line_between(&a, &b, &risk, &Buffers::Interpolate, &[]);
    assert!(matches!(none, Err(Error::Setting { .. })));
    let infinite = line_between(&a, &b, &risk, &Buffers::Interpolate, &[f64::NAN]);
    assert!(matches!(infinite, Err(Error::Setting { .. })));
    let stopped =
        line_between_observed(&a, &b, &risk, &Buffers::Interpolate, &[0.0, 1.0], |_, _| {
            std::ops::ControlFlow::Break(())
        });
    assert_eq!(stopped, Err(Error::Cancelled { done: 1 }));
}

#[derive(Module, Debug)]
struct Looking {
    scale: Param<Tensor<1>>,
    table: Param<Tensor<1, Int>>,
}

#[test]
fn tables_that_differ_are_refused_or_kept() {
    let device = Device::flex();
    let looking = |entry: i64| Looking {
        scale: Param::from_tensor(Tensor::ones([1], &device)),
        table: Param::initialized(
            burn::module::ParamId::new(),
            Tensor::from_data(TensorData::from([entry]), &device),
        ),
    };
    let (a, b) = (looking(1), looking(3));
    let risk = Risk::mean(
        Tensor::<1>::ones([1], &device),
        |m: &Looking, x: &Tensor<1>| m.scale.val() * x.clone() * m.table.val().float(),
    );
    let refused = line_between(&a, &b, &risk, &Buffers::Interpolate, &[0.0]).unwrap_err();
    assert!(matches!(&refused, Error::RestDiffers { path, .. } if path == "table"));
    let kept = line_between(&a, &b, &risk, &Buffers::Keep, &[0.0]).unwrap();
    assert_eq!(kept.loss, [1.0]);
}
