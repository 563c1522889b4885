//! Checks that a recorded loss is the loss, and that Burn's gradient is its gradient.
//!
//! A recording is what a closure did once. It is another function than the closure where a number
//! was read on the host, and a gradient is another one than the value's where the closure stops a
//! gradient or takes a derivative inside. Neither can be seen in the recording, so values and
//! gradients are compared: at the weights and at a point beside them, where nothing is small by
//! training. What decides between two gradients is a difference of values.

use burn::module::Module;
use burn::tensor::{DType, Tensor};
use derivatives::CapturedLoss;
use derivatives::burn_names::is_flex;

use super::Objective;
use crate::batch::Batch;
use crate::error::Error;
use crate::vector::random::{self, Purpose};
use crate::vector::{download, norm, relative_change};

/// Rows that are enough for the comparison in f64, where each row has a loss of its own.
const FEW: usize = 32;

/// Steps of a difference of values, in typical weights.
const STEPS: [f64; 6] = [3e-1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5];

impl<M: Module, B: Batch> Objective<M, B> {
    /// Checks that the recorded loss of `batch`, which is `captured`, is the closure's: its value
    /// at the weights and beside them, and its gradient beside them.
    ///
    /// In f64 where the closure runs in it, so that rounding hides nothing. If the values of the
    /// recording have been compared already, as those of a part of a batch that is cut, the first
    /// few rows do for that. Cost: two forward passes and two gradients of the batch, and where
    /// types differ a recording.
    ///
    /// # Errors
    /// Another value or gradient; a gradient of Burn's that is not the value's.
    pub(crate) fn check_captured(
        &self,
        batch: &B,
        captured: &CapturedLoss,
        is_compared: bool,
    ) -> Result<(), Error> {
        let in_f32 = self.space().domain.dtype == DType::F32;
        let rows = in_f32.then(|| match batch.examples().min(FEW) {
            few if is_compared => batch.clone().narrow(0..few),
            _ => batch.clone(),
        });
        if let Some(rows) = rows
            && let Some(double) = self.doubled(&rows)?
        {
            // In its own type the recording may still have frozen another number.
            if !is_compared {
                self.check_values(batch, captured, &self.beside(0.1)?)?;
            }
            return double.check_captured(&rows, &double.record(rows.clone())?, false);
        }
        let point = self.beside(0.1)?;
        self.check_values(batch, captured, &point)?;
        let recorded = download(&captured.gradient(&point)?.1);
        let burns = download(&self.batch_gradient(&point, batch, 0)?);
        // Where a gradient is no number, nothing can be told.
        let differ = relative_change(&recorded, &burns) > self.digits();
        // A loss that takes a derivative inside has its gradient from the recording already.
        if !captured.differentiates_inside() && !differ {
            return Ok(());
        }
        let slope = self.slope(batch, &point)?;
        if captured.differentiates_inside() {
            // With a stopped gradient besides, values say nothing about it.
            let stops = captured.stops_gradient();
            return if stops || slope.is_of(&recorded) {
                Ok(())
            } else {
                Err(differs("gradient"))
            };
        }
        // Of the two the one that is nearer, and near.
        if slope.is_of(&burns) && slope.gap(&burns) < slope.gap(&recorded) {
            Err(differs("gradient"))
        } else {
            Err(slope.departs(&burns))
        }
    }

    /// Checks that Burn's gradient is the gradient of the value, over all the data, before
    /// differences of gradients are trusted. Cost: 12 forward passes and a gradient.
    ///
    /// # Errors
    /// Another gradient, or a closure that panics.
    pub(crate) fn check_gradient(&self) -> Result<(), Error> {
        let point = self.beside(0.1)?;
        let burns = match self.burns_gradient(&point) {
            // Far from where it is asked for, a loss that overflows says nothing.
            Err(Error::NonFiniteLoss { .. } | Error::NonFiniteVector { .. }) => return Ok(()),
            burns => download(&burns?.1),
        };
        let slope = self.slope_of(&point, |theta| self.value(theta))?;
        if slope.is_of(&burns) {
            Ok(())
        } else {
            Err(slope.departs(&burns))
        }
    }

    /// Checks, once for each risk, that the closure's gradient is that of its value if it may take
    /// a derivative inside, whose share Burn's gradient lacks: if it cannot be recorded for a
    /// panic.
    ///
    /// A tensor that is detached is a constant of the gradient, as it is meant to be.
    ///
    /// # Errors
    /// Another gradient.
    pub(crate) fn check_inside(&self) -> Result<(), Error> {
        use derivatives::Error as Reason;
        self.risk().check_gradient(|| {
            let mut panics = false;
            self.risk().batches().first(|batch| {
                panics = matches!(
                    self.record(batch),
                    Err(Error::Derivatives(
                        Reason::BackwardInside | Reason::Panicked { .. }
                    ))
                );
            })?;
            if !panics {
                return Ok(());
            }
            match self.check_gradient() {
                Err(error @ Error::GradientIsNotOfValue { .. }) => Err(error),
                // Any other error is that of the evaluation itself, which tells it.
                _ => Ok(()),
            }
        })
    }

