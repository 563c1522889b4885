//! An analysis as records, the same as those of the instruments.

use landscape::sharpness::{Ball, Scale};
use landscape::spectrum::EigenPair;
use serde_json::json;

use super::result::Analysis;
use crate::diagnosis::{Diagnosis, Facts};
use crate::record::{Eigenvalues, Finding, Record, Records, Value};
use crate::report::{Page, Run};
use crate::{Error, json_number, show, tag};

/// The diagnosis in markdown.
const DIAGNOSIS: &str = "diagnosis/report";

/// The direction of the line, as the instrument names it.
const LINE: &str = "a random direction";

impl Analysis {
    /// Returns what was found as records at the step of the settings: the same as those of the
    /// instruments, with pictures of line, plane and density, so that any sink takes them.
    ///
    /// # Errors
    /// A picture that cannot be drawn.
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        let mut records = Records::new(self.config.step);
        self.record(&mut records)?;
        Ok(records.into_vec())
    }

    /// Returns the page that shows what was found: `analysis.report()?.write("report.html")?`.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub fn report(&self) -> Result<Page, Error> {
        Ok(Page::new().with(self.run("analysis")?))
    }

    /// Returns what was found as a run of a [`Page`], under a name.
    ///
    /// # Errors
    /// As [`records`](Self::records).
    pub fn run(&self, name: impl Into<String>) -> Result<Run, Error> {
        let optimiser = self.config.optimiser.iter();
        let settings = [
            ("parameters", self.parameters.to_string()),
            (
                "examples",
                format!("{} of {}", self.examples, self.examples_given),
            ),
            ("depth", self.config.depth.to_string()),
        ];
        let settings = settings
            .into_iter()
            .chain(optimiser.map(|(_, rate)| ("learning rate", rate.to_string())));
        Ok(Run::from_records(name, &self.records()?).with_settings(settings))
    }

    /// Returns everything but pictures as one JSON document: scalars, texts and data by their
    /// tags, what was left out and why, the seconds of each part, and the diagnosis.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut records = Records::new(self.config.step);
        self.record_numbers(&mut records);
        self.record_data(&mut records);
        let mut values = serde_json::Map::new();
        for record in records.into_vec() {
            let value = match record.value {
                Value::Scalar(value) => json_number(value),
                Value::Text(text) => json!(text),
                Value::Data(data) => data,
                _ => continue,
            };
            values.insert(record.tag, value);
        }
        let omitted = self.omitted.iter().map(
            |omission| json!({ "part": omission.part.name(), "why": omission.why.to_string() }),
        );
        let times = self.times.iter();
        let times = times.map(|(part, seconds)| json!({ "part": part.name(), "seconds": seconds }));
        json!({
            "depth": self.config.depth,
            "parameters": self.parameters,
            "examples": self.examples,
            "examples_given": self.examples_given,
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "summary": self.to_string().lines().collect::<Vec<_>>(),
            "values": values,
            "omitted": omitted.collect::<Vec<_>>(),
            "times": times.collect::<Vec<_>>(),
            "diagnosis": self.diagnosis,
        })
    }

    /// Adds all records.
    pub(super) fn record(&self, records: &mut Records) -> Result<(), Error> {
        self.record_numbers(records);
        self.record_data(records);
        if let Some(diagnosis) = &self.diagnosis {
            records.text(DIAGNOSIS, diagnosis.markdown());
        }
        records.text(tag::ANALYSIS_SUMMARY, format!("```text\n{self}\n```"));
        self.record_pictures(records)
    }

    /// Adds the numbers, which are what a diagnosis reads.
    pub(super) fn record_numbers(&self, records: &mut Records) {
        records.scalar(tag::ANALYSIS_LOSS, self.loss);
        if let Some(gradient) = &self.gradient {
            records.scalar(tag::GRADIENT_NORM, gradient.norm);
            for (path, norm) in &gradient.layers {
                records.scalar(
                    format!("{}{}", tag::GRADIENT_LAYER, path.replace('.', "/")),
                    *norm,
                );
            }
        }
        self.record_eigenvalues(records);
        if let Some((trace, standard_error)) = self.trace() {
            records.scalar(tag::TRACE, trace);
            records.scalar(tag::TRACE_STANDARD_ERROR, standard_error);
            let margin = 2.0 * standard_error;
            records.scalar(tag::TRACE_BAND[0], trace - margin);
            records.scalar(tag::TRACE_BAND[1], trace + margin);
        }
        for (layer, trace) in self.layer_traces() {
            records.scalar(
                format!("{}{}", tag::LAYER_TRACE, layer.replace('.', "/")),
                trace,
            );
        }
        if let Some(trace) = &self.estimated_trace {
            records.found(Finding::Trace(trace.estimate));
        }
        if let Some(stability) = &self.stability {
            records.scalar(tag::STABILITY_THRESHOLD, stability.threshold);
            records.scalar(tag::SHARPNESS_RATIO, stability.ratio);
        }
        if let Some(products) = &self.products {
            #[expect(clippy::cast_precision_loss, reason = "a number of products")]
            records.scalar(tag::UNRESOLVED, products.unresolved as f64);
            records.text(tag::METHOD, products.method.to_string());
            if self.examples < self.examples_given {
                #[expect(clippy::cast_precision_loss, reason = "a number of examples")]
                records.scalar(tag::EXAMPLES, self.examples as f64);
            }
        }
        if let Some(point) = &self.critical {
            records.text(tag::VERDICT, point.to_string());
            #[expect(clippy::cast_precision_loss, reason = "a number of eigenvalues")]
            records.scalar(tag::NEGATIVE_EIGENVALUES, point.index.at_least as f64);
        }
        self.record_sharpness(records);
    }

    fn record_eigenvalues(&self, records: &mut Records) {
        let mut add = |name: &str, pair: &EigenPair| {
            records.scalar(format!("curvature/{name}"), pair.value);
            records.scalar(format!("{}{name}_residual", tag::CHECK), pair.residual);
        };
        for (index, pair) in self.largest.iter().enumerate() {
            add(&format!("lambda_{}", index + 1), pair);
        }
        if let Some(pair) = &self.smallest {
            add("lambda_min", pair);
        }
        if let Some(pair) = self.largest.first() {
            records.scalar(tag::LAMBDA_1_BAND[0], pair.value - pair.residual);
            records.scalar(tag::LAMBDA_1_BAND[1], pair.value + pair.residual);
        }
        if !self.largest.is_empty() {
            records.found(Finding::Eigenvalues(Eigenvalues {
                largest: self.largest.iter().map(Into::into).collect(),
                smallest: self.smallest.as_ref().map(Into::into),
            }));
        }
    }

    fn record_sharpness(&self, records: &mut Records) {
        let Some(report) = &self.sharpness else {
            return;
        };
        for ball in &report.balls {
            let rho = ball.sam.rho;
            if ball.ball == Ball::l2(rho) {
                records.scalar(tag::SAM_SHARPNESS, ball.sam.value);
                if let Some(ascent) = &ball.ascent {
                    records.scalar(tag::WORST_BALL_SHARPNESS, ascent.value);
                }
                records.scalar(tag::RANDOM_BALL_SHARPNESS, ball.random.worst);
                records.found(Finding::SamSharpness {
                    value: ball.sam.value,
                    rho,
                });
            } else if ball.ball == Ball::l2(rho).with_scale(Scale::ASAM) {
                records.scalar(tag::ASAM_SHARPNESS, ball.sam.value);
            }
        }
        if let Some(average) = report
            .averages
            .iter()
            .find(|average| average.scale == Scale::One)
        {
            records.scalar(tag::AVERAGE_SHARPNESS, average.estimate.mean);
            records.scalar(
                format!("{}average_sharpness_standard_error", tag::CHECK),
                average.estimate.standard_error,
            );
        }
        let measures = report.measures().into_iter().map(|measure| {
            json!({
                "of": measure.of,
                "name": measure.name,
                "value": json_number(measure.value),
                "error": json_number(measure.error),
                "certainty": measure.certainty,
                "converged": measure.converged,
                "rescaling": measure.rescaling,
            })
        });
        records.data(tag::SHARPNESS_SUITE, measures.collect());
    }

    /// Adds the numbers of line, plane and density.
    fn record_data(&self, records: &mut Records) {
        let seed = self.config.settings.slice_seed;
        if let Some(line) = &self.line {
            let curves = [("loss", &line.loss[..])];
            records.data(
                tag::LINE_DATA,
                show::line_data(LINE, seed, &line.a, &curves),
            );
        }
        if let Some(surface) = &self.surface {
            records.data(tag::SURFACE_DATA, show::surface_data(surface, seed));
            // A surface without a mesh still has its picture.
            if let Ok(mesh) = show::surface_mesh(surface, None) {
                records.mesh(tag::SURFACE_MESH, mesh);
            }
        }
        if let Some(density) = &self.density {
            records.data(tag::DENSITY_DATA, show::density_data(density));
        }
    }

    fn record_pictures(&self, records: &mut Records) -> Result<(), Error> {
        let step = self.config.step;
        if let Some(line) = &self.line {
            let curves = [("loss", &line.loss[..])];
            records.picture(tag::LINE, show::line_picture(LINE, &line.a, &curves, step)?);
        }
        if let Some(surface) = &self.surface {
            records.picture(tag::SURFACE, show::surface_picture(surface, step)?);
        }
        if let Some(density) = &self.density {
            records.picture(tag::DENSITY_PICTURE, show::density_picture(density, step)?);
        }
        Ok(())
    }

    /// Returns what the numbers say is wrong with a network that has BatchNorm layers, or none.
    pub(super) fn diagnosed(&self, has_batch_norm: bool) -> Diagnosis {
        let mut records = Records::new(self.config.step);
        self.record_numbers(&mut records);
        self.record_data(&mut records);
        let mut facts = Facts::new()
            .with_training_loss(tag::ANALYSIS_LOSS)
            .with_examples(self.examples)
            .with_batch_norm(has_batch_norm);
        if let Some((optimiser, learning_rate)) = self.config.optimiser {
            facts = facts
                .with_optimiser(optimiser)
                .with_learning_rate(learning_rate);
        }
        let balls = self.sharpness.iter().flat_map(|report| &report.balls);
        let mut plain = balls.filter(|ball| ball.ball == Ball::l2(ball.sam.rho));
        if let Some(ball) = plain.next() {
            facts = facts.with_sharpness_rho(ball.sam.rho);
        }
        for record in records.into_vec() {
            facts.observe(&record);
        }
        facts.diagnose()
    }

    /// Returns the trace of each layer's diagonal block, where the trace is exact or nearly so.
    #[must_use]
    pub fn layer_traces(&self) -> Vec<(String, f64)> {
        let mut layers: Vec<(String, f64)> = Vec::new();
        for block in self.exact_trace.iter().flat_map(|trace| &trace.blocks) {
            let path = &*block.path;
            let layer = path.rsplit_once('.').map_or(path, |(layer, _)| layer);
            match layers.iter_mut().find(|(name, _)| name == layer) {
                Some((_, trace)) => *trace += block.value,
                None => layers.push((layer.to_owned(), block.value)),
            }
        }
        layers
    }
}
