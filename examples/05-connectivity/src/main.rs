//! trial
#![allow(clippy::print_stdout, reason = "a program")]
use std::ops::ControlFlow;
use std::time::Instant;
use anyhow::Result;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use connectivity::*;
use datasets::{Digits, SplitConfig};
use landscape::connectivity::{Curve, CurveConfig, Shape, profile, train_curve};
use landscape::slice::{Buffers, linspace};
use landscape::Risk;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let width: usize = args[1].parse()?;
    let epochs: u64 = args[2].parse()?;
    let rate: f64 = args[3].parse()?;
    let steps: usize = args[4].parse()?;
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let whole = risk(&batches(&split.train, 512, &device)?);
    let small = risk(&batches(&split.train, 64, &device)?);
    let test = risk(&batches(&split.test, 512, &device)?);
    let accurate = Risk::mean(batches(&split.test, 512, &device)?, accuracy);
    for pair in 0..2 {
        let t = Instant::now();
        let a = train(width, &split.train, epochs, 2 * pair, &device)?;
        let b = train(width, &split.train, epochs, 2 * pair + 1, &device)?;
        println!("trained {:.1} s: {:.2e} {:.2e} test {:.3} {:.3}", t.elapsed().as_secs_f64(), whole.value(&a)?, whole.value(&b)?, accurate.value(&a)?, accurate.value(&b)?);
        let line = Curve::between(&a, &b, Shape::Line)?;
        let p = profile(&line, &whole, &Buffers::Interpolate, &linspace(0.0..=1.0, 21))?;
        let q = profile(&line, &test, &Buffers::Interpolate, &linspace(0.0..=1.0, 21))?;
        println!("line barrier {:.4} test {:.4} max {:.4}", p.barrier, q.barrier, p.max);
        let t = Instant::now();
        let config = CurveConfig::new(rate).with_steps(steps);
        let trained = train_curve(Curve::between(&a, &b, Shape::Bezier)?, &small, &mut AdamConfig::new().init(), &config, |_| ControlFlow::Continue(()))?;
        let p = profile(&trained.curve, &whole, &Buffers::Interpolate, &linspace(0.0..=1.0, 41))?;
        let q = profile(&trained.curve, &test, &Buffers::Interpolate, &linspace(0.0..=1.0, 41))?;
        println!("bezier {:.1} s max {:.5} barrier {:.5} verdict {:?} test max {:.4} barrier {:.4} length {:?}", t.elapsed().as_secs_f64(), p.max, p.barrier, p.verdict, q.max, q.barrier, p.length.last());
        for e in &trained.evaluations { print!("{:.4}/{:.4} ", e.mean, e.max); }
        println!();
    }
    Ok(())
}
