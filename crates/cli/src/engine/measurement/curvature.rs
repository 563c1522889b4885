//! Eigenvalues, trace and density of one Hessian, and the sharpness of the loss, over the sample.

use anyhow::Context as _;
use landscape::sharpness::sam_sharpness;
use landscape::spectrum::{EigenPair, Which, extremes};
use landscape::{
    DensityConfig, Hessian, LanczosConfig, hutchinson_trace, spectral_density, top_eigenpairs,
};
use probes::json_numbers;
use probes::render::{self, Spectrum};
use serde_json::{Value, json};

use super::bench::{Bench, Finding, Row, number, timed};
use crate::engine::data::Batch;
use crate::engine::instruments::risk;
use crate::engine::network::Network;
use crate::engine::{numbers, pictures};
use crate::report::number::{plain_number, significant};

impl Bench<'_> {
    /// What is asked for of the Hessian, which is made once.
    pub(super) fn curvature<M: Network>(&self, model: &M) -> anyhow::Result<Vec<Finding>> {
        let request = self.request;
        let risk = risk::<M>(self.data.curvature_batches(&self.device)?);
        let (hessian, seconds) = timed(|| Hessian::at(model, &risk));
        let hessian = hessian?;
        let mut findings = Vec::new();
        if request.eigenvalues.is_some() || request.smallest {
            findings.push(self.eigenvalues(&hessian)?);
        }
        if request.trace {
            findings.push(self.trace(&hessian)?);
        }
        if let Some(starts) = request.density {
            findings.push(self.density(&hessian, starts)?);
        }
        let (method, unresolved) = (hessian.method().to_string(), hessian.unresolved());
        findings.push(Finding {
            key: "hessian",
            value: json!({"method": method, "unresolved_products": unresolved, "seconds": seconds}),
            rows: Vec::new(),
            files: Vec::new(),
        });
        Ok(findings)
    }

    /// As the run's instrument does it: of one eigenvalue and the smallest, both from one Lanczos run.
    fn eigenvalues<M: Network>(&self, hessian: &Hessian<M, Batch>) -> anyhow::Result<Finding> {
        let request = self.request;
        let watched = self.watched(hessian, None);
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
        let products = self.products.get();
        let names = (1..=largest.len()).map(|index| format!("lambda_{index}"));
        let names = names.chain(smallest.iter().map(|_| "lambda_min".to_owned()));
        let mut rows: Vec<Row> = names
            .zip(largest.iter().chain(&smallest))
            .map(|(name, pair)| row(name, pair))
            .collect();
        if let Some(first) = rows.first_mut() {
            first.work = format!("{products} products");
            first.seconds = Some(seconds);
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
            files: Vec::new(),
        })
    }

    fn trace<M: Network>(&self, hessian: &Hessian<M, Batch>) -> anyhow::Result<Finding> {
        let config = self.request.trace();
        let watched = self.watched(hessian, None);
        let (trace, seconds) = timed(|| hutchinson_trace(&watched, &config));
        let trace = trace?;
        let products = self.products.get();
        Ok(Finding {
            key: "trace",
            value: json!({
                "value": number(trace.mean),
                "standard_error": number(trace.standard_error),
                "converged": trace.converged,
                "products": products,
                "seconds": seconds,
            }),
            rows: vec![Row {
                what: "trace".to_owned(),
                value: significant(trace.mean, 4),
                error: format!(
                    "standard error {}{}",
                    significant(trace.standard_error, 2),
                    unless(trace.converged)
                ),
                work: format!("{products} products"),
                seconds: Some(seconds),
            }],
            files: Vec::new(),
        })
    }

    fn density<M: Network>(
        &self,
        hessian: &Hessian<M, Batch>,
        starts: usize,
    ) -> anyhow::Result<Finding> {
        let steps = self.request.density_steps;
        let config = DensityConfig::new()
            .with_seed(self.request.seed)
            .with_starts(starts)
            .with_steps(steps);
        let watched = self.watched(hessian, Some(starts * steps + 1));
        let (found, seconds) = timed(|| spectral_density(&watched, &config));
        let found = found?;
        let products = self.products.get();
        let data = json!({
            "nodes": json_numbers(&found.nodes),
            "weights": json_numbers(&found.weights),
            "grid": json_numbers(&found.grid),
            "density": json_numbers(&found.density),
            "sigma": number(found.sigma),
        });
        let title = format!("Spectral density of the Hessian, step {}", self.step);
        let spectrum = Spectrum {
            grid: &found.grid,
            density: &found.density,
            nodes: &found.nodes,
        };
        let picture = render::density(&spectrum, &render::DensityConfig::new(title))?;
        let mut files = numbers::files("curvature/density_data", self.step, &data);
        files.push((
            pictures::file_name("curvature/density_picture"),
            picture.png()?,
        ));
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
                Row {
                    what: "spectral density".to_owned(),
                    value: format!("{} to {}", significant(*low, 3), significant(*high, 3)),
                    error: format!("smoothed by {}", significant(found.sigma, 2)),
                    work: format!("{products} products"),
                    seconds: Some(seconds),
                },
                Row {
                    what: "  its mean eigenvalue".to_owned(),
                    value: significant(mean.mean, 4),
                    error: format!("standard error {}", significant(mean.standard_error, 2)),
                    work: String::new(),
                    seconds: None,
                },
            ],
            files,
        })
    }

    pub(super) fn sharpness<M: Network>(&self, model: &M, rho: f64) -> anyhow::Result<Finding> {
        let risk = risk::<M>(self.data.curvature_batches(&self.device)?);
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
            rows: vec![Row {
                what: format!("SAM sharpness, rho {}", plain_number(rho)),
                value: significant(found.value, 4),
                error: "exact".to_owned(),
                work: "1 gradient".to_owned(),
                seconds: Some(seconds),
            }],
            files: Vec::new(),
        })
    }
}

fn row(name: String, pair: &EigenPair) -> Row {
    let mut error = format!(
        "residual {}{}",
        significant(pair.residual, 2),
        unless(pair.converged)
    );
    if pair.below_resolution {
        error += ", not told from 0";
    }
    Row {
        what: name,
        value: significant(pair.value, 4),
        error,
        work: String::new(),
        seconds: None,
    }
}

const fn unless(converged: bool) -> &'static str {
    if converged { "" } else { " (not converged)" }
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
