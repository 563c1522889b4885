//! scan
#![allow(clippy::print_stdout, reason = "a program")]
mod course;
use anyhow::Result;
use burn::optim::{SgdConfig, momentum::MomentumConfig};
use burn::tensor::{DType, Device, Tensor};
use course::{Method, follow};
use datasets::Digits;
use models::{Activation, Mlp, MlpConfig};

type Batch = (Tensor<2>, Tensor<2>);

pub(crate) fn loss(model: &Mlp, (images, targets): &Batch) -> Tensor<1> {
    let error = model.forward(images.clone()) - targets.clone();
    error.square().sum_dim(1).mean() * 0.5
}
fn main() -> Result<()> {
    let a: Vec<String> = std::env::args().collect();
    let widths: Vec<usize> = a[1].split('-').map(|x| x.parse().unwrap()).collect();
    let n: usize = a[2].parse()?;
    let lrs: Vec<f64> = a[3].split(',').map(|x| x.parse().unwrap()).collect();
    let beta: f64 = a[4].parse()?;
    let rho: f64 = a[5].parse()?;
    let steps: usize = a[6].parse()?;
    let every: usize = a[7].parse()?;
    let seed: u64 = a[8].parse()?;
    let device = Device::flex().autodiff();
    let data = Digits::load()?.images;
    let chosen: Vec<usize> = (0..n).collect();
    let (images, labels) = datasets::batch(&data, &chosen, (&device, DType::F64)).into_pair();
    let images = images.reshape([n as i32, 64]);
    let labels: Vec<i64> = labels.into_data().iter::<i64>().collect();
    let mut t = vec![0.0f64; n * 10];
    for (i, l) in labels.iter().enumerate() {
        t[i * 10 + *l as usize] = 1.0;
    }
    let targets = Tensor::<2>::from_data(
        burn::tensor::TensorData::new(t, [n, 10]),
        (&device, DType::F64),
    );
    let batch = (images, targets);
    for lr in lrs {
        let model = MlpConfig::new(widths.clone())
            .with_activation(Activation::Tanh)
            .init_seeded(seed, (&device, DType::F64))?;
        let optimiser = if beta > 0.0 {
            SgdConfig::new()
                .with_momentum(Some(
                    MomentumConfig::new()
                        .with_momentum(beta as f32 as f64)
                        .with_dampening(0.0),
                ))
                .init()
        } else {
            SgdConfig::new().init()
        };
        let sam = if rho > 0.0 {
            Some(sam::SamConfig::new().with_rho(rho).init()?)
        } else {
            None
        };
        let start = std::time::Instant::now();
        let m = Method {
            name: String::new(),
            learning_rate: lr,
            optimiser,
            sam,
        };
        let c = follow(m, model, &batch, steps, every)?;
        let base = 2.0 * (1.0 + beta) / lr;
        let thr: Vec<f64> = c
            .gradient
            .iter()
            .map(|g| {
                if rho > 0.0 {
                    let x = 4.0 * rho * base / g;
                    2.0 * base / ((1.0 + x).sqrt() + 1.0)
                } else {
                    base
                }
            })
            .collect();
        let ratio: Vec<f64> = c.sharpness.iter().zip(&thr).map(|(s, t)| s / t).collect();
        let cross = ratio.iter().position(|r| *r >= 1.0);
        print!(
            "lr {lr} thr {base:.2} time {:.1}",
            start.elapsed().as_secs_f64()
        );
        if let Some(k) = cross {
            let end = (k + 500 / every).min(ratio.len());
            let w = &ratio[k..end];
            let mean = w.iter().sum::<f64>() / w.len() as f64;
            print!(
                " cross {} mean {mean:.4} over {} min {:.3} max {:.3}",
                c.steps[k],
                w.len(),
                w.iter().cloned().fold(9.0, f64::min),
                w.iter().cloned().fold(0.0, f64::max)
            );
        }
        println!(" loss {:.5}", c.losses.last().unwrap());
        let stride = (ratio.len() / 20).max(1);
        for k in (0..ratio.len()).step_by(stride) {
            print!(
                "{}:{:.2}/{:.2}({:.4}) ",
                c.steps[k], c.sharpness[k], ratio[k], c.losses[k]
            );
        }
        println!();
    }
    Ok(())
}
