//! A small MLP on UCI digits from several starts, one of them zero: the index of the Hessian along
//! the training, the saddles at which it gets stuck, and the directions that lead away from them.
#![allow(clippy::print_stdout, reason = "a program")]

mod report;
mod start;

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{DType, Device, Int, Tensor};
use clap::Parser;
use datasets::{Digits, batch};
use landscape::critical::{
    CriticalConfig, CriticalKind, EscapeConfig, critical_point, follow_escape,
};
use landscape::{ParameterSpace, Risk};
use models::Mlp;
use report::Course;
use start::Start;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// Trains from several starts and classifies the points on the way.
#[derive(Parser)]
struct Arguments {
    /// The seed of the initial weights.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Fewer examples and steps.
    #[arg(long)]
    small: bool,
}

/// The mean cross entropy of a batch.
fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (examples, steps) = if arguments.small {
        (100, 512_u32)
    } else {
        (500, 2048)
    };

    // In f64, where eigenvalues down to 1e-8 of the largest have a sign.
    let options = (&Device::flex().autodiff(), DType::F64);
    let indices: Vec<usize> = (0..examples).collect();
    let batch = batch(&Digits::load()?.images, &indices, options).into_pair();
    let risk = Risk::mean(batch.clone(), loss);
    let config = CriticalConfig::new();

    let mut courses = Vec::new();
    for start in Start::ALL {
        let mut model = start.model(arguments.seed, options)?;
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        let descent = SgdConfig::new().with_momentum(Some(momentum));
        let mut optimiser = descent.init();
        let mut course = Course::new(start.name());
        for step in 0..=steps {
            // Every eigenvalue, at steps 0, 16, 32, 64, ...
            if step == 0 || (step >= 16 && step.is_power_of_two()) {
                let point = critical_point(&model, &risk, &config)?;
                println!("{}", course.observe(f64::from(step), &point));
                // A saddle is left along the most negative curvature, and the momentum of the way
                // to it is forgotten. At the end the same step shows what the training has missed.
                let is_left = point.kind == CriticalKind::Saddle || step == steps;
                if let (true, Some(escape)) = (is_left, &point.escape) {
                    let moved = follow_escape(&model, &risk, escape, &EscapeConfig::new())?;
                    let space = ParameterSpace::of(&model)?;
                    model = space.displace(&model, &moved.displacement)?;
                    optimiser = descent.init();
                    println!("{}", course.escaped(&moved));
                }
            }
            let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
            model = optimiser.step(0.1, model, gradients);
        }
        courses.push(course);
    }
    for path in report::pictures(&courses)? {
        println!("{path}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With all weights zero the hidden layer is zero, and of the second derivatives only those of
    /// a first and a second weight of one neuron are left beside the output biases' own. They are
    /// the mean M of the inputs (and 1, for the bias) times the errors of the scores, whose sum is
    /// zero: rank 9 for 10 classes. Each of 8 neurons gives an eigenvalue of both signs for each
    /// singular value of M, and the output biases, in which the loss is convex, give none.
    #[test]
    fn the_index_at_zero_is_neurons_times_classes_less_one() -> Result<()> {
        let options = (&Device::flex().autodiff(), DType::F64);
        let indices: Vec<usize> = (0..100).collect();
        let batch = batch(&Digits::load()?.images, &indices, options).into_pair();
        let risk = Risk::mean(batch, loss);
        let model = Start::Zero.model(0, options)?;
        let point = critical_point(&model, &risk, &CriticalConfig::new())?;
        assert_eq!(point.index.exact(), Some(8 * 9));
        Ok(())
    }
}
