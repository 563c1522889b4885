//! The gradient: its norm, whole and by layer, and its entries by parameter.

use std::ops::Range;

use burn::module::Module;
use landscape::{Batch, ParameterSpace, Risk, download, norm};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The Euclidean norm of the full gradient as `gradient/norm`, and the norm of its part in each
/// layer as `gradient/layer/{path}`; with [`with_histograms`](Self::with_histograms) also the
/// entries of each parameter's gradient.
///
/// A layer is a module that holds parameters itself: the weights and the bias of `conv1` together
/// are `gradient/layer/conv1`, those of `blocks.0.linear` are `gradient/layer/blocks/0/linear`. A
/// parameter that the model holds itself is a layer under its own name. The squares of the layers'
/// norms add up to that of the whole.
#[derive(Debug, Clone)]
pub struct GradientNorm<M, B> {
    risk: Risk<M, B>,
    histograms: bool,
}

impl<M: Module, B: Batch> GradientNorm<M, B> {
    /// Measures the gradient of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            histograms: false,
        }
    }

    /// Adds a histogram `gradient/values/{path}` for each parameter, the path with `/` for its
    /// dots.
    #[must_use]
    pub fn with_histograms(self) -> Self {
        Self {
            histograms: true,
            ..self
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for GradientNorm<M, B> {
    fn name(&self) -> String {
        "gradient norm".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = moment.estimated(&self.risk, Work::gradients(1.0))?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let (_, gradient) = moment.gradient(&self.risk)?;
        let gradient = download(&gradient);
        records.scalar(tag::GRADIENT_NORM, norm(&gradient));
        let space = ParameterSpace::of(moment.model)?;
        for (layer, ranges) in layers(&space) {
            let squares = ranges
                .into_iter()
                .map(|range| norm(&gradient[range]).powi(2));
            records.scalar(
                format!("{}{}", tag::GRADIENT_LAYER, layer.replace('.', "/")),
                squares.sum::<f64>().sqrt(),
            );
        }
        if self.histograms {
            for block in space.blocks {
                records.histogram(
                    format!("{}{}", tag::GRADIENT_VALUES, block.path.replace('.', "/")),
                    &gradient[block.range()],
                );
            }
        }
        Ok(())
    }
}

/// Returns the layers in the order in which the model has them, each with the places of its
/// parameters in the flat vector.
pub(crate) fn layers(space: &ParameterSpace) -> Vec<(&str, Vec<Range<usize>>)> {
    let mut layers: Vec<(&str, Vec<Range<usize>>)> = Vec::new();
    for block in &space.blocks {
        let layer = block
            .path
            .rsplit_once('.')
            .map_or(&*block.path, |(layer, _)| layer);
        match layers.iter_mut().find(|(name, _)| *name == layer) {
            Some((_, ranges)) => ranges.push(block.range()),
            None => layers.push((layer, vec![block.range()])),
        }
    }
    layers
}
