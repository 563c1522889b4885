//! `landscape try RUN --finding K`: trains what a finding of a run suggests, and compares.

mod outcome;
mod verdict;

use std::path::{Path, PathBuf};

use clap::Args;
use probes::diagnosis::{Finding, Remedy};

use super::context::Context;
use super::run::ExistingFlags;
use super::session::Session;
use crate::config::remedy::remedied;
use crate::config::{Plan, Training};
use crate::engine::source::Source;
use crate::engine::stored::{Stored, Which};
use crate::engine::training::Outcome;
use crate::failure::{Diverged, FAILED, INTERRUPTED, SUCCESS, usage};
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable, say};
use crate::report::paint::Paint;
use outcome::Tried;
use verdict::Verdict;

pub(super) const EXAMPLE: &str = "Example:
  landscape try runs/mine
  landscape try runs/mine --finding 2 --remedy 3
  landscape compare runs/mine runs/mine-try-1

The findings are those that the run printed at its end, which are in its
diagnosis.json. The training has the settings of the run but for the remedy, and
its seed; its folder lies beside the run. One seed is one case: --seeds of
`train` tells a change that helps from one that was lucky.";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directory of the run; a bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Which finding, by its number in the run's diagnosis
    #[arg(long, value_name = "K", default_value = "1")]
    finding: usize,
    /// Which of its remedies [default: the first that is a change of settings]
    #[arg(long, value_name = "J")]
    remedy: Option<usize>,
    /// Folder of the training [default: RUN-try-K, beside the run]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    existing: ExistingFlags,
}

/// A remedy that is to be tried.
struct Attempt {
    remedy: Remedy,
    plan: Plan,
}

/// Trains with the remedy, and prints what it changed.
///
/// # Errors
/// A sentence for the user: no such run, finding or remedy, or one that is no change of settings.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let stored = Stored::open(&arguments.run, Which::Latest)?;
    let before = Tried::read(&stored.directory, stored.finished)?;
    let finding = chosen(&before, arguments.finding)?;
    let attempt = attempt(stored.plan(), finding, arguments.remedy)?;
    let output = match &arguments.output {
        Some(folder) => folder.clone(),
        None => beside(&stored.directory, arguments.finding, arguments.remedy),
    };
    let name = output.file_name().map(|name| name.to_string_lossy());
    let name = name.map_or_else(|| "try".to_owned(), std::borrow::Cow::into_owned);
    let training = Training::of_plan(name, output.clone(), attempt.plan.clone());
    let workspace = context.read_workspace_or_built_in(source.own())?;
    let existing = arguments.existing.existing();
    let session = Session::new(&workspace, source, vec![training], existing)?;
    say(&format!(
        "{}: {}; to try: {}",
        printable(&stored.directory.display().to_string()),
        finding.symptom.name(),
        attempt.remedy
    ));
    match session.train_first(interrupt) {
        Ok(Outcome::Interrupted { step }) => {
            say(&format!(
                "stopped at step {step}; its files in {} are complete, and --resume goes on",
                printable(&output.display().to_string())
            ));
            return Ok(INTERRUPTED);
        }
        Ok(Outcome::Finished(_)) => {}
        Err(error) if error.is::<Diverged>() => {
            let alarm = Paint::stderr().alarm("diverged:");
            say(&format!("{alarm} {}", printable(&format!("{error:#}"))));
        }
        Err(error) => return Err(error),
    }
    let after = Tried::read(
        &output,
        output.join(crate::results::summary::FILE).is_file(),
    )?;
    let verdict = Verdict {
        finding,
        number: arguments.finding,
        remedy: &attempt.remedy,
        plans: [stored.plan(), &attempt.plan],
        tried: [&before, &after],
        folders: [&stored.directory, &output],
    };
    if context.json {
        print(&format!("{:#}", verdict.json()))?;
    } else {
        print(&verdict.text())?;
    }
    Ok(if after.validation_loss().is_some() {
        SUCCESS
    } else {
        FAILED
    })
}

/// Returns the finding with a number.
fn chosen(before: &Tried, number: usize) -> anyhow::Result<&Finding> {
    let findings = &before.diagnosis.findings;
    let found = number.checked_sub(1).and_then(|index| findings.get(index));
    found.ok_or_else(|| {
        let shown = before.folder.display();
        usage(match findings.len() {
            0 => format!("{shown} has no findings, and so nothing to try"),
            1 => format!("--finding {number}: {shown} has one finding, 1"),
            count => format!("--finding {number}: {shown} has the findings 1 to {count}"),
        })
    })
}

/// Returns the remedy that was asked for, or the first that is a change of settings, with the
/// settings.
fn attempt(plan: &Plan, finding: &Finding, number: Option<usize>) -> anyhow::Result<Attempt> {
    let remedies = &finding.remedies;
    let symptom = finding.symptom.name();
    if remedies.is_empty() {
        return Err(usage(format!(
            "{symptom}: the finding has no remedy to try"
        )));
    }
    let Some(number) = number else {
        let mut reasons = Vec::new();
        for remedy in remedies {
            match remedied(plan, remedy) {
                Ok(plan) => {
                    let remedy = *remedy;
                    return Ok(Attempt { remedy, plan });
                }
                Err(reason) => reasons.push(format!("{remedy}: {reason}")),
            }
        }
        return Err(usage(format!(
            "{symptom}: no remedy is a change of settings ({})",
            reasons.join("; ")
        )));
    };
    let found = number.checked_sub(1).and_then(|index| remedies.get(index));
    let Some(&remedy) = found else {
        return Err(usage(format!(
            "--remedy {number}: {symptom} has the remedies 1 to {}",
            remedies.len()
        )));
    };
    match remedied(plan, &remedy) {
        Ok(plan) => Ok(Attempt { remedy, plan }),
        Err(reason) => Err(usage(format!(
            "--remedy {number} ({remedy}) is no change of settings: {reason}"
        ))),
    }
}

/// Returns the folder beside a run.
fn beside(run: &Path, finding: usize, remedy: Option<usize>) -> PathBuf {
    let remedy = remedy.map_or_else(String::new, |remedy| format!("-{remedy}"));
    let mut name = run
        .file_name()
        .map_or_else(|| "run".into(), std::ffi::OsStr::to_os_string);
    name.push(format!("-try-{finding}{remedy}"));
    run.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_lies_beside_its_run() {
        let run = Path::new("runs/pair/sgd");
        assert_eq!(beside(run, 1, None), Path::new("runs/pair/sgd-try-1"));
        assert_eq!(beside(run, 2, Some(3)), Path::new("runs/pair/sgd-try-2-3"));
    }
}
