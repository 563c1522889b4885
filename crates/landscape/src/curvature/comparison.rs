//! Comparison of an operator with differences of the gradient.

use burn::module::Module;

use super::{DifferenceConfig, Hessian};
use crate::batch::Batch;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::{self, Finding};
use crate::risk::Risk;

/// How many times their own error differences may be off.
const ROOM: f64 = 10.0;

/// Returns how far the product of `op` with a random vector is from the difference of the gradient
/// of `risk` at `model` along it: whether an operator is the Hessian of that risk.
///
/// ```text
/// ‖Av − (g(θ + hv) − g(θ − hv)) / 2h‖   over the larger of both norms
/// ```
///
/// The difference is the one of [`Hessian::by_differences`] with its default settings, in f64 and
/// with a step that avoids kinks. `allowed` leaves room for its error as well as for that of the
/// operator; where it comes near its largest value, one half, a kink lies at the weights and
/// differences say little.
///
/// Costs one product, and some ten gradients and thirty forward passes of the data.
///
/// # Errors
/// [`Error::Length`] for an operator of another dimension than the model,
/// [`Error::NonFiniteVector`], and those of [`Hessian::by_differences`].
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::curvature::compare_with_differences;
/// use landscape::operator::Shifted;
/// use landscape::{Hessian, Risk};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(2, 1).with_bias(false).init(&device);
/// let batch = Tensor::<2>::from_floats([[1.0, 2.0], [0.5, -1.0]], &device);
/// let risk = Risk::mean([batch], |model: &Linear, x: &Tensor<2>| {
///     model.forward(x.clone()).tanh().powi_scalar(2).mean()
/// });
/// let hessian = Hessian::at(&model, &risk)?;
/// assert!(compare_with_differences(&hessian, &model, &risk, 7)?.passed());
/// let another = Shifted::new(&hessian, 1.0);
/// assert!(!compare_with_differences(&another, &model, &risk, 7)?.passed());
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn compare_with_differences<A, M, B>(
    op: &A,
    model: &M,
    risk: &Risk<M, B>,
    seed: u64,
) -> Result<Finding, Error>
where
    A: LinearOperator + ?Sized,
    M: Module,
    B: Batch,
{
    let differences = Hessian::by_differences(model, risk, &DifferenceConfig::new())?;
    let finding = check::agreement(op, &differences, seed)?;
    let explained = check::allowed_asymmetry(op).max(ROOM * differences.relative_error());
    Ok(Finding {
        allowed: explained.min(0.5),
        ..finding
    })
}
