//! The parts of an analysis, each made if there is time.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::critical::critical_point_of;
use landscape::curvature::exact_trace_with;
use landscape::sharpness::sharpness;
use landscape::slice::{line_observed, plane_observed};
use landscape::spectrum::{Which, extremes};
use landscape::{
    Batch, ParameterSpace, Risk, download, filter_normalize, hutchinson_trace, norm,
    normalises_by_batch, random_directions, spectral_density, top_eigenpairs,
};

use super::clock::Clock;
use super::result::{Analysis, Gradient, Omission, Part, StabilityRatio, Why};
use super::{Depth, Settings};
use crate::error::caught;
use crate::instrument::layers;
use crate::workload::{Curvature, Products, Work};
use crate::{Error, Moment};

/// An analysis that is being made.
pub(super) struct Parts<'a, M, B> {
    pub(super) moment: &'a Moment<'a, M>,
    pub(super) risk: &'a Risk<M, B>,
    pub(super) space: ParameterSpace,
    pub(super) clock: Clock,
    /// Told the part that begins; whether the caller stopped.
    pub(super) begin: &'a dyn Fn(Part) -> bool,
    pub(super) stopped: &'a AtomicBool,
    pub(super) analysis: Analysis,
}

impl Settings {
    /// Returns the settings of the least depth, with the seeds of these.
    fn smaller(&self) -> Self {
        let mut quick = Depth::Quick.settings(self.slice_seed);
        quick.lanczos.seed = self.lanczos.seed;
        quick.trace.seed = self.trace.seed;
        quick.density.seed = self.density.seed;
        quick.critical.seed = self.critical.seed;
        quick.sharpness = quick.sharpness.seeded(self.sharpness.random.seed);
        quick
    }
}

impl<'a, M: Module + 'static, B: Batch + Send + Sync + 'static> Parts<'a, M, B> {
    pub(super) fn made(mut self) -> Result<Analysis, Error> {
        if self.gradient()? {
            let hessian = self.eigenvalues();
            self.stability();
            self.trace(hessian.as_ref());
            self.critical(hessian.as_ref());
            self.slices();
            self.sharpness();
            self.density(hessian.as_ref());
            self.analysis.products = hessian.map(|hessian| Products {
                method: hessian.hessian().method(),
                unresolved: hessian.hessian().unresolved(),
                examples: self.analysis.examples,
                examples_given: self.analysis.examples_given,
            });
        }
        let has_batch_norm = normalises_by_batch(self.moment.model);
        self.analysis.diagnosis = Some(self.analysis.diagnosed(has_batch_norm));
        self.analysis.interrupted = self.stopped.load(Ordering::Relaxed);
        self.analysis.seconds = self.clock.seconds();
        Ok(self.analysis)
    }

    fn omit(&mut self, part: Part, why: Why) {
        self.analysis.omitted.push(Omission { part, why });
    }

    /// Makes a part with the settings that fit into the time that is left. The part is given those
    /// settings and what has been found so far.
    fn part<T>(
        &mut self,
        part: Part,
        work: impl Fn(&Settings) -> Work,
        choose: impl FnOnce(&mut Settings, Settings),
        measure: impl FnOnce(&Settings) -> Result<T, Error>,
    ) -> Option<T> {
        if self.stopped.load(Ordering::Relaxed) || (self.begin)(part) {
            self.omit(part, Why::Stopped);
            return None;
        }
        let settings = &mut self.analysis.config.settings;
        if !self.clock.fits(work(settings)) {
            let smaller = settings.smaller();
            let before = settings.clone();
            if self.clock.fits(work(&smaller)) {
                choose(settings, smaller);
            }
            if *settings == before {
                self.omit(part, Why::NoTime);
                return None;
            }
            self.omit(part, Why::Smaller);
        }
        let began = Instant::now();
        let made = caught(|| measure(&self.analysis.config.settings));
        let seconds = began.elapsed().as_secs_f64();
        self.analysis.times.push((part, seconds));
        let why = match made {
            Ok(Ok(made)) => return Some(made),
            Ok(Err(Error::Landscape(landscape::Error::Cancelled { .. }))) => {
                if self.stopped.load(Ordering::Relaxed) {
                    Why::Stopped
                } else {
                    Why::NoTime
                }
            }
            Ok(Err(error)) => Why::Because(error.to_string()),
            Err(message) => Why::Because(Error::Panicked { message }.to_string()),
        };
        self.analysis
            .omitted
            .retain(|omission| omission.part != part);
        self.omit(part, why);
        None
    }

