//! Whole jobs on the curvature, from the model to the result: eigenvalues, trace, density.

use anyhow::Result;
use landscape::curvature::exact_trace_with;
use landscape::spectrum::{Lanczos, top_eigenpairs};
use landscape::{DensityConfig, Hessian, LanczosConfig, TraceConfig, spectral_density};
use models::Classifier;
use serde_json::{Value, json};

use crate::exchange::Named;
use crate::problem::Problem;

/// Eigenvalues that are asked for.
const PAIRS: usize = 5;
/// Steps of Lanczos for a density.
const STEPS: usize = 50;

/// Settings of the jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// The residual of a pair over the largest eigenvalue.
    pub(crate) eigen_tolerance: f64,
    /// The standard error of a trace over its value.
    pub(crate) trace_error: f64,
    pub(crate) seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            eigen_tolerance: 1e-3,
            trace_error: 0.01,
            seed: 0,
        }
    }
}

/// The largest eigenvalues, with their residuals.
pub(crate) fn top<M: Classifier + Sync + 'static>(
    problem: &Problem<M>,
    pairs: usize,
    settings: Settings,
) -> Result<Value> {
    let hessian = Hessian::at(&problem.model, &problem.risk())?;
    let config = LanczosConfig::new()
        .with_seed(settings.seed)
        .with_tolerance(settings.eigen_tolerance)
        .with_max_steps(300);
    let pairs = top_eigenpairs(&hessian, pairs, &config)?;
    Ok(json!({
        "values": pairs.iter().map(|pair| pair.value).collect::<Vec<_>>(),
        "residuals": pairs.iter().map(|pair| pair.residual).collect::<Vec<_>>(),
        "products": pairs.first().map(|pair| pair.steps),
        "converged": pairs.iter().all(|pair| pair.converged),
    }))
}

pub(crate) fn top_five<M: Classifier + Sync + 'static>(
    problem: &Problem<M>,
    settings: Settings,
) -> Result<Value> {
    top(problem, PAIRS, settings)
}

/// The trace, exact where it can be.
pub(crate) fn trace<M: Classifier + Sync + 'static>(
    problem: &Problem<M>,
    settings: Settings,
) -> Result<Value> {
    let config = TraceConfig::new()
        .with_seed(settings.seed)
        .with_relative_error(settings.trace_error);
    let trace = exact_trace_with(&problem.model, &problem.risk(), &config)?;
    Ok(json!({
        "value": trace.value,
        "standard_error": trace.exactness.standard_error(),
        "passes": trace.passes,
        "products": trace.products,
        "converged": trace.converged,
    }))
}

/// The spectral density of one start vector.
pub(crate) fn density<M: Classifier + Sync + 'static>(
    problem: &Problem<M>,
    settings: Settings,
) -> Result<Value> {
    let hessian = Hessian::at(&problem.model, &problem.risk())?;
    let config = DensityConfig::new()
        .with_seed(settings.seed)
        .with_starts(1)
        .with_steps(STEPS);
    let density = spectral_density(&hessian, &config)?;
    Ok(json!({ "nodes": density.nodes, "weights": density.weights }))
}

/// Nodes and weights of the quadrature that starts from the problem's own vector.
pub(crate) fn quadrature<M: Classifier + Sync + 'static>(
    problem: &Problem<M>,
) -> Result<[Named; 2]> {
    let hessian = Hessian::at(&problem.model, &problem.risk())?;
    let mut lanczos = Lanczos::from_start(&hessian, &problem.v, 0)?;
    lanczos.extend(&hessian, STEPS)?;
    let quadrature = lanczos.quadrature()?;
    Ok([
        Named::numbers("nodes", &quadrature.nodes),
        Named::numbers("weights", &quadrature.weights),
    ])
}
