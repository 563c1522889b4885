//! The spectrum of a matrix of second derivatives at a model: its ends, its trace, its density, or
//! all of it.

mod dense;
mod density;
mod eigenvalues;
mod exact_trace;
mod trace;

use std::cell::OnceCell;

use landscape::spectrum::{Estimate, Which};
use landscape::{LanczosConfig, TraceConfig};
use serde::Serialize;
use serde_json::{Value, json};

use super::matrix::{Chosen, Matrix, outputs_missing};
use super::{Analysed, Finding, Line, Placed};
use crate::config::choice::{Curvature, TraceBy};
use crate::config::limits;
use crate::engine::estimators;
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, Work};
use crate::failure::usage;
use crate::report::number::significant;
use crate::report::sheet::Part;
use crate::workload::Workload;
use dense::dense;
use density::density;
use eigenvalues::eigenvalues;
use trace::trace;

/// The parts of the spectrum that are looked for, with their settings.
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
    /// Method for the trace, in all and by layer; none where it is not found.
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
        estimators::lanczos(self.seed, self.tolerance, self.max_steps).with_which(which)
    }

    fn trace(&self) -> TraceConfig {
        estimators::trace(self.seed, self.trace_error, self.max_probes).with_frobenius(true)
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

/// Returns an estimate in a document.
fn estimated(estimate: &Estimate) -> Value {
    json!({"value": number(estimate.mean), "standard_error": number(estimate.standard_error)})
}
