//! The folders of trainings that belong together, and the names that have a meaning in them.

/// The folder of the pictures of a comparison, beside the runs.
pub(crate) const PICTURES: &str = "comparison";

/// The file with the order of the members of a run.
pub(crate) const ORDER: &str = "group.json";

/// The first letters of the folder of a seed.
const SEED: &str = "seed-";

/// Returns the name of the folder of a seed, `seed-42`.
pub(crate) fn of_seed(seed: u32) -> String {
    format!("{SEED}{seed}")
}

/// Returns whether a folder has the name of one of a seed.
pub(crate) fn is_of_seed(name: &str) -> bool {
    let seed = name.strip_prefix(SEED);
    seed.is_some_and(|seed| seed.parse::<u32>().is_ok())
}
