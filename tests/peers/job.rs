//! The measurements of one case: gradient, products, plane, memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::{Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Workers};
use landscape::{Batch as _, Hessian, LinearOperator, ProductConfig, Surface, plane};
use models::Classifier;
use tests::{ImageBatch, image_loss};

use crate::case::Problem;
use crate::exchange::Named;

/// Products over which the times of operations are averaged.
const REPEATS: u32 = 200;

/// The operators of a problem.
pub(crate) struct Jobs<M> {
    problem: Problem<M>,
    /// Everything kept.
    kept: Hessian<M, ImageBatch>,
    /// Nothing kept but the captured batches.
    bare: Hessian<M, ImageBatch>,
}

impl<M: Classifier + Sync + 'static> Jobs<M> {
    pub(crate) fn new(problem: Problem<M>) -> Result<Self> {
        let risk = problem.risk();
        let nothing = ProductConfig::new().with_memory_limit(Some(0));
        Ok(Self {
            kept: Hessian::at(&problem.model, &risk)?,
            bare: Hessian::at_with(&problem.model, &risk, &nothing)?,
            problem,
        })
    }

    /// The program of the loss of the first examples.
    fn captured(&self, examples: usize) -> Result<CapturedLoss> {
        let batch = self.problem.batch.clone().narrow(0..examples);
        let capture = Capture::of(&self.problem.model);
        Ok(capture.loss(|model, device| image_loss(model, &batch.on_device(device)))?)
    }

    /// Gradient, product, quadratic form and plane.
    pub(crate) fn results(&self) -> Result<Vec<Named>> {
        let v = &self.problem.v;
        let whole = self.captured(self.problem.batch.examples())?;
        let (_, gradient) = whole.gradient(&whole.origin())?;
        let (kept, bare) = (self.kept.apply(v)?, self.bare.apply(v)?);
        ensure!(
            kept.to_data() == bare.to_data(),
            "products differ with what is kept"
        );
        let form = self.kept.quadratic_form(v)?;
        let losses = self.plane()?.loss;
        let points = losses.len();
        Ok(vec![
            Named::vector("gradient", &gradient),
            Named::vector("product", &kept),
            Named::new("form", TensorData::new(vec![form], [1])),
            Named::new("plane", TensorData::new(losses, [points])),
        ])
    }

    /// Mean seconds of a job over so many times, after a tenth of them, and one at least.
    pub(crate) fn seconds(&self, what: &str, times: u32) -> Result<f64> {
        let v = &self.problem.v;
        let job: Box<dyn Fn() -> Result<()>> = match what {
            "linearised" => Box::new(|| Ok(self.kept.apply(v).map(|_| ())?)),
            "recomputed" => Box::new(|| Ok(self.bare.apply(v).map(|_| ())?)),
            "form" => Box::new(|| self.kept.quadratic_form(v).map(drop).map_err(Into::into)),
            "plane" => Box::new(|| self.plane().map(drop)),
            // Everything before the second product, whole data.
            "setup" => Box::new(|| {
                let hessian = Hessian::at(&self.problem.model, &self.problem.risk())?;
                Ok(hessian.apply(v).map(|_| ())?)
            }),
            // One image, so that the rest of the first product is small.
            "capture" => Box::new(|| {
                let loss = self.captured(1)?;
                Ok(loss.hessian_vector(&loss.origin(), v).map(|_| ())?)
            }),
            other => bail!("nothing is called {other}"),
        };
        for _ in 0..(times / 10).max(1) {
            job()?;
        }
        let began = Instant::now();
        for _ in 0..times {
            job()?;
        }
        Ok(began.elapsed().as_secs_f64() / f64::from(times))
    }

    /// Measures the time of each operation of a product over the first examples, on one core.
    pub(crate) fn operations(&self, what: &str, examples: usize) -> Result<Vec<String>> {
        let v: &Tensor<1> = &self.problem.v;
        let loss = self.captured(examples)?.keeping_nothing();
        let origin = loss.origin();
        let point = loss.linearize(&origin)?;
        // A worker is a core of its own; it takes both rounds, of which the second counts.
        let rounds = Workers::new(1).map(&[20, REPEATS], |&repeats| {
            let mut total: Vec<(String, Duration, usize)> = Vec::new();
            for _ in 0..repeats {
                let times = match what {
                    "recomputed" => loss.hessian_times(&origin, v)?,
                    "form" => point.quadratic_times(v)?,
                    _ => point.hessian_times(v)?,
                };
                for (name, time, count) in times {
                    match total.iter_mut().find(|(known, ..)| *known == name) {
                        Some((_, sum, _)) => *sum += time,
                        None => total.push((name, time, count)),
                    }
                }
            }
            Ok::<_, derivatives::Error>(total)
        });
        let mut total = rounds.into_iter().last().context("a round")??;
        total.sort_by(|(_, a, _), (_, b, _)| b.cmp(a));
        let line = |(name, time, count): (String, Duration, usize)| {
            let microseconds = time.as_secs_f64() * 1e6 / f64::from(REPEATS);
            format!("{microseconds:9.2} us {count:3} x {name}")
        };
        Ok(total.into_iter().map(line).collect())
    }

    fn plane(&self) -> Result<Surface> {
        let Problem {
            model,
            directions: [d1, d2],
            grid,
            ..
        } = &self.problem;
        Ok(plane(model, &self.problem.risk(), [d1, d2], grid)?)
    }
}
