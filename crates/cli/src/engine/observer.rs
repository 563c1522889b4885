//! What is measured while a training runs, and when.

use std::collections::BTreeMap;

use burn::tensor::Device;
use probes::Probes;

use super::checkpoint::State;
use super::figures::{figures, hessian_note};
use super::instruments::instruments;
use super::network::Network;
use super::recorder::Recorder;
use super::run_dir::RunDir;
use super::session::Job;
use crate::interrupt::Interrupt;
use crate::report::progress::Progress;
use crate::report::summary::{Figures, HessianNote, LastScalar};

/// The probes of one training and the files they write to.
pub(crate) struct Observer<'a, M> {
    job: &'a Job,
    device: Device,
    recorder: Recorder,
    probes: Probes<M>,
    /// Seconds of earlier sittings.
    seconds_before: f64,
}

impl<'a, M: Network> Observer<'a, M> {
    /// The probes of the job's plan; a resumed run goes on from `state`.
    ///
    /// # Errors
    ///
    /// When the event file cannot be begun.
    pub(crate) fn new(
        job: &'a Job,
        steps: usize,
        directory: RunDir,
        state: Option<&State>,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let device = job.device.clone().inner();
        let (interrupt, progress) = (interrupt.clone(), progress.clone());
        // A handler of the probes tells more: which one measures (`Progress::probe`) and how far it is (`Progress::work`).
        let probes = instruments(job, steps as u64, &device)?.with_interrupt(move || {
            progress.beat();
            interrupt.requested()
        });
        let recorder = Recorder::open(directory, state)?;
        Ok(Self {
            job,
            device,
            probes: probes.into_sink(recorder.clone()),
            recorder,
            seconds_before: state.map_or(0.0, |state| state.probe_seconds),
        })
    }

    /// A point of a scalar that the training itself knows.
    ///
    /// # Errors
    ///
    /// As the event file says.
    pub(crate) fn scalar(&self, tag: &str, step: usize, value: f64) -> anyhow::Result<()> {
        self.recorder.scalar(tag, step as u64, value)
    }

    /// A text in markdown.
    ///
    /// # Errors
    ///
    /// As the event file says.
    pub(crate) fn text(&self, tag: &str, step: usize, markdown: &str) -> anyhow::Result<()> {
        self.recorder.text(tag, step as u64, markdown)
    }

    /// Tells the probes the learning rate of the next update.
    pub(crate) fn set_learning_rate(&mut self, learning_rate: f64) {
        self.probes.set_learning_rate(learning_rate);
    }

    /// Lets the probes observe that are due at `step`. A probe that fails is reported, and training goes on. False if somebody
    /// asked the run to stop meanwhile: then nothing was recorded, and a resumed run observes the step again.
    ///
    /// # Errors
    ///
    /// A mistake in how the probes are set up.
    pub(crate) fn observe(
        &mut self,
        step: usize,
        model: &M,
        progress: &Progress,
    ) -> anyhow::Result<bool> {
        if self.probes.is_due(step as u64)? {
            let _until_they_end = progress.probing(step as u64);
            let observation = self.probes.observe(step as u64, model)?;
            if observation.interrupted {
                return Ok(false);
            }
            for (probe, error) in &observation.failed {
                progress.warn(&format!("{probe} failed at step {step}: {error}"));
            }
            for warning in &observation.warnings {
                progress.warn(warning);
            }
        }
        Ok(true)
    }

    /// The figures of the table, after the last step was observed.
    pub(crate) fn figures(&self, steps: usize, model: &M) -> (Figures, HessianNote) {
        let last = self.last_scalars();
        let figures = figures(&last, steps, &self.job.training.plan);
        if !self.job.training.plan.probes.enabled {
            return (
                figures,
                HessianNote::none(self.job.data.curvature_examples()),
            );
        }
        let note = hessian_note(model, &self.job.data, &self.device, &last, steps);
        (figures, note)
    }

    /// Where everything goes.
    pub(crate) const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The last point of every scalar so far.
    pub(crate) fn last_scalars(&self) -> BTreeMap<String, LastScalar> {
        self.recorder.last_scalars()
    }

    /// Seconds spent in probes, over all sittings.
    pub(crate) fn probe_seconds(&self) -> f64 {
        self.seconds_before + self.probes.spent().probes.as_secs_f64()
    }

    /// Ends the event file.
    ///
    /// # Errors
    ///
    /// When something was lost on the way.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.probes.finish().delivered()?;
        self.recorder.finish()
    }
}
