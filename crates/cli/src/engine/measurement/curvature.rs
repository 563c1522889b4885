//! Eigenvalues, trace and density of one Hessian, and the sharpness of the loss, over the sample.

use std::cell::OnceCell;

use anyhow::Context as _;
use landscape::sharpness::sam_sharpness;
use landscape::spectrum::{EigenPair, Which, extremes};
use landscape::{
    DensityConfig, Hessian, LanczosConfig, hutchinson_trace, spectral_density, top_eigenpairs,
};
use probes::{show, tag};
use serde_json::{Value, json};

use super::bench::{Bench, Finding, Row, number};
use crate::engine::watch::timed;
use crate::report::number::{plain_number, significant};
use crate::workload::Workload;

/// A Hessian, and the seconds that it took before its first product.
pub(super) struct Made<W: Workload> {
    hessian: Hessian<W::Model, W::Batch>,
    seconds: f64,
}

impl<W: Workload> Made<W> {
    /// Returns how its products were made, after the last of them.
    pub(super) fn finding(&self) -> Finding {
        let unresolved = self.hessian.unresolved();
        Finding {
            key: "hessian",
            value: json!({
                "method": self.hessian.method().to_string(),
                "unresolved_products": unresolved,
                "seconds": self.seconds,
            }),
            rows: Vec::new(),
            remarks: doubts(unresolved),
            files: Vec::new(),
        }
    }
}

