//! The loss on the straight lines from earlier weights to the present ones.

use burn::module::Module;
use landscape::connectivity::PathProfile;
use landscape::slice::{Buffers, line_between_observed, linspace};
use landscape::{Batch, ParameterSpace, Risk, download, norm, snapshot};
use serde_json::json;

use crate::budget::MeasuringCost;
use crate::record::{Records, json_number, json_numbers};
use crate::workload::Work;
use crate::{Error, Moment, Probe, show, tag};

/// Points of a line unless something else is asked for, both ends included; and fewest.
const POINTS: usize = 21;
const LEAST_POINTS: usize = 5;

/// Forward passes that the preparation of a line takes.
const PREPARATION: f64 = 15.0;

/// The loss on the straight line from the first weights of the run to the present ones, as
/// `landscape/interpolation_from_start`, and from the weights of its own last measurement, as
/// `landscape/interpolation_from_last`; the numbers under the same tags with `_data`.
///
/// ```text
/// L((1 − t) θ₀ + t θ),  0 ≤ t ≤ 1        barrier  max_t L(t) − ((1 − t) L(0) + t L(1))
/// ```
///
/// The barriers of the first risk are `landscape/barrier_from_start` and
/// `landscape/barrier_from_last`: 0 where the loss nowhere rises above the line between its ends.
/// They are of the points that were evaluated, 21 unless [`with_points`](Self::with_points) says
/// otherwise, and fewer under a limited [`Budget`](crate::Budget); the numbers say how many, and
/// whether the loss falls all the way.
///
/// Running statistics of BatchNorm and frozen parameters are interpolated as the weights are,
/// unless [`with_buffers`](Self::with_buffers) says otherwise: between far networks they fit
/// neither the weights nor the data, and show a barrier that is none of the weights;
/// [`Buffers::Recompute`] makes them anew at each point, for a second pass.
///
/// It keeps two models: the first and that of the last measurement, so two vectors of all
/// parameters and buffers (a snapshot shares the weights until training writes to them). The first
/// is the one that the run begins with, whether or not the probe is due then. Where a run is gone
/// on with from a checkpoint, its start is unknown: the line is then from the first weights that
/// were observed, and picture, numbers and a warning say from which step;
/// [`with_start`](Self::with_start) gives it.
///
/// # References
/// Goodfellow, Vinyals and Saxe (2015), *Qualitatively characterizing neural network optimization
/// problems*.
#[derive(Debug, Clone)]
pub struct Interpolation<M, B> {
    risks: Vec<(String, Risk<M, B>)>,
    points: usize,
    buffers: Buffers<M, B>,
    start: Option<Kept<M>>,
    last: Option<Kept<M>>,
    from_start: bool,
    from_last: bool,
    /// Whether it was said that the start is not the run's.
    warned: bool,
}

/// A model that is kept, with its step.
#[derive(Debug, Clone)]
struct Kept<M> {
    step: u64,
    model: M,
}

/// The tags of one of the lines.
struct Tags {
    picture: &'static str,
    data: &'static str,
    barrier: &'static str,
}

const START: Tags = Tags {
    picture: tag::FROM_START,
    data: tag::FROM_START_DATA,
    barrier: tag::FROM_START_BARRIER,
};

const LAST: Tags = Tags {
    picture: tag::FROM_LAST,
    data: tag::FROM_LAST_DATA,
    barrier: tag::FROM_LAST_BARRIER,
};

impl<M: Module, B: Batch> Interpolation<M, B> {
    /// Measures the loss of `risk`, named `name` in the legend, on both lines.
    pub fn of(risk: &Risk<M, B>, name: impl Into<String>) -> Self {
        Self {
            risks: vec![(name.into(), risk.clone())],
            points: POINTS,
            buffers: Buffers::Interpolate,
            start: None,
            last: None,
            from_start: true,
            from_last: true,
            warned: false,
        }
    }

    /// Adds a curve for another risk, for example that of the validation data.
    #[must_use]
    pub fn and(mut self, risk: &Risk<M, B>, name: impl Into<String>) -> Self {
        self.risks.push((name.into(), risk.clone()));
        self
    }

    /// Sets the number of points, both ends included; at least 3.
    #[must_use]
    pub fn with_points(self, points: usize) -> Self {
        Self {
            points: points.max(3),
            ..self
        }
    }

    /// Sets what becomes of running statistics and frozen parameters.
    #[must_use]
    pub fn with_buffers(self, buffers: Buffers<M, B>) -> Self {
        Self { buffers, ..self }
    }

    /// Sets the model that the run began with at step 0, for a run that is gone on with.
    #[must_use]
    pub fn with_start(self, model: &M) -> Self {
        Self {
            start: Some(Kept {
                step: 0,
                model: snapshot(model),
            }),
            ..self
        }
    }

    /// Leaves the line from the last measurement out; one model less is kept.
    #[must_use]
    pub fn from_start_alone(self) -> Self {
        Self {
            from_last: false,
            ..self
        }
    }

    /// Leaves the line from the start out; one model less is kept.
    #[must_use]
    pub fn from_last_alone(self) -> Self {
        Self {
            from_start: false,
            start: None,
            ..self
        }
    }
}

/// Returns the name of a treatment of buffers.
fn treatment<M, B>(buffers: &Buffers<M, B>) -> &'static str {
    match buffers {
        Buffers::Interpolate => "interpolated",
        Buffers::Recompute(_) => "recomputed at each point",
        Buffers::Keep => "those of the earlier model",
    }
}

