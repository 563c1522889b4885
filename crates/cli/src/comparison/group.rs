//! Trainings that differ in nothing but the seed.

use std::path::Path;

use super::Run;
use crate::config::folder;
use crate::results::summary::{DIVERGED, Figures};

/// The figures of such trainings.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its name in tables.
    pub(crate) name: String,
    /// The seeds, increasing; each once.
    pub(crate) seeds: Vec<u32>,
    /// The figures of each seed.
    pub(crate) figures: Vec<Figures>,
    /// The number of them that diverged at their last step.
    pub(crate) diverged: usize,
    /// Whether products with the Hessian were in doubt in any of them.
    pub(crate) in_doubt: bool,
}

/// The runs of a group.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    /// Positions among all runs, in the order of the seeds.
    pub(crate) runs: Vec<usize>,
    /// Positions of runs whose seed the group has already.
    pub(crate) repeated: Vec<usize>,
}

/// Returns the runs that differ in nothing but the seed, in the order in which the first of each
/// was given.
pub(crate) fn grouped(runs: &[Run]) -> Vec<Members> {
    let mut groups: Vec<Members> = Vec::new();
    for (position, run) in runs.iter().enumerate() {
        let config = &run.summary.config;
        let group = groups.iter_mut().find(|group| {
            let mut other = runs[group.runs[0]].summary.config.clone();
            other.seed = config.seed;
            other == *config
        });
        let Some(group) = group else {
            groups.push(Members {
                runs: vec![position],
                repeated: Vec::new(),
            });
            continue;
        };
        let seed_of = |run: &usize| runs[*run].summary.config.seed;
        match group.runs.binary_search_by_key(&config.seed, seed_of) {
            Ok(_) => group.repeated.push(position),
            Err(place) => group.runs.insert(place, position),
        }
    }
    groups
}

impl Group {
    /// Returns the figures of a group.
    pub(crate) fn of(name: String, runs: &[&Run]) -> Self {
        let summaries = || runs.iter().map(|run| &run.summary);
        Self {
            name,
            seeds: summaries().map(|summary| summary.config.seed).collect(),
            figures: summaries().map(|summary| summary.figures).collect(),
            diverged: summaries()
                .filter(|summary| summary.status == DIVERGED)
                .count(),
            in_doubt: summaries().any(|summary| summary.hessian.unresolved_products > 0),
        }
    }
}

/// Returns names for groups: that of the only run; the folder of runs that are called after their
/// seeds; or what the names of the runs begin with.
pub(crate) fn names(groups: &[Vec<&Run>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for group in groups {
        let name = name(group);
        let taken = |name: &String| names.contains(name);
        let mut unique = name.clone();
        let mut count = 2;
        while taken(&unique) {
            unique = format!("{name} ({count})");
            count += 1;
        }
        names.push(unique);
    }
    names
}

fn name(group: &[&Run]) -> String {
    let [first, others @ ..] = group else {
        return String::new();
    };
    if others.is_empty() {
        return first.name.clone();
    }
    let folder = |run: &Run| run.directory.parent().map(Path::to_owned);
    let after_seed = |run: &Run| {
        let name = run.directory.file_name();
        name.is_some_and(|name| *name == *folder::of_seed(run.summary.config.seed))
    };
    if group
        .iter()
        .all(|run| after_seed(run) && folder(run) == folder(first))
    {
        let short = Path::new(&first.name).parent().map(Path::to_owned);
        let name = short.filter(|short| !short.as_os_str().is_empty());
        let last = || Some(folder(first)?.file_name()?.into());
        if let Some(name) = name.or_else(last) {
            return name.display().to_string();
        }
    }
    let mut common = first.name.as_str();
    for run in others {
        let same = common
            .char_indices()
            .zip(run.name.chars())
            .find(|((_, a), b)| a != b);
        let end = same.map_or(common.len().min(run.name.len()), |((end, _), _)| end);
        common = &common[..end];
    }
    // The digits that two seeds begin with belong to neither.
    let common = common.trim_end_matches(|c: char| c.is_ascii_digit());
    let common = common.trim_end_matches(|c: char| !c.is_alphanumeric());
    let common = common.strip_suffix("seed").unwrap_or(common);
    let common = common.trim_end_matches(|c: char| !c.is_alphanumeric());
    if common.is_empty() {
        return first.summary.config.method_in_words();
    }
    common.to_owned()
}
