//! The spectrum of a matrix of second derivatives at a model: its ends, its trace, its density, or
//! all of it.

use std::cell::OnceCell;

use anyhow::Context as _;
use landscape::curvature::{ExactBlock, Exactness, exact_trace_with};
use landscape::spectrum::{
    Density, EigenPair, Estimate, Quadrature, SpectrumStatistics, Which, dense_spectrum,
    hutchinson_trace_by_block,
};
use landscape::{
    DensityConfig, LanczosConfig, LinearOperator, TraceConfig, spectral_density, top_eigenpairs,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::layers::{self, LayerTrace};
use super::matrix::{Chosen, Matrix, outputs_missing};
use super::{Analysed, Finding, Line, Placed};
use crate::config::choice::{Curvature, TraceBy};
use crate::config::limits;
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, Work, timed};
use crate::failure::usage;
use crate::report::number::{plain_number, significant, with_error};
use crate::report::sheet::Part;
use crate::workload::Workload;

/// What of the spectrum is looked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SpectrumSettings {
    /// The matrix.
    pub(crate) matrix: Curvature,
    /// So many of the largest eigenvalues.
    pub(crate) top: usize,
    /// So many of the smallest eigenvalues.
    pub(crate) bottom: usize,
    /// Residual of an eigenvalue over the largest one.
    pub(crate) tolerance: f64,
    /// Most Lanczos steps.
    pub(crate) max_steps: usize,
    /// The parameters, by patterns of their paths; all where there is none.
    pub(crate) parameters: Vec<String>,
    /// How the trace is found, in all and by layer; none where it is not.
    pub(crate) trace: Option<TraceBy>,
    /// Standard error of the trace over the trace, where it is estimated.
    pub(crate) trace_error: f64,
    /// Most products of the trace.
    pub(crate) max_probes: usize,
    /// Start vectors of the density; none where it is not measured.
    pub(crate) starts: Option<usize>,
    /// Lanczos steps from each of them.
    pub(crate) steps: usize,
    /// Whether all eigenvalues are computed, instead of all of the above.
    pub(crate) dense: bool,
    /// Seed of start vectors and probes.
    pub(crate) seed: u64,
}

impl SpectrumSettings {
    fn lanczos(&self, which: Which) -> LanczosConfig {
        LanczosConfig {
            which,
            ..LanczosConfig::new()
                .with_seed(self.seed)
                .with_tolerance(self.tolerance)
                .with_max_steps(self.max_steps)
        }
    }

    fn trace(&self) -> TraceConfig {
        let config = TraceConfig::new().with_seed(self.seed);
        let fewest = config.min_probes.min(self.max_probes);
        config
            .with_relative_error(self.trace_error)
            .with_min_probes(fewest)
            .with_max_probes(self.max_probes)
            .with_frobenius(true)
    }
}

impl<W: Workload> Placed<W> {
    /// Checks that the settings fit the model.
    ///
    /// # Errors
    /// A usage error that names the flag, its value and what is allowed.
    pub(super) fn check_spectrum(&self, settings: &SpectrumSettings) -> anyhow::Result<()> {
        let parameters = self.chosen(&settings.parameters)?;
        for (flag, count) in [("--top", settings.top), ("--bottom", settings.bottom)] {
            if count > parameters {
                return Err(usage(format!(
                    "{flag}: {count} eigenvalues are more than {parameters} parameters have; allowed: at most {parameters}"
                )));
            }
        }
        let most = limits::DENSE as usize;
        if settings.dense && parameters > most {
            return Err(usage(format!(
                "--dense: the matrix of {parameters} parameters is too large; allowed: at most {most}, or so many with --parameters PATTERN"
            )));
        }
        if settings.matrix != Curvature::Hessian && self.risk_of_outputs().is_none() {
            return Err(outputs_missing(self, settings.matrix));
        }
        Ok(())
    }

