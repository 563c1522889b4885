//! A search for silent wrong numbers by random composition.

mod compare;
mod generator;
mod layer;
mod node;
mod operation;
mod random;
mod scene;
mod truth;
mod value;

use anyhow::Result;

use crate::table::Table;
use compare::{Finding, Outcome};

/// Runs the cases of some seeds and prints what is off.
pub(crate) fn cases(seeds: std::ops::Range<u64>) -> Result<()> {
    let mut tally = std::collections::BTreeMap::<String, usize>::new();
    let single = seeds.end - seeds.start == 1;
    for seed in seeds {
        let outcome = caught(single, || {
            let case = generator::case(seed);
            let text = case.to_string();
            let found = compare::findings(&case);
            (text, found)
        });
        let (text, found) = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                println!("case {seed}: THE SEARCH PANICKED: {panic}");
                continue;
            }
        };
        for finding in &found {
            *tally.entry(key(finding)).or_default() += 1;
        }
        let bad: Vec<&Finding> = found
            .iter()
            .filter(|finding| {
                matches!(finding.outcome, Outcome::Differs { .. } | Outcome::Panicked(_))
            })
            .collect();
        if single {
            println!("case {seed}\n{text}");
            for finding in &found {
                println!("    {finding}");
            }
        } else if !bad.is_empty() {
            println!("case {seed}\n{text}");
            for finding in bad {
                println!("    !! {finding}");
            }
        }
    }
    for (key, count) in tally {
        println!("{count:8} {key}");
    }
    Ok(())
}

fn caught<T>(single: bool, run: impl FnOnce() -> T) -> Result<T, String> {
    if single {
        Ok(run())
    } else {
        compare::quietly(run)
    }
}

fn key(finding: &Finding) -> String {
    let outcome = match &finding.outcome {
        Outcome::Agrees => "agrees".to_owned(),
        Outcome::InDoubt => "in doubt".to_owned(),
        Outcome::Unsettled => "unsettled".to_owned(),
        Outcome::Differs { .. } => "DIFFERS".to_owned(),
        Outcome::Refused(reason) => format!("refused: {}", reason.chars().take(90).collect::<String>()),
        Outcome::Panicked(reason) => format!("PANICKED: {}", reason.chars().take(90).collect::<String>()),
    };
    let way = finding.way.as_ref().map_or(String::new(), |way| {
        format!(" [{}]", way.chars().take(70).collect::<String>())
    });
    format!("{}: {outcome}{way}", finding.what)
}

/// The experiment.
pub(crate) fn run(_small: bool) -> Result<Table> {
    anyhow::bail!("not yet")
}
