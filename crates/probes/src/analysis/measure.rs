//! The course of an analysis.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use landscape::{Batch, ParameterSpace, Risk, download, norm};

use super::clock::{Clock, sample};
use super::parts::Parts;
use super::{Analysis, AnalyzeConfig, Part};
use crate::probe::Run;
use crate::workload::Times;
use crate::{Error, Moment};

/// A point of an analysis, as whoever waits for it sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The part that is being made.
    pub part: Part,
    /// Products and points of it that are done.
    pub done: usize,
    /// Seconds since the start.
    pub seconds: f64,
    /// The time limit in seconds.
    pub limit: Option<f64>,
}

/// Returns what can be found out about a model and its loss within a time limit: value and gradient
/// by layer, eigenvalues at both ends with residuals, the trace (exact where it can be), a verdict
/// on the point, the loss along a line and on a plane, sharpness, and the spectral density.
///
/// The third argument is a [`Depth`](super::Depth) or an [`AnalyzeConfig`]. The result prints as a
/// summary of ten lines and has every number as a field. Each is that of the single function of
/// `landscape` with the settings in `config.settings`, over `examples` examples.
///
/// Everything is measured on one sample of the data, which is all of it where there is time. A part
/// that does not fit then is made with the settings of `Depth::Quick` or left out;
/// [`Analysis::omitted`] says so. Without a limit
/// ([`without_limit`](AnalyzeConfig::without_limit)) nothing depends on a clock. The limit is
/// kept to within the time of one trace, verdict or sharpness suite, which are not interrupted.
///
/// The model is not changed: weights, running statistics and random streams stay bit for bit what
/// they were.
///
/// # Errors
/// A setting out of range, no data, a model that cannot be measured, a loss that is not one number
/// or does not depend on the parameters. A loss that is not finite is a result: it is stated, and
/// nothing else is measured. A part that fails is stated, and the others are made.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Reduction, Risk};
/// use probes::{Depth, analyze};
///
/// let model = LinearConfig::new(1, 1).init(&Device::flex());
/// let batch = Tensor::<2>::from_floats([[1.0], [2.0], [3.0]], &Device::flex());
/// // The mean of (w x + b)² has the second derivatives 2 mean(x²) and 2.
/// let risk = Risk::of(
///     [batch],
///     |model: &Linear, x: &Tensor<2>| model.forward(x.clone()),
///     |outputs: Tensor<2>, _| outputs.square().mean(),
///     Reduction::Mean,
/// );
/// let analysis = analyze(&model, &risk, Depth::Quick)?;
/// let (trace, standard_error) = analysis.trace().expect("there is time");
/// assert!((trace - (2.0 * 14.0 / 3.0 + 2.0)).abs() < 1e-5 && standard_error == 0.0);
/// assert_eq!(analysis.to_string().lines().count(), 10);
/// # Ok::<(), probes::Error>(())
/// ```
pub fn analyze<M: Module + 'static, B: Batch + Send + Sync + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    config: impl Into<AnalyzeConfig>,
) -> Result<Analysis, Error> {
    analyze_observed(model, risk, config, |_| ControlFlow::Continue(()))
}

/// Returns the same as [`analyze`], calling `watch` when a part begins and after each product and
/// point. Where it breaks, the parts that are done are returned, and
/// [`Analysis::interrupted`] is true.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_observed<M: Module + 'static, B: Batch + Send + Sync + 'static>(
    model: &M,
    risk: &Risk<M, B>,
    config: impl Into<AnalyzeConfig>,
    watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Analysis, Error> {
    let config = config.into();
    let moment = Moment::new(config.step, model);
    analyze_moment(&moment, risk, config, watch)
}

/// Analyses the model of a moment of a run.
pub(super) fn analyze_moment<M: Module + 'static, B: Batch + Send + Sync + 'static>(
    moment: &Moment<'_, M>,
    risk: &Risk<M, B>,
    mut config: AnalyzeConfig,
    watch: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Analysis, Error> {
    config.check()?;
    config.step = moment.step;
    let mut clock = Clock {
        started: Instant::now(),
        limit: config.seconds,
        times: None,
    };
    let model = moment.model;
    let space = ParameterSpace::of(model)?;
    let given = risk.examples()?;
    let mut examples = config.examples.unwrap_or(given).min(given);
    if let Some(seconds) = config.seconds {
        let chosen = match config.examples {
            Some(_) => Times::tried(risk, model, examples).map(|times| (times, examples)),
            None => sample(
                risk,
                model,
                config.settings.work(space.dim()),
                given,
                seconds,
            ),
        };
        match chosen {
            Ok((times, chosen)) => {
                examples = chosen;
                clock.times = Some(times.over(examples));
            }
            // It is stated below.
            Err(
                landscape::Error::NonFiniteLoss { .. } | landscape::Error::NonFiniteVector { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let measured = if examples < given {
        risk.limited(examples)?
    } else {
        risk.clone()
    };
    let analysis = Analysis {
        parameters: space.dim(),
        dtype: space.domain.dtype,
        parameter_norm: norm(&download(&space.flatten(model)?)),
        examples: measured.examples()?,
        examples_given: given,
        ..Analysis::empty(config)
    };

    let stopped = AtomicBool::new(false);
    let ends = AtomicBool::new(false);
    let at = Cell::new((Part::Gradient, 0));
    let watch = RefCell::new(watch);
    let (started, limit) = (clock.started, clock.limit);
    let tick = || {
        let (part, done) = at.get();
        at.set((part, done + 1));
        let progress = Progress {
            part,
            done,
            seconds: started.elapsed().as_secs_f64(),
            limit,
        };
        if let Some(outer) = moment.run.progress {
            outer();
        }
        if watch.borrow_mut()(&progress).is_break() || moment.run.stops() {
            stopped.store(true, Ordering::Relaxed);
        }
        let is_over = limit.is_some_and(|limit| progress.seconds > limit);
        ends.store(
            is_over || stopped.load(Ordering::Relaxed),
            Ordering::Relaxed,
        );
    };
    let interrupt = || ends.load(Ordering::Relaxed);
    let inner = Moment {
        seconds: None,
        run: Run {
            interrupt: Some(&interrupt),
            progress: Some(&tick),
            shared: moment.run.shared,
        },
        ..*moment
    };
    let begin = |part| {
        at.set((part, 0));
        tick();
        stopped.load(Ordering::Relaxed)
    };
    let parts = Parts {
        moment: &inner,
        risk: &measured,
        space,
        clock,
        begin: &begin,
        stopped: &stopped,
        analysis,
    };
    parts.made()
}
