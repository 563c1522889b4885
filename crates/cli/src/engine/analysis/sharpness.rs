//! The rise of the loss around a model: in balls, on average, by its curvature.

use landscape::sharpness::{
    AverageConfig, Ball, Certainty, CurvatureConfig, Measure, RandomBallConfig, Scale,
    SharpnessConfig, SharpnessReport, sharpness,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Analysed, Finding, Line, Placed};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, Work, timed};
use crate::report::number::{plain_number, significant, with_error};
use crate::report::sheet::Part;
use crate::workload::Workload;

/// Settings of the balls and displacements.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SharpnessSettings {
    /// Radius of the Euclidean ball.
    pub(crate) rho: f64,
    /// Radius of the balls that are scaled by the weights.
    pub(crate) adaptive_rho: f64,
    /// Radius of the box that is scaled by the weights.
    pub(crate) adaptive_box: f64,
    /// Standard deviation of the average displacement.
    pub(crate) sigma: f64,
    /// The same in units of the weights.
    pub(crate) adaptive_sigma: f64,
    /// Random points of each ball.
    pub(crate) directions: usize,
    /// Gradients of each start of the ascent.
    pub(crate) gradients: usize,
    /// Pairs of displacements of each average.
    pub(crate) pairs: usize,
    /// Whether curvature is measured.
    pub(crate) curvature: bool,
    /// Seed of all that is random.
    pub(crate) seed: u64,
}

/// The name of a ball or a displacement in a table and in a document.
type Short = String;

impl SharpnessSettings {
    /// Returns the balls with short names.
    fn balls(&self) -> Vec<(Short, Ball)> {
        let (rho, adaptive) = (plain_number(self.rho), plain_number(self.adaptive_rho));
        vec![
            (format!("l2 {rho}"), Ball::l2(self.rho)),
            (
                format!("ASAM {adaptive}"),
                Ball::l2(self.adaptive_rho).with_scale(Scale::ASAM),
            ),
            (
                format!("|w| {adaptive}"),
                Ball::l2(self.adaptive_rho).with_scale(Scale::INVARIANT),
            ),
            (
                format!("|w| box {}", plain_number(self.adaptive_box)),
                Ball::l_inf(self.adaptive_box).with_scale(Scale::INVARIANT),
            ),
        ]
    }

    /// Returns the averages with short names.
    fn averages(&self) -> [(Short, AverageConfig); 2] {
        let usual = AverageConfig::new().with_probes(50).with_pairs(self.pairs);
        [
            (
                format!("sigma {}", plain_number(self.sigma)),
                usual.with_sigma(self.sigma),
            ),
            (
                format!("|w| sigma {}", plain_number(self.adaptive_sigma)),
                usual
                    .with_sigma(self.adaptive_sigma)
                    .with_scale(Scale::INVARIANT),
            ),
        ]
    }

    /// Returns the settings of these balls and averages.
    fn config(&self, balls: Vec<Ball>, averages: Vec<AverageConfig>, all: bool) -> SharpnessConfig {
        let mut config = SharpnessConfig::new()
            .with_balls(balls)
            .with_averages(averages)
            .with_random(RandomBallConfig::new().with_directions(self.directions))
            .with_curvature((all && self.curvature).then(CurvatureConfig::new));
        if let Some(ascent) = &mut config.ascent {
            ascent.max_gradients = self.gradients;
        }
        config.seeded(self.seed)
    }
}

impl<W: Workload> Placed<W> {
    /// Measures sharpness: each ball, then the averages and the curvature, which share a Hessian.
    pub(super) fn sharpness(&self, settings: &SharpnessSettings, watch: &Watch) -> Analysed {
        let mut works: Vec<Work<'_, Finding>> =
            vec![("loss and gradient", Box::new(|| self.loss_and_gradient()))];
        let names = ["l2 ball", "ASAM ball", "ball of |w|", "box of |w|"];
        for (name, (short, ball)) in names.into_iter().zip(settings.balls()) {
            works.push((
                name,
                Box::new(move || self.piece(&settings.config(vec![ball], vec![], false), &[short])),
            ));
        }
        works.push((
            "averages and curvature",
            Box::new(|| {
                let (shorts, averages) = settings.averages().into_iter().unzip();
                let shorts: Vec<Short> = shorts;
                self.piece(&settings.config(vec![], averages, true), &shorts)
            }),
        ));
        let done = watch.carry_out(works);
        let mut findings = done.findings;
        join(&mut findings);
        Analysed {
            findings,
            failures: done.failures,
            interrupted: done.interrupted,
        }
    }

