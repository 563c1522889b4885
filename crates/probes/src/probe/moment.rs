//! A moment of a training run, as probes see it.

use std::cell::Cell;
use std::fmt;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;
use landscape::spectrum::EigenPair;
use landscape::{Batch, Hessian, Risk};
use pictures::Picture;

use crate::Error;
use crate::workload::{Curvature, Hessians, KnownRisks, Over, Unit, Work};

/// A moment of a training run.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Moment<'a, M> {
    /// The number of updates made so far.
    pub step: u64,
    /// The number of updates that the run will make, if known.
    pub total_steps: Option<u64>,
    /// The model.
    pub model: &'a M,
    /// The learning rate of the last update, if the loop told it.
    pub learning_rate: Option<f64>,
    /// The optimiser after the last update, if the loop showed it
    /// ([`Probes::observe_with`](crate::Probes::observe_with)).
    pub optimiser: Option<&'a ModuleOptimizer>,
    /// The seconds that the measurement may take; `None` for as long as it wants.
    pub seconds: Option<f64>,
    pub(crate) run: Run<'a>,
}

/// The state that the probes of a run share.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    /// Asked between products and points whether measuring shall stop.
    pub(crate) interrupt: Option<&'a (dyn Fn() -> bool + Send)>,
    pub(crate) shared: Option<(&'a KnownRisks, &'a Hessians)>,
    /// Told how many products or points are done.
    pub(crate) progress: Option<&'a dyn Fn()>,
}

impl Run<'_> {
    /// Tells whether measuring shall stop.
    pub(crate) fn stops(&self) -> bool {
        self.interrupt.is_some_and(|requested| requested())
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("stops", &self.stops())
            .finish_non_exhaustive()
    }
}

impl<M: fmt::Debug> fmt::Debug for Moment<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment")
            .field("step", &self.step)
            .field("total_steps", &self.total_steps)
            .field("model", self.model)
            .field("learning_rate", &self.learning_rate)
            .field("has_optimiser", &self.optimiser.is_some())
            .field("seconds", &self.seconds)
            .field("run", &self.run)
            .finish()
    }
}

impl<'a, M> Moment<'a, M> {
    /// Returns the moment of `model` after `step` updates, with no limit.
    #[must_use]
    pub const fn new(step: u64, model: &'a M) -> Self {
        Self {
            step,
            total_steps: None,
            model,
            learning_rate: None,
            optimiser: None,
            seconds: None,
            run: Run {
                interrupt: None,
                shared: None,
                progress: None,
            },
        }
    }

    /// Returns the moment with the optimiser that the loop showed, for a probe that is asked
    /// without [`Probes`](crate::Probes).
    #[must_use]
    pub const fn with_optimiser(self, optimiser: &'a ModuleOptimizer) -> Self {
        Self {
            optimiser: Some(optimiser),
            ..self
        }
    }

