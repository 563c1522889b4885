//! The tags of BatchNorm's statistics.

/// The loss with BatchNorm's batch statistics minus that with its running ones.
pub const BATCH_NORM_GAP: &str = "batch_norm/loss_gap";
/// The loss with the statistics of the batch.
pub const BATCH_NORM_BATCH_LOSS: &str = "batch_norm/batch_loss";
/// The loss with the running statistics.
pub const BATCH_NORM_RUNNING_LOSS: &str = "batch_norm/running_loss";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        BATCH_NORM_GAP => {
            "Mean loss with BatchNorm's statistics of the batch minus that with its running statistics: far below zero, the running ones do not describe the data."
        }
        BATCH_NORM_BATCH_LOSS => {
            "Mean loss over the measured examples with the statistics of each batch."
        }
        BATCH_NORM_RUNNING_LOSS => {
            "Mean loss over the measured examples with the running statistics."
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}
