//! Paths between two models of one network: trained, and measured on every split.

use std::cell::RefCell;
use std::ops::ControlFlow;

use anyhow::bail;
use burn::optim::AdamConfig;
use landscape::alignment::{AlignConfig, align};
use landscape::connectivity::{
    Curve, CurveConfig, PathProfile, Shape, TrainedCurve, Verdict, average, train_curve,
};
use landscape::slice::{Buffers, Quantity, linspace};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Column, CurvePlane, Figure};
use crate::config::slice_choice::{PathKind, Split, Statistics};
use crate::engine::analysis::{Placed, Point};
use crate::engine::measurement::number;
use crate::engine::watch::{Watch, timed};
use crate::workload::Workload;

/// The settings of paths.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PathSettings {
    /// The paths.
    pub(crate) paths: Vec<PathKind>,
    /// Bends of a chain.
    pub(crate) bends: usize,
    /// Passes over the training data.
    pub(crate) epochs: usize,
    /// Examples of a step.
    pub(crate) batch_size: usize,
    /// Learning rate of Adam for the bends.
    pub(crate) learning_rate: f64,
    /// Whether the second model's units are permuted to fit the first's, for further lines.
    pub(crate) align: bool,
    /// The running statistics of BatchNorm on the way.
    pub(crate) statistics: Statistics,
    /// The parts of the data.
    pub(crate) splits: Vec<Split>,
    /// Whether accuracies are measured where the workload has them.
    pub(crate) accuracy: bool,
    /// Points at which a path is measured.
    pub(crate) points: usize,
    /// The factor over the worse end up to which a path is connected.
    pub(crate) threshold: f64,
    /// Seed of the training.
    pub(crate) seed: u64,
}

/// The name of the line to the permuted second model.
pub(crate) const ALIGNED: &str = "aligned line";

/// A path that was measured.
#[derive(Debug, Clone)]
pub(crate) struct MeasuredPath {
    /// Its name: "line", "bezier", "chain", "aligned line".
    pub(crate) name: String,
    /// The quantities.
    pub(crate) columns: Vec<Column>,
    /// The points, from 0 to 1.
    pub(crate) t: Vec<f64>,
    /// The values of each quantity at the points.
    pub(crate) values: Vec<Vec<f64>>,
    /// The profile of the loss on each split, in the order of the splits.
    pub(crate) profiles: Vec<PathProfile>,
    /// The length of the path.
    pub(crate) length: f64,
    /// The training of its bends, for the document.
    pub(crate) training: Value,
    /// The permutation of the second model, for the document.
    pub(crate) alignment: Value,
    /// Steps of that training.
    pub(crate) steps: usize,
    /// Whether the training diverged.
    pub(crate) diverged: bool,
    /// Seconds of training and measuring.
    pub(crate) seconds: f64,
}

impl MeasuredPath {
    /// Returns the profile of the first split's loss.
    pub(crate) fn profile(&self) -> &PathProfile {
        self.profiles.first().expect("there is a split")
    }

    /// Returns whether the first split's loss stays below the limit.
    pub(crate) fn is_connected(&self) -> bool {
        self.profile().verdict == Verdict::Connected
    }

    /// Returns the path in the document.
    pub(crate) fn document(&self) -> Value {
        let mut profiles = self.profiles.iter();
        let quantities = self
            .columns
            .iter()
            .zip(&self.values)
            .map(|(column, values)| {
                let mut quantity = json!({
                    "name": column.name(),
                    "split": column.split,
                    "quantity": column.figure,
                    "values": values.iter().map(|value| number(*value)).collect::<Vec<_>>(),
                });
                if let Some(profile) = profiles.next() {
                    quantity["barrier"] = number(profile.barrier);
                    quantity["barrier_t"] = number(profile.barrier_t);
                    quantity["barrier_over_mean"] = number(profile.barrier_over_mean);
                    quantity["min"] = number(profile.min);
                    quantity["max"] = number(profile.max);
                    quantity["max_t"] = number(profile.max_t);
                    quantity["mean"] = number(profile.mean);
                    quantity["length_weighted"] = number(profile.length_weighted);
                    quantity["limit"] = number(profile.limit);
                    quantity["verdict"] = json!(profile.verdict.to_string());
                }
                quantity
            });
        json!({
            "path": self.name,
            "t": self.t,
            "quantities": quantities.collect::<Vec<_>>(),
            "length": number(self.length),
            "training": self.training,
            "alignment": self.alignment,
            "seconds": self.seconds,
        })
    }
}

/// A pair of models to be connected, all its work in pieces.
pub(crate) trait Connecting {
    /// Trains a path if it has bends, and measures it.
    ///
    /// # Errors
    /// When the models have no path between them, or it cannot be trained or measured.
    fn path(&self, kind: PathKind, watch: &Watch) -> anyhow::Result<MeasuredPath>;

