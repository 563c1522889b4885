//! BatchNorm's running statistics anew from the data of a risk.

use std::collections::HashMap;

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use derivatives::Statistics;
use derivatives::burn_names::{BATCH_NORM, RUNNING_MEAN, RUNNING_VARIANCE};

use super::{Objective, Risk};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{copy, put, tracked};

/// Far above any mean or variance, so that what a layer keeps of its old statistics is read off
/// without cancellation; a power of two.
const LARGE: f64 = (1_u64 << 40) as f64;

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns a copy of `model` whose BatchNorm layers have the statistics of this risk's batches.
    ///
    /// The running mean and variance of each layer become the averages of the means and variances
    /// of the batches, weighted by their numbers of examples, with every layer normalising by the
    /// statistics of the batch meanwhile. Layers whose training flag is off keep theirs. This is
    /// what a model needs whose weights were not trained but computed: a point between two models,
    /// or an average.
    ///
    /// Cost: one forward pass over the data in training mode, and one more over the first batch.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, and [`Error::StatisticsStay`] for a layer that a
    /// pass does not change.
    ///
    /// # References
    /// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs",
    /// section 3; Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better
    /// Generalization", section 3.2.
    pub fn recompute_statistics(&self, model: &M) -> Result<M, Error> {
        let objective = Objective::at(model, self)?;
        // Statistics of its own, which passes change.
        let training = tracked(model, Statistics::Batch);
        let layers = Statistic::all(&training);
        let mut kept: Option<Vec<f64>> = None;
        let mut all = 0.0;
        let mut sums: Vec<Vec<f64>> = layers.iter().map(|layer| vec![0.0; layer.len]).collect();
        if layers.is_empty() {
            return Ok(copy(model));
        }
        self.batches().for_each(|index, batch| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "there are far fewer than 2^53 examples"
            )]
            let examples = batch.examples() as f64;
            all += examples;
            let batch = objective.prepare(batch, true);
            let pass = |start: f64| {
                let starts = layers
                    .iter()
                    .map(|layer| (layer.id, vec![start; layer.len]));
                // A clone shares the statistics, which is where they are put.
                let training = put(training.clone(), &starts.collect());
                self.batch_loss(&training, &batch, index)?;
                Ok::<_, Error>(Statistic::values(&training, &layers))
            };
            // A pass makes (1 − m) r + m b of r, with the statistics b of the batch.
            let from_zero = pass(0.0)?;
            let kept = match &kept {
                Some(kept) => kept,
                None => {
                    let from_large = pass(LARGE)?;
                    let rounding = objective.space().domain.unit_roundoff();
                    let pairs = from_large.iter().zip(&from_zero);
                    kept.insert(pairs.map(|(a, b)| share_kept(a, b, rounding)).collect())
                }
            };
            for ((layer, sum), (from_zero, kept)) in
                layers.iter().zip(&mut sums).zip(from_zero.iter().zip(kept))
            {
                if 1.0 - kept < 1e-6 {
                    return Err(Error::StatisticsStay {
                        path: layer.path.clone(),
                    });
                }
                for (sum, value) in sum.iter_mut().zip(from_zero) {
                    *sum += examples * value / (1.0 - kept);
                }
            }
            Ok(())
        })?;
        for sum in sums.iter_mut().flatten() {
            *sum /= all;
        }
        let ids = layers.iter().map(|layer| layer.id);
        Ok(put(copy(model), &ids.zip(sums).collect()))
    }
}

/// Returns `1 − m`: what is left of old statistics after a pass, for a layer of one momentum.
fn share_kept(from_large: &[f64], from_zero: &[f64], rounding: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a layer has few channels")]
    let channels = from_zero.len().max(1) as f64;
    let differences = from_large
        .iter()
        .zip(from_zero)
        .map(|(a, b)| (a - b) / LARGE);
    let kept = differences.sum::<f64>() / channels;
    // A momentum is a short decimal. Where it is one up to rounding, the rounding is taken off.
    let decimal = (kept * 1e4).round() / 1e4;
    if (kept - decimal).abs() < 16.0 * rounding {
        decimal
    } else {
        kept
    }
}

/// Returns whether a module has a BatchNorm layer that normalises by the batch while training.
#[must_use]
pub fn normalises_by_batch<M: Module>(module: &M) -> bool {
    // Flags are as they are configured here, wherever the model stands.
    !Statistic::all(&module.valid().train()).is_empty()
}

/// The running mean or variance of a BatchNorm layer that normalises by the batch.
struct Statistic {
    path: String,
    id: ParamId,
    len: usize,
}

impl Statistic {
    /// Returns all statistics of a module, each id once.
    fn all<M: Module>(module: &M) -> Vec<Self> {
        let mut search = Search::default();
        module.visit(&mut search);
        let mut found = search.found;
        // The flag of a layer is visited after its statistics.
        let training = search.training;
        found.retain(|(layer, _)| training.contains(layer));
        let mut seen = Vec::new();
        let mut all = Vec::new();
        for (_, statistic) in found {
            if !seen.contains(&statistic.id) {
                seen.push(statistic.id);
                all.push(statistic);
            }
        }
        all
    }

    /// Returns their values in a module, after all updates.
    fn values<M: Module>(module: &M, layers: &[Self]) -> Vec<Vec<f64>> {
        struct Read(HashMap<ParamId, Vec<f64>>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if let Some(values) = self.0.get_mut(&param.id) {
                    *values = param.val().to_data().iter::<f64>().collect();
                }
            }
        }
        let ids = layers.iter().map(|layer| (layer.id, Vec::new()));
        let mut read = Read(ids.collect());
        // `valid` takes in the updates.
        module.valid().visit(&mut read);
        let values = layers.iter().map(|layer| read.0.remove(&layer.id));
        values
            .map(|values| values.expect("each id was asked for once"))
            .collect()
    }
}

#[derive(Default)]
struct Search {
    path: Vec<String>,
    containers: Vec<String>,
    /// With the path of its layer.
    found: Vec<(String, Statistic)>,
    /// Paths of the layers that normalise by the batch.
    training: Vec<String>,
}

impl Search {
    /// Returns the path of the BatchNorm layer whose field is visited.
    fn layer(&self) -> Option<String> {
        let is_batch_norm = self.containers.last()? == BATCH_NORM;
        is_batch_norm.then(|| self.path[..self.path.len() - 1].join("."))
    }
}

impl ModuleVisitor for Search {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let field = self.path.last().map(String::as_str);
        if let Some(RUNNING_MEAN | RUNNING_VARIANCE) = field
            && let Some(layer) = self.layer()
        {
            let statistic = Statistic {
                path: self.path.join("."),
                id: param.id,
                len: param.val().dims().iter().product(),
            };
            self.found.push((layer, statistic));
        }
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        if let Some(layer) = self.layer()
            && flag.val().is_enabled()
        {
            self.training.push(layer);
        }
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
        self.containers.pop();
    }
}
