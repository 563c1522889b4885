//! One training from its first step, or its last checkpoint, to its summary.
//!
//! The loop goes through moments 0, 1, .., N. At moment s the weights have had s updates; in this
//! order it may be stopped, a checkpoint is written, the probes observe, and the next update is
//! made, whose batch loss is that of moment s. A checkpoint is thus always written before the
//! observations of its moment, and a resumed run repeats them.

mod conclusion;

use std::time::Instant;

use anyhow::{Context, ensure};
use burn::optim::ModuleOptimizer;

use super::checkpoint::{self, State};
use super::checkpoints;
use super::data::Data;
use super::history;
use super::job::Job;
use super::learning_rate::learning_rate;
use super::observer::Observer;
use super::optimiser::optimiser;
use super::origin::{same_data, same_plan};
use super::recorder::Recorder;
use super::run_dir::{Beginning, RunDir};
use super::step::{Stepped, Stepper};
use crate::config::Plan;
use crate::config::keep::Keep;
use crate::failure::Diverged;
use crate::interrupt::Interrupt;
use crate::report::number::{Number, plain_number};
use crate::report::output::{printable, say};
use crate::report::progress::Progress;
use crate::results::settings;
use crate::results::summary::{DIVERGED, DataChecksums, FILE, Summary};
use crate::workload::{Part, Workload};

/// The end of a training.
pub(crate) enum Outcome {
    /// At its last step, or it was finished already.
    Finished(Box<Summary>),
    /// Somebody asked it to stop; it can be resumed.
    Interrupted {
        /// Steps done.
        step: usize,
    },
}

/// Trains.
///
/// # Errors
/// A loss that is not finite, a disk that is full, a damaged checkpoint, another plan than that of
/// the run to resume.
pub(crate) fn train<W: Workload>(
    job: &Job,
    data: &Data<W>,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let directory = &job.training.output;
    if interrupt.requested() {
        return Ok(Outcome::Interrupted { step: 0 });
    }
    if job.beginning == Beginning::Done {
        return show(job, data.checksums());
    }
    // Decided once more, now that nobody else can change it.
    let directory = RunDir::take(directory, job.existing)?;
    if directory.beginning() == Beginning::Done {
        return show(job, data.checksums());
    }
    let initial = data.model(job.training.plan.seed, &job.device);
    Trainer::begin(job, data, directory, interrupt, initial)?.run(interrupt)
}

/// Shows a run that is finished already.
fn show(job: &Job, data: DataChecksums) -> anyhow::Result<Outcome> {
    let directory = &job.training.output;
    let summary = Summary::read(directory).with_context(|| {
        format!(
            "{} is damaged; remove it, and --resume writes it again from the last checkpoint",
            directory.join(FILE).display()
        )
    })?;
    same_plan(&summary.config, &job.training.plan, job)?;
    same_data(summary.data.crc32c, data, job)?;
    let end = if summary.status == DIVERGED {
        ", and it diverged at its last step"
    } else {
        ""
    };
    say(&format!(
        "{}: finished already, in {}{end}",
        job.training.name,
        printable(&directory.display().to_string())
    ));
    Ok(Outcome::Finished(Box::new(summary)))
}

/// A training under way.
struct Trainer<'a, W: Workload> {
    job: &'a Job,
    plan: &'a Plan,
    data: &'a Data<W>,
    model: W::Model,
    optimiser: ModuleOptimizer,
    stepper: Stepper,
    recorder: Recorder,
    observer: Observer<'a, W>,
    progress: Progress,
    /// Updates in an epoch; the last batch may be smaller.
    per_epoch: usize,
    steps: usize,
    step: usize,
    /// The step of the latest checkpoint.
    saved: Option<usize>,
    /// Order of the current epoch.
    order: Vec<usize>,
    /// Seconds of earlier sittings.
    seconds_before: f64,
    began: Instant,
}