    /// Returns the moment with the learning rate of the last update.
    #[must_use]
    pub const fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self {
            learning_rate: Some(learning_rate),
            ..self
        }
    }

    /// Returns the moment of a run that will make `total` updates.
    #[must_use]
    pub const fn with_total_steps(self, total: u64) -> Self {
        Self {
            total_steps: Some(total),
            ..self
        }
    }

    /// Returns [`ControlFlow::Break`] once the loop wants measurements to stop
    /// ([`Probes::with_interrupt`](crate::Probes::with_interrupt)).
    ///
    /// Asked by long measurements after each product or point, which are counted by it; the
    /// callbacks of `landscape` take it as it is, and give up with [`landscape::Error::Cancelled`].
    pub fn going_on(&self) -> ControlFlow<()> {
        if let Some(progress) = self.run.progress {
            progress();
        }
        if self.run.stops() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl<M: Module + 'static> Moment<'_, M> {
    /// Returns the risk over the examples that are measured: `risk` itself, or over a smaller
    /// sample of its data where the budget allows no more. The sample is chosen once and stays the
    /// same for the whole run.
    #[must_use]
    pub fn risk<B: Batch + Send + Sync + 'static>(&self, risk: &Risk<M, B>) -> Risk<M, B> {
        match self.run.shared {
            Some((known, _)) => known.measured(risk),
            None => risk.clone(),
        }
    }

    /// Returns the number of examples that are measured of `risk`.
    ///
    /// # Errors
    /// As [`Risk::examples`].
    pub(crate) fn examples<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Result<usize, Error> {
        match self.run.shared {
            Some((known, _)) => Ok(known.sample(risk)?.examples),
            None => Ok(risk.examples()?),
        }
    }

    /// Returns the Hessian of `risk` over the examples that are measured: one for each risk and
    /// step, whoever asks.
    ///
    /// # Errors
    /// As [`Hessian::at`].
    pub fn hessian<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Result<Curvature<'_, M, B>, Error> {
        let (hessian, products) = match self.run.shared {
            Some((known, hessians)) => (hessians.of(known, risk, self.model)?, hessians.counter()),
            None => (Rc::new(Hessian::at(self.model, risk)?), Rc::default()),
        };
        Ok(Curvature {
            hessian,
            risk: risk.clone(),
            known: self.run.shared.map(|(known, _)| known),
            products,
            done: Cell::new(0),
            going_on: Box::new(|| self.going_on()),
        })
    }

    /// Returns the largest number up to `most`, and not below `least`, whose `work` over the data
    /// of `risk` fits into the time of this measurement; `most` where there is no limit.
    ///
    /// # Errors
    /// As [`Risk::gradient`].
    pub(crate) fn most<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        (least, most): (usize, usize),
        work: impl Fn(usize) -> Work,
    ) -> Result<usize, Error> {
        let Some(seconds) = self.seconds else {
            return Ok(most);
        };
        let (mut fits, mut above) = (least.min(most), most + 1);
        while above - fits > 1 {
            let middle = usize::midpoint(fits, above);
            if self.estimated(risk, work(middle))? <= seconds {
                fits = middle;
            } else {
                above = middle;
            }
        }
        Ok(fits)
    }

    /// Returns the value of `risk` and its gradient, over the examples that are measured.
    ///
    /// # Errors
    /// As [`Risk::gradient`].
    pub fn gradient<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Result<(f64, Tensor<1>), Error> {
        let started = Instant::now();
        let found = self.risk(risk).gradient(self.model)?;
        if let Some((known, _)) = self.run.shared {
            let seconds = started.elapsed().as_secs_f64();
            known.learn(risk, Unit::Gradient, seconds);
        }
        Ok(found)
    }

    /// Returns the forward passes over the data of `risk` that fit into the time of this
    /// measurement beside `others`; `None` for no limit.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of passes that fits into some seconds"
    )]
    pub(crate) fn passes<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        others: f64,
    ) -> Result<Option<usize>, Error> {
        let Some(seconds) = self.seconds else {
            return Ok(None);
        };
        let one = self.estimated(risk, Work::passes(1.0))?;
        Ok(Some((seconds / one - others).max(0.0) as usize))
    }

    /// Evaluates `risk` over the examples that are measured at so many points, and takes note of
    /// the time.
    #[expect(clippy::cast_precision_loss, reason = "a number of points")]
    pub(crate) fn timed_passes<B: Batch + Send + Sync + 'static, R>(
        &self,
        risk: &Risk<M, B>,
        points: usize,
        evaluate: impl FnOnce(&Risk<M, B>) -> Result<R, landscape::Error>,
    ) -> Result<R, landscape::Error> {
        let started = Instant::now();
        let found = evaluate(&self.risk(risk))?;
        if let Some((known, _)) = self.run.shared {
            let seconds = started.elapsed().as_secs_f64() / points.max(1) as f64;
            known.learn(risk, Unit::Pass, seconds);
        }
        Ok(found)
    }

    /// Returns the eigenpair of the largest eigenvalue, if another probe has measured it at this
    /// step.
    pub(crate) fn top<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Option<EigenPair> {
        self.run.shared.and_then(|(_, hessians)| hessians.top(risk))
    }

    /// Keeps that eigenpair for the other probes of this step.
    pub(crate) fn keep_top<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        pair: &EigenPair,
    ) {
        if let Some((_, hessians)) = self.run.shared {
            hessians.keep_top(risk, pair);
        }
    }

    /// Returns the eigenvectors of the last measurement.
    pub(crate) fn warm<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Vec<Tensor<1>> {
        match self.run.shared {
            Some((known, _)) => known.warm(risk),
            None => Vec::new(),
        }
    }

    /// Keeps eigenvectors for the next measurement.
    pub(crate) fn keep_warm<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        vectors: Vec<Tensor<1>>,
    ) {
        if let Some((known, _)) = self.run.shared {
            known.keep_warm(risk, vectors);
        }
    }

    /// Seconds that `work` over the examples of `risk` that are measured will take. A Hessian that
    /// is there already takes none.
    pub(crate) fn estimated<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        work: Work,
    ) -> Result<f64, Error> {
        let Some((known, hessians)) = self.run.shared else {
            return Ok(0.0);
        };
        let is_made = hessians.find(risk).is_some();
        let hessians = if is_made { 0.0 } else { work.hessians };
        known.seconds(risk, self.model, Work { hessians, ..work }, Over::Sample)
    }

    /// Seconds that `work` over all examples that `risk` was given will take.
    pub(crate) fn estimated_whole<B: Batch + Send + Sync + 'static>(
        &self,
        risk: &Risk<M, B>,
        work: Work,
    ) -> Result<f64, Error> {
        match self.run.shared {
            Some((known, _)) => known.seconds(risk, self.model, work, Over::Given),
            None => Ok(0.0),
        }
    }
}

impl<M> Moment<'_, M> {
    /// Returns the moment with the time that is left for measuring where a picture is drawn at the
    /// end.
    pub(crate) fn after_drawing(&self) -> Self {
        Self {
            seconds: self.seconds.map(|seconds| seconds - self.drawing()),
            ..*self
        }
    }

    /// Seconds that drawing a picture will take.
    pub(crate) fn drawing(&self) -> f64 {
        self.run.shared.map_or(0.0, |(known, _)| known.drawing())
    }

    /// Draws a picture, makes its pixels, and takes note of the time.
    ///
    /// Sinks ask for the pixels anyway; made here, their time counts as this measurement's.
    pub(crate) fn draw(
        &self,
        draw: impl FnOnce() -> Result<Picture, Error>,
    ) -> Result<Picture, Error> {
        let started = Instant::now();
        let picture = draw()?;
        picture.png()?;
        if let Some((known, _)) = self.run.shared {
            known.drew(started.elapsed().as_secs_f64());
        }
        Ok(picture)
    }
}
