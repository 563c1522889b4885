//! The loss on the straight line between the weights of two checkpoints, and the barrier on it.

use landscape::slice::{Buffers, line_between_observed};
use pictures::{CurvesConfig, curves_with};
use probes::{json_numbers, show};
use serde_json::{Value, json};

use super::bench::{Bench, Finding, Row, number};
use crate::config::choice::name;
use crate::config::subject::{NetworkPlan, Subject};
use crate::engine::origin::same_checksums;
use crate::engine::stored::Stored;
use crate::engine::watch::timed;
use crate::failure::usage;
use crate::report::number::significant;
use crate::workload::{Part, Workload};

/// The length of the line beyond each end: one part in so many of the way between them.
const BEYOND: usize = 4;

/// Checks that there is a line: only networks of one shape have one, and only losses over the same
/// examples mean the same at both
///
/// # Errors
/// A usage error that names what differs.
pub(super) fn comparable(run: &Stored, other: &Stored) -> anyhow::Result<()> {
    let (a, b) = (run.plan(), other.plan());
    let (from, to) = (run.directory.display(), other.directory.display());
    let differ = |what: &str, a: String, b: String| {
        Err(usage(format!(
            "there is no line from {from} to {to}: they have different {what} ({a} and {b})"
        )))
    };
    match (&a.subject, &b.subject) {
        (Subject::Network(a), Subject::Network(b)) => {
            if a.model != b.model {
                return differ("models", name(a.model), name(b.model));
            }
            if a.hidden != b.hidden && a.is_dense() {
                return differ("hidden widths", a.hidden.to_string(), b.hidden.to_string());
            }
            let depth = |network: &NetworkPlan| {
                let depth = network.variation.depth;
                depth.map_or(0, |depth| depth.get()).to_string()
            };
            if a.variation.depth != b.variation.depth {
                return differ("numbers of further convolutions", depth(a), depth(b));
            }
            if a.activation != b.activation {
                return differ("activations", name(a.activation), name(b.activation));
            }
        }
        (a, b) if a != b => return differ("workloads", a.in_words(), b.in_words()),
        _ => {}
    }
    if let Some(difference) = same_checksums(run.checkpoint.state.data, other.checkpoint.state.data)
    {
        return Err(usage(format!(
            "{from} and {to} were trained on different data ({} and {}; {difference}), so a loss along the line would mean different things at its ends",
            a.subject.data_name(),
            b.subject.data_name()
        )));
    }
    Ok(())
}

impl<W: Workload> Bench<'_, W> {
    /// Measures the losses along (1 − a) `from` + a `to`. The running statistics of BatchNorm are
    /// computed anew at each point from the training data: interpolated ones fit no network between
    /// and would show a barrier that is none of the weights.
    pub(super) fn between(
        &self,
        [from, to]: [&W::Model; 2],
        names: [&str; 2],
    ) -> anyhow::Result<Finding> {
        let points = self.request.line.expect("a line between runs has points");
        let a = coordinates(points);
        let training = self
            .data
            .risk(self.data.batches(Part::Training, &self.device));
        let (buffers, statistics) = if self.has_statistics {
            (
                Buffers::Recompute(training),
                "recomputed at each point from the training data",
            )
        } else {
            (Buffers::Interpolate, "the network has none")
        };
        let risks = [
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
        let of = risks.len() * a.len();
        let (found, seconds) = timed(|| {
            let mut found = Vec::new();
            for (index, (name, risk)) in risks.iter().enumerate() {
                let each = |done, _| {
                    self.watch
                        .goes_on(index * a.len() + done + 1, Some(of), "points")
                };
                let line = line_between_observed(from, to, risk, &buffers, &a, each)?;
                found.push((*name, line.loss));
            }
            Ok::<_, landscape::Error>(found)
        });
        let found = found?;
        let (mut rows, mut results) = (Vec::new(), Vec::new());
        for (name, loss) in &found {
            let barrier = Barrier::of(&a, loss);
            results.push(json!({
                "name": name,
                "from": number(barrier.ends[0]),
                "to": number(barrier.ends[1]),
                "barrier": number(barrier.height),
                "at": number(barrier.at),
                "highest": number(barrier.loss),
            }));
            let [at_0, at_1] = barrier.ends.map(|end| significant(end, 4));
            rows.push(Row::new(format!("{name}, a = 0"), at_0, "exact"));
            rows.push(Row::new("  a = 1", at_1, "exact"));
            rows.push(Row {
                work: format!("at a = {}", significant(barrier.at, 2)),
                ..Row::new(
                    "  barrier",
                    significant(barrier.height, 4),
                    format!("from {points} points"),
                )
            });
        }
        if !rows.is_empty() {
            let first = rows.remove(0);
            rows.insert(0, first.after(of, "points", seconds));
        }
        let losses: Vec<(&str, &[f64])> = found
            .iter()
            .map(|(name, loss)| (*name, loss.as_slice()))
            .collect();
        let data = json!({
            "direction": "(1 - a) times the weights of the run, plus a times those of the other",
            "statistics": statistics,
            "a": json_numbers(&a),
            "curves": show::curves_data(&losses),
        });
        let config = CurvesConfig {
            x_label: format!("0: {}, 1: {}", names[0], names[1]),
            y_label: "loss".into(),
            ..CurvesConfig::new("Loss on the line between two runs")
        };
        let picture = curves_with(&show::series(&a, &losses), &config)?;
        let files = self.files(
            ("landscape/between_data", data),
            ("landscape/between", picture),
        )?;
        Ok(Finding {
            key: "between",
            value: json!({"statistics": statistics, "curves": Value::Array(results), "points": a.len(), "seconds": seconds}),
            rows,
            remarks: std::iter::once(
                "The barrier is how far the loss rises above the straight line between its ends."
                    .to_owned(),
            )
            .chain(
                self.has_statistics
                    .then(|| format!("The running statistics of BatchNorm are {statistics}.")),
            )
            .collect(),
            files,
        })
    }
}

