//! The folders of trainings that differ in nothing but the seed.

/// Returns the name of the folder of a seed, `seed-42`.
pub(crate) fn folder(seed: u32) -> String {
    format!("seed-{seed}")
}
