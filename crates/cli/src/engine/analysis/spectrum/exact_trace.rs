//! The trace without probes, where the outputs are affine in the parameters.

use anyhow::Context as _;
use landscape::curvature::{ExactBlock, Exactness, exact_trace_with};
use landscape::spectrum::Estimate;
use serde_json::json;

use super::trace::{of_layer, remarks};
use super::{SpectrumSettings, estimated};
use crate::config::choice::Curvature;
use crate::engine::analysis::layers::{self, LayerTrace};
use crate::engine::analysis::{Finding, Line, Placed};
use crate::engine::measurement::number;
use crate::engine::watch::timed;
use crate::report::number::{significant, with_error};
use crate::report::sheet::Part;
use crate::workload::Workload;

impl<W: Workload> Placed<W> {
    /// Returns whether an exact trace can be asked for: the outputs are told apart, and the matrix
    /// is one that has one.
    pub(super) fn can_be_exact(&self, settings: &SpectrumSettings) -> bool {
        settings.matrix != Curvature::Fisher && self.risk_of_outputs().is_some()
    }

    /// Finds the trace without probes in all tensors in which the outputs are affine.
    pub(super) fn exact_trace(&self, settings: &SpectrumSettings) -> anyhow::Result<Finding> {
        let risk = self.risk_of_outputs();
        let risk = risk.context("the workload does not tell its outputs from its loss")?;
        let (found, seconds) = timed(|| exact_trace_with(&self.model, &risk, &settings.trace()));
        let found = found?;
        let gauss_newton = settings.matrix == Curvature::GaussNewton;
        let paths = self.paths(&settings.parameters)?;
        let blocks: Vec<&ExactBlock> = found
            .blocks
            .iter()
            .filter(|block| paths.contains(&block.path))
            .collect();
        let value = |block: &ExactBlock| {
            if gauss_newton {
                block.gauss_newton
            } else {
                block.value
            }
        };
        // The errors of several tensors come from the same probes: that of a sum is at most theirs.
        let error = |block: &ExactBlock| {
            if gauss_newton {
                0.0
            } else {
                block.exactness.standard_error()
            }
        };
        let sum = |blocks: &[&ExactBlock]| Estimate {
            mean: blocks.iter().map(|block| value(block)).sum(),
            standard_error: blocks.iter().map(|block| error(block)).sum(),
            count: found.products,
        };
        let whole = blocks.len() == found.blocks.len() && !gauss_newton;
        let total = match found.exactness {
            Exactness::Estimated(estimate) if whole => estimate,
            _ => sum(&blocks),
        };
        let tensors = blocks
            .iter()
            .map(|block| (block.path.as_str(), block.range.len()));
        let layers = layers::layers(tensors);
        let mut rest = &blocks[..];
        let mut traces = Vec::new();
        for layer in layers {
            let mut length = 0;
            let count = rest.iter().take_while(|block| {
                let within = length < layer.range.len();
                length += block.range.len();
                within
            });
            let (of_layer, others) = rest.split_at(count.count());
            rest = others;
            traces.push(LayerTrace {
                layer: layer.path,
                parameters: layer.range.len(),
                estimate: sum(of_layer),
                exact: gauss_newton || of_layer.iter().all(|block| block.exactness.is_exact()),
            });
        }
        let exact = traces.iter().all(|trace| trace.exact);
        let mut document = estimated(&total);
        document["exact"] = json!(exact);
        document["converged"] = json!(found.converged);
        document["gauss_newton"] = number(blocks.iter().map(|block| block.gauss_newton).sum());
        document["backward_passes"] = json!(found.passes);
        document["products"] = json!(found.products);
        document["seconds"] = json!(seconds);
        document["layers"] = traces.iter().map(of_layer).collect();
        let mark = if found.converged { "" } else { " *" };
        let cell = if exact {
            format!("{} exact", significant(total.mean, 6))
        } else {
            format!("{}{mark}", with_error(total.mean, total.standard_error))
        };
        Ok(Finding {
            key: "trace",
            value: document,
            lines: vec![Line::new(Part::Curvature, "trace", cell)],
            remarks: remarks(found.converged, settings, found.products),
            layers: traces,
            ..Finding::default()
        })
    }
}
