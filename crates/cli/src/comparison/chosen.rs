//! The runs that a comparison draws, and the numbers that they have left after their last step.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Comparison, Run};
use crate::report::program;

/// No more runs than these are told apart by their colours.
const MOST: usize = 12;

/// The numbers that instruments leave beside a run.
pub(super) const SURFACE: &str = "landscape-surface.json";
pub(super) const LINE: &str = "landscape-line.json";
pub(super) const DENSITY: &str = "curvature-density.json";

/// A run to be drawn, under the name it has in the picture.
pub(super) struct Chosen<'a> {
    pub(super) name: String,
    pub(super) run: &'a Run,
}

impl Chosen<'_> {
    /// Returns the numbers in a file of the run, if it has left such a file after its last step.
    pub(super) fn read<T: DeserializeOwned>(&self, file: &str) -> anyhow::Result<Option<T>> {
        if self.step(file)? != Some(self.run.summary.steps) {
            return Ok(None);
        }
        self.parse(file).map(Some)
    }

    /// Returns the step whose numbers a file of the run holds, if it has left such a file.
    fn step(&self, file: &str) -> anyhow::Result<Option<usize>> {
        #[derive(Deserialize)]
        struct Of {
            step: usize,
        }
        if !self.run.summary.numbers.iter().any(|name| name == file) {
            return Ok(None);
        }
        Ok(Some(self.parse::<Of>(file)?.step))
    }

    fn parse<T: DeserializeOwned>(&self, file: &str) -> anyhow::Result<T> {
        let path = self.run.directory.join(file);
        let text =
            std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} does not hold the numbers of a picture", path.display()))
    }

    /// Returns what is not drawn, because it was left out for a budget after the last step.
    pub(super) fn stale(&self) -> anyhow::Result<Vec<String>> {
        let mut stale = Vec::new();
        let last = self.run.summary.steps;
        for (file, what) in [(SURFACE, "surface"), (LINE, "line"), (DENSITY, "density")] {
            if let Some(step) = self.step(file)?.filter(|step| *step != last) {
                stale.push(format!(
                    "The {what} of {} is of step {step}, not of its last one, {last}, and is left out; `{} measure {}` measures it.",
                    self.name,
                    program::name(),
                    self.run.directory.display()
                ));
            }
        }
        Ok(stale)
    }

    /// Returns what decides which direction a seed draws: networks with the same answer have the
    /// same parameters.
    pub(super) fn network(&self) -> (String, usize) {
        let summary = &self.run.summary;
        (
            summary.config.subject.network_in_words(),
            summary.parameters,
        )
    }
}

/// Returns the runs to draw, and what is to be said about the choice.
pub(super) fn chosen(comparison: &Comparison) -> (Vec<Chosen<'_>>, Vec<String>) {
    let mut remarks = Vec::new();
    let mut chosen: Vec<Chosen<'_>> = if comparison.is_grouped() {
        let shared = comparison.groups.first().and_then(|first| {
            let has = |seed: &&u32| comparison.groups.iter().all(|g| g.seeds.contains(seed));
            first.seeds.iter().find(has)
        });
        match shared {
            Some(seed) => remarks.push(format!("The pictures show the runs of seed {seed}.")),
            None => remarks.push("The pictures show the first seed of each.".to_owned()),
        }
        let groups = comparison.groups.iter().zip(&comparison.members);
        groups
            .map(|(group, members)| {
                let place = shared.and_then(|seed| group.seeds.iter().position(|s| s == seed));
                let run = &comparison.runs[members.runs[place.unwrap_or(0)]];
                // One seed for all is in the names of the directions.
                let name = match shared {
                    Some(_) => group.name.clone(),
                    None => format!("{}, seed {}", group.name, run.summary.config.seed),
                };
                Chosen { name, run }
            })
            .collect()
    } else {
        let runs = comparison.runs.iter();
        runs.map(|run| Chosen {
            name: run.name.clone(),
            run,
        })
        .collect()
    };
    if chosen.len() > MOST {
        remarks.push(format!(
            "The pictures show the first {MOST} of {}.",
            chosen.len()
        ));
        chosen.truncate(MOST);
    }
    (chosen, remarks)
}

/// Returns how directions of several runs are called: that of one seed where they are the same,
/// otherwise whose they are.
pub(super) fn directions(what: &str, whose: &[(&Chosen<'_>, u64)]) -> String {
    let seeds: BTreeSet<u64> = whose.iter().map(|(_, seed)| *seed).collect();
    let networks: BTreeSet<_> = whose.iter().map(|(run, _)| run.network()).collect();
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    if networks.len() > 1 {
        return format!("{what} (per network)");
    }
    match seeds.as_slice() {
        [seed] => format!("{what} of seed {seed}"),
        seeds if seeds.len() <= 3 => format!("{what} (seeds {})", seeds.join(", ")),
        seeds => format!("{what} ({} seeds)", seeds.len()),
    }
}
