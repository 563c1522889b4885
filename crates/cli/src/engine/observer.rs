//! The measurements while a training runs.

use burn::optim::ModuleOptimizer;
use landscape::normalises_by_batch;
use probes::diagnosis::Facts;
use probes::sink::Shared;
use probes::{At, Message, Observation, Probes, Record, Value};

use super::accuracy::{classes, has_accuracy};
use super::checkpoint::State;
use super::data::Data;
use super::figures::{figures, has_diverged, hessian_note};
use super::instruments::instruments;
use super::job::Job;
use super::optimiser::stability;
use super::recorder::Recorder;
use crate::interrupt::Interrupt;
use crate::report::program;
use crate::report::progress::Progress;
use crate::results::summary::{Figures, HessianNote};
use crate::workload::Workload;

/// Tells the terminal what the probes say. What is planned without a budget stands in the settings.
fn tell(message: &Message<'_>, progress: &Progress, has_budget: bool) {
    match *message {
        Message::Plan(text) if has_budget => progress.note(&format!("probes: {text}")),
        Message::Measuring(At {
            probe, number, of, ..
        }) => progress.probe(probe, number, of),
        Message::Progress { done, .. } => progress.work(done, None, "products or points"),
        Message::Failed { at, reason } => {
            progress.warn(&format!(
                "{} failed at step {}: {reason}",
                at.probe, at.step
            ));
        }
        Message::Warning { text, .. } => progress.warn(text),
        _ => {}
    }
}

/// The probes of one training and the files they write to.
pub(crate) struct Observer<'a, W: Workload> {
    job: &'a Job,
    data: &'a Data<W>,
    has_accuracy: bool,
    probes: Probes<W::Model>,
    /// The facts on which the diagnosis rests.
    facts: Shared<Facts>,
    /// The observation of the latest step.
    latest: Observation,
    /// Seconds of earlier sittings.
    seconds_before: f64,
}

impl<'a, W: Workload> Observer<'a, W> {
    /// Sets the probes of the job's plan up, over the sinks of `recorder`; a resumed run goes on
    /// from `state`.
    ///
    /// # Errors
    /// A mistake in how the probes are set up.
    pub(crate) fn new(
        job: &'a Job,
        data: &'a Data<W>,
        model: &W::Model,
        recorder: &Recorder,
        state: Option<&State>,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let plan = &job.training.plan;
        let steps = data.training().div_ceil(plan.batch_size.get()) * plan.epochs.get();
        let device = job.device.clone().inner();
        let (interrupt, waiting, progress) =
            (interrupt.clone(), progress.clone(), progress.clone());
        let has_accuracy = has_accuracy(data, model, &device);
        let has_budget = job.training.plan.probes.budget.is_some();
        let facts = state.map(|state| state.facts.clone()).unwrap_or_default();
        let mut facts = facts
            .with_total_steps(steps as u64)
            .with_batch_size(plan.batch_size.get())
            .with_examples(data.curvature_examples())
            .with_validation_examples(data.sizes().validation)
            .with_sharpness_rho(plan.probes.sharpness_rho.get())
            .with_batch_norm(normalises_by_batch(model));
        if let Some(classes) = classes(data, model, &device) {
            facts = facts.with_classes(classes);
        }
        if let Some(settings) = stability(plan)? {
            facts = facts.with_optimiser(settings.optimiser);
        }
        let facts = Shared::new(facts);
        // A resumed run began with the weights that its seed gives.
        let start = match state {
            None => model.clone(),
            Some(_) => data.model(plan.seed, &job.device),
        };
        let probes = instruments(data, plan, &start, has_accuracy, steps as u64, &device)?
            .with_interrupt(move || {
                waiting.beat();
                interrupt.requested()
            })
            .with_handler(move |message| tell(message, &progress, has_budget))
            .with_diagnosis(facts.clone());
        Ok(Self {
            job,
            data,
            has_accuracy,
            probes: recorder.take_from(probes),
            facts,
            latest: Observation::default(),
            seconds_before: state.map_or(0.0, |state| state.probe_seconds),
        })
    }

    /// Records points of scalars that the training itself knows, by tag.
    pub(crate) fn log<'t>(&mut self, step: usize, scalars: impl Iterator<Item = (&'t str, f64)>) {
        for (tag, value) in scalars {
            self.probes.log(tag, step as u64, value);
        }
    }

    /// Records a text in markdown.
    pub(crate) fn text(&mut self, tag: &str, step: usize, markdown: String) {
        self.probes.record(Record {
            tag: tag.to_owned(),
            step: step as u64,
            value: Value::Text(markdown),
        });
    }

    /// Lets the probes observe that are due at `step`. A probe that fails is reported, and training
    /// goes on. False if somebody asked the run to stop meanwhile: then nothing was recorded, and a
    /// resumed run observes the step again.
    ///
    /// # Errors
    /// A mistake in how the probes are set up.
    pub(crate) fn observe(
        &mut self,
        step: usize,
        learning_rate: f64,
        (model, optimiser): (&W::Model, &ModuleOptimizer),
        progress: &Progress,
    ) -> anyhow::Result<bool> {
        self.probes.set_learning_rate(learning_rate);
        if self.probes.is_due(step as u64)? {
            let _until_they_end = progress.probing(step as u64);
            let observation = self.probes.observe_with(step as u64, model, optimiser)?;
            if observation.interrupted {
                return Ok(false);
            }
            self.latest = observation;
        }
        Ok(true)
    }

    /// Returns the figures of the table, after the last step was observed, how the Hessian products
    /// were made, and whether the run diverged.
    pub(crate) fn figures(&self) -> (Figures, HessianNote, bool) {
        (
            figures(&self.latest, &self.job.training.plan, self.has_accuracy),
            hessian_note(&self.latest, self.data.curvature_examples()),
            has_diverged(&self.latest),
        )
    }

    /// Returns the facts so far.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.with(|facts| facts.clone()).unwrap_or_default()
    }

    /// Returns the seconds spent in probes, over all sittings.
    pub(crate) fn probe_seconds(&self) -> f64 {
        self.seconds_before + self.probes.spent().probes.as_secs_f64()
    }

    /// Ends the probes and the event file. Returns a sentence about what was left out for the
    /// budget, if anything was.
    ///
    /// # Errors
    /// When something was lost on the way.
    pub(crate) fn finish(self, recorder: &Recorder) -> anyhow::Result<Option<String>> {
        let summary = self.probes.finish().delivered()?;
        recorder.finish()?;
        let left_out: Vec<String> = summary
            .tallies
            .iter()
            .filter(|tally| tally.skipped > 0)
            .map(|tally| {
                let due = tally.skipped + tally.measured + tally.failed;
                format!("{} {} of {due} times", tally.probe, tally.skipped)
            })
            .collect();
        Ok((!left_out.is_empty()).then(|| {
            format!(
                "left out for the budget: {}; `{} measure {}` measures them at the last step",
                left_out.join(", "),
                program::name(),
                self.job.training.output.display()
            )
        }))
    }
}