impl<W: Workload> Bench<'_, W> {
    /// Returns the Hessian over the sample, which is made for the first measurement that needs it.
    pub(super) fn hessian<'h>(
        &self,
        model: &W::Model,
        made: &'h OnceCell<Made<W>>,
    ) -> anyhow::Result<&'h Hessian<W::Model, W::Batch>> {
        if let Some(made) = made.get() {
            return Ok(&made.hessian);
        }
        let risk = self.data.risk(self.data.curvature_batches(&self.device));
        let (hessian, seconds) = timed(|| Hessian::at(model, &risk));
        let hessian = hessian?;
        Ok(&made.get_or_init(|| Made { hessian, seconds }).hessian)
    }

    /// Measures as the run's instrument does: one eigenvalue and the smallest both from one Lanczos
    /// run.
    pub(super) fn eigenvalues(
        &self,
        hessian: &Hessian<W::Model, W::Batch>,
    ) -> anyhow::Result<Finding> {
        let request = self.request;
        let watched = self.watch.watched(hessian, None);
        let config = |which| LanczosConfig {
            which,
            ..request.lanczos()
        };
        let (found, seconds) = timed(|| {
            if request.eigenvalues == Some(1) && request.smallest {
                let ends = extremes(&watched, &request.lanczos())?;
                return Ok((vec![ends.max], vec![ends.min]));
            }
            let largest = match request.eigenvalues {
                Some(count) => top_eigenpairs(&watched, count, &config(Which::LargestAlgebraic))?,
                None => Vec::new(),
            };
            let smallest = if request.smallest {
                top_eigenpairs(&watched, 1, &config(Which::SmallestAlgebraic))?
            } else {
                Vec::new()
            };
            Ok::<_, landscape::Error>((largest, smallest))
        });
        let (largest, smallest) = found?;
        let products = self.watch.products();
        let names = (1..=largest.len()).map(|index| format!("lambda_{index}"));
        let names: Vec<String> = names
            .chain(smallest.iter().map(|_| "lambda_min".to_owned()))
            .collect();
        let pairs = || names.iter().zip(largest.iter().chain(&smallest));
        let remarks = pairs()
            .filter_map(|(name, pair)| remark(name, pair, request.tolerance))
            .collect();
        let mut rows: Vec<Row> = pairs()
            .map(|(name, pair)| row(name.clone(), pair))
            .collect();
        if !rows.is_empty() {
            let first = rows.remove(0);
            rows.insert(0, first.after(products, "products", seconds));
        }
        let value = json!({
            "largest": largest.iter().map(document).collect::<Vec<_>>(),
            "smallest": smallest.first().map(document),
            "products": products,
            "seconds": seconds,
        });
        Ok(Finding {
            key: "eigenvalues",
            value,
            rows,
            remarks,
            files: Vec::new(),
        })
    }

    pub(super) fn trace(&self, hessian: &Hessian<W::Model, W::Batch>) -> anyhow::Result<Finding> {
        let config = self.request.trace();
        let watched = self.watch.watched(hessian, None);
        let (trace, seconds) = timed(|| hutchinson_trace(&watched, &config));
        let trace = trace?;
        let products = self.watch.products();
        Ok(Finding {
            key: "trace",
            value: json!({
                "value": number(trace.estimate.mean),
                "standard_error": number(trace.estimate.standard_error),
                "converged": trace.converged,
                "products": products,
                "seconds": seconds,
            }),
            rows: vec![
                Row::new(
                    "trace",
                    significant(trace.estimate.mean, 4),
                    format!(
                        "std. error {}",
                        significant(trace.estimate.standard_error, 2)
                    ),
                )
                .after(products, "products", seconds),
            ],
            remarks: match trace.converged {
                true => Vec::new(),
                false => vec![format!(
                    "The trace has not reached its error: {} of it after {products} products.",
                    plain_number(config.relative_error)
                )],
            },
            files: Vec::new(),
        })
    }

    pub(super) fn density(
        &self,
        hessian: &Hessian<W::Model, W::Batch>,
        starts: usize,
    ) -> anyhow::Result<Finding> {
        let steps = self.request.density_steps;
        let config = DensityConfig::new()
            .with_seed(self.request.seed)
            .with_starts(starts)
            .with_steps(steps);
        let watched = self.watch.watched(hessian, Some(starts * steps + 1));
        let (found, seconds) = timed(|| spectral_density(&watched, &config));
        let found = found?;
        let products = self.watch.products();
        let files = self.files(
            (tag::DENSITY_DATA, show::density_data(&found)),
            (
                tag::DENSITY_PICTURE,
                show::density_picture(&found, self.step)?,
            ),
        )?;
        let (low, high) = found
            .nodes
            .first()
            .zip(found.nodes.last())
            .context("a density has nodes")?;
        // The first moment is the trace over the number of parameters.
        let mean = found.moment(1);
        Ok(Finding {
            key: "density",
            value: json!({
                "smallest_node": number(*low),
                "largest_node": number(*high),
                "mean_eigenvalue": {"value": number(mean.mean), "standard_error": number(mean.standard_error)},
                "sigma": number(found.sigma),
                "products": products,
                "seconds": seconds,
            }),
            rows: vec![
                Row::new(
                    "spectral density",
                    "",
                    format!("smoothed by {}", significant(found.sigma, 2)),
                )
                .after(products, "products", seconds),
                Row::new("  smallest node", significant(*low, 4), ""),
                Row::new("  largest node", significant(*high, 4), ""),
                Row::new(
                    "  mean eigenvalue",
                    significant(mean.mean, 4),
                    format!("std. error {}", significant(mean.standard_error, 2)),
                ),
            ],
            remarks: Vec::new(),
            files,
        })
    }

    pub(super) fn sharpness(&self, model: &W::Model, rho: f64) -> anyhow::Result<Finding> {
        let risk = self.data.risk(self.data.curvature_batches(&self.device));
        let (found, seconds) = timed(|| sam_sharpness(model, &risk, rho));
        let found = found?;
        Ok(Finding {
            key: "sam_sharpness",
            value: json!({
                "value": number(found.value),
                "rho": rho,
                "loss": number(found.loss),
                "gradient_norm": number(found.gradient_norm),
                "seconds": seconds,
            }),
            rows: vec![
                Row::new(
                    "SAM sharpness",
                    significant(found.value, 4),
                    format!("rho {}", plain_number(rho)),
                )
                .after(1, "gradient", seconds),
            ],
            remarks: Vec::new(),
            files: Vec::new(),
        })
    }
}

/// Says how many products may be wrong.
fn doubts(unresolved: usize) -> Vec<String> {
    match unresolved {
        0 => Vec::new(),
        count => vec![format!(
            "{count} products are in doubt: a kink of the loss lies close to them."
        )],
    }
}

fn row(name: String, pair: &EigenPair) -> Row {
    let residual = format!("residual {}", significant(pair.residual, 2));
    Row::new(name, significant(pair.value, 4), residual)
}

/// Returns what the reader of a table should know of an eigenvalue.
fn remark(name: &str, pair: &EigenPair, tolerance: f64) -> Option<String> {
    if pair.below_resolution {
        return Some(format!(
            "{name} is not told from 0: it is below its residual."
        ));
    }
    (!pair.converged).then(|| {
        format!(
            "{name} has not converged: its residual is above {} of the largest after {} steps; a larger --tolerance takes fewer.",
            plain_number(tolerance),
            pair.steps
        )
    })
}

fn document(pair: &EigenPair) -> Value {
    json!({
        "value": number(pair.value),
        "residual": number(pair.residual),
        "converged": pair.converged,
        "below_resolution": pair.below_resolution,
        "lanczos_steps": pair.steps,
    })
}