    /// Permutes the units of the second model to be near those of the first, and measures the line
    /// to it.
    ///
    /// # Errors
    /// When its units cannot be permuted.
    fn aligned_line(&self, watch: &Watch) -> anyhow::Result<MeasuredPath>;

    /// Returns the plane of the Bezier curve that was trained last, with the loss on the first
    /// split; none where none was trained.
    ///
    /// # Errors
    /// When the bend lies on the line between the models.
    fn plane(&self) -> anyhow::Result<Option<CurvePlane<'_>>>;
}

/// Two models of a workload.
struct Pair<'a, W: Workload> {
    first: &'a Placed<W>,
    second: &'a Placed<W>,
    settings: &'a PathSettings,
    columns: Vec<Column>,
    quantities: Vec<Quantity<W::Model>>,
    /// The Bezier curve that was trained last.
    bezier: RefCell<Option<Curve<W::Model>>>,
}

impl<W: Workload> Placed<W> {
    /// Returns the pair of this model and another.
    pub(super) fn pair<'a>(
        &'a self,
        other: &'a dyn Point,
        settings: &'a PathSettings,
    ) -> Box<dyn Connecting + 'a> {
        let (columns, quantities) = self.quantities(&settings.splits, settings.accuracy);
        Box::new(Pair {
            first: self,
            second: Self::of(&other),
            settings,
            columns,
            quantities,
            bezier: RefCell::new(None),
        })
    }
}

impl<W: Workload> Placed<W> {
    /// Returns the quantities at the average of the weights.
    pub(super) fn averaged(
        &self,
        others: &[&dyn Point],
        settings: &PathSettings,
    ) -> anyhow::Result<Vec<(Column, f64)>> {
        let others = others.iter().map(|other| &Self::of(other).model);
        let models: Vec<&W::Model> = std::iter::once(&self.model).chain(others).collect();
        let average = average(&models)?;
        let average = match self.buffers(settings.statistics).0 {
            Buffers::Recompute(data) => data.recompute_statistics(&average)?,
            Buffers::Interpolate | Buffers::Keep => average,
        };
        let (columns, quantities) = self.quantities(&settings.splits, settings.accuracy);
        let values = quantities.iter().map(|quantity| quantity.value(&average));
        let values: Vec<f64> = values.collect::<Result<_, _>>()?;
        Ok(columns.into_iter().zip(values).collect())
    }
}

impl<W: Workload> Connecting for Pair<'_, W> {
    fn path(&self, kind: PathKind, watch: &Watch) -> anyhow::Result<MeasuredPath> {
        let shape = match kind {
            PathKind::Line => Shape::Line,
            PathKind::Bezier => Shape::Bezier,
            PathKind::Chain => Shape::Chain {
                bends: self.settings.bends,
            },
        };
        let curve = Curve::between(&self.first.model, &self.second.model, shape)?;
        let (made, seconds) = timed(|| -> anyhow::Result<_> {
            let trained = match shape {
                Shape::Line => None,
                _ => Some(self.trained(curve.clone(), watch)?),
            };
            let curve = trained.as_ref().map_or(&curve, |trained| &trained.curve);
            Ok((self.measured(kind.name(), curve, watch)?, trained))
        });
        let (measured, trained) = made?;
        if let (PathKind::Bezier, Some(trained)) = (kind, &trained) {
            *self.bezier.borrow_mut() = Some(trained.curve.clone());
        }
        Ok(MeasuredPath {
            steps: trained.as_ref().map_or(0, |trained| trained.steps),
            diverged: trained.as_ref().is_some_and(|trained| trained.diverged),
            training: trained.as_ref().map_or(Value::Null, training),
            seconds,
            ..measured
        })
    }

    fn aligned_line(&self, watch: &Watch) -> anyhow::Result<MeasuredPath> {
        let (made, seconds) = timed(|| -> anyhow::Result<_> {
            let risk = self.first.risk_of_outputs();
            let risk = risk.unwrap_or_else(|| self.first.risk());
            let config = AlignConfig::new().with_seed(self.settings.seed);
            let found = align(&self.first.model, &self.second.model, &risk, &config)?;
            // A permuted copy comes back as the first model itself, to which there is no line.
            let measured = if found.squared_distance_after == 0.0 {
                self.at_one_point(ALIGNED)?
            } else {
                let curve = Curve::between(&self.first.model, &found.model, Shape::Line)?;
                self.measured(ALIGNED, &curve, watch)?
            };
            Ok((measured, found))
        });
        let (measured, found) = made?;
        Ok(MeasuredPath {
            alignment: json!({
                "groups": found.permutations.iter().map(Vec::len).collect::<Vec<_>>(),
                "permutations": found.permutations,
                "squared_distance_before": number(found.squared_distance_before),
                "squared_distance_after": number(found.squared_distance_after),
                "output_difference": number(found.output_difference),
                "sweeps": found.sweeps,
                "converged": found.converged,
            }),
            seconds,
            ..measured
        })
    }

    fn plane(&self) -> anyhow::Result<Option<CurvePlane<'_>>> {
        let curve = self.bezier.borrow();
        let split = self.settings.splits[0];
        let plane = |curve| self.first.plane_of_curve(curve, split, self.settings);
        curve.as_ref().map(plane).transpose()
    }
}

