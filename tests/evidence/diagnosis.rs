//! Trainings made to fail, and healthy ones: what the diagnosis says of them, and what comes of its
//! first remedy.
//!
//! Each training is one of the program `landscape`, which must lie beside this one, and each remedy
//! is tried by `landscape try`. The folders of the runs stay in target/evidence/diagnosis-runs.

mod failure;
mod healthy;
mod program;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use probes::diagnosis::{Diagnosis, Facts, Severity, Symptom};

use crate::table::{Figure, Row, Table};
use failure::FAILURES;
use program::{Network, Program, Remedied};

/// Folders of the runs.
const RUNS: &str = "target/evidence/diagnosis-runs";

/// A training of the experiment.
struct Case {
    /// The row of the table.
    row: String,
    network: Network,
    settings: String,
    seeds: Vec<u64>,
    /// The symptoms of which one must be the first or second finding; none of a healthy training.
    expected: &'static [Symptom],
    /// The least severity of that finding.
    least: Severity,
    /// Whether its remedy is tried.
    tried: bool,
    /// Whether the seeds are diagnosed together, and not each.
    together: bool,
}

/// The outcome of a training.
struct Outcome {
    diagnosis: Diagnosis,
    /// The losses and accuracies, for the diagnosis of several seeds.
    facts: Facts,
    /// Validation loss; none of a training that diverged.
    loss: Option<f64>,
    remedied: Option<Remedied>,
}

/// Trains, diagnoses, tries the remedies.
///
/// # Errors
/// When a failure is not among the first two findings, or a healthy run has a finding above a note.
pub(crate) fn run(small: bool) -> Result<Table> {
    let program = Program::find(Path::new(RUNS))?;
    let cases = cases(small);
    let outcomes = carry_out(&program, &cases)?;
    let (table, mistakes) = table(&cases, &outcomes, small);
    // The table is worth seeing where it is wrong, too.
    if !mistakes.is_empty() {
        println!("{}", table.markdown());
    }
    ensure!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    Ok(table)
}

fn cases(small: bool) -> Vec<Case> {
    let seeds: Vec<u64> = if small { vec![1] } else { (1..=5).collect() };
    let networks: &[Network] = if small {
        &[Network::Mlp]
    } else {
        &[Network::Mlp, Network::Cnn]
    };
    let mut cases = Vec::new();
    for &network in networks {
        for failure in FAILURES {
            cases.push(Case {
                row: format!("{}, {}", failure.name, network.name()),
                network,
                settings: failure.settings(network).to_owned(),
                seeds: seeds.clone(),
                expected: failure.expected,
                least: failure.least,
                tried: !small || failure.name == FAILURES[0].name,
                together: false,
            });
        }
        if !small {
            cases.push(Case {
                row: format!("inconsistent seeds, {}", network.name()),
                network,
                settings: failure::inconsistent(network).to_owned(),
                seeds: seeds.clone(),
                expected: &[Symptom::ChaoticLandscape],
                least: Severity::Warning,
                tried: false,
                together: true,
            });
        }
    }
    cases.extend(healthy::cases(small));
    cases
}

