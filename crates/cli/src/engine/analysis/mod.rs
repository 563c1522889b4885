//! Curvature of models with given weights: what `spectrum`, `sharpness` and `critical` find, of one
//! model at a time and without its types, so that runs of several networks come into one table.

mod critical;
mod explain;
mod layers;
mod matrix;
mod sharpness;
mod spectrum;

use std::collections::BTreeSet;

use anyhow::Context as _;
use burn::module::Module as _;
use burn::tensor::Device;
use landscape::sharpness::Rescaling;
use landscape::spectrum::Density;
use landscape::{Block, ParameterSpace, Risk};
use models::{PytorchWeights, load_pytorch_safetensors};
use probes::{
    AnalyzeConfig, LearningRateConfig, LearningRateTest, RateSensitivity,
    learning_rate_sensitivity_by, learning_rate_test_by,
};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use self::critical::CriticalSettings;
pub(crate) use self::layers::LayerTrace;
pub(crate) use self::sharpness::SharpnessSettings;
pub(crate) use self::spectrum::SpectrumSettings;

use super::data::Data;
use super::optimiser::optimiser;
use super::slices::SlicePoint;
use super::stored::Stored;
use super::watch::Watch;
use super::weights::{trained_parameters, weights_crc32c};
use crate::config::Plan;
use crate::failure::usage;
use crate::report::sheet::Part;
use crate::workload::Workload;

/// Weights that a model is given.
pub(crate) enum Weights<'a> {
    /// Those of a checkpoint.
    Checkpoint(&'a Stored),
    /// Those that PyTorch wrote.
    Pytorch(PytorchWeights),
    /// Those with which a training begins.
    Initial,
}

/// The quantities that are looked for, with their settings.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub(crate) enum Analysis {
    /// Eigenvalues, trace and density.
    Spectrum(SpectrumSettings),
    /// The rise of the loss around the weights.
    Sharpness(SharpnessSettings),
    /// The kind of point that the weights are.
    Critical(CriticalSettings),
}

/// A line of the table, of one model.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The part of the table.
    pub(crate) part: Part,
    /// Its name in words.
    pub(crate) label: String,
    /// Its value and how well it is known.
    pub(crate) cell: String,
    /// Whether it survives the rescaling of ReLU layers, where that is said.
    pub(crate) rescaling: Option<Rescaling>,
}

impl Line {
    fn new(part: Part, label: impl Into<String>, cell: impl Into<String>) -> Self {
        Self {
            part,
            label: label.into(),
            cell: cell.into(),
            rescaling: None,
        }
    }
}

/// The result of one piece of work.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    /// Its key in the document.
    pub(crate) key: &'static str,
    /// Its value there.
    pub(crate) value: Value,
    /// Its lines in the table.
    pub(crate) lines: Vec<Line>,
    /// Remarks for the reader of the table.
    pub(crate) remarks: Vec<String>,
    /// The density to be drawn.
    pub(crate) density: Option<Density>,
    /// The traces of the layers.
    pub(crate) layers: Vec<LayerTrace>,
}

/// The findings on one model.
pub(crate) struct Analysed {
    /// The findings.
    pub(crate) findings: Vec<Finding>,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
    /// Whether somebody stopped it.
    pub(crate) interrupted: bool,
}