/// Returns the forward passes of a point.
fn passes_of<M, B>(buffers: &Buffers<M, B>) -> f64 {
    match buffers {
        Buffers::Recompute(_) => 2.0,
        Buffers::Interpolate | Buffers::Keep => 1.0,
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Interpolation<M, B> {
    /// Lines that can be measured at `step`.
    fn lines(&self, step: u64) -> usize {
        let from = |kept: &Option<Kept<M>>| {
            usize::from(kept.as_ref().is_some_and(|kept| kept.step != step))
        };
        from(&self.start) * usize::from(self.from_start)
            + from(&self.last) * usize::from(self.from_last)
    }

    /// Seconds of so many lines of so many points.
    #[expect(clippy::cast_precision_loss, reason = "numbers of points and lines")]
    fn seconds(&self, moment: &Moment<'_, M>, lines: usize, points: usize) -> Result<f64, Error> {
        let mut seconds = lines as f64 * moment.drawing();
        for (_, risk) in &self.risks {
            let passes = PREPARATION + passes_of(&self.buffers) * points as f64;
            seconds += moment.estimated(risk, Work::passes(lines as f64 * passes))?;
        }
        Ok(seconds)
    }

    /// Returns the points for which there is time.
    fn points(&self, moment: &Moment<'_, M>, lines: usize) -> Result<usize, Error> {
        let Some(given) = moment.seconds else {
            return Ok(self.points);
        };
        let mut points = self.points;
        while points > LEAST_POINTS && self.seconds(moment, lines, points)? > given {
            points -= 1;
        }
        Ok(points)
    }

    /// Measures one line.
    fn line(
        &self,
        moment: &Moment<'_, M>,
        from: &Kept<M>,
        points: usize,
        tags: &Tags,
        records: &mut Records,
    ) -> Result<(), Error> {
        let t = linspace(0.0..=1.0, points);
        let mut losses: Vec<(&str, Vec<f64>)> = Vec::new();
        let mut measured = Ok(());
        for (name, risk) in &self.risks {
            let found = moment.timed_passes(risk, points, |risk| {
                line_between_observed(
                    &from.model,
                    moment.model,
                    risk,
                    &self.buffers,
                    &t,
                    |_, _| moment.going_on(),
                )
            });
            match found {
                Ok(found) => losses.push((name, found.loss)),
                Err(error @ landscape::Error::Cancelled { .. }) => return Err(error.into()),
                // A curve that cannot be measured does not take the others with it.
                Err(error) => measured = measured.and(Err(error.into())),
            }
        }
        let Some((_, first)) = losses.first() else {
            return measured;
        };
        let space = ParameterSpace::of(moment.model)?;
        // The models may differ in running statistics, which are no part of the distance.
        let along = space.flatten(moment.model)? - space.flatten(&from.model)?;
        let distance = norm(&download(&along));
        let length: Vec<f64> = t.iter().map(|t| t * distance).collect();
        let profile = PathProfile::of(&t, first, &length);
        let curves: Vec<(&str, &[f64])> = losses
            .iter()
            .map(|(name, loss)| (*name, loss.as_slice()))
            .collect();
        let barrier = |of: fn(&PathProfile) -> f64| match &profile {
            Ok(profile) => json_number(of(profile)),
            Err(_) => serde_json::Value::Null,
        };
        records.data(
            tags.data,
            json!({
                "from_step": from.step,
                "to_step": moment.step,
                "distance": json_number(distance),
                "buffers": treatment(&self.buffers),
                "t": json_numbers(&t),
                "curves": show::curves_data(&curves),
                "barrier": barrier(|profile| profile.barrier),
                "barrier_t": barrier(|profile| profile.barrier_t),
                "barrier_error": barrier(|profile| profile.barrier_error),
                "falls_all_the_way": first.windows(2).all(|pair| pair[1] <= pair[0]),
            }),
        );
        let title = format!(
            "Loss from step {} (0) to step {} (1)",
            from.step, moment.step
        );
        let picture = moment.draw(|| show::loss_line(&t, &curves, title))?;
        records.picture(tags.picture, picture);
        records.scalar(tags.barrier, profile?.barrier);
        measured
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for Interpolation<M, B> {
    fn name(&self) -> String {
        "interpolation to earlier weights".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let lines = self.lines(moment.step);
        Ok(Some(MeasuringCost {
            least: self.seconds(moment, lines, LEAST_POINTS.min(self.points))?,
            full: self.seconds(moment, lines, self.points)?,
        }))
    }

    fn begin(&mut self, moment: &Moment<'_, M>) {
        if self.from_start && self.start.is_none() {
            self.start = Some(Kept {
                step: moment.step,
                model: snapshot(moment.model),
            });
        }
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        // Without a container nobody has shown the first model.
        self.begin(moment);
        if let Some(start) = self.start.as_ref().filter(|start| start.step > 0)
            && !self.warned
        {
            self.warned = true;
            records.warn(format!(
                "the start of the run is not known, because the first weights that were observed are those of step {}: the interpolation is from there; `Interpolation::with_start` gives the start",
                start.step
            ));
        }
        let lines = self.lines(moment.step);
        let points = self.points(moment, lines.max(1))?;
        if points < self.points && lines > 0 {
            records.shortened(format!("{points} points in place of {}", self.points));
        }
        let differs = |kept: &&Kept<M>| kept.step != moment.step;
        let mut measured = Ok(());
        for (kept, tags) in [(&self.start, &START), (&self.last, &LAST)] {
            let Some(from) = kept.as_ref().filter(differs) else {
                continue;
            };
            let found = self.line(moment, from, points, tags, records);
            if let Err(Error::Landscape(landscape::Error::Cancelled { .. })) = &found {
                return found;
            }
            measured = measured.and(found);
        }
        if self.from_last {
            self.last = Some(Kept {
                step: moment.step,
                model: snapshot(moment.model),
            });
        }
        measured
    }
}
