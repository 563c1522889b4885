//! The trajectory of a run, as it is asked for and as it was found.

use std::path::PathBuf;

use landscape::trajectory::Centre;

use crate::command::points::Run;
use crate::command::slices::{Sampled, Shown};
use crate::config::choice::DeviceKind;
use crate::config::slice_choice::Split;
use crate::engine::measure_dir::Kind;
use crate::engine::slices::Trajectory;
use crate::engine::source::Source;
use crate::engine::spread::SpreadOver;
use crate::interrupt::Interrupt;

/// The trajectory of a run.
pub(crate) struct Course<'a> {
    /// The document.
    pub(crate) kind: Kind,
    /// The folder of the results.
    pub(crate) output: PathBuf,
    /// The run.
    pub(crate) run: &'a Run,
    /// Examples of the sample, if it is not the run's.
    pub(crate) examples: Option<usize>,
    /// The device, if it is not the run's.
    pub(crate) device: Option<DeviceKind>,
    /// The devices over which the loss is spread.
    pub(crate) spread: Option<&'a SpreadOver>,
    /// The centre of the deviations.
    pub(crate) centre: Centre,
    /// The parts of the data.
    pub(crate) splits: Vec<Split>,
    /// The points along both sides.
    pub(crate) grid: [usize; 2],
    /// The margin around the trajectory, over its extent.
    pub(crate) margin: f64,
    /// The form of pictures and numbers.
    pub(crate) shown: &'a Shown,
    /// Permission to replace what was found earlier.
    pub(crate) overwrite: bool,
    /// The choice of one JSON document on standard output, instead of tables.
    pub(crate) json: bool,
    /// The flag with which somebody asks to stop.
    pub(crate) interrupt: &'a Interrupt,
    /// The source of the model and its data.
    pub(crate) source: &'a dyn Source,
}

/// A trajectory with the loss on its plane.
pub(crate) struct Traced<'a> {
    /// The trajectory.
    pub(crate) trajectory: Trajectory<'a>,
    /// The plane; none where it failed or was stopped.
    pub(crate) sampled: Option<Sampled<2>>,
}

impl Course<'_> {
    /// Returns the name of the run.
    pub(crate) fn name(&self) -> String {
        self.run.directory.display().to_string()
    }
}
