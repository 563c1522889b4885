//! The sinks of a run, over its own directory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use probes::Probes;
use probes::sink::{Folder, Latest, Shared, Sink as _, TensorBoard};

use tensorboard::Status;

use super::checkpoint::State;
use super::instruments::AT_END;
use super::run_dir::{RunDir, name_of};
use crate::config::Plan;
use crate::report::number::Number;
use crate::results::settings::hparams;
use crate::results::summary::LastScalar;

/// The run's event file, its pictures and numbers, and the last point of every scalar. Clones share
/// them.
#[derive(Clone)]
pub(crate) struct Recorder {
    events: Shared<TensorBoard>,
    folder: Folder,
    latest: Latest,
    directory: Arc<Mutex<RunDir>>,
    /// The event files of earlier sittings, and how many bytes of each a checkpoint knows of.
    earlier: BTreeMap<String, u64>,
}

impl Recorder {
    /// Begins a new event file in the run's directory, which starts at the step of the checkpoint.
    ///
    /// # Errors
    /// When another process writes there, or the file cannot be made.
    pub(crate) fn open(
        mut directory: RunDir,
        state: Option<&State>,
        plan: &Plan,
    ) -> anyhow::Result<Self> {
        let step = state.map_or(0, |state| state.step);
        let writer = directory.begin_events(i64::try_from(step)?);
        let mut writer = writer.context("the event file cannot be begun")?;
        writer.hparams(&hparams(plan))?;
        for (tag, sentence) in AT_END {
            writer.describe(tag, sentence)?;
        }
        let directory = Arc::new(Mutex::new(directory));
        let files = Arc::clone(&directory);
        let folder = Folder::to(move |name, bytes| {
            let written = locked(&files).write(name, bytes);
            written.map_err(|error| format!("{error:#}"))
        });
        let before = state.into_iter();
        let points = before.clone().flat_map(|state| &state.last_scalars);
        Ok(Self {
            events: Shared::new(TensorBoard::from_writer(writer)),
            folder: folder.resume(
                before.clone().flat_map(|state| state.pictures.clone()),
                before.clone().flat_map(|state| state.numbers.clone()),
            ),
            latest: Latest::resume(
                points.map(|(tag, point)| (tag.clone(), (point.step, point.value.0))),
            ),
            directory,
            earlier: before.flat_map(|state| state.events.clone()).collect(),
        })
    }

    /// Adds the sinks to probes.
    pub(crate) fn take_from<M>(&self, probes: Probes<M>) -> Probes<M> {
        probes
            .with_sink(self.events.clone())
            .with_sink(self.folder.clone())
            .with_sink(self.latest.clone())
    }

    /// Waits until all that was recorded is on the disk, and tells how many bytes each event file
    /// has.
    ///
    /// A checkpoint, or a summary, says that all before it is written. Without it, a resumed run
    /// writes again what was lost.
    ///
    /// # Errors
    /// When something could not be written, or the event file or the directory was removed, moved
    /// or replaced.
    pub(crate) fn secure(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        locked(&self.directory).check_in_place()?;
        if let Some(failure) = self.folder.failure() {
            return Err(failure.into());
        }
        let mut known = self.earlier.clone();
        let secured = self.events.with(|events| {
            if let Some(failure) = events.failure() {
                return Err(failure.into());
            }
            let writer = events.writer();
            writer
                .check_in_place()
                .context("what was logged since this run was begun or resumed is lost")?;
            Ok::<_, anyhow::Error>((name_of(writer.path()), writer.sync()?))
        });
        known.extend(secured.transpose()?);
        Ok(known)
    }

    /// Returns whether the directory is still the run's.
    pub(crate) fn owns_directory(&self) -> bool {
        locked(&self.directory).check_in_place().is_ok()
    }

    /// Writes a file of the run, over the one before it.
    ///
    /// # Errors
    /// As [`RunDir::write`].
    pub(crate) fn write_file(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        locked(&self.directory).write(name, bytes)
    }

    /// Returns the last point of every scalar so far.
    pub(crate) fn last_scalars(&self) -> BTreeMap<String, LastScalar> {
        let point = |(tag, (step, value))| {
            let value = Number(value);
            (tag, LastScalar { step, value })
        };
        self.latest.all().into_iter().map(point).collect()
    }

    /// Returns the names of the PNG files so far.
    pub(crate) fn pictures(&self) -> BTreeSet<String> {
        self.folder.pictures()
    }

    /// Returns the names of the files of numbers so far.
    pub(crate) fn numbers(&self) -> BTreeSet<String> {
        self.folder.numbers()
    }

    /// Says how the run has ended, for good.
    ///
    /// # Errors
    /// When it was said before.
    pub(crate) fn end(&self, status: Status) -> anyhow::Result<()> {
        let said = self
            .events
            .with(|events| events.writer().end_session(status, None));
        said.transpose()?;
        Ok(())
    }

    /// Ends the event file.
    ///
    /// # Errors
    /// When something was lost on the way.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        if let Some(events) = self.events.take() {
            Box::new(events).finish()?;
        }
        self.folder
            .failure()
            .map_or(Ok(()), |failure| Err(failure.into()))
    }
}

fn locked(directory: &Mutex<RunDir>) -> MutexGuard<'_, RunDir> {
    // A thread that panicked while holding the directory has not left it half changed: each change
    // is one insertion.
    directory.lock().unwrap_or_else(PoisonError::into_inner)
}
