//! The jobs of one case, by name.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::{Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Workers};
use landscape::{
    Batch as _, Hessian, LinearOperator, ProductConfig, Surface, download, norm, plane,
};
use models::Classifier;
use serde_json::Value;
use tests::{ImageBatch, image_loss};

use crate::bare::Bare;
use crate::case::Case;
use crate::exchange::Named;
use crate::problem::Problem;
use crate::spectra::{self, Settings};
use crate::step;

/// Products over which the times of operations are averaged.
const REPEATS: u32 = 200;

/// The operators of a problem.
pub(crate) struct Jobs<M> {
    case: &'static Case,
    pub(crate) problem: Problem<M>,
    /// Everything kept.
    kept: Hessian<M, ImageBatch>,
    /// Nothing kept but the captured batches.
    bare: Hessian<M, ImageBatch>,
    /// Batch of a step of training.
    step: ImageBatch,
    /// The network with statistics of its own, which training may move.
    learner: M,
    products: Option<Bare>,
    settings: Settings,
}

impl<M: Classifier + Sync + 'static> Jobs<M> {
    pub(crate) fn new(case: &'static Case, problem: Problem<M>) -> Result<Self> {
        let risk = problem.risk();
        let nothing = ProductConfig::new().with_memory_limit(Some(0));
        Ok(Self {
            case,
            kept: Hessian::at(&problem.model, &risk)?,
            bare: Hessian::at_with(&problem.model, &risk, &nothing)?,
            step: step::batch(&problem),
            learner: problem.model.valid().train(),
            problem,
            products: None,
            settings: Settings::default(),
        })
    }

    /// The program of the loss of the first examples.
    fn captured(&self, examples: usize) -> Result<CapturedLoss> {
        let batch = self.problem.batch.clone().narrow(0..examples);
        let capture = Capture::of(&self.problem.model);
        Ok(capture.loss(|model, device| image_loss(model, &batch.on_device(device)))?)
    }

    /// Sets what later jobs are asked for.
    pub(crate) fn set(&mut self, name: &str, value: f64) -> Result<()> {
        match name {
            "eigen-tolerance" => self.settings.eigen_tolerance = value,
            "trace-error" => self.settings.trace_error = value,
            #[allow(clippy::cast_possible_truncation, reason = "a small whole number")]
            #[allow(clippy::cast_sign_loss, reason = "a count")]
            "bare-part" => self.products = Some(Bare::of(self.case, value as usize)?),
            other => bail!("nothing is called {other}"),
        }
        Ok(())
    }

    /// Gradient, product, quadratic form, plane, and the quadrature of the tangent.
    pub(crate) fn results(&self) -> Result<Vec<Named>> {
        let v = &self.problem.v;
        let (_, gradient) = self.problem.risk().gradient(&self.problem.model)?;
        let (kept, bare) = (self.kept.apply(v)?, self.bare.apply(v)?);
        // Data most of which is zero is multiplied in another order where much is kept.
        let gap = norm(&download(&(kept.clone() - bare)));
        ensure!(
            gap <= 1e-5 * norm(&download(&kept)),
            "products differ with what is kept"
        );
        let form = self.kept.quadratic_form(v)?;
        let losses = self.plane()?.loss;
        let points = losses.len();
        let [nodes, weights] = spectra::quadrature(&self.problem)?;
        Ok(vec![
            Named::vector("gradient", &gradient),
            Named::vector("product", &kept),
            Named::new("form", TensorData::new(vec![form], [1])),
            Named::new("plane", TensorData::new(losses, [points])),
            nodes,
            weights,
        ])
    }

    /// Does a whole job, and returns what it finds.
    pub(crate) fn found(&self, what: &str) -> Result<Value> {
        match what {
            "top" => spectra::top_five(&self.problem, self.settings),
            "trace" => spectra::trace(&self.problem, self.settings),
            "density" => spectra::density(&self.problem, self.settings),
            other => bail!("nothing is called {other}"),
        }
    }

    /// Does a job once.
    fn once(&self, what: &str) -> Result<()> {
        let v = &self.problem.v;
        match what {
            "linearised" => drop(self.kept.apply(v)?),
            "recomputed" => drop(self.bare.apply(v)?),
            "form" => drop(self.kept.quadratic_form(v)?),
            "plane" => drop(self.plane()?),
            // Everything before the second product, whole data.
            "setup" => {
                let hessian = Hessian::at(&self.problem.model, &self.problem.risk())?;
                drop(hessian.apply(v)?);
            }
            // One image, so that the rest of the first product is small.
            "capture" => {
                let loss = self.captured(1)?;
                drop(loss.hessian_vector(&loss.origin(), v)?);
            }
            "bare" => self
                .products
                .as_ref()
                .context("bare products need a part")?
                .run(),
            "base" => drop(step::base(&self.learner, &self.step)),
            "sam" => drop(step::sharpness_aware(&self.learner, &self.step)?),
            other => drop(self.found(other)?),
        }
        Ok(())
    }

    /// Mean seconds of a job over so many times, after a tenth of them, and one at least.
    pub(crate) fn seconds(&self, what: &str, times: u32) -> Result<f64> {
        for _ in 0..(times / 10).max(1) {
            self.once(what)?;
        }
        let began = Instant::now();
        for _ in 0..times {
            self.once(what)?;
        }
        Ok(began.elapsed().as_secs_f64() / f64::from(times))
    }

    /// Measures the time of each operation of a product, or of a point of the plane, over the first
    /// examples, on one core.
    pub(crate) fn operations(&self, what: &str, examples: usize) -> Result<Vec<String>> {
        let v: &Tensor<1> = &self.problem.v;
        let loss = self.captured(examples)?.keeping_nothing();
        let origin = loss.origin();
        let point = loss.linearize(&origin)?;
        let [d1, d2] = &self.problem.directions;
        let plane = loss.on_plane(&origin, [d1, d2])?;
        // A worker is a core of its own; it takes both rounds, of which the second counts.
        let rounds = Workers::new(1).map(&[20, REPEATS], |&repeats| {
            let mut total: Vec<(String, Duration, usize)> = Vec::new();
            for _ in 0..repeats {
                let times = match what {
                    "recomputed" => loss.hessian_times(&origin, v)?,
                    "plane" => plane.times([0.1, 0.2]),
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