    /// Checks the recorded value at the weights and at `point`.
    ///
    /// # Errors
    /// Another value.
    pub(crate) fn check_values(
        &self,
        batch: &B,
        captured: &CapturedLoss,
        point: &Tensor<1>,
    ) -> Result<(), Error> {
        let rounding = self.rounding(batch)?;
        for theta in [self.origin(), point] {
            self.check_value(batch, captured, theta, rounding)?;
        }
        Ok(())
    }

    /// Returns what a value of f32 may be off by where it is small by training: a mean of
    /// logarithms near zero has the rounding of the logits, which are of the size of the loss away
    /// from the fit. In f64 that is nothing.
    pub(crate) fn rounding(&self, batch: &B) -> Result<f64, Error> {
        let domain = &self.space().domain;
        if domain.dtype == DType::F64 {
            return Ok(0.0);
        }
        let away = self.batch_value(&self.beside(1.0)?, batch, 0)?.abs();
        let of_loss = 64.0 * domain.unit_roundoff() * away;
        Ok(if of_loss.is_finite() { of_loss } else { 0.0 })
    }

    /// Checks that the recorded loss of `batch` has the closure's value at `theta`, up to its own
    /// digits and to `rounding`.
    ///
    /// # Errors
    /// Another value.
    pub(crate) fn check_value(
        &self,
        batch: &B,
        captured: &CapturedLoss,
        theta: &Tensor<1>,
        rounding: f64,
    ) -> Result<(), Error> {
        let recorded = captured.value(theta)?;
        let closures = self.batch_value(theta, batch, 0)?;
        let size = recorded.abs().max(closures.abs());
        // Infinities and NaN are told where the loss is asked for.
        let tolerance = self.digits() * size + rounding;
        if size.is_finite() && (recorded - closures).abs() > tolerance {
            return Err(differs("value"));
        }
        Ok(())
    }

    /// Returns the relative difference that rounding does not explain: Burn keeps some constants in
    /// f32, which costs an f64 gradient a relative 1e-8, and in f32 sums of many terms lose four
    /// digits. On devices other than flex, gradients of Burn's own are off by more: those of a
    /// convolution on ndarray in f64 by 2e-4.
    fn digits(&self) -> f64 {
        let domain = &self.space().domain;
        match domain.dtype {
            DType::F64 if is_flex(&domain.device) => 1e-6,
            _ => 1e-3,
        }
    }

    /// Returns the slope of a batch's value along a random direction at `point`.
    fn slope(&self, batch: &B, point: &Tensor<1>) -> Result<Slope, Error> {
        self.slope_of(point, |theta| self.batch_value(theta, batch, 0))
    }

    /// Returns the slope of `value` along a random direction at `point`.
    fn slope_of(
        &self,
        point: &Tensor<1>,
        value: impl Fn(&Tensor<1>) -> Result<f64, Error>,
    ) -> Result<Slope, Error> {
        let domain = &self.space().domain;
        let direction = random::normal(0, Purpose::Comparison.stream(1), domain.dim);
        let along = domain.upload(&direction)?;
        let typical = self.typical_weight();
        let mut differences = Vec::with_capacity(STEPS.len());
        let mut size: f64 = 0.0;
        for step in STEPS {
            let h = step * typical;
            let ahead = value(&(point.clone() + along.clone() * h))?;
            let behind = value(&(point.clone() - along.clone() * h))?;
            size = size.max(ahead.abs()).max(behind.abs());
            differences.push(((ahead - behind) / (2.0 * h), h));
        }
        // The step at which the difference moves least as it shrinks, rounding included.
        let (value, error) = differences
            .windows(2)
            .map(|pair| {
                let rounding = 8.0 * domain.unit_roundoff() * size / pair[1].1;
                (pair[1].0, (pair[0].0 - pair[1].0).abs() + rounding)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .expect("there are several steps");
        Ok(Slope {
            value,
            error,
            digits: 0.1 * self.digits(),
            direction,
        })
    }
}

/// A directional derivative of the value, by differences.
struct Slope {
    value: f64,
    error: f64,
    /// Relative error of a gradient by Burn's constants in f32.
    digits: f64,
    direction: Vec<f64>,
}

impl Slope {
    fn along(&self, gradient: &[f64]) -> f64 {
        gradient
            .iter()
            .zip(&self.direction)
            .map(|(g, v)| g * v)
            .sum()
    }

    /// Returns how far `gradient` is from it.
    fn gap(&self, gradient: &[f64]) -> f64 {
        (self.along(gradient) - self.value).abs()
    }

    /// Returns whether `gradient` may be that of the value.
    fn is_of(&self, gradient: &[f64]) -> bool {
        // NaN decides nothing.
        let departs = self.gap(gradient) > 10.0 * self.error + self.digits * norm(gradient);
        !departs
    }

    fn departs(&self, gradient: &[f64]) -> Error {
        Error::GradientIsNotOfValue {
            burns: self.along(gradient),
            values: self.value,
        }
    }
}

const fn differs(what: &'static str) -> Error {
    Error::Derivatives(derivatives::Error::Differs { what })
}