impl<'a, W: Workload> Trainer<'a, W> {
    fn begin(
        job: &'a Job,
        data: &'a Data<W>,
        directory: RunDir,
        interrupt: &Interrupt,
        initial: W::Model,
    ) -> anyhow::Result<Self> {
        // The probes' own clock begins later, so that their time is a part of this one.
        let began = Instant::now();
        let plan = &job.training.plan;
        let per_epoch = data.training().div_ceil(plan.batch_size.get());
        let steps = per_epoch * plan.epochs.get();
        let resumed = directory.beginning() == Beginning::Resumed;
        let mut notes = Vec::new();
        let (mut model, mut optimiser, mut state) = (initial, optimiser(plan), None);
        let mut stepper = Stepper::new(plan)?;
        if resumed {
            let (found, damaged) = checkpoints::recover(directory.path())?;
            notes = damaged;
            if let Some(found) = found {
                same_plan(&found.state.plan, plan, job)?;
                same_data(found.state.data, data.checksums(), job)?;
                let State {
                    step,
                    epoch,
                    position,
                    ..
                } = found.state;
                ensure!(
                    step <= steps && (epoch, position) == (step / per_epoch, step % per_epoch),
                    "the checkpoint of step {step} says epoch {epoch} and batch {position}, where a run of {steps} steps cannot be; \
                     --overwrite begins again"
                );
                state = Some(found.state.clone());
                (model, optimiser) = found.restore(model, optimiser, &mut stepper)?;
            }
        }
        let step = state.as_ref().map_or(0, |state| state.step);
        let agenda = plan.probes.agenda(steps as u64)?;
        let progress = Progress::of_training(&job.training.name, step, steps, agenda);
        for note in notes {
            progress.warn(&format!("{note}; going on from step {step}"));
        }
        if resumed {
            let known = state.as_ref().map(|state| state.events.clone());
            for note in history::damage(directory.path(), &known.unwrap_or_default())? {
                progress.warn(&note);
            }
            progress.note(&format!("resuming at step {step} of {steps}"));
        }
        let seconds_before = state.as_ref().map_or(0.0, |state| state.seconds);
        let recorder = Recorder::open(directory, state.as_ref(), plan)?;
        let mut observer = Observer::new(
            job,
            data,
            &model,
            &recorder,
            state.as_ref(),
            interrupt,
            &progress,
        )?;
        // A file that starts again at step 0 takes the text of an earlier one out of TensorBoard.
        if step == 0 {
            observer.text("run/settings", 0, settings::markdown(plan)?);
        }
        Ok(Self {
            job,
            plan,
            data,
            model,
            optimiser,
            stepper,
            recorder,
            observer,
            progress,
            per_epoch,
            steps,
            step,
            saved: state.map(|state| state.step),
            order: Vec::new(),
            seconds_before,
            began,
        })
    }

    fn run(mut self, interrupt: &Interrupt) -> anyhow::Result<Outcome> {
        loop {
            let stop = interrupt.requested();
            if stop || self.checkpoint_due() {
                self = self.save()?;
            }
            if stop {
                self.observer.finish(&self.recorder)?;
                return Ok(Outcome::Interrupted { step: self.step });
            }
            // The probes are told the rate of the update before; at the beginning there is none but
            // the first.
            let rate = self.rate(self.step.saturating_sub(1));
            let observed = self.observer.observe(
                self.step,
                rate,
                (&self.model, &self.optimiser),
                &self.progress,
            )?;
            if !observed {
                // It stops before the observations of this step, which a resumed run makes.
                continue;
            }
            if self.step == self.steps {
                break;
            }
            self = self.update()?;
        }
        self.conclude()
    }

    /// Ends a run whose output cannot be written any more.
    fn give_up(self, reason: anyhow::Error) -> anyhow::Error {
        let message = if self.recorder.owns_directory() {
            let way_on = checkpoints::way_on(&self.job.training.output);
            format!("the run stops at step {}; {way_on}", self.step)
        } else {
            // What is there now is not this run's, and says nothing of how it can go on.
            format!("the run stops at step {}", self.step)
        };
        // The failure that matters is the one that is known.
        let _ = self.observer.finish(&self.recorder);
        reason.context(message)
    }

    /// Returns whether a checkpoint is due: at the beginning, at the end, and in between every so
    /// many steps or at the end of each epoch.
    fn checkpoint_due(&self) -> bool {
        let period = self
            .plan
            .checkpoint_every
            .map_or(self.per_epoch, |n| n.get());
        self.step == self.steps || self.step.is_multiple_of(period)
    }

