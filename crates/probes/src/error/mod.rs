//! The errors of this crate.

mod caught;

pub(crate) use caught::caught;

/// An error of measuring, drawing or writing.
///
/// Nothing here stops a training run by itself: [`Probes::observe`](crate::Probes::observe) returns
/// an error only for a mistake in the set-up, and reports a probe that failed in its
/// [`Observation`](crate::Observation).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text is not a schedule.
    #[error(
        "{text:?} is not a schedule: write `every 20`, `at 0, 100, 500`, `log 8`, `start`, `end` or `never`, with numbers from 1 up after `every` and `log`"
    )]
    ScheduleText {
        /// The text.
        text: String,
    },
    /// A schedule needs the total number of steps.
    #[error(
        "the schedule `{schedule}` needs the total number of steps: call `Probes::with_total_steps`, or choose a schedule such as `every 20`"
    )]
    TotalStepsMissing {
        /// The schedule.
        schedule: String,
    },
    /// A step does not fit into a sink's integers.
    #[error("step {step} is too large for an event file: steps must be below 2^63")]
    StepTooLarge {
        /// The step.
        step: u64,
    },
    /// Measuring failed.
    #[error(transparent)]
    Landscape(#[from] landscape::Error),
    /// A probe panicked.
    #[error(
        "the probe panicked: {message}; a loss closure or a layer that Burn refuses is the usual cause"
    )]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// Something else than a probe or a sink panicked in the background.
    #[error(
        "measuring in the background panicked: {message}; the handler, the clock or the interrupt that the probes were given is the usual cause"
    )]
    BackgroundPanicked {
        /// The message of the panic.
        message: String,
    },
    /// An instrument needs something that the training loop did not tell.
    #[error("{instrument} needs {what}")]
    Missing {
        /// The instrument.
        instrument: String,
        /// The thing that is missing, and how to give it.
        what: &'static str,
    },
    /// A setting of an instrument is out of range.
    #[error("{name} is {value}: {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// An event file could not be written.
    #[error(transparent)]
    TensorBoard(#[from] tensorboard::Error),
    /// The file to create already exists.
    #[error("`{}` already exists: use `JsonLines::append` or `JsonLines::resume` to continue it, or choose another name", path.display())]
    Exists {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A file could not be opened or written.
    #[error("cannot {action} `{}`: check that its folder exists, its permissions and the free space", path.display())]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A slice, or a value for it, is not as it must be.
    #[error("{name} is {value}: it must be {allowed}")]
    Slice {
        /// The thing that is wrong.
        name: &'static str,
        /// Its value.
        value: String,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// A stored slice has another identity than the one that is to be measured.
    #[error(
        "`{}` holds another slice, which differs in {differences}: go on with what it was begun with, name another file, or remove this one to measure anew", path.display()
    )]
    AnotherSlice {
        /// The file.
        path: std::path::PathBuf,
        /// What differs, with both values.
        differences: String,
    },
    /// A stored slice is not as it was written.
    #[error("`{}` is damaged, {what}; nothing was changed: {remedy}", path.display())]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// Another process has a stored slice.
    #[error(
        "`{}` is being written by another process: wait until it ends, or name another file", path.display()
    )]
    Busy {
        /// The file.
        path: std::path::PathBuf,
    },
    /// A stored slice could not be gone on with.
    #[error(
        "cannot write to `{}`: {source}; the {recorded} of {points} points recorded in it stay: make room if the disk is full, and start the same measurement again to go on", path.display()
    )]
    Unwritten {
        /// The file.
        path: std::path::PathBuf,
        /// Points that are recorded.
        recorded: usize,
        /// Points of the slice.
        points: usize,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A picture or its numbers could not be written.
    #[error("cannot write `{name}`: {reason}")]
    Put {
        /// The file.
        name: String,
        /// Why.
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A sink could not take some records.
    #[error("{rejected} record(s) did not reach {sink}; the first because: {first}")]
    Rejected {
        /// The sink.
        sink: &'static str,
        /// The number of missing records.
        rejected: u64,
        /// The reason why the first one is missing.
        first: Box<Self>,
    },
    /// A sink panicked.
    #[error("the sink {sink} panicked: {message}")]
    SinkPanicked {
        /// The sink.
        sink: &'static str,
        /// The message of the panic.
        message: String,
    },
    /// Two things went wrong in one place.
    #[error("{0}; and {1}")]
    Both(Box<Self>, Box<Self>),
    /// Two tags would give their pictures the same file.
    #[error(
        "the pictures of tag `{tag}` would be named `{name}` as those of tag `{other}` are: rename one of the two"
    )]
    PictureName {
        /// The tag that was refused.
        tag: String,
        /// The tag that has the name.
        other: String,
        /// The name, to which the step is added.
        name: String,
    },
    /// A folder has nothing that a report could show.
    #[error(
        "`{}` holds no run: give a folder with an event file, with lines of JSON (`*.jsonl`), or with the files of the program", folder.display()
    )]
    NoRun {
        /// The folder.
        folder: std::path::PathBuf,
    },
    /// A picture could not be drawn.
    #[error(transparent)]
    Picture(#[from] pictures::Error),
}

impl Error {
    /// Returns the report of a sink that lost `rejected` records, the first one because of `first`;
    /// just `first` where none is known to be lost.
    pub(crate) fn rejected(sink: &'static str, rejected: u64, first: Self) -> Self {
        if rejected == 0 {
            return first;
        }
        Self::Rejected {
            sink,
            rejected,
            first: Box::new(first),
        }
    }
}
