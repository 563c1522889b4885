//! What Burn itself computes for a row of the table.

use burn::tensor::Tensor;
use derivatives::attempt;

/// Value and gradient by Burn on the device of the run; empty where it panics.
#[derive(Debug)]
pub(crate) struct Burns {
    pub(crate) value: Option<f64>,
    pub(crate) gradient: Gradient,
}

/// A gradient by Burn.
#[derive(Debug)]
pub(crate) enum Gradient {
    Of(Vec<f64>),
    Panics,
    /// No device has it.
    Unwritten,
}

impl Burns {
    /// The value of a loss, and its gradient as `flatten` finds it.
    pub(crate) fn of(
        loss: impl FnOnce() -> Tensor<1>,
        flatten: impl FnOnce(Tensor<1>) -> Vec<f64>,
    ) -> Self {
        // Some devices compute at once and others when asked for a number.
        let computed = attempt(|| {
            let loss = loss();
            let value: f64 = loss.clone().into_scalar();
            (value, loss)
        });
        let Ok((value, loss)) = computed else {
            return Self {
                value: None,
                gradient: Gradient::Panics,
            };
        };
        Self {
            value: Some(value),
            gradient: attempt(|| flatten(loss)).map_or(Gradient::Panics, Gradient::Of),
        }
    }

    /// The value alone, of what has no gradient.
    pub(crate) fn value(loss: impl FnOnce() -> Tensor<1>) -> Self {
        Self {
            value: attempt(|| loss().into_scalar()).ok(),
            gradient: Gradient::Unwritten,
        }
    }
}
