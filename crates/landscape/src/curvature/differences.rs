//! Hessian products by central differences of gradients: for losses that cannot be captured.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::Module;
use burn::tensor::Tensor;

use super::two_sided::{TwoSided, central};
use super::{DifferenceConfig, DifferenceStep, Precision, noise};
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::risk::{Objective, Risk};
use crate::vector::random::{Purpose, normal};
use crate::vector::{Domain, download, norm, relative_change};

/// A first product that changes more than this, relatively, as its step shrinks to a sixteenth has
/// a kink at the weights: the jump over the step changes by 15/16.
const AT_THE_WEIGHTS: f64 = 0.25;

/// The Hessian by central differences.
#[derive(Debug)]
pub(super) struct Differences<M, B> {
    objective: Objective<M, B>,
    /// The relative rounding of a gradient.
    rounding: f64,
    length: f64,
    avoid_kinks: bool,
    gradient: OnceLock<Vec<f64>>,
    relative_error: OnceLock<f64>,
    unresolved: AtomicUsize,
}

impl<M: Module, B: Batch> Differences<M, B> {
    /// Returns the Hessian by central differences of gradients (a product costs two gradients, and
    /// two more for each step it has to try against kinks; the first costs three more).
    ///
    /// # Errors
    /// A model that cannot be measured, no data, a loss that is no mean, a step that is not
    /// positive and finite.
    pub(super) fn at(
        model: &M,
        risk: &Risk<M, B>,
        config: &DifferenceConfig,
    ) -> Result<Self, Error> {
        let objective = match config.precision {
            Precision::Double => Objective::in_double(model, risk)?,
            Precision::Model => Objective::at(model, risk)?,
        };
        let rounding = noise::rounding(&objective)?;
        let relative = config.relative_step(rounding)?;
        let length = relative * (1.0 + norm(&download(objective.origin())));
        objective.check_gradient()?;
        Ok(Self {
            objective,
            rounding,
            length,
            avoid_kinks: config.step == DifferenceStep::Kinks,
            gradient: OnceLock::new(),
            relative_error: OnceLock::new(),
            unresolved: AtomicUsize::new(0),
        })
    }

    pub(super) const fn objective(&self) -> &Objective<M, B> {
        &self.objective
    }

    pub(super) const fn length(&self) -> f64 {
        self.length
    }

    /// Returns how many products so far may be wrong: the differences to both sides were more than
    /// one per cent apart at every step tried, or a kink lies at the weights themselves. Only
    /// [`DifferenceStep::Kinks`] checks; with another step this stays zero.
    pub(super) fn unresolved(&self) -> usize {
        self.unresolved.load(Ordering::Relaxed)
    }

    /// Returns an estimate of the relative error of a product with a random direction:
    /// `‖D(h) − D(2h)‖ / ‖D(h)‖` with the difference D at a step.
    ///
    /// Where the truncation error rules, of order `h²`, this is three times that of `D(h)`; where
    /// rounding or kinks rule it is of the size of their error. Cost: four gradients.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(super) fn error_estimate(&self, seed: u64) -> Result<f64, Error> {
        let direction = normal(seed, Purpose::ErrorEstimate.stream(0), self.dim());
        let direction = self.domain().upload(&direction)?;
        let near = download(&self.difference(&direction, self.length)?);
        let far = download(&self.difference(&direction, 2.0 * self.length)?);
        Ok(relative_change(&near, &far))
    }

    fn difference(&self, v: &Tensor<1>, length: f64) -> Result<Tensor<1>, Error> {
        let scale = norm(&download(v));
        if !scale.is_finite() {
            return Err(Error::NoDirection {
                what: "vector of a product",
                problem: "is not finite",
            });
        }
        if scale == 0.0 {
            return Ok(v.zeros_like());
        }
        let h = length / scale;
        let product = if self.avoid_kinks {
            self.between_kinks(v, h)?
        } else {
            let (ahead, behind) = self.both_sides(v, h)?;
            central(&ahead, &behind, h)
        };
        self.domain().upload(&product)
    }

    /// Returns the difference at the step, of a few, at which both sides agree best.
    fn between_kinks(&self, v: &Tensor<1>, h: f64) -> Result<Vec<f64>, Error> {
        if self.rounding > self.domain().unit_roundoff() {
            return self.over_stairs(v, h);
        }
        let mut best = self.compared(v, h)?;
        if !best.agrees() {
            let closer = self.compared(v, h / 16.0)?;
            // Closer helps against a kink between; against rounding, which grows as the step
            // shrinks, farther does.
            let factors = if closer.disagreement < best.disagreement {
                [1.0 / 16.0, 1.0 / 256.0]
            } else {
                [16.0, 256.0]
            };
            best = best.better(closer);
            for factor in factors {
                if best.agrees() {
                    break;
                }
                best = best.better(self.compared(v, factor * h)?);
            }
        }
        let relative_error = match self.relative_error.get() {
            Some(error) => *error,
            None => {
                let closer = self.compared(v, best.h / 16.0)?;
                *self.relative_error.get_or_init(|| best.change(&closer))
            }
        };
        if !best.is_usable() || relative_error > AT_THE_WEIGHTS {
            self.unresolved.fetch_add(1, Ordering::Relaxed);
        }
        Ok(best.product)
    }

    /// Returns the difference of a loss of which a part is rounded to f32. Closer to the weights
    /// that part is flat, to both sides alike, so that only farther steps say anything of its
    /// error.
    fn over_stairs(&self, v: &Tensor<1>, h: f64) -> Result<Vec<f64>, Error> {
        let (near, far) = (self.compared(v, h)?, self.compared(v, 16.0 * h)?);
        let change = near.change(&far);
        self.relative_error.get_or_init(|| change);
        if change > AT_THE_WEIGHTS {
            self.unresolved.fetch_add(1, Ordering::Relaxed);
        }
        Ok(near.product)
    }

    fn compared(&self, v: &Tensor<1>, h: f64) -> Result<TwoSided, Error> {
        let here = self.gradient_here()?;
        let (ahead, behind) = self.both_sides(v, h)?;
        Ok(TwoSided::of(&ahead, here, &behind, h))
    }

    fn both_sides(&self, v: &Tensor<1>, h: f64) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let origin = self.objective.origin();
        let step = v.clone() * h;
        let (_, ahead) = self.objective.gradient(&(origin.clone() + step.clone()))?;
        let (_, behind) = self.objective.gradient(&(origin.clone() - step))?;
        Ok((download(&ahead), download(&behind)))
    }

    fn gradient_here(&self) -> Result<&[f64], Error> {
        if let Some(gradient) = self.gradient.get() {
            return Ok(gradient);
        }
        let gradient = download(&self.objective.gradient_here()?.1);
        Ok(self.gradient.get_or_init(|| gradient))
    }
}

impl<M: Module, B: Batch> LinearOperator for Differences<M, B> {
    fn domain(&self) -> &Domain {
        &self.objective.space().domain
    }

    /// Returns, with [`DifferenceStep::Kinks`], the change of the first product as its step shrinks
    /// to a sixteenth; otherwise what theory says of the step. At least the square root of the
    /// rounding.
    fn relative_error(&self) -> f64 {
        let rounding = self.rounding;
        let step = self.length / (1.0 + norm(&download(self.objective.origin())));
        let theory = if self.avoid_kinks {
            rounding.sqrt()
        } else {
            (step * step).max(rounding / step)
        };
        self.relative_error
            .get()
            .map_or(theory, |measured| measured.max(rounding.sqrt()))
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.difference(&self.domain().adopt(v)?, self.length)
    }
}