    /// Measures the spectrum.
    pub(super) fn spectrum(&self, settings: &SpectrumSettings, watch: &Watch) -> Analysed {
        let made: OnceCell<Matrix<W>> = OnceCell::new();
        let matrix = || -> anyhow::Result<Chosen<'_>> {
            if made.get().is_none() {
                let matrix = Matrix::of(self, settings.matrix)?;
                made.get_or_init(|| matrix);
            }
            let matrix = made.get().expect("it was made");
            matrix.chosen(&settings.parameters)
        };
        let mut works: Vec<Work<'_, Finding>> =
            vec![("loss and gradient", Box::new(|| self.loss_and_gradient()))];
        if settings.dense {
            works.push((
                "all eigenvalues",
                Box::new(|| dense(&*matrix()?.operator, settings, watch)),
            ));
        } else {
            if settings.top + settings.bottom > 0 {
                works.push((
                    "eigenvalues",
                    Box::new(|| eigenvalues(&*matrix()?.operator, settings, watch)),
                ));
            }
            if let Some(by) = settings.trace {
                let estimated = || trace(&matrix()?, settings, watch);
                let exact = || self.exact_trace(settings);
                works.push((
                    "trace",
                    match by {
                        TraceBy::Probes => Box::new(estimated),
                        TraceBy::Exact => Box::new(exact),
                        TraceBy::Auto if !self.can_be_exact(settings) => Box::new(estimated),
                        TraceBy::Auto => Box::new(move || {
                            exact().or_else(|error| {
                                let mut found = estimated()?;
                                let remark =
                                    format!("The trace is estimated by probes: {error:#}.");
                                found.remarks.push(remark);
                                Ok(found)
                            })
                        }),
                    },
                ));
            }
            if let Some(starts) = settings.starts {
                works.push((
                    "spectral density",
                    Box::new(move || density(&*matrix()?.operator, starts, settings, watch)),
                ));
            }
        }
        let done = watch.carry_out(works);
        let mut findings = done.findings;
        if !settings.parameters.is_empty()
            && let Ok(chosen) = self.chosen(&settings.parameters)
        {
            findings.insert(0, chosen_parameters(chosen));
        }
        findings.extend(made.get().map(how));
        Analysed {
            findings,
            failures: done.failures,
            interrupted: done.interrupted,
        }
    }

    /// Measures the loss over the sample and the norm of its gradient.
    pub(super) fn loss_and_gradient(&self) -> anyhow::Result<Finding> {
        let (loss, gradient) = self.risk().gradient(&self.model)?;
        let norm = landscape::norm(&landscape::download(&gradient));
        Ok(Finding {
            key: "loss",
            value: json!({"value": number(loss), "gradient_norm": number(norm)}),
            lines: vec![
                Line::new(Part::Loss, "loss", significant(loss, 4)),
                Line::new(Part::Loss, "gradient norm", significant(norm, 4)),
            ],
            ..Finding::default()
        })
    }
}

/// Returns how many parameters the matrix is of.
fn chosen_parameters(count: usize) -> Finding {
    Finding {
        key: "chosen_parameters",
        value: json!(count),
        lines: vec![Line::new(
            Part::Settings,
            "chosen parameters",
            count.to_string(),
        )],
        ..Finding::default()
    }
}

/// Returns how the products were made, after the last of them.
fn how<W: Workload>(matrix: &Matrix<W>) -> Finding {
    let unresolved = matrix.unresolved();
    Finding {
        key: "products",
        value: json!({"method": matrix.method(), "unresolved_products": unresolved}),
        remarks: match unresolved {
            0 => Vec::new(),
            count => vec![format!(
                "{count} products are in doubt: a kink of the loss lies close to them."
            )],
        },
        ..Finding::default()
    }
}

fn eigenvalues(
    operator: &dyn LinearOperator,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let watched = watch.watched(operator, None);
    let (found, seconds) = timed(|| {
        let pairs = |count, which| match count {
            0 => Ok(Vec::new()),
            count => top_eigenpairs(&watched, count, &settings.lanczos(which)),
        };
        let top = pairs(settings.top, Which::LargestAlgebraic)?;
        let bottom = pairs(settings.bottom, Which::SmallestAlgebraic)?;
        Ok::<_, landscape::Error>((top, bottom))
    });
    let (top, bottom) = found?;
    let names = (1..=top.len()).map(|index| format!("lambda_{index}"));
    let names: Vec<String> = names.chain((1..=bottom.len()).map(smallest)).collect();
    let pairs = || names.iter().zip(top.iter().chain(&bottom));
    let products = watch.products();
    Ok(Finding {
        key: "eigenvalues",
        value: json!({
            "top": top.iter().map(document).collect::<Vec<_>>(),
            "bottom": bottom.iter().map(document).collect::<Vec<_>>(),
            "products": products,
            "seconds": seconds,
        }),
        lines: pairs()
            .map(|(name, pair)| {
                let value = with_error(pair.value, pair.residual);
                let mark = if pair.converged { "" } else { " *" };
                Line::new(Part::Curvature, name.as_str(), format!("{value}{mark}"))
            })
            .collect(),
        remarks: remarks(pairs(), settings.tolerance),
        ..Finding::default()
    })
}

