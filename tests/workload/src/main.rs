//! A program of one's own: it learns a wave, and has every command of `landscape`.
use std::process::ExitCode;

use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use cli::{Part, Workload};

struct Waves;

impl Workload for Waves {
    type Model = [Linear; 2];
    type Batch = (Tensor<2>, Tensor<2>);

    fn model(&self, _seed: u64, device: &Device) -> Self::Model {
        [LinearConfig::new(1, 32), LinearConfig::new(32, 1)].map(|layer| layer.init(device))
    }

    fn examples(&self, part: Part) -> usize {
        if part == Part::Training { 512 } else { 128 }
    }

    fn batch(&self, part: Part, indices: &[usize], device: &Device) -> Self::Batch {
        let place = |&index: &usize| (index + 600 * part as usize) as f32;
        let places: Vec<f32> = indices.iter().map(place).collect();
        let x = Tensor::<1>::from_data(&places[..], device).unsqueeze_dim(1);
        (x.clone().sin(), (x.sin() * 5.0).sin())
    }

    fn loss(&self, [first, second]: &Self::Model, (x, y): &Self::Batch) -> Tensor<1> {
        let outputs = second.forward(first.forward(x.clone()).tanh());
        MseLoss::new().forward(outputs, y.clone(), Reduction::Mean)
    }
}

fn main() -> ExitCode {
    cli::main(Waves)
}