/// Returns `points` points from 0 to 1, both exact, and as close beyond them.
fn coordinates(points: usize) -> Vec<f64> {
    let last = points.saturating_sub(1).max(1);
    let beyond = last.div_ceil(BEYOND);
    (0..=last + 2 * beyond)
        .map(|index| (index as f64 - beyond as f64) / last as f64)
        .collect()
}

/// The rise of the loss above the straight line between the losses of both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Barrier {
    /// The losses at 0 and at 1.
    ends: [f64; 2],
    /// The largest of L(a) - ((1 - a) L(0) + a L(1)) for a from 0 to 1; 0 at least.
    height: f64,
    /// Where.
    at: f64,
    /// The loss there.
    loss: f64,
}

impl Barrier {
    /// Returns the barrier. A loss between the ends that is no finite number makes it infinite.
    fn of(a: &[f64], loss: &[f64]) -> Self {
        let at = |end: f64| {
            let found = a.iter().position(|a| *a == end);
            found.map_or(f64::NAN, |index| loss[index])
        };
        let ends = [at(0.0), at(1.0)];
        let between = a.iter().zip(loss).filter(|(a, _)| (0.0..=1.0).contains(*a));
        let mut barrier = Self {
            ends,
            height: 0.0,
            at: 0.0,
            loss: ends[0],
        };
        for (&a, &loss) in between {
            let chord = (1.0 - a) * ends[0] + a * ends[1];
            let rise = if loss.is_finite() {
                loss - chord
            } else {
                f64::INFINITY
            };
            if rise > barrier.height {
                (barrier.height, barrier.at, barrier.loss) = (rise, a, loss);
            }
        }
        barrier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_met_exactly_and_the_line_goes_on_by_a_quarter() {
        for points in [2, 5, 41] {
            let a = coordinates(points);
            assert!(a.contains(&0.0) && a.contains(&1.0), "{points}");
            let inside = a.iter().filter(|a| (0.0..=1.0).contains(*a));
            assert_eq!(inside.count(), points);
            assert!(a[0] <= -0.25 && a[a.len() - 1] >= 1.25);
        }
    }

    #[test]
    fn barrier_of_a_parabola_above_its_chord_is_its_sagitta() {
        // 1 + a + 4 h a (1 - a) lies h above its chord in the middle.
        let a = coordinates(21);
        let loss: Vec<f64> = a
            .iter()
            .map(|a| 1.0 + a + 4.0 * 0.3 * a * (1.0 - a))
            .collect();
        let barrier = Barrier::of(&a, &loss);
        assert!((barrier.height - 0.3).abs() < 1e-15 && barrier.at == 0.5);
        assert_eq!(barrier.ends, [1.0, 2.0]);
        let convex: Vec<f64> = a.iter().map(|a| (a - 0.4).powi(2)).collect();
        assert_eq!(Barrier::of(&a, &convex).height, 0.0);
    }

    #[test]
    fn loss_that_is_not_finite_between_the_ends_is_an_infinite_barrier() {
        let barrier = Barrier::of(&[0.0, 0.5, 1.0], &[1.0, f64::NAN, 1.0]);
        assert_eq!((barrier.height, barrier.at), (f64::INFINITY, 0.5));
    }
}
