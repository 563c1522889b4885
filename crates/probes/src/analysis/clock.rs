//! The time that an analysis has, and the work that fits into it.

use std::time::Instant;

use burn::module::Module;
use landscape::{Batch, Risk};

use super::Settings;
use crate::workload::{TRIALS, Times, Work};

/// Forward passes that the preparation of a slice or of the sharpness suite takes.
const PREPARATION: f64 = 12.0;

/// Gradients that an exact trace is taken to need before it was tried: one for each output.
const OUTPUTS: f64 = 12.0;

/// A Lanczos run is taken to end after this part of its most steps.
const USUAL: f64 = 0.6;

/// A plan may take this part of the time, for estimates are not exact.
const PLANNED: f64 = 0.7;

/// Fewest examples of a sample that the clock chooses.
const FEWEST: usize = 32;

/// The time that is left.
pub(super) struct Clock {
    pub(super) started: Instant,
    pub(super) limit: Option<f64>,
    /// Over the examples that are measured; known where there is a limit.
    pub(super) times: Option<Times>,
}

impl Clock {
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Tells whether `work` fits into the time that is left.
    pub(super) fn fits(&self, work: Work) -> bool {
        match (self.limit, &self.times) {
            (Some(limit), Some(times)) => self.seconds() + times.of(work) <= limit,
            (Some(limit), None) => self.seconds() <= limit,
            (None, _) => true,
        }
    }
}

/// Returns the largest of the `given` examples of a risk and their halves, and not below 32, over
/// which `work` is taken to fit into `seconds`; and the times from which that follows. Where a
/// batch of few examples takes more time for each of them than a large one, larger trials show it,
/// until they are half as large as what is chosen. The faster trial counts: the times of products
/// that are derived from it are on the safe side.
///
/// # Errors
/// As [`Risk::gradient`].
pub(super) fn sample<M: Module, B: Batch>(
    risk: &Risk<M, B>,
    model: &M,
    work: Work,
    given: usize,
    seconds: f64,
) -> Result<(Times, usize), landscape::Error> {
    let mut times = Times::tried(risk, model, given)?;
    let [_, mut tried] = TRIALS;
    loop {
        let examples = fitting(&times, work, given, seconds);
        if examples / 2 <= tried || examples == given {
            return Ok((times, examples));
        }
        tried = examples / 2;
        let larger = Times::tried_over([tried / 4, tried], risk, model, given)?;
        if larger.of(work) < times.of(work) {
            times = larger;
        }
    }
}

/// Returns the largest of `given` and its halves, and not below 32, over which `work` is taken to
/// fit into `seconds`.
fn fitting(times: &Times, work: Work, given: usize, seconds: f64) -> usize {
    let mut examples = given;
    while examples > FEWEST && times.over(examples).of(work) > PLANNED * seconds {
        // A power of two: small changes of the machine's speed seldom change what is measured.
        examples = (examples.next_power_of_two() / 2).max(FEWEST);
    }
    examples.min(given)
}

/// Returns the work of two parts together.
pub(super) fn sum(all: &[Work]) -> Work {
    let mut sum = Work::default();
    for work in all {
        sum.passes += work.passes;
        sum.gradients += work.gradients;
        sum.hessians = sum.hessians.max(work.hessians);
        sum.products += work.products;
        sum.vectors += work.vectors;
    }
    sum
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of steps and points"
)]
impl Settings {
    pub(super) fn eigenvalues_work(&self) -> Work {
        let runs = 1 + usize::from(self.eigenvalues > 1);
        let steps = (USUAL * self.lanczos.max_steps as f64) as usize;
        let products = runs * (steps + 1);
        Work::curvature(products, runs * 2 * steps * steps + 6 * products)
    }

    pub(super) fn trace_work(&self) -> Work {
        let products = self.trace.max_probes + 1;
        Work {
            gradients: OUTPUTS,
            ..Work::curvature(products, 20 * products)
        }
    }

    pub(super) fn critical_work(&self, parameters: usize) -> Work {
        let settings = &self.critical;
        if parameters <= settings.dense_limit {
            return Work::curvature(parameters + 1, 10 * parameters * parameters);
        }
        let runs = [settings.max_steps, settings.max_steps];
        let runs = runs
            .into_iter()
            .chain(std::iter::repeat_n(settings.steps, settings.starts));
        let (mut products, mut vectors) = (3, 0);
        for steps in runs {
            products += steps;
            vectors += 2 * steps * steps;
        }
        Work::curvature(products, vectors + 6 * products)
    }

    pub(super) fn line_work(&self) -> Work {
        Work::passes(PREPARATION + self.line.len() as f64)
    }

    pub(super) fn plane_work(&self) -> Work {
        Work::passes(PREPARATION + (self.plane.a.len() * self.plane.b.len()) as f64)
    }

    pub(super) fn sharpness_work(&self) -> Work {
        let settings = &self.sharpness;
        let balls = settings.balls.len();
        let of_averages = settings.averages.iter().map(|average| 2 * average.pairs);
        let passes = balls * (settings.random.directions + 1) + of_averages.sum::<usize>();
        let of_ball = settings.ascent.map_or(0, |ascent| {
            (ascent.random_starts + 1) * ascent.max_gradients
        });
        Work {
            passes: PREPARATION + passes as f64,
            ..Work::gradients((1 + balls * of_ball) as f64)
        }
    }

    pub(super) fn density_work(&self) -> Work {
        let (starts, steps) = (self.density.starts, self.density.steps);
        let products = starts * steps + 1;
        Work::curvature(products, starts * 2 * steps * steps + 6 * products)
    }

    /// Returns the work of everything.
    pub(super) fn work(&self, parameters: usize) -> Work {
        sum(&[
            Work::gradients(1.0),
            self.eigenvalues_work(),
            self.trace_work(),
            self.critical_work(parameters),
            self.line_work(),
            self.plane_work(),
            self.sharpness_work(),
            self.density_work(),
        ])
    }
}
