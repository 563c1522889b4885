//! The kind of point that the weights of a model are: a minimum, a saddle, or no critical point.

use landscape::critical::{
    CriticalConfig, CriticalPoint, EscapeConfig, EscapeStep, critical_point, follow_escape,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Analysed, Finding, Line, Placed};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, Work, timed};
use crate::report::number::{significant, with_error};
use crate::report::sheet::Part;
use crate::workload::Workload;

/// Settings of the verdict.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CriticalSettings {
    /// Norm up to which a gradient counts as small, over that of the Hessian times the length of
    /// the weights.
    pub(crate) gradient_tolerance: f64,
    /// Parameters up to which all eigenvalues are computed.
    pub(crate) dense_limit: usize,
    /// Above it: start vectors for the index.
    pub(crate) starts: usize,
    /// Above it: Lanczos steps from each of them.
    pub(crate) steps: usize,
    /// Whether a step is taken along the escape direction.
    pub(crate) escape: bool,
    /// Seed of start vectors.
    pub(crate) seed: u64,
}

impl CriticalSettings {
    fn config(&self) -> CriticalConfig {
        CriticalConfig::new()
            .with_seed(self.seed)
            .with_gradient_tolerance(self.gradient_tolerance)
            .with_dense_limit(self.dense_limit)
            .with_starts(self.starts)
            .with_steps(self.steps)
    }
}

impl<W: Workload> Placed<W> {
    /// Finds the verdict with its evidence, and checks that the loss falls along the escape
    /// direction.
    pub(super) fn critical(&self, settings: &CriticalSettings, watch: &Watch) -> Analysed {
        let works: Vec<Work<'_, Finding>> =
            vec![("kind of the point", Box::new(|| self.verdict(settings)))];
        let done = watch.carry_out(works);
        Analysed {
            findings: done.findings,
            failures: done.failures,
            interrupted: done.interrupted,
        }
    }

    fn verdict(&self, settings: &CriticalSettings) -> anyhow::Result<Finding> {
        let risk = self.risk();
        let (point, seconds) = timed(|| critical_point(&self.model, &risk, &settings.config()));
        let point = point?;
        let step = match point.escape.as_ref().filter(|_| settings.escape) {
            Some(escape) => {
                let config = EscapeConfig::new();
                Some(follow_escape(&self.model, &risk, escape, &config)?)
            }
            None => None,
        };
        Ok(Finding {
            key: "critical",
            value: document(&point, step.as_ref(), seconds),
            lines: lines(&point, step.as_ref()),
            remarks: vec![in_words(&point, step.as_ref())],
            ..Finding::default()
        })
    }
}

fn lines(point: &CriticalPoint, step: Option<&EscapeStep>) -> Vec<Line> {
    let condition = if point.condition.error.is_finite() {
        with_error(point.condition.value, point.condition.error)
    } else {
        format!("{} or any", significant(point.condition.value, 3))
    };
    let mut lines = vec![
        (Part::Loss, "verdict", point.kind.to_string()),
        (Part::Loss, "loss", significant(point.loss, 4)),
        (
            Part::Loss,
            "gradient norm",
            significant(point.gradient.norm, 4),
        ),
        (
            Part::Loss,
            "small up to",
            significant(point.gradient.limit, 2),
        ),
        (
            Part::Curvature,
            "lambda_min",
            with_error(point.min.value, point.min.error),
        ),
        (
            Part::Curvature,
            "lambda_max",
            with_error(point.max.value, point.max.error),
        ),
        (
            Part::Curvature,
            "zero up to",
            significant(point.zero_threshold, 2),
        ),
        (
            Part::Curvature,
            "index, at least",
            point.index.at_least.to_string(),
        ),
        (
            Part::Curvature,
            "index, at most",
            point.index.at_most.to_string(),
        ),
    ];
    if let Some(estimate) = point.index.estimate {
        let cell = with_error(estimate.mean, estimate.standard_error);
        lines.push((Part::Curvature, "index, estimated", cell));
    }
    lines.push((Part::Curvature, "condition number", condition));
    if let Some(escape) = &point.escape {
        lines.push((
            Part::Curvature,
            "escape: curvature",
            with_error(escape.curvature, escape.residual),
        ));
    }
    if let Some(step) = step {
        lines.extend([
            (
                Part::Curvature,
                "escape: length",
                significant(step.length, 3),
            ),
            (
                Part::Curvature,
                "escape: decrease",
                significant(step.decrease, 3),
            ),
            (
                Part::Curvature,
                "escape: predicted",
                significant(step.predicted_decrease, 3),
            ),
        ]);
    }
    let lines = lines.into_iter();
    lines
        .map(|(part, label, cell)| Line::new(part, label, cell))
        .collect()
}

/// Returns the verdict and why, in plain words.
fn in_words(point: &CriticalPoint, step: Option<&EscapeStep>) -> String {
    let mut text = format!("{}: {}.", point.kind, point.because);
    if let Some(step) = step {
        text += &if step.falls {
            format!(
                " Along the most negative curvature the loss falls from {} to {}, by {}; the quadratic model said {}.",
                significant(step.loss_before, 4),
                significant(step.loss_after, 4),
                significant(step.decrease, 3),
                significant(step.predicted_decrease, 3)
            )
        } else {
            " Along the most negative curvature no step lowered the loss by more than its rounding."
                .to_owned()
        };
    }
    text
}

fn document(point: &CriticalPoint, step: Option<&EscapeStep>, seconds: f64) -> Value {
    let gradient = &point.gradient;
    let optional = |value: Option<f64>| value.map(number);
    json!({
        "kind": point.kind.name(),
        "because": point.because,
        "loss": number(point.loss),
        "gradient": {
            "norm": number(gradient.norm),
            "limit": number(gradient.limit),
            "length": number(gradient.length),
            "newton_decrease": optional(gradient.newton_decrease),
            "flat_norm": optional(gradient.flat_norm),
        },
        "lambda_min": {"value": number(point.min.value), "error": number(point.min.error)},
        "lambda_max": {"value": number(point.max.value), "error": number(point.max.error)},
        "range": point.range.map(number),
        "zero_threshold": number(point.zero_threshold),
        "index": {
            "at_least": point.index.at_least,
            "at_most": point.index.at_most,
            "estimate": point.index.estimate.map(|estimate| json!({
                "value": number(estimate.mean),
                "standard_error": number(estimate.standard_error),
            })),
        },
        "inertia": point.inertia.map(|inertia| json!({
            "negative": inertia.negative,
            "zero": inertia.zero,
            "positive": inertia.positive,
        })),
        "condition": {
            "value": number(point.condition.value),
            "error": number(point.condition.error),
        },
        "escape": point.escape.as_ref().map(|escape| json!({
            "curvature": number(escape.curvature),
            "residual": number(escape.residual),
            "slope": optional(escape.slope),
            "step": step.map(|step| json!({
                "length": number(step.length),
                "loss_before": number(step.loss_before),
                "loss_after": number(step.loss_after),
                "decrease": number(step.decrease),
                "predicted_decrease": number(step.predicted_decrease),
                "falls": step.falls,
                "rounding": number(step.rounding),
            })),
        })),
        "method": point.method.as_ref().map(ToString::to_string),
        "unresolved_products": point.unresolved,
        "products": point.products,
        "seconds": seconds,
    })
}