impl Analysed {
    /// Returns the values by their keys.
    pub(crate) fn results(&self) -> Value {
        let pairs = self.findings.iter();
        let pairs = pairs.map(|finding| (finding.key.to_owned(), finding.value.clone()));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

/// A model at which curvature is measured, with the data that it is measured on.
pub(crate) trait Point: SlicePoint {
    /// Returns the number of trained parameters.
    fn parameters(&self) -> usize;

    /// Returns the CRC-32C of its weights and buffers.
    fn weights_crc32c(&self) -> u32;

    /// Returns how many training examples it is measured on.
    fn examples(&self) -> usize;

    /// Checks that the settings fit the model.
    ///
    /// # Errors
    /// A usage error that names the flag, its value and what is allowed.
    fn check(&self, analysis: &Analysis) -> anyhow::Result<()>;

    /// Measures. A piece that fails does not take the others with it.
    fn analyse(&self, analysis: &Analysis, watch: &Watch) -> Analysed;

    /// Finds out what there is time for.
    ///
    /// # Errors
    /// When nothing can be measured.
    fn explain(&self, config: &AnalyzeConfig, watch: &Watch) -> anyhow::Result<probes::Analysis>;

    /// Tests how the loss answers to the learning rate, with the steps of a plan.
    ///
    /// # Errors
    /// When nothing can be measured, or somebody stops it.
    fn range_test(
        &self,
        plan: &Plan,
        config: &LearningRateConfig,
        watch: &Watch,
    ) -> anyhow::Result<LearningRateTest>;

    /// Trains short runs at some learning rates, with the steps of a plan.
    ///
    /// # Errors
    /// As [`range_test`](Self::range_test).
    fn sensitivity(
        &self,
        plan: &Plan,
        rates: &[f64],
        config: &LearningRateConfig,
        watch: &Watch,
    ) -> anyhow::Result<RateSensitivity>;
}

/// A model of a workload with its weights.
pub(in crate::engine) struct Placed<W: Workload> {
    pub(in crate::engine) data: Data<W>,
    pub(in crate::engine) model: W::Model,
    /// The device without autodiff.
    pub(in crate::engine) device: Device,
}

impl<W: Workload> Placed<W> {
    /// Gives the model of a workload these weights.
    ///
    /// # Errors
    /// When they do not fit the model, cannot be read, or are of other data.
    pub(super) fn new(
        data: &Data<W>,
        weights: Weights<'_>,
        seed: u32,
        device: &Device,
    ) -> anyhow::Result<Self> {
        let fresh = data.model(seed, device);
        let model = match weights {
            Weights::Checkpoint(stored) => {
                stored.check_data(data.checksums())?;
                let restored = stored.checkpoint.restore_model(fresh);
                restored.with_context(|| stored.directory.display().to_string())?
            }
            Weights::Pytorch(weights) => {
                load_pytorch_safetensors(fresh, weights).map_err(not_loaded)?
            }
            Weights::Initial => fresh,
        };
        Ok(Self {
            data: data.clone(),
            model,
            device: device.clone().inner(),
        })
    }

    /// Returns the number of parameters that match one of the patterns, all of them where there is
    /// none.
    ///
    /// # Errors
    /// A usage error for a pattern that matches no parameter.
    fn chosen(&self, patterns: &[String]) -> anyhow::Result<usize> {
        let space = ParameterSpace::of(&self.model)?;
        let paths = self.paths(patterns)?;
        let blocks = space
            .blocks
            .iter()
            .filter(|block| paths.contains(&block.path));
        Ok(blocks.map(Block::len).sum())
    }

    /// Returns the paths of these parameters.
    ///
    /// # Errors
    /// As [`chosen`](Self::chosen).
    fn paths(&self, patterns: &[String]) -> anyhow::Result<BTreeSet<String>> {
        let space = ParameterSpace::of(&self.model)?;
        let mut paths = BTreeSet::new();
        if patterns.is_empty() {
            paths.extend(space.blocks.iter().map(|block| block.path.clone()));
        }
        for pattern in patterns {
            let matching = space.matching(pattern);
            let matching = matching.map_err(|error| usage(format!("--parameters: {error}")))?;
            paths.extend(matching.iter().map(|block| block.path.clone()));
        }
        Ok(paths)
    }

    /// Returns the mean loss over the sample.
    pub(in crate::engine) fn risk(&self) -> Risk<W::Model, W::Batch> {
        self.data.risk(self.data.curvature_batches(&self.device))
    }

    /// Returns the same loss with the outputs of the model apart; none where the workload does not
    /// say them.
    pub(in crate::engine) fn risk_of_outputs(&self) -> Option<Risk<W::Model, W::Batch>> {
        let model = self.model.valid();
        self.data
            .risk_of_outputs(&model, self.data.curvature_batches(&self.device))
    }
}

/// Returns what is wrong with a file: the network named on the command line is another one than
/// the file's, or the file is no such file.
fn not_loaded(error: models::Error) -> anyhow::Error {
    match error {
        models::Error::Weights { .. } | models::Error::Pattern { .. } => usage(error.to_string()),
        error => anyhow::Error::new(error),
    }
}

impl<W: Workload> Point for Placed<W> {
    fn parameters(&self) -> usize {
        trained_parameters(&self.model)
    }

    fn weights_crc32c(&self) -> u32 {
        weights_crc32c(&self.model)
    }

    fn examples(&self) -> usize {
        self.data.curvature_examples()
    }

    fn check(&self, analysis: &Analysis) -> anyhow::Result<()> {
        match analysis {
            Analysis::Spectrum(settings) => self.check_spectrum(settings),
            Analysis::Sharpness(_) | Analysis::Critical(_) => Ok(()),
        }
    }

    fn analyse(&self, analysis: &Analysis, watch: &Watch) -> Analysed {
        match analysis {
            Analysis::Spectrum(settings) => self.spectrum(settings, watch),
            Analysis::Sharpness(settings) => self.sharpness(settings, watch),
            Analysis::Critical(settings) => self.critical(settings, watch),
        }
    }

    fn explain(&self, config: &AnalyzeConfig, watch: &Watch) -> anyhow::Result<probes::Analysis> {
        self.analysis(config, watch)
    }

    fn range_test(
        &self,
        plan: &Plan,
        config: &LearningRateConfig,
        watch: &Watch,
    ) -> anyhow::Result<LearningRateTest> {
        let (step, risk) = self.steps(plan, watch)?;
        let (optimiser, config) = (optimiser(plan), self.limits(plan, config)?);
        Ok(learning_rate_test_by(
            &self.model,
            &risk,
            &optimiser,
            &config,
            step,
        )?)
    }

    fn sensitivity(
        &self,
        plan: &Plan,
        rates: &[f64],
        config: &LearningRateConfig,
        watch: &Watch,
    ) -> anyhow::Result<RateSensitivity> {
        let (step, risk) = self.steps(plan, watch)?;
        let (optimiser, config) = (optimiser(plan), self.limits(plan, config)?);
        Ok(learning_rate_sensitivity_by(
            &self.model,
            &risk,
            &optimiser,
            rates,
            &config,
            step,
        )?)
    }
}
