//! The tags of the run itself: its diagnosis, and what measuring took.

/// Seconds spent in probes so far.
pub const PROBE_SECONDS: &str = "cost/probe_seconds";
/// The share of probes in the time so far.
pub const PROBE_FRACTION: &str = "cost/probe_fraction";
/// The account of each probe, at the end.
pub const ACCOUNT: &str = "cost/probes";
/// Probes that failed, were skipped or shortened, and warnings.
pub const NOTES: &str = "diagnosis/probes";
/// The diagnosis of the run.
pub const DIAGNOSIS: &str = "diagnosis/report";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        PROBE_SECONDS => "Seconds spent measuring so far.",
        PROBE_FRACTION => "Share of measuring in the time of the run so far, 0 to 1.",
        ACCOUNT => "What each probe measured, how often, and what it took.",
        DIAGNOSIS => {
            "What goes wrong in this training, how sure that is, what it means on the loss landscape, and what to try."
        }
        NOTES => "Probes that failed, were shortened or left out, and warnings.",
        _ => return None,
    };
    Some(fixed.to_owned())
}