    fn piece(&self, config: &SharpnessConfig, shorts: &[Short]) -> anyhow::Result<Finding> {
        let (report, seconds) = timed(|| sharpness(&self.model, &self.risk(), config));
        let report: SharpnessReport = report?;
        let (mut lines, mut documents) = (Vec::new(), Vec::new());
        let mut shorts = shorts.iter();
        let mut of = (String::new(), String::new());
        for measure in report.measures() {
            if measure.of != of.0 {
                let short = shorts.next().cloned().unwrap_or_default();
                of = (measure.of.clone(), short);
            }
            let label = match of.1.as_str() {
                "" => measure.name.to_owned(),
                short => format!("{short}: {}", short_name(measure.name)),
            };
            lines.push(Line {
                rescaling: Some(measure.rescaling),
                ..Line::new(Part::Curvature, label, cell(&measure))
            });
            documents.push(document(&measure));
        }
        Ok(Finding {
            key: "sharpness",
            value: json!({
                "measures": documents,
                "method": report.method.map(|method| method.to_string()),
                "seconds": seconds,
            }),
            remarks: if lines.iter().any(|line| line.cell.ends_with('*')) {
                vec!["* not converged.".to_owned()]
            } else {
                Vec::new()
            },
            lines,
            ..Finding::default()
        })
    }
}

/// Makes one finding of all pieces.
fn join(findings: &mut Vec<Finding>) {
    let pieces: Vec<Finding> = findings
        .extract_if(.., |finding| finding.key == "sharpness")
        .collect();
    let Some(last) = pieces.last() else {
        return;
    };
    let measures = pieces
        .iter()
        .filter_map(|of| of.value["measures"].as_array());
    let seconds = pieces.iter().filter_map(|of| of.value["seconds"].as_f64());
    let mut remarks: Vec<String> = pieces.iter().flat_map(|of| of.remarks.clone()).collect();
    remarks.dedup();
    findings.push(Finding {
        key: "sharpness",
        value: json!({
            "measures": measures.flatten().collect::<Vec<_>>(),
            "method": last.value["method"],
            "seconds": seconds.sum::<f64>(),
        }),
        lines: pieces.iter().flat_map(|of| of.lines.clone()).collect(),
        remarks,
        ..Finding::default()
    });
}

/// Returns the name of a measure in a table, beside that of its ball or displacement.
fn short_name(name: &'static str) -> &'static str {
    match name {
        "first-order step" => "step",
        "mean of directions" => "mean",
        "worst of directions" => "worst",
        "projected ascent" => "ascent",
        "average rise" => "average",
        "its second order" => "2nd order",
        other => other,
    }
}

/// Returns a number as a table shows it.
fn cell(measure: &Measure) -> String {
    let Measure { value, error, .. } = measure;
    let mark = if measure.converged { "" } else { " *" };
    let is_count = measure.name == "negative eigenvalues";
    let text = match measure.certainty {
        Certainty::Exact if is_count => value.to_string(),
        Certainty::LowerBound if is_count => format!("≥ {value}"),
        Certainty::Exact => significant(*value, 4),
        Certainty::LowerBound => format!("≥ {}", significant(*value, 4)),
        Certainty::Estimate => with_error(*value, *error),
    };
    text + mark
}

fn document(measure: &Measure) -> Value {
    json!({
        "of": measure.of,
        "name": measure.name,
        "value": number(measure.value),
        "error": number(measure.error),
        "certainty": match measure.certainty {
            Certainty::Exact => "exact",
            Certainty::Estimate => "estimate",
            Certainty::LowerBound => "lower bound",
        },
        "converged": measure.converged,
        "invariant": measure.rescaling.to_string(),
    })
}
