//! Settings of the library's estimators, from those of a command.

use landscape::{LanczosConfig, TraceConfig};

/// Returns the settings of eigenvalues.
pub(super) fn lanczos(seed: u64, tolerance: f64, max_steps: usize) -> LanczosConfig {
    LanczosConfig::new()
        .with_seed(seed)
        .with_tolerance(tolerance)
        .with_max_steps(max_steps)
}

/// Returns the settings of a trace: fewer probes than the library's fewest, where no more are
/// allowed.
pub(super) fn trace(seed: u64, relative_error: f64, max_probes: usize) -> TraceConfig {
    let config = TraceConfig::new().with_seed(seed);
    let fewest = config.min_probes.min(max_probes);
    config
        .with_relative_error(relative_error)
        .with_min_probes(fewest)
        .with_max_probes(max_probes)
}
