//! A network on the bundled digits, of any width.

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use datasets::Digits;
use landscape::{Reduction, Risk};

pub(crate) type Examples = (Tensor<2>, Tensor<1, Int>);

/// 64, some and 10 units, with tanh.
#[derive(Module, Debug)]
pub(crate) struct Net {
    first: Param<Tensor<2>>,
    second: Param<Tensor<2>>,
}

fn weights(rows: usize, columns: usize, scale: f32) -> Param<Tensor<2>> {
    let values: Vec<f32> = (0..rows * columns)
        .map(|i| scale * (0.7 * (i % 9973) as f32 * (i % 9973) as f32).sin())
        .collect();
    let data = TensorData::new(values, [rows, columns]);
    Param::from_tensor(Tensor::from_data(data, &Device::flex()))
}

impl Net {
    pub(crate) fn of_width(width: usize) -> Self {
        Self {
            first: weights(64, width, 0.2),
            second: weights(width, 10, 0.1),
        }
    }
}

/// The mean cross entropy over the first `examples` digits, again and again if there are not as
/// many, in batches of 256.
pub(crate) fn risk(examples: usize) -> Risk<Net, Examples> {
    let digits = Digits::load().unwrap().images;
    let device = Device::flex();
    let all = datasets::batches(&digits, 256, &device).unwrap();
    let some = all.into_iter().map(|batch| {
        let x: Tensor<2> = batch.images.reshape([-1, 64]);
        (x, batch.labels)
    });
    let some: Vec<Examples> = some.filter(|(x, _)| x.dims()[0] == 256).collect();
    let batches: Vec<Examples> = some.iter().cycle().take(examples / 256).cloned().collect();
    Risk::of(
        batches,
        |net: &Net, (x, _): &Examples| {
            let hidden = x.clone().matmul(net.first.val()).tanh();
            hidden.matmul(net.second.val())
        },
        |outputs: Tensor<2>, (_, y): &Examples| {
            let log = log_softmax(outputs, 1);
            -log.gather(1, y.clone().reshape([-1, 1])).mean()
        },
        Reduction::Mean,
    )
}

/// A vector of waves.
pub(crate) fn waves(len: usize) -> Vec<f64> {
    (0..len)
        .map(|i| (0.3 * (i * i % 7919) as f64).sin())
        .collect()
}

/// The largest difference over the largest number.
pub(crate) fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gap.fold(0.0, f64::max) / size
}
