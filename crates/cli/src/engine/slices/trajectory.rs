//! The path of a training through parameter space, from its checkpoints, of which one is read at a
//! time.

use burn::tensor::Device;
use landscape::Error;
use landscape::trajectory::{
    Centre, PathMeasures, PrincipalConfig, Projection, TrueAndProjected, path_measures,
    principal_plane, true_and_projected,
};

use super::{Column, Sliced};
use crate::config::slice_choice::Split;
use crate::engine::analysis::Placed;
use crate::engine::stored::Stored;
use crate::engine::watch::Watch;
use crate::workload::Workload;

/// The settings of a trajectory.
pub(crate) struct Tracing<'a> {
    /// The steps of the checkpoints, ascending.
    pub(crate) steps: &'a [usize],
    /// Reads the checkpoint of a step.
    pub(crate) read: &'a dyn Fn(usize) -> anyhow::Result<Stored>,
    /// The centre of the deviations.
    pub(crate) centre: Centre,
    /// The parts of the data.
    pub(crate) splits: &'a [Split],
    /// Whether accuracies are measured where the workload has them.
    pub(crate) accuracy: bool,
    /// Seed of the run, for a network that is given the weights.
    pub(crate) seed: u32,
    /// The autodiff device.
    pub(crate) device: &'a Device,
}

/// A trajectory, and the plane in which most of it lies.
pub(crate) struct Trajectory<'a> {
    /// The shares of the deviations that the directions explain.
    pub(crate) explained: [f64; 2],
    /// The place of each checkpoint in the plane, and its distance from it.
    pub(crate) checkpoints: Vec<Projection<2>>,
    /// The quantities.
    pub(crate) columns: Vec<Column>,
    /// Their values at each checkpoint and at its projection.
    pub(crate) values: Vec<TrueAndProjected<Vec<f64>>>,
    /// Length, straightness and norms.
    pub(crate) measures: PathMeasures,
    /// The most vectors of all parameters that were held at a time, beside the models.
    pub(crate) vectors: usize,
    /// The plane.
    pub(crate) plane: Box<dyn Sliced<2> + 'a>,
}

impl<W: Workload> Placed<W> {
    /// Finds the plane of a trajectory that ends at this model.
    pub(super) fn trace<'a>(
        &'a self,
        tracing: &Tracing<'_>,
        watch: &Watch,
    ) -> anyhow::Result<Trajectory<'a>> {
        let count = tracing.steps.len();
        let config = PrincipalConfig::new().with_centre(tracing.centre);
        let loads = config.loads(count, 2) + 2 * count + 1;
        let mut loaded = 0;
        let failed = |index, error: anyhow::Error| Error::Checkpoint {
            index,
            reason: format!("{error:#}"),
        };
        let mut load = |index: usize| -> Result<W::Model, Error> {
            loaded += 1;
            if watch
                .goes_on(loaded, Some(loads), "checkpoints read")
                .is_break()
            {
                return Err(failed(index, anyhow::anyhow!("stopped")));
            }
            let stored = (tracing.read)(tracing.steps[index]).map_err(|e| failed(index, e))?;
            let fresh = self.data.model(tracing.seed, tracing.device);
            let restored = stored.checkpoint.restore_model(fresh);
            restored.map_err(|error| failed(index, error))
        };
        let named = |error| match error {
            // By its step, which is what its folder and the command line call it.
            Error::Checkpoint { index, reason } => {
                anyhow::anyhow!("checkpoint of step {}: {reason}", tracing.steps[index])
            }
            error => error.into(),
        };
        let plane = principal_plane(count, &mut load, &config).map_err(named)?;
        let measures = path_measures(count, &mut load).map_err(named)?;
        let origin = match tracing.centre {
            Centre::Last => self.model.clone(),
            Centre::Mean => plane.space.unflatten(&self.model, &plane.origin)?,
        };
        let (columns, quantities) = self.quantities(tracing.splits, tracing.accuracy);
        let vectors = plane
            .directions
            .each_ref()
            .map(|direction| &direction.vector);
        let values = true_and_projected(&origin, vectors, &plane.checkpoints, &mut load, |model| {
            quantities
                .iter()
                .map(|quantity| quantity.value(model))
                .collect()
        })
        .map_err(named)?;
        let slice = self.along(&origin, plane.directions, tracing.splits, tracing.accuracy)?;
        Ok(Trajectory {
            explained: plane.explained,
            checkpoints: plane.checkpoints,
            columns,
            values,
            measures,
            vectors: config.max_vectors,
            plane: Box::new(slice),
        })
    }
}
