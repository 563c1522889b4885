//! The loss along a random direction and over the plane of two, filter-normalised, as the
//! instruments of a run draw them.

use landscape::slice::{line_observed, linspace, plane_observed};
use landscape::{Grid, ParameterSpace, filter_normalize, random_direction, random_directions};
use probes::{show, tag};
use serde_json::json;

use super::bench::{Bench, Finding, NamedFile, Row, number};
use crate::engine::watch::timed;
use crate::report::number::significant;
use crate::workload::{Part, Workload};

impl<W: Workload> Bench<'_, W> {
    pub(super) fn line(&self, model: &W::Model, points: usize) -> anyhow::Result<Finding> {
        let (range, seed) = (self.request.range, self.request.seed);
        let a = linspace(-range..=range, points);
        let space = ParameterSpace::of(model)?;
        let direction = filter_normalize(&space, model, random_direction(&space, seed))?;
        let curves = [
            (
                "training sample",
                self.data.risk(self.data.curvature_batches(&self.device)),
            ),
            (
                "validation",
                self.data
                    .risk(self.data.batches(Part::Validation, &self.device)),
            ),
        ];
        let of = curves.len() * points;
        let (losses, seconds) = timed(|| {
            let mut losses = Vec::new();
            for (index, (name, risk)) in curves.iter().enumerate() {
                let each = |done, _| {
                    self.watch
                        .goes_on(index * points + done + 1, Some(of), "points")
                };
                losses.push((
                    *name,
                    line_observed(model, risk, &direction, &a, each)?.loss,
                ));
            }
            Ok::<_, landscape::Error>(losses)
        });
        let losses = losses?;
        let curves: Vec<(&str, &[f64])> = losses
            .iter()
            .map(|(name, loss)| (*name, loss.as_slice()))
            .collect();
        let direction = "a random direction";
        let files = self.files(
            (
                tag::LINE_DATA,
                show::line_data(direction, seed, &a, &curves),
            ),
            (
                tag::LINE,
                show::line_picture(direction, &a, &curves, self.step)?,
            ),
        )?;
        let sample = losses.first().map_or(&[][..], |(_, loss)| loss);
        Ok(slice("line", "loss along a line", sample, seconds, files))
    }

    pub(super) fn surface(&self, model: &W::Model, points: usize) -> anyhow::Result<Finding> {
        let (range, seed) = (self.request.range, self.request.seed);
        let grid = Grid::square(-range..=range, points);
        let space = ParameterSpace::of(model)?;
        let [first, second] = random_directions(&space, seed);
        let first = filter_normalize(&space, model, first)?;
        let second = filter_normalize(&space, model, second)?;
        let risk = self.data.risk(self.data.curvature_batches(&self.device));
        let mut done = 0;
        let (surface, seconds) = timed(|| {
            plane_observed(model, &risk, [&first, &second], &grid, |_, _| {
                done += 1;
                self.watch.goes_on(done, Some(points * points), "points")
            })
        });
        let surface = surface?;
        let files = self.files(
            (tag::SURFACE_DATA, show::surface_data(&surface, seed)),
            (tag::SURFACE, show::surface_picture(&surface, self.step)?),
        )?;
        Ok(slice(
            "surface",
            "loss surface",
            &surface.loss,
            seconds,
            files,
        ))
    }
}

/// Returns the finding of a slice: its extremes, and how many losses are no finite numbers.
fn slice(
    key: &'static str,
    what: &str,
    losses: &[f64],
    seconds: f64,
    files: Vec<NamedFile>,
) -> Finding {
    let finite = || losses.iter().copied().filter(|loss| loss.is_finite());
    let (low, high) = (
        finite().fold(f64::NAN, f64::min),
        finite().fold(f64::NAN, f64::max),
    );
    let not_finite = losses.len() - finite().count();
    Finding {
        key,
        value: json!({
            "lowest": number(low),
            "highest": number(high),
            "points": losses.len(),
            "not_finite": not_finite,
            "seconds": seconds,
        }),
        rows: vec![
            Row::new(what, "", "").after(losses.len(), "points", seconds),
            Row::new("  lowest loss", significant(low, 4), "exact"),
            Row::new("  highest loss", significant(high, 4), "exact"),
        ],
        remarks: match not_finite {
            0 => Vec::new(),
            count => vec![format!(
                "{what}: {count} points have a loss that is no finite number."
            )],
        },
        files,
    }
}
