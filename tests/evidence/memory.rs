//! The resident memory of this process, as the kernel tells it.

use std::fs;

use anyhow::{Context, Result};

/// Bytes of a MiB.
pub(crate) const MIB: f64 = 1024.0 * 1024.0;

/// Begins the peak again. Where the kernel keeps the old one, that is a bound of what follows.
pub(crate) fn begin_peak() {
    drop(fs::write("/proc/self/clear_refs", "5"));
}

/// Returns the peak since [`begin_peak`], in bytes.
pub(crate) fn peak() -> Result<f64> {
    status("VmHWM:")
}

/// Returns the resident memory, in bytes.
pub(crate) fn resident() -> Result<f64> {
    status("VmRSS:")
}

fn status(field: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .context("a kernel that tells the memory of a process")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(1024.0 * kib)
}