/// Carries out all trainings, two at a time.
fn carry_out(program: &Program, cases: &[Case]) -> Result<BTreeMap<(usize, u64), Outcome>> {
    let all: Vec<(usize, u64)> = cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| case.seeds.iter().map(move |&seed| (index, seed)))
        .collect();
    let (next, bar) = (AtomicUsize::new(0), ProgressBar::new(all.len() as u64));
    let outcomes = Mutex::new(BTreeMap::new());
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(8));
    thread::scope(|scope| {
        let work = || -> Result<()> {
            loop {
                let Some(&(index, seed)) = all.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    return Ok(());
                };
                let outcome = program.train(&cases[index], seed)?;
                let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                outcomes.insert((index, seed), outcome);
                bar.inc(1);
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            match worker.join() {
                Ok(done) => done?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<(), anyhow::Error>(())
    })?;
    bar.finish_and_clear();
    Ok(outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// The columns that are no symptom, before and after those.
const BEFORE: [&str; 4] = ["training", "runs", "right first", "right second"];
const AFTER: [&str; 8] = [
    "above a note",
    "nothing above a note",
    "diverged",
    "validation loss",
    "remedies tried",
    "remedies that helped",
    "diverged with it",
    "validation loss with it",
];

/// Returns the table and a sentence for each training that was judged wrongly.
fn table(
    cases: &[Case],
    outcomes: &BTreeMap<(usize, u64), Outcome>,
    small: bool,
) -> (Table, Vec<String>) {
    let mut mistakes = Vec::new();
    let rows = cases.iter().enumerate().map(|(index, case)| {
        let of_case: Vec<(u64, &Outcome)> = case
            .seeds
            .iter()
            .map(|&seed| (seed, &outcomes[&(index, seed)]))
            .collect();
        if case.together {
            // One diagnosis for all.
            let facts = of_case.iter().map(|(_, outcome)| outcome.facts.clone());
            let facts: Vec<Facts> = facts.collect();
            let (seed, first) = of_case[0];
            let all = Outcome {
                diagnosis: Diagnosis::of_runs(&facts),
                facts: Facts::new(),
                loss: first.loss,
                remedied: None,
            };
            mistakes.extend(mistake(case, seed, &all));
            return row(case, &[(seed, &all)]);
        }
        for (seed, outcome) in &of_case {
            mistakes.extend(mistake(case, *seed, outcome));
        }
        row(case, &of_case)
    });
    let rows = rows.collect();
    let symptoms = Symptom::ALL.map(|symptom| format!("first: {}", symptom.name()));
    let columns = BEFORE.iter().map(|name| (*name).to_owned());
    let columns = columns.chain(symptoms);
    let columns = columns.chain(AFTER.iter().map(|name| (*name).to_owned()));
    let seeds = if small { "one seed" } else { "5 seeds" };
    let setting = format!(
        "Trainings made to fail ({seeds}) and healthy ones, of the program, with the probes of its workspace.toml but for pictures. The \
         MLP 64-64-32-10 and the CNN of 8 and 16 channels learn UCI digits. `right first` and `right second` count the \
         runs whose first or second finding is one that the failure is expected to show; `first: ..` count first findings above a note. \
         A remedy is the first of the first finding that is a change of settings, trained by `landscape try` with the same seed; it \
         helped where the validation loss fell by more than one hundredth. Losses are means over the runs that did not diverge."
    );
    (
        Table {
            setting,
            columns: columns.collect(),
            rows,
        },
        mistakes,
    )
}

/// Returns what is wrong with the diagnosis of a run.
fn mistake(case: &Case, seed: u64, outcome: &Outcome) -> Option<String> {
    let found: Vec<String> = outcome
        .diagnosis
        .findings
        .iter()
        .map(|finding| format!("{} ({})", finding.symptom.name(), finding.severity.name()))
        .collect();
    let found = found.join(", ");
    if case.expected.is_empty() {
        let above = outcome.diagnosis.above_note().count();
        return (above > 0).then(|| format!("{}, seed {seed}: healthy, but: {found}", case.row));
    }
    place(case, outcome)
        .is_none()
        .then(|| format!("{}, seed {seed}: found {found}", case.row))
}

/// Returns 0 or 1 where an expected symptom is the first or second finding, as severe as it must
/// be.
fn place(case: &Case, outcome: &Outcome) -> Option<usize> {
    let findings = outcome.diagnosis.findings.iter().take(2);
    findings
        .enumerate()
        .find(|(_, finding)| {
            finding.severity >= case.least && case.expected.contains(&finding.symptom)
        })
        .map(|(place, _)| place)
}

fn row(case: &Case, runs: &[(u64, &Outcome)]) -> Row {
    let count = |is: &dyn Fn(&Outcome) -> bool| {
        let count = runs.iter().filter(|(_, outcome)| is(outcome)).count();
        #[expect(clippy::cast_precision_loss, reason = "some runs")]
        let count = count as f64;
        Figure::of(vec![count])
    };
    let first = |outcome: &Outcome| {
        let first = outcome.diagnosis.above_note().next();
        first.map(|finding| finding.symptom)
    };
    let tried = || {
        runs.iter()
            .filter_map(|(_, outcome)| outcome.remedied.as_ref())
    };
    let mut figures = vec![
        count(&|_| true),
        count(&|outcome| place(case, outcome) == Some(0)),
        count(&|outcome| place(case, outcome) == Some(1)),
    ];
    for symptom in Symptom::ALL {
        figures.push(count(&|outcome| first(outcome) == Some(symptom)));
    }
    figures.push(count(&|outcome| first(outcome).is_some()));
    figures.push(count(&|outcome| first(outcome).is_none()));
    figures.push(count(&|outcome| outcome.loss.is_none()));
    figures.push(losses(runs.iter().map(|(_, outcome)| outcome.loss)));
    figures.push(count(&|outcome| outcome.remedied.is_some()));
    figures.push(count(&|outcome| {
        outcome
            .remedied
            .as_ref()
            .is_some_and(|remedied| remedied.helped)
    }));
    figures.push(count(&|outcome| {
        let remedied = outcome.remedied.as_ref();
        remedied.is_some_and(|remedied| remedied.loss.is_none())
    }));
    figures.push(losses(tried().map(|remedied| remedied.loss)));
    Row {
        name: case.row.clone(),
        figures,
    }
}

/// Returns the mean of the losses that there are, or the reason why there is none.
fn losses(all: impl Iterator<Item = Option<f64>>) -> Figure {
    let all: Vec<Option<f64>> = all.collect();
    let finite: Vec<f64> = all.iter().copied().flatten().collect();
    match (all.is_empty(), finite.is_empty()) {
        (true, _) => Figure::missing("-"),
        (_, true) => Figure::missing("diverged"),
        _ => Figure::of(finite),
    }
}
