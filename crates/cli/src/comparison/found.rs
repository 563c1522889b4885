//! The finished runs below directories, in their order.
//!
//! A directory with a summary is a run. A directory without one is looked through, down to the
//! folders of seeds in the folders of members of a run in `runs/`. The members of a run are in the
//! order of workspace.toml, which `group.json` beside them remembers; what it does not name follows
//! by name, numbers in names as numbers.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::config::folder::{ORDER, PICTURES};
use crate::engine::checkpoints;
use crate::engine::files::write_atomically;
use crate::failure::usage;
use crate::report::program;
use crate::results::summary::{self, Summary};

/// The schema that this program writes and reads.
const SCHEMA: &str = "landscape-group/1";

/// The depth of runs below a directory: `runs/quickstart/sgd/seed-42` below the directory of
/// `runs`.
const DEPTH: usize = 4;

#[derive(Serialize, Deserialize)]
struct Order {
    schema: String,
    members: Vec<String>,
}

/// Runs of a command line.
#[derive(Default)]
pub(crate) struct Found {
    /// Those that are finished.
    pub(crate) finished: Vec<(PathBuf, Summary)>,
    /// Those beside them that are not.
    pub(crate) unfinished: Vec<PathBuf>,
}

/// Finds the runs of a command line. A bare name is looked up in `runs/` too.
///
/// # Errors
/// A usage error for a directory that is not there or holds no finished run, and when a summary
/// cannot be read.
pub(crate) fn find(given: &[PathBuf]) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for path in given {
        for directory in runs(path)? {
            if !directory.join(summary::FILE).is_file() {
                found.unfinished.push(directory);
            } else if found.finished.iter().all(|(other, _)| *other != directory) {
                let summary = Summary::read(&directory)?;
                found.finished.push((directory, summary));
            }
        }
    }
    Ok(found)
}

fn runs(given: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let in_runs = Path::new("runs").join(given);
    let Some(directory) = [given.to_owned(), in_runs]
        .into_iter()
        .find(|path| path.is_dir())
    else {
        return Err(usage(format!(
            "there is no run {}; give a directory such as runs/quickstart/sgd",
            given.display()
        )));
    };
    let found = begun(&directory)?;
    if !found.iter().any(|run| run.join(summary::FILE).is_file()) {
        return Err(usage(format!(
            "{} holds no finished run; {} run NAME --resume finishes one",
            directory.display(),
            program::name()
        )));
    }
    Ok(found)
}

/// Returns the directories of runs at and below a directory, finished or not, in their order.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn begun(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    search(directory, DEPTH, &mut found)?;
    Ok(found)
}

