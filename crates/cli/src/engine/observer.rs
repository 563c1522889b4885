//! What is measured while a training runs, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Instant;

use burn::tensor::Device;

use super::checkpoint::State;
use super::figures::figures;
use super::network::Network;
use super::recorder::Recorder;
use super::session::Job;
use crate::report::progress::Progress;
use crate::report::summary::{Figures, HessianNote, LastScalar};

/// The probes of one training and the files they write to.
pub(crate) struct Observer<'a, M> {
    job: &'a Job,
    device: Device,
    recorder: Recorder,
    probe_seconds: f64,
    network: PhantomData<M>,
}

impl<'a, M: Network> Observer<'a, M> {
    /// The probes of the job's plan; a resumed run goes on from `state`.
    ///
    /// # Errors
    ///
    /// When the event file cannot be begun.
    pub(crate) fn new(
        job: &'a Job,
        _model: &M,
        _steps: usize,
        state: Option<&State>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            job,
            device: job.device.clone().inner(),
            recorder: Recorder::open(job, state)?,
            probe_seconds: state.map_or(0.0, |state| state.probe_seconds),
            network: PhantomData,
        })
    }

    /// A point of a scalar that the training itself knows.
    ///
    /// # Errors
    ///
    /// As the event file says.
    pub(crate) fn scalar(&self, tag: &str, step: usize, value: f64) -> anyhow::Result<()> {
        self.recorder.scalar(tag, step, value)
    }

    /// Lets the probes observe that are due at `step`.
    ///
    /// # Errors
    ///
    /// A mistake in how the probes are set up.
    pub(crate) fn observe(
        &mut self,
        _step: usize,
        _model: &M,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        if let Some(failure) = self.recorder.new_failure() {
            progress.warn(&failure);
        }
        Ok(())
    }

    /// The figures of the table at the end.
    ///
    /// # Errors
    ///
    /// When something cannot be measured.
    pub(crate) fn figures(
        &mut self,
        _steps: usize,
        model: &M,
    ) -> anyhow::Result<(Figures, HessianNote)> {
        let began = Instant::now();
        let found = figures(model, &self.job.training.plan, &self.job.data, &self.device)?;
        self.probe_seconds += began.elapsed().as_secs_f64();
        Ok(found)
    }

    /// The last point of every scalar so far.
    pub(crate) fn last_scalars(&self) -> BTreeMap<String, LastScalar> {
        self.recorder.last_scalars()
    }

    /// The PNG files so far.
    pub(crate) fn pictures(&self) -> BTreeSet<String> {
        self.recorder.pictures()
    }

    /// Seconds spent in probes, over all sittings.
    pub(crate) fn probe_seconds(&self) -> f64 {
        self.probe_seconds
    }

    /// Ends the event file.
    ///
    /// # Errors
    ///
    /// When something was lost on the way.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.recorder.finish()
    }
}
