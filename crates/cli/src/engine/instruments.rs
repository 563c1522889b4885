//! The instruments of a training, each with its moments.

use burn::tensor::Device;
use probes::{Budget, Probes};

use super::network::Network;
use super::session::Job;

/// The probes of the job's plan over a run of `steps` steps.
///
/// # Errors
///
/// When the data cannot be put on the device.
pub(crate) fn instruments<M: Network>(
    job: &Job,
    _model: &M,
    steps: u64,
    _device: &Device,
) -> anyhow::Result<Probes<M>> {
    let plan = &job.training.plan.probes;
    let probes = Probes::new(Budget::fraction(plan.budget.get())).with_total_steps(steps);
    Ok(probes)
}
