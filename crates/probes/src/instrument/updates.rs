//! How far the weights are from their start, and how far they moved.

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::{Block, ParameterSpace, download, norm};

use crate::record::Records;
use crate::{Error, Moment, Probe, tag};

/// The norm of all parameters w, `parameters/norm`, their distance from the start,
/// `parameters/distance_from_start` = `‖w − w₀‖`, and the update since the last observation,
/// `parameters/update_norm` = `‖w_t − w_s‖` and `parameters/relative_update` = `‖w_t − w_s‖/‖w_s‖`
/// with the steps in between, `parameters/update_steps` = t − s. All norms are Euclidean, over all
/// trained parameters together; with [`with_layers`](Self::with_layers) also for each, its path
/// appended with `/` for its dots.
///
/// An update over several steps is shorter than their sum: observe every step where that of one
/// step is wanted. There is none at the first observation, after an observation of the same step,
/// and no relative one from weights that are all zero.
///
/// The start is the model that is observed at step 0, or that is given to
/// [`starting_at`](Self::starting_at). A run that is first observed later, as one that was resumed,
/// does not know it: `parameters/start` says so once, and no distance is recorded.
///
/// Memory: two vectors of all parameters, in their own float type. Cost: no data; a pass over the
/// parameters.
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use landscape::ParameterSpace;
/// use probes::instrument::Updates;
/// use probes::{Probes, Schedule};
///
/// let start = LinearConfig::new(1, 1).init(&Device::flex());
/// let space = ParameterSpace::of(&start)?;
/// let mut probes = Probes::unlimited().with(Schedule::every(1), Updates::new());
/// probes.observe(0, &start)?;
/// let moved = space.unflatten(&start, &(space.flatten(&start)? + 3.0))?;
/// let seen = probes.observe(1, &moved)?;
/// let distance = seen.scalar("parameters/distance_from_start").unwrap();
/// assert!((distance - 18.0_f64.sqrt()).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Updates {
    layers: bool,
    start: Start,
    /// The last observation: its step and its weights.
    last: Option<(u64, Tensor<1>)>,
}

/// What is known of the weights before the first update.
#[derive(Debug, Clone, Default)]
enum Start {
    #[default]
    NotSeen,
    Known(Box<Tensor<1>>),
    /// The run was first observed later, which has been said.
    Unknown,
}

impl Updates {
    /// Measures the weights of whatever model is observed, from its state at step 0 on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the weights before the first update, for a run that is not observed from there.
    ///
    /// # Errors
    /// A model that has no trainable parameter, or several devices or types.
    pub fn starting_at<M: Module>(self, model: &M) -> Result<Self, Error> {
        let start = ParameterSpace::of(model)?.flatten(model)?;
        let start = Start::Known(Box::new(start));
        Ok(Self { start, ..self })
    }

    /// Adds the same for each parameter tensor.
    #[must_use]
    pub fn with_layers(self) -> Self {
        Self {
            layers: true,
            ..self
        }
    }

    /// Records one quantity of all parameters, and of each tensor where that is wanted.
    fn record(
        &self,
        records: &mut Records,
        name: &str,
        blocks: &[Block],
        entries: usize,
        of: impl Fn(std::ops::Range<usize>) -> Option<f64>,
    ) {
        if let Some(value) = of(0..entries) {
            records.scalar(name, value);
        }
        if self.layers {
            for block in blocks {
                if let Some(value) = of(block.range()) {
                    records.scalar(format!("{name}/{}", block.path.replace('.', "/")), value);
                }
            }
        }
    }
}

impl<M: Module> Probe<M> for Updates {
    fn name(&self) -> String {
        "parameters and updates".into()
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let space = ParameterSpace::of(moment.model)?;
        let here = space.flatten(moment.model)?;
        if matches!(self.start, Start::NotSeen) {
            if moment.step == 0 {
                self.start = Start::Known(Box::new(here.clone()));
            } else {
                self.start = Start::Unknown;
                records.text(
                    tag::START,
                    format!(
                        "The start is not known: the run was first observed at step {}, and no distance from it is recorded.",
                        moment.step
                    ),
                );
            }
        }
        let weights = download(&here);
        let record = |records: &mut Records, name, of: &dyn Fn(std::ops::Range<usize>) -> _| {
            self.record(records, name, &space.blocks, weights.len(), of);
        };
        record(records, tag::PARAMETER_NORM, &|range| {
            Some(norm(&weights[range]))
        });
        if let Start::Known(start) = &self.start {
            let away = difference(&weights, start)?;
            record(records, tag::DISTANCE_FROM_START, &|range| {
                Some(norm(&away[range]))
            });
        }
        if let Some((step, last)) = &self.last
            && *step < moment.step
        {
            let update = difference(&weights, last)?;
            let last = download(last);
            record(records, tag::UPDATE_NORM, &|range| {
                Some(norm(&update[range]))
            });
            record(records, tag::RELATIVE_UPDATE, &|range| {
                let size = norm(&last[range.clone()]);
                (size > 0.0).then(|| norm(&update[range]) / size)
            });
            records.scalar(tag::UPDATE_STEPS, (moment.step - step) as f64);
        }
        self.last = Some((moment.step, here));
        Ok(())
    }
}

/// Returns `weights` minus those of another model, which has as many.
fn difference(weights: &[f64], other: &Tensor<1>) -> Result<Vec<f64>, Error> {
    let other = download(other);
    if other.len() != weights.len() {
        return Err(landscape::Error::Length {
            what: "model",
            expected: other.len(),
            found: weights.len(),
        }
        .into());
    }
    Ok(weights.iter().zip(other).map(|(a, b)| a - b).collect())
}