/// Returns the name of the smallest eigenvalue but so many.
fn smallest(index: usize) -> String {
    match index {
        1 => "lambda_min".to_owned(),
        index => format!("lambda_min,{index}"),
    }
}

/// Returns what the reader of a table should know of eigenvalues.
fn remarks<'p>(
    pairs: impl Iterator<Item = (&'p String, &'p EigenPair)> + Clone,
    tolerance: f64,
) -> Vec<String> {
    let names = |which: fn(&EigenPair) -> bool| {
        let names = pairs.clone().filter(|(_, pair)| which(pair));
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let mut remarks = Vec::new();
    let unresolved = names(|pair| pair.below_resolution);
    if !unresolved.is_empty() {
        remarks.push(format!(
            "Not told from 0, because below the residual or the error of the products: {}.",
            unresolved.join(", ")
        ));
    }
    let open = names(|pair| !pair.converged && !pair.below_resolution);
    if !open.is_empty() {
        let steps = pairs.map(|(_, pair)| pair.steps).max().unwrap_or(0);
        remarks.push(format!(
            "* not converged: the residual is above {} of the largest after {steps} steps ({}); a larger --tolerance takes fewer.",
            plain_number(tolerance),
            open.join(", ")
        ));
    }
    remarks
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

/// Returns an estimate in a document.
fn estimated(estimate: &Estimate) -> Value {
    json!({"value": number(estimate.mean), "standard_error": number(estimate.standard_error)})
}

/// Estimates the trace, in all and of each layer, by random probes.
fn trace(
    chosen: &Chosen<'_>,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let layers = &chosen.layers;
    let ranges: Vec<_> = layers.iter().map(|layer| layer.range.clone()).collect();
    let config = settings.trace();
    let watched = watch.watched(&*chosen.operator, None);
    let (found, seconds) = timed(|| hutchinson_trace_by_block(&watched, &ranges, &config));
    let found = found?;
    let products = watch.products();
    let layers = layers::named(layers, &found.blocks);
    let mut value = estimated(&found.estimate);
    value["exact"] = json!(false);
    value["converged"] = json!(found.converged);
    value["below_resolution"] = json!(found.below_resolution);
    let squared = found.squared_frobenius;
    value["squared_frobenius"] = squared.as_ref().map_or(Value::Null, estimated);
    value["products"] = json!(products);
    value["seconds"] = json!(seconds);
    value["layers"] = layers.iter().map(of_layer).collect();
    let mark = if found.converged { "" } else { " *" };
    let Estimate {
        mean,
        standard_error,
        ..
    } = found.estimate;
    Ok(Finding {
        key: "trace",
        value,
        lines: [
            Some((
                "trace",
                format!("{}{mark}", with_error(mean, standard_error)),
            )),
            squared.map(|squared| {
                let cell = with_error(squared.mean, squared.standard_error);
                ("squared Frobenius norm", cell)
            }),
        ]
        .into_iter()
        .flatten()
        .map(|(label, cell)| Line::new(Part::Curvature, label, cell))
        .collect(),
        remarks: if found.converged {
            Vec::new()
        } else {
            vec![format!(
                "* The trace has not reached its error, {} of it, after {products} products.",
                plain_number(config.relative_error)
            )]
        },
        layers,
        ..Finding::default()
    })
}

impl<W: Workload> Placed<W> {
    /// Returns whether an exact trace can be asked for: the outputs are told apart, and the matrix
    /// is one that has one.
    fn can_be_exact(&self, settings: &SpectrumSettings) -> bool {
        settings.matrix != Curvature::Fisher && self.risk_of_outputs().is_some()
    }

    /// Finds the trace without probes in all tensors in which the outputs are affine.
    fn exact_trace(&self, settings: &SpectrumSettings) -> anyhow::Result<Finding> {
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
            remarks: if found.converged {
                Vec::new()
            } else {
                vec![format!(
                    "* The trace has not reached its error, {} of it, after {} products.",
                    plain_number(settings.trace_error),
                    found.products
                )]
            },
            layers: traces,
            ..Finding::default()
        })
    }
}

fn of_layer(trace: &LayerTrace) -> Value {
    let mut value = estimated(&trace.estimate);
    value["layer"] = json!(trace.layer);
    value["parameters"] = json!(trace.parameters);
    value["exact"] = json!(trace.exact);
    value
}

