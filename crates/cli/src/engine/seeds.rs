//! The folders of trainings that differ in nothing but the seed.

use std::path::Path;

use super::manifest;

/// What the folder of a seed begins with.
const PREFIX: &str = "seed-";

/// Returns the name of the folder of a seed, `seed-42`.
pub(crate) fn folder(seed: u32) -> String {
    format!("{PREFIX}{seed}")
}

/// Whether runs of seeds lie in a directory.
pub(crate) fn lie_in(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let seed = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        seed.is_some_and(|seed| seed.parse::<u32>().is_ok())
            && entry.path().join(manifest::FILE).exists()
    })
}