    /// Measures loss and gradient. False where they are not finite and there is no more to measure.
    fn gradient(&mut self) -> Result<bool, Error> {
        let _ = (self.begin)(Part::Gradient);
        let began = Instant::now();
        let found = self.moment.gradient(self.risk);
        let seconds = began.elapsed().as_secs_f64();
        self.analysis.times.push((Part::Gradient, seconds));
        if let Some(times) = &mut self.clock.times {
            times.gradient = seconds.min(times.gradient);
        }
        match found {
            Ok((loss, gradient)) => {
                let gradient = download(&gradient);
                let of_layer = |ranges: Vec<Range<usize>>| -> f64 {
                    let squares = ranges
                        .into_iter()
                        .map(|range| norm(&gradient[range]).powi(2));
                    squares.sum::<f64>().sqrt()
                };
                let layers = layers(&self.space).into_iter();
                let layers = layers.map(|(path, ranges)| (path.to_owned(), of_layer(ranges)));
                self.analysis.loss = loss;
                self.analysis.gradient = Some(Gradient {
                    norm: norm(&gradient),
                    layers: layers.collect(),
                });
                Ok(true)
            }
            Err(Error::Landscape(
                error @ (landscape::Error::NonFiniteLoss { .. }
                | landscape::Error::NonFiniteVector { .. }),
            )) => {
                self.analysis.loss = self.risk.value(self.moment.model)?;
                for part in Part::ALL {
                    self.omit(part, Why::Because(error.to_string()));
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn eigenvalues(&mut self) -> Option<Curvature<'a, M, B>> {
        let (moment, risk) = (self.moment, self.risk);
        let mut hessian = None;
        let mut making = 0.0;
        let found = self.part(
            Part::Eigenvalues,
            Settings::eigenvalues_work,
            |settings, smaller| {
                settings.eigenvalues = smaller.eigenvalues;
                settings.lanczos = smaller.lanczos;
            },
            |settings| {
                let began = Instant::now();
                let curvature = &*hessian.insert(moment.hessian(risk)?);
                making = began.elapsed().as_secs_f64();
                if settings.eigenvalues == 1 {
                    let ends = extremes(curvature, &settings.lanczos)?;
                    return Ok((vec![ends.max], ends.min));
                }
                let config = settings.lanczos.clone();
                let config = config.with_which(Which::LargestAlgebraic);
                let largest = top_eigenpairs(curvature, settings.eigenvalues, &config)?;
                let config = config.with_which(Which::SmallestAlgebraic);
                let mut smallest = top_eigenpairs(curvature, 1, &config)?;
                Ok((largest, smallest.remove(0)))
            },
        );
        if let (Some(times), Some(hessian), Some((_, seconds))) =
            (&mut self.clock.times, &hessian, self.analysis.times.last())
            && hessian.done() > 0
        {
            times.hessian = 0.0;
            #[expect(clippy::cast_precision_loss, reason = "a number of products")]
            let products = hessian.done() as f64;
            times.product = (seconds - making) / products;
        }
        if let Some((largest, smallest)) = found {
            self.analysis.largest = largest;
            self.analysis.smallest = Some(smallest);
        }
        hessian
    }

    fn stability(&mut self) {
        let Some((optimiser, learning_rate)) = self.analysis.config.optimiser else {
            return;
        };
        let (lambda, gradient) = match (self.analysis.largest.first(), &self.analysis.gradient) {
            (Some(pair), Some(gradient)) => (pair.value, gradient.norm),
            _ => return self.omit(Part::Stability, Why::Because("it needs lambda_1".into())),
        };
        let found = if optimiser.is_preconditioned() {
            Err(
                "its second moments are needed: call `landscape::stability::stability` with them"
                    .into(),
            )
        } else {
            let threshold = optimiser.threshold(learning_rate, gradient);
            threshold.map_err(|error| error.to_string())
        };
        match found {
            Ok(threshold) => {
                self.analysis.stability = Some(StabilityRatio {
                    optimiser,
                    learning_rate,
                    threshold,
                    ratio: lambda / threshold,
                });
            }
            Err(why) => self.omit(Part::Stability, Why::Because(why)),
        }
    }

    fn trace(&mut self, hessian: Option<&Curvature<'a, M, B>>) {
        let (model, risk) = (self.moment.model, self.risk);
        let choose = |settings: &mut Settings, smaller: Settings| settings.trace = smaller.trace;
        let mut not_apart = false;
        let exact =
            self.part(
                Part::Trace,
                Settings::trace_work,
                choose,
                |settings| match exact_trace_with(model, risk, &settings.trace) {
                    Err(
                        error @ (landscape::Error::OutputsNotApart
                        | landscape::Error::CoupledOutputs),
                    ) => {
                        not_apart = true;
                        Err(error.into())
                    }
                    other => Ok(other?),
                },
            );
        self.analysis.exact_trace = exact;
        if let (true, Some(hessian)) = (not_apart, hessian) {
            self.analysis.estimated_trace =
                self.part(Part::Trace, Settings::trace_work, choose, |settings| {
                    Ok(hutchinson_trace(hessian, &settings.trace)?)
                });
        }
    }

    fn critical(&mut self, hessian: Option<&Curvature<'a, M, B>>) {
        let Some(hessian) = hessian else {
            return self.without_hessian(Part::CriticalPoint);
        };
        let parameters = self.space.dim();
        self.analysis.critical = self.part(
            Part::CriticalPoint,
            |settings| settings.critical_work(parameters),
            |settings, smaller| settings.critical = smaller.critical,
            |settings| Ok(critical_point_of(hessian.hessian(), &settings.critical)?),
        );
    }

    fn slices(&mut self) {
        let (moment, risk) = (self.moment, self.risk);
        let directions = |space: &ParameterSpace, seed| -> Result<[Tensor<1>; 2], Error> {
            let [first, second] = random_directions(space, seed);
            Ok([
                filter_normalize(space, moment.model, first)?,
                filter_normalize(space, moment.model, second)?,
            ])
        };
        let space = self.space.clone();
        self.analysis.line = self.part(
            Part::Line,
            Settings::line_work,
            |settings, smaller| settings.line = smaller.line,
            |settings| {
                let [first, _] = directions(&space, settings.slice_seed)?;
                let each = |_, _| moment.going_on();
                Ok(line_observed(
                    moment.model,
                    risk,
                    &first,
                    &settings.line,
                    each,
                )?)
            },
        );
        self.analysis.surface = self.part(
            Part::Plane,
            Settings::plane_work,
            |settings, smaller| settings.plane = smaller.plane,
            |settings| {
                let [first, second] = directions(&space, settings.slice_seed)?;
                let each = |_, _| moment.going_on();
                let both = [&first, &second];
                Ok(plane_observed(
                    moment.model,
                    risk,
                    both,
                    &settings.plane,
                    each,
                )?)
            },
        );
    }

    fn sharpness(&mut self) {
        let (model, risk) = (self.moment.model, self.risk);
        self.analysis.sharpness = self.part(
            Part::Sharpness,
            Settings::sharpness_work,
            |settings, smaller| settings.sharpness = smaller.sharpness,
            |settings| Ok(sharpness(model, risk, &settings.sharpness)?),
        );
    }

    fn density(&mut self, hessian: Option<&Curvature<'a, M, B>>) {
        let Some(hessian) = hessian else {
            return self.without_hessian(Part::Density);
        };
        self.analysis.density = self.part(
            Part::Density,
            Settings::density_work,
            |settings, smaller| settings.density = smaller.density,
            |settings| Ok(spectral_density(hessian, &settings.density)?),
        );
    }

    /// States that a part is missing for the reason that the eigenvalues are.
    fn without_hessian(&mut self, part: Part) {
        let why = self.analysis.omission(Part::Eigenvalues).cloned();
        self.omit(part, why.unwrap_or(Why::NoTime));
    }
}
