//! A small network in f64, its data, and devices.

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use landscape::{Batches, Reduction, Risk};

/// Softmax regression behind tanh, 6-5-3 in f64: weights of a formula.
#[derive(Module, Debug)]
pub(crate) struct Net {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
}

pub(crate) type Examples = (Tensor<2>, Tensor<1, Int>);

pub(crate) fn waves(len: usize, frequency: f64) -> Vec<f64> {
    (0..len)
        .map(|i| (frequency * (i * i + 1) as f64).sin())
        .collect()
}

pub(crate) fn matrix(rows: usize, columns: usize, frequency: f64) -> Tensor<2> {
    let data = TensorData::new(waves(rows * columns, frequency), [rows, columns]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

pub(crate) fn net() -> Net {
    Net {
        first: Param::from_tensor(matrix(6, 5, 0.7)),
        second: Param::from_tensor(matrix(5, 3, 1.1)),
    }
}

pub(crate) fn batch(examples: usize, frequency: f64) -> Examples {
    let labels: Vec<i64> = (0..examples).map(|i| (i * i % 3) as i64).collect();
    let labels = TensorData::new(labels, [examples]);
    (
        matrix(examples, 6, frequency),
        Tensor::from_data(labels, &Device::flex()),
    )
}

pub(crate) fn outputs(net: &Net, (x, _): &Examples) -> Tensor<2> {
    let hidden = x.clone().matmul(net.first.val()).tanh();
    hidden.matmul(net.second.val())
}

pub(crate) fn cross_entropy(outputs: Tensor<2>, (_, y): &Examples) -> Tensor<1> {
    let log = log_softmax(outputs, 1);
    -log.gather(1, y.clone().reshape([-1, 1])).mean()
}

pub(crate) fn risk(batches: impl Into<Batches<Examples>>) -> Risk<Net, Examples> {
    Risk::of(batches, outputs, cross_entropy, Reduction::Mean)
}

pub(crate) fn several() -> Vec<Examples> {
    [9, 4, 12, 7, 1, 8]
        .into_iter()
        .zip([0.3, 0.9, 1.7, 2.3, 0.4, 1.2])
        .map(|(examples, frequency)| batch(examples, frequency))
        .collect()
}

pub(crate) fn flex(count: usize) -> Vec<Device> {
    vec![Device::flex(); count]
}

pub(crate) fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gap.fold(0.0, f64::max) / size
}

/// Sums of some tens of terms of f64 in another order.
pub(crate) const ROUNDING: f64 = 1e-12;