impl<W: Workload> Pair<'_, W> {
    /// Measures a curve; what was done for it is to be filled in.
    fn measured(
        &self,
        name: &str,
        curve: &Curve<W::Model>,
        watch: &Watch,
    ) -> anyhow::Result<MeasuredPath> {
        let values = self.values(curve, watch)?;
        self.path_of(name, values, &curve.lengths(&self.t())?)
    }

    /// Returns the path that stays at the first model.
    fn at_one_point(&self, name: &str) -> anyhow::Result<MeasuredPath> {
        let model = match self.first.buffers(self.settings.statistics).0 {
            Buffers::Recompute(data) => data.recompute_statistics(&self.first.model)?,
            Buffers::Interpolate | Buffers::Keep => self.first.model.clone(),
        };
        let count = self.settings.points;
        let values = self.quantities.iter().map(|quantity| {
            let value = quantity.value(&model)?;
            Ok(vec![value; count])
        });
        let values: Result<_, landscape::Error> = values.collect();
        let mut path = self.path_of(name, values?, &vec![0.0; count])?;
        for profile in &mut path.profiles {
            // The mean over no length at all is the value there.
            profile.length_weighted = profile.mean;
        }
        Ok(path)
    }

    fn path_of(
        &self,
        name: &str,
        values: Vec<Vec<f64>>,
        lengths: &[f64],
    ) -> anyhow::Result<MeasuredPath> {
        let t = self.t();
        let mut profiles = Vec::new();
        for (column, values) in self.columns.iter().zip(&values) {
            if column.figure == Figure::Loss {
                let profile = PathProfile::of(&t, values, lengths)?;
                profiles.push(profile.with_threshold(self.settings.threshold)?);
            }
        }
        Ok(MeasuredPath {
            name: name.to_owned(),
            columns: self.columns.clone(),
            length: *lengths.last().expect("a path has two ends"),
            t,
            values,
            profiles,
            training: Value::Null,
            alignment: Value::Null,
            steps: 0,
            diverged: false,
            seconds: 0.0,
        })
    }

    fn t(&self) -> Vec<f64> {
        linspace(0.0..=1.0, self.settings.points)
    }

    fn trained(
        &self,
        curve: Curve<W::Model>,
        watch: &Watch,
    ) -> anyhow::Result<TrainedCurve<W::Model>> {
        let data = &self.first.data;
        let batches = data.training_batches(self.settings.batch_size, &self.first.device);
        let steps = self.settings.epochs * batches.len();
        let config = CurveConfig::new(self.settings.learning_rate)
            .with_steps(steps)
            .with_seed(self.settings.seed);
        let mut stopped = false;
        let mut optimiser = AdamConfig::new().init();
        let risk = data.risk(batches);
        let trained = train_curve(curve, &risk, &mut optimiser, &config, |step| {
            let goes_on = watch.goes_on(step.step, Some(steps), "steps");
            stopped = goes_on.is_break();
            goes_on
        })?;
        if stopped {
            bail!("stopped");
        }
        Ok(trained)
    }

    /// Returns the values of all quantities along a curve, the statistics of each point recomputed
    /// once for all of them.
    fn values(&self, curve: &Curve<W::Model>, watch: &Watch) -> anyhow::Result<Vec<Vec<f64>>> {
        let (buffers, _) = self.first.buffers(self.settings.statistics);
        let t = self.t();
        let mut values = vec![Vec::with_capacity(t.len()); self.quantities.len()];
        for (index, &at) in t.iter().enumerate() {
            let model = curve.at_with(at, &buffers)?;
            for (values, quantity) in values.iter_mut().zip(&self.quantities) {
                values.push(quantity.value(&model)?);
            }
            if let ControlFlow::Break(()) = watch.goes_on(index + 1, Some(t.len()), "points") {
                bail!("stopped");
            }
        }
        Ok(values)
    }
}

fn training<M>(trained: &TrainedCurve<M>) -> Value {
    let losses = trained.evaluations.iter().map(
        |found| json!({"step": found.step, "mean": number(found.mean), "max": number(found.max)}),
    );
    json!({
        "steps": trained.steps,
        "gradients": trained.gradients,
        "diverged": trained.diverged,
        "best_step": trained.best.step,
        "losses": losses.collect::<Vec<_>>(),
    })
}