fn search(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if directory.join(summary::FILE).is_file() || directory.join(checkpoints::FOLDER).is_dir() {
        found.push(directory.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for folder in folders(directory)? {
        search(&folder, depth - 1, found)?;
    }
    Ok(())
}

/// Returns the folders in a directory that may hold runs, in their order.
fn folders(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("{} cannot be read", directory.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = name(&path);
        let own = name == checkpoints::FOLDER || name == PICTURES || name.starts_with('.');
        if path.is_dir() && !own {
            folders.push(path);
        }
    }
    let members = read_order(directory).unwrap_or_default();
    let place = |path: &PathBuf| {
        let name = name(path);
        let place = members.iter().position(|member| *member == name);
        place.unwrap_or(usize::MAX)
    };
    folders.sort_by(|a, b| {
        let by_place = place(a).cmp(&place(b));
        by_place.then_with(|| by_name(&name(a), &name(b)))
    });
    Ok(folders)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns the order of names in which `seed-9` comes before `seed-10`.
fn by_name(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (of_a, of_b) = (digits(rest_a), digits(rest_b));
        let (taken_a, taken_b) = if of_a > 0 && of_b > 0 {
            let number = |text: &str| text.trim_start_matches('0').to_owned();
            let (x, y) = (number(&rest_a[..of_a]), number(&rest_b[..of_b]));
            match x.len().cmp(&y.len()).then_with(|| x.cmp(&y)) {
                Ordering::Equal => (of_a, of_b),
                other => return other,
            }
        } else {
            match (rest_a.chars().next(), rest_b.chars().next()) {
                (Some(x), Some(y)) if x == y => (x.len_utf8(), y.len_utf8()),
                (None, None) => return a.cmp(b),
                (x, y) => return x.cmp(&y),
            }
        };
        (rest_a, rest_b) = (&rest_a[taken_a..], &rest_b[taken_b..]);
    }
}

/// Remembers the order of the members of a run in its folder, before those that are there already.
///
/// # Errors
/// When the folder cannot be made or written.
pub(crate) fn write_order(folder: &Path, members: &[String]) -> anyhow::Result<()> {
    let path = folder.join(ORDER);
    let before = read_order(folder);
    if path.exists() && before.is_none() {
        // Somebody else's; the order is then that of the names.
        return Ok(());
    }
    let mut all = members.to_vec();
    all.extend(
        before
            .iter()
            .flatten()
            .filter(|member| !members.contains(member))
            .cloned(),
    );
    if before.as_ref() == Some(&all) {
        return Ok(());
    }
    let order = Order {
        schema: SCHEMA.to_owned(),
        members: all,
    };
    let cannot = || format!("the output directory {} cannot be made", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    let mut text = serde_json::to_string_pretty(&order)?;
    text.push('\n');
    write_atomically(&path, text.as_bytes())
}

/// Returns the order, if there is one that this program has written.
fn read_order(folder: &Path) -> Option<Vec<String>> {
    let text = std::fs::read(folder.join(ORDER)).ok()?;
    let order: Order = serde_json::from_slice(&text).ok()?;
    (order.schema == SCHEMA).then_some(order.members)
}

/// Returns names for directories: without the folders that all of them lie in. A single one keeps
/// its path.
pub(crate) fn short_names(directories: &[&Path]) -> Vec<String> {
    let shared = match directories {
        [_] => 0,
        _ => shared_components(directories),
    };
    let short = |directory: &&Path| {
        let rest: PathBuf = directory.components().skip(shared).collect();
        rest.display().to_string()
    };
    directories.iter().map(short).collect()
}

/// Returns the folder that all directories lie in; empty if there is none but the current one.
pub(crate) fn common_folder(directories: &[&Path]) -> PathBuf {
    let shared = shared_components(directories);
    let first = directories.first().copied().unwrap_or(Path::new(""));
    first.components().take(shared).collect()
}

/// Returns how many components, not the last of any, all directories begin with.
fn shared_components(directories: &[&Path]) -> usize {
    let Some((first, others)) = directories.split_first() else {
        return 0;
    };
    let shared = |other: &&Path| {
        let pairs = first.components().zip(other.components());
        let most = first.components().count().min(other.components().count());
        pairs.take_while(|(a, b)| a == b).count().min(most - 1)
    };
    let own = first.components().count().saturating_sub(1);
    others.iter().map(shared).min().unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_as_numbers() {
        let mut names = [
            "seed-10", "seed-9", "seed-010", "b", "seed-", "seed", "a2b10", "a2b9",
        ];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(
            names,
            [
                "a2b9", "a2b10", "b", "seed", "seed-", "seed-9", "seed-010", "seed-10"
            ]
        );
    }

    #[test]
    fn names_leave_out_what_all_directories_lie_in() {
        let names = |paths: &[&str]| {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            short_names(&paths)
        };
        assert_eq!(names(&["runs/q/sgd", "runs/q/sam"]), ["sgd", "sam"]);
        assert_eq!(names(&["runs/q/sgd", "runs/mine"]), ["q/sgd", "mine"]);
        assert_eq!(names(&["runs/a", "runs/a/b"]), ["a", "a/b"]);
        assert_eq!(names(&["runs/q/sgd"]), ["runs/q/sgd"]);
        assert_eq!(names(&["a", "/b"]), ["a", "/b"]);
    }

    #[test]
    fn order_of_the_members_is_remembered_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().join("group");
        let order = |members: &[&str]| {
            let members: Vec<String> = members.iter().map(|&m| m.to_owned()).collect();
            write_order(&group, &members).unwrap();
            read_order(&group).unwrap()
        };
        assert_eq!(order(&["sgd", "sam"]), ["sgd", "sam"]);
        assert_eq!(order(&["asam", "sam"]), ["asam", "sam", "sgd"]);
        for name in ["sgd", "sam", "asam", "other"] {
            let run = group.join(name);
            std::fs::create_dir(&run).unwrap();
            std::fs::write(run.join(summary::FILE), "{}").unwrap();
        }
        let found: Vec<String> = begun(folder.path())
            .unwrap()
            .iter()
            .map(|p| name(p))
            .collect();
        assert_eq!(found, ["asam", "sam", "sgd", "other"]);
        std::fs::write(group.join(ORDER), "theirs").unwrap();
        write_order(&group, &["sgd".to_owned()]).unwrap();
        assert_eq!(std::fs::read(group.join(ORDER)).unwrap(), b"theirs");
    }
}