    /// Brings all that was recorded to the disk, and then writes the checkpoint that says so. A
    /// checkpoint that is there, because the run was resumed from it, is not touched.
    fn save(mut self) -> anyhow::Result<Self> {
        let events = match self.recorder.secure() {
            Ok(events) => events,
            Err(reason) => return Err(self.give_up(reason)),
        };
        if self.saved == Some(self.step) {
            return Ok(self);
        }
        let recorder = &self.recorder;
        let state = State {
            plan: self.plan.clone(),
            step: self.step,
            epoch: self.step / self.per_epoch,
            position: self.step % self.per_epoch,
            last_scalars: recorder.last_scalars(),
            data: self.data.checksums(),
            pictures: recorder.pictures(),
            numbers: recorder.numbers(),
            events,
            seconds: self.seconds(),
            probe_seconds: self.observer.probe_seconds(),
            facts: self.observer.facts(),
            validation_loss: self.validation_loss()?,
        };
        checkpoints::add(
            &self.job.training.output,
            self.step,
            self.plan.keep,
            |folder| checkpoint::write(folder, &self.model, &self.optimiser, &self.stepper, &state),
        )?;
        self.saved = Some(self.step);
        Ok(self)
    }

    /// Returns the loss by which the best checkpoint is chosen, where one is. The probes observe
    /// after the checkpoint, if at all.
    fn validation_loss(&self) -> anyhow::Result<Option<Number>> {
        if self.plan.keep != Keep::Best {
            return Ok(None);
        }
        let device = self.job.device.clone().inner();
        let risk = self.data.risk(self.data.batches(Part::Validation, &device));
        Ok(Some(Number(risk.value(&self.model)?)))
    }

    fn rate(&self, step: usize) -> f64 {
        learning_rate(self.plan, step, self.steps, self.per_epoch)
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.began.elapsed().as_secs_f64()
    }

    fn update(mut self) -> anyhow::Result<Self> {
        let (epoch, position) = (self.step / self.per_epoch, self.step % self.per_epoch);
        let seed = u64::from(self.plan.seed);
        if position == 0 || self.order.is_empty() {
            self.order = datasets::epoch_order(seed, epoch as u64, self.data.training());
        }
        let size = self.plan.batch_size.get();
        let end = self.order.len().min((position + 1) * size);
        let batch = self
            .data
            .batch(&self.order[position * size..end], &self.job.device);
        let rate = self.rate(self.step);
        // The device's stream cannot be read back into a checkpoint; seeded from the step it need
        // not be.
        self.job.device.seed(stream(seed, self.step as u64));
        match self.stepper.step(
            &mut self.optimiser,
            rate,
            self.model,
            self.data.workload().as_ref(),
            &batch,
        ) {
            Stepped::Done(model, loss, scalars) => {
                self.model = model;
                if self.step.is_multiple_of(self.plan.log_every.get()) {
                    let step = self.step;
                    let own = [("loss/train", loss), ("training/learning_rate", rate)];
                    self.observer.log(step, own.into_iter().chain(scalars));
                }
                self.step += 1;
                self.progress.step(self.step, self.steps, epoch + 1, loss);
                Ok(self)
            }
            Stepped::Refused(reason) => {
                // The loss that stopped it belongs to the facts; so far nothing was logged of this
                // step.
                let loss = [("loss/train", f64::NAN)];
                self.observer.log(self.step, loss.into_iter());
                conclusion::diagnose(&self.observer, &self.recorder, &self.progress)?;
                self.observer.finish(&self.recorder)?;
                let rate = self.plan.learning_rate.get();
                Err(Diverged(format!(
                    "{}: the run stops at step {} (epoch {}): {reason}. What was logged until then is in {}. Try a lower learning \
                     rate (it is {}: --learning-rate {} --overwrite), {}another seed",
                    self.job.training.name,
                    self.step,
                    epoch + 1,
                    self.job.training.output.display(),
                    plain_number(rate),
                    plain_number(rate / 10.0),
                    self.plan.ways_to_calm()
                ))
                .into())
            }
        }
    }
}

/// Returns a seed for the device at one step: `SplitMix64`'s mixing of both numbers, so that
/// neighbours share nothing.
fn stream(seed: u64, step: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(step.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
