//! A training with BatchNorm and dropout, with or without probes, that prints the bits it ends in.
//!
//! Dropout draws from the device's generator, of which a process has one: each way of training is
//! run in a process of its own, by the test beside this file.
#![allow(clippy::print_stdout, reason = "a program")]

use anyhow::{Context, Result, ensure};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use datasets::{Digits, SplitConfig, batch, epoch_order};
use landscape::slice::linspace;
use landscape::{Grid, Risk, Statistics};
use models::{Cnn, CnnConfig};
use probes::instrument::{
    AscentSharpness, GradientNorm, HessianDensity, HessianTrace, LossLine, LossSurface, MeanLoss,
    TopEigenvalues,
};
use probes::sink::TensorBoard;
use probes::{Probes, Schedule};
use sam::SamConfig;
use tests::{ImageBatch, image_loss};

/// Every instrument, on running and on batch statistics.
fn all_probes(risk: &Risk<Cnn, ImageBatch>, directory: &str, steps: u64) -> Result<Probes<Cnn>> {
    let by_batch = risk.clone().with_statistics(Statistics::Batch);
    let often = || Schedule::every(5);
    let a = linspace(-0.5..=0.5, 5);
    Ok(Probes::unlimited()
        .with(often(), MeanLoss::of(risk, "loss/train"))
        .with(
            often(),
            MeanLoss::of(&by_batch, "loss/train_batch_statistics"),
        )
        .with(often(), GradientNorm::of(risk).with_histograms())
        .with(often(), TopEigenvalues::of(&by_batch, 2).with_seed(1))
        .with(often(), HessianTrace::of(risk).with_seed(1))
        .with(often(), AscentSharpness::of(risk, 0.05))
        .with(Schedule::at([10]), HessianDensity::of(risk).with_seed(1))
        .with(Schedule::at([10]), LossLine::of(risk, "train", a))
        .with(
            Schedule::at([10]),
            LossSurface::of(risk, Grid::square(-0.5..=0.5, 3)),
        )
        .with_total_steps(steps)
        .with_sink(TensorBoard::create(directory)?))
}

/// Prints the bits of every float tensor, buffers included.
struct Bits;

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        print_bits(param.val());
    }
}

fn print_bits<const D: usize>(tensor: Tensor<D>) {
    let bits = tensor
        .to_data()
        .iter::<f32>()
        .map(|x| format!("{:08x}", x.to_bits()))
        .collect::<Vec<_>>();
    println!("{}", bits.join(" "));
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let method = arguments.next().context("say `adam` or `sam`")?;
    // The folder of the event file makes it a training with probes.
    let directory = arguments.next();
    let device = Device::flex().autodiff();
    device.seed(11);
    let data = Digits::load()?.split(&SplitConfig::new())?.train;
    let config = CnnConfig::new(8).with_batch_norm(true).with_dropout(0.3);
    let mut model = config.init_seeded(3, &device).expect("a network");
    let mut optimiser = AdamConfig::new().init();
    let mut sam = SamConfig::new().init()?;
    let sample = batch(&data, &(0..96).collect::<Vec<_>>(), &device).into_pair();
    let order = epoch_order(3, 0, data.len());
    let batches: Vec<&[usize]> = order.chunks(64).take(12).collect();
    let risk = Risk::mean([sample], image_loss);
    let mut probes = match &directory {
        Some(directory) => all_probes(&risk, directory, batches.len() as u64)?,
        None => Probes::unlimited(),
    };
    for (step, indices) in (1..).zip(&batches) {
        let examples = batch(&data, indices, &device).into_pair();
        model = if method == "sam" {
            sam.step(&mut optimiser, 1e-2, model, |m| image_loss(m, &examples))?
                .model
        } else {
            let gradients =
                GradientsParams::from_grads(image_loss(&model, &examples).backward(), &model);
            optimiser.step(1e-2, model, gradients)
        };
        let observed = probes.observe(step, &model)?;
        ensure!(
            observed.failed.is_empty(),
            "step {step}: {:?}",
            observed.failed
        );
    }
    let measured = probes.finish().delivered()?.measured.values().sum::<u64>();
    ensure!(
        (measured > 10) == directory.is_some(),
        "{measured} measurements"
    );
    // `valid` brings in the statistics that the last forward pass left pending.
    model.valid().visit(&mut Bits);
    // What the stream would give next.
    print_bits(Tensor::<1>::random(
        [64],
        Distribution::Default,
        &Device::flex(),
    ));
    Ok(())
}
