//! Dead units, saturation, and the spread of the signal by layer.

use std::fmt::Write;

use burn::module::Module;
use landscape::activations::{
    ActivationConfig, Activations as Found, LayerActivations, activations_with,
};
use landscape::{Batch, Risk};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The activations of the model on the examples of a risk, of any model and without a change of it:
/// which units are dead or saturated ([`landscape::activations`] defines both), and the standard
/// deviation of each layer.
///
/// For each layer, named by its number and kind as `layer_1_relu`, where the kind has it:
/// `activation/layer_1_relu/dead_share`, `../saturated_share`, `../zero_share` (of all entries) and
/// `../std`; of all layers `activation/dead_share`, `activation/saturated_share`,
/// `activation/smallest_std` and `activation/largest_std`; and as a table, with the module that
/// feeds each layer, `activation/layers`. A model without nonlinearities records nothing.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor, activation::relu};
/// use landscape::Risk;
/// use probes::instrument::Activations;
/// use probes::{Moment, Probe, Records};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 3).init(&device);
/// let risk = Risk::mean(
///     [Tensor::<2>::zeros([4, 2], &device)],
///     |m: &Linear, x: &Tensor<2>| relu(m.forward(x.clone()) - 1.0).mean(),
/// );
/// let mut records = Records::new(0);
/// Activations::of(&risk).measure(&Moment::new(0, &model), &mut records)?;
/// // Biases are below 1, so that no unit gets above zero.
/// assert_eq!(
///     records.into_vec()[0].tag,
///     "activation/layer_1_relu/dead_share"
/// );
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Activations<M, B> {
    risk: Risk<M, B>,
    config: ActivationConfig,
}

impl<M: Module, B: Batch> Activations<M, B> {
    /// Measures the activations on the examples of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: ActivationConfig::new(),
        }
    }

    /// Sets the thresholds of saturation.
    #[must_use]
    pub fn with_config(self, config: ActivationConfig) -> Self {
        Self { config, ..self }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for Activations<M, B> {
    fn name(&self) -> String {
        "activations".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        // A forward pass, a recording, and a look at each activation on the host.
        let seconds = moment.estimated(&self.risk, Work::gradients(1.5))?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let found = activations_with(moment.model, &moment.risk(&self.risk), &self.config)?;
        if found.layers.is_empty() {
            return Ok(());
        }
        for layer in &found.layers {
            let mut add = |quantity, value: Option<f64>| {
                if let Some(value) = value {
                    records.scalar(
                        format!("{}{}/{quantity}", tag::ACTIVATION, layer.name),
                        value,
                    );
                }
            };
            add("dead_share", layer.dead_share());
            add("saturated_share", layer.saturated_share());
            add(
                "zero_share",
                layer.dead.as_ref().map(|_| layer.zero_share()),
            );
            add("std", Some(layer.std));
        }
        for (tag, value) in [
            (tag::DEAD_SHARE, found.dead_share()),
            (tag::SATURATED_SHARE, found.saturated_share()),
            (
                tag::SMALLEST_STD,
                found.std_range().map(|(smallest, _)| smallest),
            ),
            (
                tag::LARGEST_STD,
                found.std_range().map(|(_, largest)| largest),
            ),
        ] {
            if let Some(value) = value {
                records.scalar(tag, value);
            }
        }
        records.text(tag::ACTIVATION_LAYERS, table(&found));
        Ok(())
    }
}

/// Returns the layers as a table in markdown.
fn table(found: &Found) -> String {
    let mut text = format!(
        "{} examples\n\n| layer | after | units | dead | saturated | zeros | std | std of a unit |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        found.examples
    );
    for layer in &found.layers {
        let LayerActivations {
            name, units, std, ..
        } = layer;
        let module = layer.module.as_deref().unwrap_or("-");
        let count = |units: &Option<Vec<usize>>| {
            let units = units.as_ref().map(|units| units.len().to_string());
            units.unwrap_or_else(|| "-".into())
        };
        let _ = writeln!(
            text,
            "| {name} | `{module}` | {units} | {} | {} | {:.1} % | {std:.3e} | {:.3e} |",
            count(&layer.dead),
            count(&layer.saturated),
            100.0 * layer.zero_share(),
            layer.std_within_units,
        );
    }
    text
}
