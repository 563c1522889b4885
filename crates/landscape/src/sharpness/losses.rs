//! Losses and gradients at displaced weights, the same way for all measures at one model.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::Workers;

use super::Scale;
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::{Batches, Cutter, Objective, Part, Risk, first_part};
use crate::spectrum::Estimate;
use crate::vector::{add_scaled, checked, download};

/// Displaced weights that are on the device at once, at most.
const TOGETHER: usize = 16;

/// Gradients of parts that are held at once, at most.
const GRADIENTS: usize = 32;

/// Examples of a part, at most: more leave too little to share between the cores.
const MOST: usize = 512;

/// The losses around a model, in f64 where that can be: measures here are differences of losses
/// that may be close.
///
/// Where the loss can be captured and the batches are held in memory, parts and points are spread
/// over the cores; elsewhere each loss is a forward pass of the model. Both agree up to rounding.
pub(super) struct Losses<M, B> {
    objective: Objective<M, B>,
    origin: Vec<f64>,
    /// None where the model is evaluated.
    parts: Option<Captured>,
    workers: Workers,
    loss: f64,
}

/// Captured parts of the data, with their shares of all examples.
struct Captured {
    parts: Vec<Part>,
    /// Whether their gradients are those that Burn gives.
    has_gradients: bool,
}

/// A loss and its gradient, `[P]`.
pub(super) struct Slope {
    pub(super) loss: f64,
    pub(super) gradient: Vec<f64>,
}

impl<M: Module, B: Batch> Losses<M, B> {
    /// Prepares few losses: each is a pass of the model.
    ///
    /// # Errors
    /// A risk that cannot be evaluated.
    pub(super) fn few(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        let objective = Objective::in_double(model, risk)?;
        Ok(Self {
            origin: download(objective.origin()),
            objective,
            parts: None,
            workers: Workers::default(),
            loss: f64::NAN,
        })
    }

    /// Prepares many losses: the loss is captured, if it can be, and is finite at the weights.
    ///
    /// # Errors
    /// As [`few`](Self::few), and a loss that is not finite.
    pub(super) fn many(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        let mut losses = Self::few(model, risk)?;
        // What cannot be captured is evaluated by the model; what is wrong with the loss itself
        // is told by the evaluation that follows.
        losses.parts = losses.capture().ok();
        losses.loss = losses.at(&vec![0.0; losses.origin.len()])?;
        if losses.loss.is_finite() {
            return Ok(losses);
        }
        Err(Error::NonFiniteLoss {
            value: losses.loss,
            place: "at the weights".to_owned(),
        })
    }

    pub(super) const fn objective(&self) -> &Objective<M, B> {
        &self.objective
    }

    /// Returns the loss at the weights.
    pub(super) const fn loss(&self) -> f64 {
        self.loss
    }

    /// Returns the number of coordinates P.
    pub(super) const fn dim(&self) -> usize {
        self.origin.len()
    }

    /// Returns the scale T at the weights; none where it is one.
    pub(super) fn scale(&self, scale: Scale) -> Option<Vec<f64>> {
        scale.of(self.objective.space(), &self.origin)
    }

    /// Returns an estimate of the rounding of a difference of two losses of these sizes.
    ///
    /// A loss is a mean of sums of products, each rounded by u of its type. The losses of the
    /// fixtures are off from PyTorch's by 1 to 130 u of their size, the most where BatchNorm
    /// divides by the statistics of the batch, so that 256 leaves a margin of two.
    pub(super) fn rounding(&self, one: f64, other: f64) -> f64 {
        256.0 * self.objective.space().domain.unit_roundoff() * (one.abs() + other.abs())
    }

    /// Returns the loss at the weights displaced by `displacement`, `[P]`; not finite as it is.
    pub(super) fn at(&self, displacement: &[f64]) -> Result<f64, Error> {
        Ok(self.block(&[self.moved(displacement)?])?[0])
    }

    /// Returns the losses at `count` displacements, each `[P]`; not finite ones as they are.
    ///
    /// # Errors
    /// A batch that cannot be read.
    pub(super) fn at_all(
        &self,
        count: usize,
        displacement: impl Fn(usize) -> Vec<f64>,
    ) -> Result<Vec<f64>, Error> {
        let mut losses = Vec::with_capacity(count);
        while losses.len() < count {
            let block = losses.len()..count.min(losses.len() + TOGETHER);
            let points = block.map(|index| self.moved(&displacement(index)));
            losses.extend(self.block(&points.collect::<Result<Vec<_>, _>>()?)?);
        }
        Ok(losses)
    }

    /// Returns the loss and the gradient at the weights displaced by `displacement`, `[P]`.
    ///
    /// # Errors
    /// A loss or a gradient that is not finite, or a batch that cannot be read.
    pub(super) fn slope(&self, displacement: &[f64]) -> Result<Slope, Error> {
        let theta = self.moved(displacement)?;
        match &self.parts {
            Some(captured) if captured.has_gradients => self.captured_slope(captured, &theta),
            _ => {
                let (loss, gradient) = self.objective.gradient(&theta)?;
                Ok(Slope {
                    loss,
                    gradient: download(&gradient),
                })
            }
        }
    }

