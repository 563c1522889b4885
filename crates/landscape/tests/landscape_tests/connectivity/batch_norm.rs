//! Paths between networks with BatchNorm: its statistics, and that nothing changes the networks.

use std::ops::ControlFlow;

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use landscape::connectivity::{
    Curve, CurveConfig, Shape, Verdict, average, barriers, bend_gradient, path_average,
    path_quantities, profile, train_curve,
};
use landscape::slice::{Buffers, Quantity, linspace};
use landscape::{Risk, Statistics, cast};

use super::go;

type Rows = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}

fn waves(rows: usize, columns: usize, speed: f64, start: f64) -> TensorData {
    let values: Vec<f64> = (0..rows * columns)
        .map(|i| (speed * (i * i) as f64 + start).sin())
        .collect();
    TensorData::new(values, [rows, columns])
}

fn matrix(rows: usize, columns: usize, speed: f64, start: f64) -> Tensor<2> {
    let device = Device::flex().autodiff();
    let options = (&device, burn::tensor::DType::F64);
    Tensor::from_data(waves(rows, columns, speed, start), options)
}

/// A network whose weights are waves.
fn net(start: f64) -> Net {
    let device = Device::flex().autodiff();
    let net = Net {
        first: LinearConfig::new(2, 8).init(&device),
        norm: BatchNormConfig::new(8).init(&device),
        second: LinearConfig::new(8, 2).init(&device),
    };
    let mut net = cast(&net, FloatDType::F64).expect("flex has f64");
    net.first.weight = Param::from_tensor(matrix(2, 8, 0.7, start));
    net.first.bias = Some(Param::from_tensor(matrix(1, 8, 1.9, start).reshape([8])));
    net.second.weight = Param::from_tensor(matrix(8, 2, 1.3, start) * 0.7);
    net.second.bias = Some(Param::from_tensor(matrix(1, 2, 2.9, start).reshape([2])));
    net
}

fn loss(net: &Net, (x, y): &Rows) -> Tensor<1> {
    let hidden = net.norm.forward(net.first.forward(x.clone())).tanh();
    (net.second.forward(hidden) - y.clone()).square().mean()
}

fn data() -> Vec<Rows> {
    [(24, 0.31), (16, 0.93)]
        .map(|(rows, speed)| {
            (
                matrix(rows, 2, speed, 0.4) + 1.0,
                matrix(rows, 2, 0.5 * speed, 0.0),
            )
        })
        .to_vec()
}

fn trained(mut net: Net, data: &[Rows]) -> Net {
    let mut optimiser = SgdConfig::new().init();
    for step in 0..400 {
        let gradients = loss(&net, &data[step % data.len()]).backward();
        let gradients = GradientsParams::from_grads(gradients, &net);
        net = optimiser.step(0.2, net, gradients);
    }
    net
}

/// All float tensors of a network, running statistics included, bit for bit.
fn bits(net: &Net) -> Vec<u64> {
    struct Read(Vec<u64>);
    impl burn::module::ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().to_data();
            self.0.extend(data.iter::<f64>().map(f64::to_bits));
        }
    }
    let mut read = Read(Vec::new());
    net.valid().visit(&mut read);
    read.0
}

#[test]
fn interpolated_statistics_show_a_barrier_where_recomputed_ones_show_none() {
    // The second network is the first with its first layer a hundred times as large, which
    // BatchNorm undoes: between them the weights are s times the first's and the outputs stay,
    // but for the 1e-5 that BatchNorm adds to variances. Interpolated variances are ((1 − t) +
    // 10⁴ t) v in place of ((1 − t) + 100 t)² v.
    let data = data();
    let risk = Risk::mean(&data, loss);
    let a = risk
        .recompute_statistics(&trained(net(0.0), &data))
        .unwrap();
    let mut b = a.valid().train();
    b.first.weight = b
        .first
        .weight
        .map(|weight| (weight * 100.0).detach().require_grad());
    b.first.bias = b
        .first
        .bias
        .map(|bias| bias.map(|bias| (bias * 100.0).detach().require_grad()));
    let b = risk.recompute_statistics(&b).unwrap();
    let line = Curve::between(&a, &b, Shape::Line).unwrap();
    let t = linspace(0.0..=1.0, 101);
    let of = |buffers| profile(&line, &risk, &buffers, &t).unwrap();
    let interpolated = of(Buffers::Interpolate);
    let recomputed = of(Buffers::Recompute(risk.clone()));
    println!(
        "scaled layer: ends {:?}, interpolated {:.4}, recomputed {:.1e}",
        recomputed.ends(),
        interpolated.barrier,
        recomputed.barrier
    );
    let [end, other] = recomputed.ends();
    assert!((end / other - 1.0).abs() < 1e-3);
    assert!(recomputed.barrier < 1e-3 * end, "{}", recomputed.barrier);
    assert!(interpolated.barrier > 0.1 * end, "{}", interpolated.barrier);
    assert_eq!(interpolated.verdict, Verdict::Separated);
    assert_eq!(recomputed.verdict, Verdict::Connected);
    // At t = 0.01 by hand: outputs of the layer are off by the root of both variances' ratio.
    let scale = (1.99_f64.powi(2) / (0.99 + 100.0)).sqrt();
    let mut by_hand = a.valid().train();
    by_hand.norm.gamma = by_hand
        .norm
        .gamma
        .map(|gamma| (gamma * scale).detach().require_grad());
    // The means agree only where they are interpolated as the weights are, which they are.
    let expected = risk.value(&by_hand).unwrap();
    assert!((interpolated.loss[1] / expected - 1.0).abs() < 1e-3);
}