fn density(
    operator: &dyn LinearOperator,
    starts: usize,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let config = DensityConfig::new()
        .with_seed(settings.seed)
        .with_starts(starts)
        .with_steps(settings.steps);
    let steps = settings.steps.min(operator.dim());
    let watched = watch.watched(operator, Some(starts * steps + 1));
    let (found, seconds) = timed(|| spectral_density(&watched, &config));
    let found = found?;
    let products = watch.products();
    // The first moment is the trace over the number of parameters.
    let (mean, negative) = (found.moment(1), found.mass_below(-found.sigma));
    let ends = found.nodes.first().zip(found.nodes.last());
    let (low, high) = ends.unwrap_or((&f64::NAN, &f64::NAN));
    Ok(Finding {
        key: "density",
        value: json!({
            "smallest_node": number(*low),
            "largest_node": number(*high),
            "mean_eigenvalue": estimated(&mean),
            "share_below_minus_sigma": estimated(&negative),
            "sigma": number(found.sigma),
            "products": products,
            "seconds": seconds,
        }),
        lines: vec![
            Line::new(
                Part::Curvature,
                "mean eigenvalue",
                with_error(mean.mean, mean.standard_error),
            ),
            Line::new(
                Part::Curvature,
                "smoothing sigma",
                significant(found.sigma, 2),
            ),
            Line::new(
                Part::Curvature,
                "share below -sigma",
                with_error(negative.mean, negative.standard_error),
            ),
        ],
        density: Some(found),
        ..Finding::default()
    })
}

/// Computes all eigenvalues, from as many products as there are parameters.
fn dense(
    operator: &dyn LinearOperator,
    settings: &SpectrumSettings,
    watch: &Watch,
) -> anyhow::Result<Finding> {
    let watched = watch.watched(operator, Some(operator.dim() + 1));
    let (found, seconds) = timed(|| dense_spectrum(&watched));
    let found = found?;
    let statistics = found.statistics;
    let SpectrumStatistics {
        min,
        max,
        mean,
        median,
        std,
        condition,
        fraction_negative,
        trace,
        determinant_sign,
        zero_tolerance,
    } = statistics;
    let all = || found.values.iter();
    let top = all().rev().take(settings.top);
    let names = (1..).map(|index| format!("lambda_{index}"));
    let mut lines: Vec<Line> = names
        .zip(top)
        .map(|(name, value)| Line::new(Part::Curvature, name, significant(*value, 6)))
        .collect();
    let bottom = (1..).map(smallest).zip(all().take(settings.bottom));
    lines.extend(
        bottom.map(|(name, value)| Line::new(Part::Curvature, name, significant(*value, 6))),
    );
    let condition_in_words = if min.abs() > zero_tolerance {
        significant(condition, 4)
    } else {
        // The smallest eigenvalue is not told from zero.
        format!("≥ {}", significant(max / zero_tolerance, 2))
    };
    let share = |share: f64| format!("{} %", significant(100.0 * share, 3));
    lines.extend(
        [
            ("trace", significant(trace, 6)),
            ("mean eigenvalue", significant(mean, 4)),
            ("median", significant(median, 4)),
            ("standard deviation", significant(std, 4)),
            ("negative", share(fraction_negative)),
            ("lambda_max / |lambda_min|", condition_in_words),
            ("zero up to", significant(zero_tolerance, 2)),
        ]
        .map(|(label, cell)| Line::new(Part::Curvature, label, cell)),
    );
    Ok(Finding {
        key: "dense",
        value: json!({
            "eigenvalues": all().map(|value| number(*value)).collect::<Vec<_>>(),
            "min": number(min),
            "max": number(max),
            "mean": number(mean),
            "median": number(median),
            "standard_deviation": number(std),
            "condition": number(condition),
            "fraction_negative": number(fraction_negative),
            "trace": number(trace),
            "determinant_sign": determinant_sign,
            "zero_tolerance": number(zero_tolerance),
            "asymmetry": number(found.asymmetry),
            "products": watch.products(),
            "seconds": seconds,
        }),
        lines,
        remarks: vec![
            "Eigenvalues of the whole matrix: their error is that of its products.".to_owned(),
        ],
        density: Some(smoothed(&found.values, operator.relative_error())?),
        ..Finding::default()
    })
}

/// Returns the density of eigenvalues that are all known.
fn smoothed(values: &[f64], relative_error: f64) -> anyhow::Result<Density> {
    let share = 1.0 / values.len() as f64;
    let all = Quadrature {
        nodes: values.to_vec(),
        weights: vec![share; values.len()],
        relative_error,
    };
    Ok(Density::of(vec![all], values.len(), &DensityConfig::new())?)
}
