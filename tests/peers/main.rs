//! Our half of the comparison with its peers: `side_by_side.py` starts it and says what to do.
//!
//! `peer prepare CASE FOLDER` trains the network of a case and writes it, its data, a tangent and a
//! plane to FOLDER. What follows reads them there and gives the data in so many BATCHES (0: as the
//! case says):
//!
//! - `peer serve CASE FOLDER BATCHES` obeys lines. Before it has computed anything: `features`
//!   answers with what it believes of the processor, `load` makes the operators and says `ready`.
//!   Then: `agree` writes our results to `FOLDER/ours.safetensors`; `measure WHAT TIMES` answers
//!   with seconds for one of WHAT; `find WHAT` answers with a result as JSON; `set NAME VALUE`
//!   changes what is asked for; `gigaflops TIMES` answers with those of a square matrix product;
//!   `operations WHAT N` answers with the time of each kind of operation in a product over N
//!   examples.
//! - `peer memory CASE FOLDER BATCHES LIMIT` takes products under a limit in bytes, or `all`.
//! - `peer first CASE FOLDER BATCHES TOLERANCE` prints the largest eigenvalue and ends.
//!
//! `peer grown EXAMPLES UNITS TANGENTS TIMES` measures products of 784-UNITS-10 on MNIST.
#![allow(clippy::print_stdout, reason = "a program")]

mod bare;
mod case;
mod exchange;
mod job;
mod memory;
mod problem;
mod processor;
mod spectra;
mod step;
mod timing;
mod training;
mod transformer;

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use models::Classifier;

use case::{Case, Visitor};
use job::Jobs;
use problem::Problem;
use spectra::Settings;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let count = |word: &str| word.parse::<usize>().context("a whole number");
    let batches = |case: &Case, word: &str| {
        let asked = count(word)?;
        Ok::<_, anyhow::Error>(if asked == 0 { case.batches } else { asked })
    };
    match arguments[..] {
        ["prepare", name, folder] => Case::of(name)?.visit(Prepare(Path::new(folder))),
        ["serve", name, folder, number] => {
            let case = Case::of(name)?;
            if !until_loaded()? {
                return Ok(());
            }
            case.visit(Serve {
                folder: Path::new(folder),
                batches: batches(case, number)?,
            })
        }
        ["memory", name, folder, number, limit] => {
            let case = Case::of(name)?;
            case.visit(memory::Limited {
                folder: Path::new(folder),
                batches: batches(case, number)?,
                limit,
            })
        }
        ["first", name, folder, number, tolerance] => {
            let case = Case::of(name)?;
            case.visit(First {
                folder: Path::new(folder),
                batches: batches(case, number)?,
                tolerance: tolerance.parse().context("a tolerance")?,
            })
        }
        ["grown", examples, units, tangents, times] => memory::grown(
            count(examples)?,
            count(units)?,
            count(tangents)?,
            count(times)?,
        ),
        _ => bail!("peer prepare | serve | memory | first CASE FOLDER .., or peer grown .."),
    }
}

struct Prepare<'a>(&'a Path);

impl Visitor for Prepare<'_> {
    fn visit<M: Classifier + Sync + 'static>(self, case: &'static Case, model: M) -> Result<()> {
        problem::prepare(case, model, self.0)
    }
}

/// The largest eigenvalue and nothing else, for the time from the start of a process.
struct First<'a> {
    folder: &'a Path,
    batches: usize,
    tolerance: f64,
}

impl Visitor for First<'_> {
    fn visit<M: Classifier + Sync + 'static>(self, case: &'static Case, model: M) -> Result<()> {
        let problem = Problem::read(case, model, self.folder, self.batches)?;
        let settings = Settings {
            eigen_tolerance: self.tolerance,
            ..Settings::default()
        };
        answer(&spectra::top(&problem, 1, settings)?.to_string())
    }
}

/// Answers what can be asked before anything is computed, until it is told to load; false where
/// it is told nothing more.
fn until_loaded() -> Result<bool> {
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "features" => answer(&processor::detected().to_string())?,
            "load" => return Ok(true),
            other => bail!("no order before load is called {other}"),
        }
    }
    Ok(false)
}

struct Serve<'a> {
    folder: &'a Path,
    batches: usize,
}

impl Visitor for Serve<'_> {
    fn visit<M: Classifier + Sync + 'static>(self, case: &'static Case, model: M) -> Result<()> {
        let problem = Problem::read(case, model, self.folder, self.batches)?;
        let mut jobs = Jobs::new(case, problem)?;
        answer("ready")?;
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["agree"] => {
                    let results = jobs.results()?;
                    exchange::write(&self.folder.join("ours.safetensors"), &results)?;
                    answer("done")?;
                }
                ["measure", what, times] => {
                    let times = times.parse().context("how many times")?;
                    answer(&format!("{:e}", jobs.seconds(what, times)?))?;
                }
                ["find", what] => answer(&jobs.found(what)?.to_string())?,
                ["set", name, value] => {
                    jobs.set(name, value.parse().context("a number")?)?;
                    answer("done")?;
                }
                ["gigaflops", times] => {
                    let times = times.parse().context("how many times")?;
                    answer(&format!("{:e}", bare::gigaflops(times)?))?;
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
}

fn answer(line: &str) -> Result<()> {
    println!("{line}");
    std::io::stdout().flush()?;
    Ok(())
}
