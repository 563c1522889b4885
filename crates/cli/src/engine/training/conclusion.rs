//! The end of a training: its figures and its summary.

use anyhow::Context;
use probes::diagnosis::Diagnosis;
use tensorboard::Status;

use super::{Outcome, Trainer};
use crate::config::keep::Keep;
use crate::engine::checkpoints;
use crate::engine::observer::Observer;
use crate::engine::recorder::Recorder;
use crate::engine::weights::{trained_parameters, weights_crc32c};
use crate::report::number::significant;
use crate::report::progress::Progress;
use crate::results::diagnosis;
use crate::results::figures::markdown;
use crate::results::summary::{DIVERGED, FILE, FINISHED, SCHEMA, Summary, Times, Versions};
use crate::workload::Workload;

/// The version that Cargo.toml pins.
const BURN: &str = "0.22.1";

impl<W: Workload> Trainer<'_, W> {
    /// Ends the training with the figures after its last step, and writes its summary.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(super) fn conclude(mut self) -> anyhow::Result<Outcome> {
        let diagnosis = diagnose(&self.observer, &self.recorder, &self.progress)?;
        let (figures, hessian, diverged) = self.observer.figures();
        let table = markdown(&figures, &hessian);
        self.observer.text("run/figures", self.steps, table);
        let recorder = &self.recorder;
        let last_scalars = recorder.last_scalars();
        let (last_scalars, cost) = last_scalars
            .into_iter()
            .partition(|(tag, _)| !tag.starts_with("cost/"));
        let probe_seconds = self.observer.probe_seconds();
        let seconds = self.seconds();
        recorder.end(if diverged {
            Status::Failure
        } else {
            Status::Success
        })?;
        if let Err(reason) = recorder.secure() {
            return Err(self.give_up(reason));
        }
        let seed = u64::from(self.plan.seed);
        let split = u64::from(self.plan.subject.split_seed());
        let seeds = [
            ("weights", seed),
            ("data_order", seed),
            ("probes", seed),
            ("split", split),
        ];
        let summary = Summary {
            schema: SCHEMA.to_owned(),
            name: self.job.training.name.clone(),
            status: if diverged { DIVERGED } else { FINISHED }.to_owned(),
            steps: self.steps,
            parameters: trained_parameters(&self.model),
            weights_crc32c: weights_crc32c(&self.model),
            config: self.plan.clone(),
            seeds: seeds.map(|(name, seed)| (name.to_owned(), seed)).into(),
            data: self.data.sizes(),
            hessian,
            figures,
            findings: diagnosis.findings,
            versions: Versions {
                landscape: env!("CARGO_PKG_VERSION").to_owned(),
                burn: BURN.to_owned(),
            },
            last_scalars,
            pictures: recorder.pictures().into_iter().collect(),
            numbers: recorder.numbers().into_iter().collect(),
            times: Times {
                seconds,
                probe_seconds,
                probe_fraction: probe_seconds / seconds,
                last_scalars: cost,
                crc32c: 0,
            },
            crc32c: 0,
        };
        // The event file, and with it the lock, is held until the summary is there.
        recorder
            .write_file(FILE, &summary.to_bytes()?)
            .context("the run is complete but for its summary; --resume writes it")?;
        if diverged {
            self.progress.warn(
                "the loss after the last update is no finite number: the run diverged, and what could not be measured is NaN; try a \
                 lower learning rate",
            );
        }
        if let (Keep::Best, Some((step, loss))) = (
            self.plan.keep,
            checkpoints::best(&self.job.training.output)?,
        ) {
            self.progress.note(&format!(
                "the best checkpoint is that of step {step}, with a validation loss of {}",
                significant(loss, 4)
            ));
        }
        if let Some(left_out) = self.observer.finish(&self.recorder)? {
            self.progress.note(&left_out);
        }
        Ok(Outcome::Finished(Box::new(summary)))
    }
}

/// Tells what is found in the run so far, and writes it into its directory.
///
/// # Errors
/// When it cannot be written.
pub(super) fn diagnose<W: Workload>(
    observer: &Observer<'_, W>,
    recorder: &Recorder,
    progress: &Progress,
) -> anyhow::Result<Diagnosis> {
    let facts = observer.facts();
    let found = facts.diagnose();
    recorder.write_file(diagnosis::FACTS, &diagnosis::to_bytes(&facts)?)?;
    recorder.write_file(diagnosis::FILE, &diagnosis::to_bytes(&found)?)?;
    progress.note(&found.to_string());
    Ok(found)
}
