//! The loss along one direction.

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::slice::line_observed;
use landscape::{
    Batch, LanczosConfig, ParameterSpace, Risk, filter_normalize, random_direction, top_eigenpairs,
};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, show, tag};

/// Forward passes that the preparation of a line takes.
const PREPARATION: f64 = 12.0;

/// Products that an eigenvector takes.
const EIGENVECTOR: usize = 40;

/// Which direction a [`LossLine`] follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineDirection {
    /// A random direction, normalised by filter: multiples are in units of the weights' own size.
    Random {
        /// Its seed.
        seed: u64,
    },
    /// The unit eigenvector of the largest eigenvalue of the Hessian of the first risk.
    TopEigenvector {
        /// The seed of Lanczos' start vector.
        seed: u64,
    },
}

/// The loss along a direction, one curve for each risk, as the picture `landscape/line` and the numbers `landscape/line_data`.
#[derive(Clone, Debug)]
pub struct LossLine<M, B> {
    risks: Vec<(String, Risk<M, B>)>,
    a: Vec<f64>,
    direction: LineDirection,
}

impl<M: Module, B: Batch> LossLine<M, B> {
    /// The loss of `risk`, named `name` in the legend, at the multiples `a` of a random direction of seed 0.
    ///
    /// `landscape::slice::linspace` makes the multiples.
    pub fn of(risk: &Risk<M, B>, name: impl Into<String>, a: Vec<f64>) -> Self {
        Self {
            risks: vec![(name.into(), risk.clone())],
            a,
            direction: LineDirection::Random { seed: 0 },
        }
    }

    /// Adds a curve for another risk, for example that of the validation data.
    #[must_use]
    pub fn and(mut self, risk: &Risk<M, B>, name: impl Into<String>) -> Self {
        self.risks.push((name.into(), risk.clone()));
        self
    }

    /// Along another direction.
    #[must_use]
    pub fn along(self, direction: LineDirection) -> Self {
        Self { direction, ..self }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> LossLine<M, B> {
    fn direction(&self, moment: &Moment<'_, M>) -> Result<Tensor<1>, Error> {
        let model = moment.model;
        match self.direction {
            LineDirection::Random { seed } => {
                let space = ParameterSpace::of(model)?;
                Ok(filter_normalize(
                    &space,
                    model,
                    random_direction(&space, seed),
                )?)
            }
            LineDirection::TopEigenvector { seed } => {
                let hessian = moment.hessian(&self.risks[0].1)?;
                let pairs = top_eigenpairs(&hessian, 1, &LanczosConfig::new().with_seed(seed))?;
                let first = pairs.into_iter().next();
                Ok(first.expect("one eigenpair was asked for").vector)
            }
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for LossLine<M, B> {
    fn name(&self) -> String {
        "loss along a line".into()
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of points")]
    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let mut seconds = moment.drawing();
        for (_, risk) in &self.risks {
            let passes = PREPARATION + self.a.len() as f64;
            seconds += moment.estimated(risk, Work::passes(passes))?;
        }
        if let LineDirection::TopEigenvector { .. } = self.direction {
            seconds += moment.estimated(
                &self.risks[0].1,
                Work::curvature(EIGENVECTOR, 2 * EIGENVECTOR * EIGENVECTOR),
            )?;
        }
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let direction = self.direction(moment)?;
        let (what, seed) = match self.direction {
            LineDirection::Random { seed } => ("a random direction", seed),
            LineDirection::TopEigenvector { seed } => ("the top eigenvector", seed),
        };
        // A curve that cannot be measured does not take the others with it.
        let mut losses = Vec::new();
        let mut measured = Ok(());
        for (name, risk) in &self.risks {
            let measured_line = moment.timed_passes(risk, self.a.len(), |risk| {
                line_observed(moment.model, risk, &direction, &self.a, |_, _| {
                    moment.going_on()
                })
            });
            match measured_line {
                Ok(found) => losses.push((name, found.loss)),
                Err(error @ landscape::Error::Cancelled { .. }) => return Err(error.into()),
                Err(error) => measured = measured.and(Err(error.into())),
            }
        }
        if losses.is_empty() {
            return measured;
        }
        let curves: Vec<(&str, &[f64])> = losses
            .iter()
            .map(|(name, loss)| (name.as_str(), loss.as_slice()))
            .collect();
        records.data(
            tag::LINE_DATA,
            show::line_data(what, seed, &self.a, &curves),
        );
        let picture = moment.draw(|| show::line_picture(what, &self.a, &curves, moment.step))?;
        records.picture(tag::LINE, picture);
        measured
    }
}
