//! trial
#![allow(clippy::print_stdout, reason = "a program")]
use std::time::Instant;
use anyhow::Result;
use architectures::*;
use burn::tensor::Device;
use datasets::{Digits, SplitConfig};
use landscape::{Grid, Statistics};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let epochs: u64 = args[1].parse()?;
    let count: usize = args[2].parse()?;
    let width: usize = args[3].parse()?;
    let seeds: u64 = args[4].parse()?;
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    for norm in [true, false] {
        for residual in [false, true] {
            for seed in 0..seeds {
                let architecture = Architecture { residual, norm, width };
                let t = Instant::now();
                let model = train(architecture.init(seed, &device), &split.train, epochs, seed, &device)?;
                let trained = t.elapsed().as_secs_f64();
                let risk = risk(&split.train, 256, &device)?;
                let all = crate::risk(&split.train, 4000, &device)?;
                print!("{} seed {seed}: {trained:.1} s, loss {:.2e} acc {:.3}", architecture.name(), all.value(&model)?, accuracy(&model, &split.validation, &device));
                for statistics in [Statistics::Running, Statistics::Batch] {
                    if statistics == Statistics::Batch && !norm { continue; }
                    let t = Instant::now();
                    let s = surface(&model, &risk, statistics, &Grid::square(-0.5..=0.5, count))?;
                    let c = centre(&s);
                    print!("; {:.1} s centre {c:.2e} ", t.elapsed().as_secs_f64());
                    let name = format!("{}-{}-{}-{}-{:?}.txt", std::env::var("MODE").unwrap_or_default(), if residual {"res"} else {"plain"}, if norm {"bn"} else {"none"}, seed, statistics);
                    std::fs::write(format!("surf/{width}-{name}"), format!("{:?}", s.loss))?;
                    for rise in [0.1, 0.5, 1.0, 2.0, 5.0] { print!("{:.3} ", share_above(&s, c + rise)); }
                    print!(" x5 {:.3} x100 {:.3} max {:.1e} {}", share_above(&s, 5.0 * c), share_above(&s, 100.0 * c), s.loss.iter().copied().fold(0.0, f64::max), s.evaluation);
                }
                println!();
            }
        }
    }
    Ok(())
}
