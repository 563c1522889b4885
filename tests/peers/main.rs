//! Our half of the comparison with PyTorch: `side_by_side.py` starts it and says what to do.
//!
//! `peer serve CASE FOLDER` writes the problem to `FOLDER/problem.safetensors`, says `ready` and
//! then obeys lines: `agree` writes our results to `FOLDER/ours.safetensors`; `measure WHAT TIMES`
//! answers with seconds for one of WHAT; `operations WHAT N` answers with the time of each kind of
//! operation in a product over N examples. `peer memory CASE LIMIT` takes products under a limit in
//! bytes, or `all`.
#![allow(clippy::print_stdout, reason = "a program")]

mod case;
mod exchange;
mod job;
mod memory;

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use case::{Case, DigitsMlp, MnistCnn, MnistMlp};
use job::Jobs;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mode, case, last) = match arguments[..] {
        [mode, case, last] => (mode, case, last),
        _ => bail!("peer serve CASE FOLDER, or peer memory CASE LIMIT"),
    };
    match case {
        "digits-mlp" => run::<DigitsMlp>(mode, last),
        "mnist-mlp" => run::<MnistMlp>(mode, last),
        "mnist-cnn" => run::<MnistCnn>(mode, last),
        other => bail!("no case is called {other}"),
    }
}

fn run<C: Case>(mode: &str, last: &str) -> Result<()> {
    match mode {
        "serve" => serve::<C>(Path::new(last)),
        "memory" => memory::report::<C>(last),
        other => bail!("no mode is called {other}"),
    }
}

fn serve<C: Case>(folder: &Path) -> Result<()> {
    let problem = case::Problem::of::<C>()?;
    exchange::write(&folder.join("problem.safetensors"), &problem.tensors())?;
    let jobs = Jobs::new(problem)?;
    answer("ready")?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["agree"] => {
                exchange::write(&folder.join("ours.safetensors"), &jobs.results()?)?;
                answer("done")?;
            }
            ["measure", what, times] => {
                let times = times.parse().context("how many times")?;
                answer(&format!("{:e}", jobs.seconds(what, times)?))?;
            }
            ["operations", what, examples] => {
                let examples = examples.parse().context("how many examples")?;
                for operation in jobs.operations(what, examples)? {
                    answer(&operation)?;
                }
                answer("done")?;
            }
            _ => bail!("no order is called {line}"),
        }
    }
    Ok(())
}

fn answer(line: &str) -> Result<()> {
    println!("{line}");
    std::io::stdout().flush()?;
    Ok(())
}