#[test]
fn a_curve_between_networks_with_batch_norm_is_trained_with_the_batchs_statistics() {
    let data = data();
    let risk = Risk::mean(&data, loss);
    let (a, b) = (trained(net(0.0), &data), trained(net(1.1), &data));
    let before = [bits(&a), bits(&b)];
    let curve = Curve::between(&a, &b, Shape::Bezier).unwrap();
    let t = linspace(0.0..=1.0, 21);
    let recomputed = Buffers::Recompute(risk.clone());
    let line = profile(&curve, &risk, &recomputed, &t).unwrap();
    let config = CurveConfig::new(0.02).with_steps(400).with_seed(1);
    let mut optimiser = AdamConfig::new().init();
    let found = train_curve(curve, &risk, &mut optimiser, &config, go).unwrap();
    let path = profile(&found.curve, &risk, &recomputed, &t).unwrap();
    let interpolated = profile(&found.curve, &risk, &Buffers::Interpolate, &t).unwrap();
    println!(
        "BatchNorm: ends {:?}, line {:.4}, trained {:.4}, with interpolated statistics {:.4}",
        line.ends(),
        line.max,
        path.max,
        interpolated.max
    );
    assert!(!found.diverged);
    assert!(path.barrier < 0.5 * line.barrier);
    assert!(interpolated.barrier > 1.5 * path.barrier);
    // The measure of the training is that of statistics of each batch.
    let by_batch = risk.clone().with_statistics(Statistics::Batch);
    let mean = bend_gradient(
        &found.curve,
        &by_batch,
        &linspace(1.0 / 18.0..=17.0 / 18.0, 9),
    );
    assert!((mean.unwrap().loss / found.best.mean - 1.0).abs() < 1e-12);
    // Nothing of this, nor an average or a barrier, moved the networks or their statistics.
    let mean = average(&[&a, &b]).unwrap();
    barriers(&[&a, &b, &mean], &risk, &recomputed, &[0.5]).unwrap();
    assert_eq!([bits(&a), bits(&b)], before);
    assert_eq!(bits(&found.curve.at(0.0).unwrap()), before[0]);
    assert_eq!(bits(&found.curve.at(1.0).unwrap()), before[1]);
}

#[test]
fn statistics_of_an_average_are_the_mean_unless_they_are_recomputed() {
    let data = data();
    let risk = Risk::mean(&data, loss);
    let (a, b) = (trained(net(0.0), &data), trained(net(1.1), &data));
    let mean = average(&[&a, &b]).unwrap();
    let statistics = |net: &Net| -> Vec<f64> {
        let mean = net.valid().norm.running_mean.value();
        mean.to_data().iter::<f64>().collect()
    };
    for (found, (a, b)) in statistics(&mean)
        .into_iter()
        .zip(statistics(&a).into_iter().zip(statistics(&b)))
    {
        assert!((found - f64::midpoint(a, b)).abs() < 1e-14);
    }
    let line = Curve::between(&a, &b, Shape::Line).unwrap();
    for (buffers, expected) in [
        (Buffers::Interpolate, risk.value(&mean).unwrap()),
        (
            Buffers::Recompute(risk.clone()),
            risk.value(&risk.recompute_statistics(&mean).unwrap())
                .unwrap(),
        ),
    ] {
        let found = path_average(&line, &risk, &buffers, &[0.5]).unwrap();
        assert!((found.loss / expected - 1.0).abs() < 1e-13);
        // The average of a line is its middle.
        assert!((found.path.loss[1] / expected - 1.0).abs() < 1e-13);
    }
}

#[test]
fn quantities_along_a_path_are_those_of_its_models_with_one_recomputation_a_point() {
    let data = data();
    let risk = Risk::mean(&data, loss);
    let (a, b) = (trained(net(0.0), &data), trained(net(1.1), &data));
    let curve = Curve::between(&a, &b, Shape::Bezier).unwrap();
    let within = Risk::mean(&data[..1], |net: &Net, (x, y): &Rows| {
        let hidden = net.norm.forward(net.first.forward(x.clone())).tanh();
        let apart = (net.second.forward(hidden) - y.clone()).abs();
        apart.lower_elem(0.5).float().mean()
    });
    let quantities = [Quantity::of("loss", &risk), Quantity::of("within", &within)];
    for buffers in [
        Buffers::Recompute(risk.clone()),
        Buffers::Interpolate,
        Buffers::Keep,
    ] {
        let t = [0.25, 0.5];
        let mut seen = Vec::new();
        let found = path_quantities(&curve, &quantities, &buffers, &t, |t, values| {
            seen.push((t, values.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(found.names, ["loss", "within"]);
        let path = profile(&curve, &risk, &buffers, &t).unwrap();
        assert_eq!(found.profile("loss").unwrap(), path);
        for (k, &t) in found.t.iter().enumerate() {
            let model = curve.at_with(t, &buffers).unwrap();
            let expected = [risk.value(&model).unwrap(), within.value(&model).unwrap()];
            assert_eq!([found.values[0][k], found.values[1][k]], expected);
            assert_eq!(seen[k], (t, expected.to_vec()));
        }
        assert!(found.profile("accuracy").is_err());
    }
    let none = path_quantities(&curve, &[], &Buffers::<Net, Rows>::Keep, &[0.5], |_, _| {
        ControlFlow::Continue(())
    });
    assert!(
        none.unwrap_err()
            .to_string()
            .contains("number of quantities")
    );
}