    fn captured_slope(&self, captured: &Captured, theta: &Tensor<1>) -> Result<Slope, Error> {
        let mut slope = Slope {
            loss: 0.0,
            gradient: vec![0.0; self.dim()],
        };
        for parts in captured.parts.chunks(GRADIENTS) {
            let gradients = self
                .workers
                .map(parts, |part| -> Result<(f64, Vec<f64>), Error> {
                    let (loss, gradient) = part.loss.gradient(theta)?;
                    Ok((loss, download(&gradient)))
                });
            for (part, found) in parts.iter().zip(gradients) {
                let (loss, gradient) = found?;
                slope.loss += part.share * loss;
                add_scaled(&mut slope.gradient, part.share, &gradient);
            }
        }
        if !slope.loss.is_finite() {
            return Err(Error::NonFiniteLoss {
                value: slope.loss,
                place: "at displaced weights".to_owned(),
            });
        }
        slope.gradient = checked(slope.gradient, "gradient")?;
        Ok(slope)
    }

    /// Returns the losses at some points, `[P]` each.
    fn block(&self, points: &[Tensor<1>]) -> Result<Vec<f64>, Error> {
        let by_model = |point: &Tensor<1>| self.objective.value(point);
        let Some(captured) = &self.parts else {
            return points.iter().map(by_model).collect();
        };
        // All points of a part one after the other: it stays in the cache.
        let jobs: Vec<(&Part, usize)> = captured
            .parts
            .iter()
            .flat_map(|part| (0..points.len()).map(move |index| (part, index)))
            .collect();
        let values = self
            .workers
            .map(&jobs, |&(part, index)| part.loss.value(&points[index]));
        let mut losses = vec![0.0; points.len()];
        for (&(part, index), value) in jobs.iter().zip(values) {
            losses[index] += part.share * value?;
        }
        for (loss, point) in losses.iter_mut().zip(points) {
            // A sum of parts may be no number where the whole is one.
            if !loss.is_finite() {
                *loss = by_model(point)?;
            }
        }
        Ok(losses)
    }

    /// Returns the parts of the data.
    ///
    /// # Errors
    /// Whatever stands against capturing them.
    fn capture(&self) -> Result<Captured, Error> {
        let Batches::Held(batches) = self.objective.risk().batches() else {
            return Err(Error::NoData);
        };
        let first = batches.first().ok_or(Error::NoData)?;
        let cutter = Cutter::like(&self.objective, first, MOST)?;
        let beside = self.objective.beside(0.1)?;
        let mut captured = Captured {
            parts: Vec::new(),
            has_gradients: true,
        };
        for (index, batch) in batches.iter().enumerate() {
            let of_all = self.objective.share(batch)?;
            let parts = cutter.capture(&self.objective, index, batch.clone(), &self.workers)?;
            let (part, rows) = first_part(&parts, batch);
            // A number that the closure reads on the host is frozen in the recording.
            if !part.is_compared {
                self.objective.check_values(&rows, &part.loss, &beside)?;
            }
            if index == 0 {
                let objective = &self.objective;
                let gradients = objective.check_captured(&rows, &part.loss, part.is_compared);
                captured.has_gradients = gradients.is_ok();
            }
            captured.parts.extend(parts.into_iter().map(|part| Part {
                share: of_all * part.share,
                ..part
            }));
        }
        Ok(captured)
    }

    /// Returns the displaced weights.
    fn moved(&self, displacement: &[f64]) -> Result<Tensor<1>, Error> {
        let moved: Vec<f64> = self
            .origin
            .iter()
            .zip(displacement)
            .map(|(weight, step)| weight + step)
            .collect();
        self.objective.space().domain.upload(&moved)
    }
}

/// Returns `T u` entry by entry; u where T is one.
pub(super) fn scaled(scale: Option<&[f64]>, mut vector: Vec<f64>) -> Vec<f64> {
    if let Some(scale) = scale {
        vector.iter_mut().zip(scale).for_each(|(x, t)| *x *= t);
    }
    vector
}

/// Returns how many of some numbers are NaN or infinite.
pub(super) fn non_finite(numbers: &[f64]) -> usize {
    numbers.iter().filter(|number| !number.is_finite()).count()
}

/// Returns the mean of some numbers; NaN where one of them is not finite.
pub(super) fn mean_of(numbers: &[f64]) -> Estimate {
    if non_finite(numbers) > 0 {
        return Estimate {
            mean: f64::NAN,
            standard_error: f64::NAN,
            count: numbers.len(),
        };
    }
    Estimate::of(numbers.iter().copied())
}
