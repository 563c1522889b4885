//! A search for silent wrong numbers by random composition.

mod arrangement;
mod batches;
mod case;
mod compare;
mod criterion;
mod finding;
mod generator;
mod layer;
mod node;
mod operation;
mod random;
mod scene;
mod special;
mod truth;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, bail, ensure};

use crate::table::{Row, Table};
use case::Case;
use finding::{Finding, Outcome};

/// Number of cases, and their number in the small form.
const CASES: u64 = 20_000;
const FEW: u64 = 150;

/// A case, with what was found.
struct Examined {
    text: String,
    ordinary: bool,
    found: Vec<Finding>,
}

/// Generates a case and measures it.
fn examined(seed: u64) -> Examined {
    let case = generator::case(seed);
    Examined {
        text: case.to_string(),
        ordinary: is_ordinary(&case),
        found: compare::findings(&case),
    }
}

/// Returns whether nothing in a case is a reason to refuse it.
fn is_ordinary(case: &Case) -> bool {
    use case::Feature as F;
    let reasons = [
        F::Detached,
        F::FrozenCopy,
        F::InnerDerivative,
        F::Outside,
        F::ReadsActivation,
        F::ReadsData,
        F::ReadsParameter,
        F::SwallowedRead,
        F::TimeFirstUncounted,
        F::Torn,
    ];
    !reasons.into_iter().any(|reason| case.has(reason))
}

const fn is_wrong(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Differs { .. } | Outcome::Panicked(_))
}

/// Examines some cases, printing those with a disagreement.
fn counted(seeds: Range<u64>) -> Counts {
    let mut counts = Counts::default();
    let total = seeds.end - seeds.start;
    for seed in seeds {
        counts.cases += 1;
        match compare::quietly(|| examined(seed)) {
            Ok(case) => {
                let open = counts.add(&case);
                if !open.is_empty() {
                    println!("case {seed}\n{}", case.text);
                    for finding in open {
                        println!("    !! {finding}");
                    }
                }
            }
            Err(panic) => {
                println!("case {seed}: {panic}");
                counts.open += 1;
            }
        }
        if counts.cases.is_multiple_of(1000) {
            eprintln!("{} of {total} cases, {} open", counts.cases, counts.open);
        }
    }
    counts
}

/// Prints all there is to say of one case, or the open disagreements of several.
pub(crate) fn cases(seeds: Range<u64>) -> Result<()> {
    if seeds.end - seeds.start > 1 {
        let counts = counted(seeds);
        println!("{}", counts.table().markdown());
        ensure!(counts.open == 0, "{} cases are open", counts.open);
        return Ok(());
    }
    let case = examined(seeds.start);
    println!("case {}\n{}", seeds.start, case.text);
    for finding in &case.found {
        println!("    {finding}");
    }
    if case.found.iter().any(|finding| is_wrong(&finding.outcome)) {
        bail!("case {} disagrees", seeds.start);
    }
    Ok(())
}

/// Outcomes of one quantity.
#[derive(Default)]
struct Outcomes {
    agrees: usize,
    differences: usize,
    refused: usize,
    refused_ordinary: usize,
    unsettled: usize,
    in_doubt: usize,
    open: usize,
}

#[derive(Default)]
struct Counts {
    cases: usize,
    ordinary: usize,
    open: usize,
    of: BTreeMap<&'static str, Outcomes>,
    reasons: BTreeMap<String, usize>,
}

impl Counts {
    /// Adds a case, and returns its disagreements.
    fn add<'c>(&mut self, case: &'c Examined) -> Vec<&'c Finding> {
        self.ordinary += usize::from(case.ordinary);
        let mut open = Vec::new();
        for finding in &case.found {
            let of = self.of.entry(finding.what).or_default();
            match &finding.outcome {
                Outcome::Agrees => {
                    of.agrees += 1;
                    of.differences += usize::from(finding.way.is_some());
                }
                Outcome::InDoubt => of.in_doubt += 1,
                Outcome::Unsettled => of.unsettled += 1,
                Outcome::Refused(reason) => {
                    of.refused += 1;
                    of.refused_ordinary += usize::from(case.ordinary);
                    let kind = if case.ordinary { "ordinary" } else { "special" };
                    let reason = format!("refused, {kind} case: {}", shortened(reason));
                    *self.reasons.entry(reason).or_default() += 1;
                }
                Outcome::Differs { .. } | Outcome::Panicked(_) => {
                    of.open += 1;
                    open.push(finding);
                }
            }
        }
        self.open += usize::from(!open.is_empty());
        open
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn table(&self) -> Table {
        let row =
            |name: String, counts: [usize; 7]| Row::of(name, counts.map(|count| count as f64));
        let mut rows: Vec<Row> = self
            .of
            .iter()
            .map(|(name, of)| {
                let counts = [
                    of.agrees,
                    of.differences,
                    of.refused,
                    of.refused_ordinary,
                    of.unsettled,
                    of.in_doubt,
                    of.open,
                ];
                row((*name).to_owned(), counts)
            })
            .collect();
        for (reason, &count) in &self.reasons {
            let mut counts = [0; 7];
            counts[2] = count;
            rows.push(row(reason.clone(), counts));
        }
        let columns = [
            "quantity",
            "agrees",
            "of these by other ways",
            "refused",
            "of these in ordinary cases",
            "unsettled",
            "in doubt",
            "open",
        ];
        Table {
            setting: format!(
                "{} random models with random losses, {} of them with nothing that is a reason to refuse them; f64 on flex. Every quantity \
                 against values of ordinary forward passes at displaced parameters and their differences. Unsettled: the differences \
                 find a kink close by.",
                self.cases, self.ordinary
            ),
            columns: columns.map(str::to_owned).into(),
            rows,
        }
    }
}

/// The first words of a reason, without its numbers.
fn shortened(reason: &str) -> String {
    let words = reason.split(['(', ';', '\n']).next().unwrap_or(reason);
    let words: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
    words.trim().chars().take(100).collect()
}

/// The experiment.
pub(crate) fn run(small: bool) -> Result<Table> {
    let counts = counted(0..if small { FEW } else { CASES });
    ensure!(counts.open == 0, "{} cases disagree", counts.open);
    Ok(counts.table())
}
