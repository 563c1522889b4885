//! Losses and data that are not the same from one evaluation to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use landscape::spectrum::{
    PowerConfig, TraceConfig, dense_spectrum, hutchinson_trace, power_iteration, spectral_density,
    top_eigenpairs,
};
use landscape::{DensityConfig, Error, Hessian, LanczosConfig, LinearOperator, Risk};

/// Adds something else to the examples each time, as an augmentation does.
struct Augmenting {
    noise: f32,
    calls: AtomicU32,
}

impl Batcher<f32, Tensor<2>> for Augmenting {
    fn batch(&self, items: Vec<f32>, device: &Device) -> Tensor<2> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let shift = self.noise * (call as f32 * 1.7).sin();
        let values: Vec<f32> = items.iter().map(|item| item + shift).collect();
        Tensor::from_data(TensorData::new(values, [items.len() / 3, 3]), device)
    }
}

fn loader(noise: f32, shuffle: Option<u64>) -> Arc<dyn DataLoader<Tensor<2>>> {
    let items: Vec<f32> = (0..48_u8)
        .map(|i| f32::from(i * 7 % 23) / 9.0 - 1.0)
        .collect();
    let batcher = Augmenting {
        noise,
        calls: AtomicU32::new(0),
    };
    let builder = DataLoaderBuilder::new(batcher).batch_size(12);
    let builder = match shuffle {
        Some(seed) => builder.shuffle(seed),
        None => builder,
    };
    builder
        .set_device(Device::flex())
        .build(InMemDataset::new(items))
}

fn loss(model: &Linear, x: &Tensor<2>) -> Tensor<1> {
    model.forward(x.clone()).tanh().square().mean()
}

fn all(op: &impl LinearOperator) -> [(&'static str, Result<(), Error>); 5] {
    let density = DensityConfig::new().with_starts(2);
    [
        (
            "eigenpairs",
            top_eigenpairs(op, 1, &LanczosConfig::new()).map(drop),
        ),
        ("power", power_iteration(op, &PowerConfig::new()).map(drop)),
        ("trace", hutchinson_trace(op, &TraceConfig::new()).map(drop)),
        ("density", spectral_density(op, &density).map(drop)),
        ("dense", dense_spectrum(op).map(drop)),
    ]
}

#[test]
fn streamed_data_that_change_are_an_error_of_everything_that_makes_many_products() {
    let model: Linear = LinearConfig::new(3, 2).init(&Device::flex());
    let still = Risk::mean(loader(0.0, None), loss);
    for (name, result) in all(&Hessian::at(&model, &still).unwrap()) {
        assert_eq!(result, Ok(()), "{name}");
    }
    let augmented = Risk::mean(loader(0.1, None), loss);
    // Nine numbers in batches of three rows: in another order they are other examples.
    let shuffled = Risk::mean(loader(0.0, Some(5)), loss);
    for risk in [augmented, shuffled] {
        for (name, result) in all(&Hessian::at(&model, &risk).unwrap()) {
            assert!(
                matches!(result, Err(Error::ChangingProducts { .. })),
                "{name}: {result:?}"
            );
        }
    }
}

#[test]
fn a_closure_that_counts_is_an_error_where_products_are_differences() {
    let device = Device::flex();
    // Weights that are the same in every run: with others the gradient's check may notice it first.
    let mut model: Linear = LinearConfig::new(3, 2).init(&device);
    let weights = [[0.2, -0.4], [0.1, 0.3], [-0.5, 0.6]];
    model.weight = Param::from_tensor(Tensor::from_floats(weights, &device));
    model.bias = Some(Param::from_tensor(Tensor::from_floats(
        [0.1, -0.2],
        &device,
    )));
    let calls = AtomicU32::new(0);
    let x = Tensor::<2>::from_floats([[0.3, -1.0, 0.5], [0.8, 0.1, -0.7]], &device);
    let risk = Risk::mean(x, move |model: &Linear, x: &Tensor<2>| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        loss(model, x) * (1.0 + 0.3 * f64::from(call).sin())
    });
    let config = landscape::DifferenceConfig::new();
    let hessian = Hessian::by_differences(&model, &risk, &config).unwrap();
    for (name, result) in all(&hessian) {
        assert!(
            matches!(result, Err(Error::ChangingProducts { .. })),
            "{name}: {result:?}"
        );
    }
}
