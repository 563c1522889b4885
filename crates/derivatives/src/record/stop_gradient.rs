//! Stopping a gradient so that every derivative sees it.

use burn::tensor::Tensor;

use super::marker::Marker;

/// Returns `tensor` as a constant of differentiation, at every order.
///
/// Write it in place of Burn's `detach` in a loss whose curvature is measured: `detach` leaves no
/// trace in a recorded loss, so that its second derivatives would go through what was meant to be
/// constant. With `c = stop_gradient(s(θ))` the gradient is `∂L/∂θ` at fixed c and the Hessian is
/// `∂²L/∂θ²` at fixed c, as with `detach` in PyTorch and `stop_gradient` in JAX. The value of the
/// loss still follows θ through c.
///
/// In training, and on any other device than a recording one, it is `detach`.
///
/// ```
/// use burn::module::Param;
/// use burn::tensor::{Device, Tensor};
/// use derivatives::{Capture, stop_gradient};
///
/// let w = Param::from_tensor(Tensor::<1>::from_floats([3.0], &Device::flex()));
/// // L = w · sg(w): the gradient is sg(w) = 3, and the second derivative 0.
/// let loss =
///     Capture::of(&w).loss(|w: &Param<Tensor<1>>, _| w.val() * stop_gradient(w.val()))?;
/// let (value, gradient) = loss.gradient(&loss.origin())?;
/// assert_eq!((value, gradient.into_scalar::<f32>()), (9.0, 3.0));
/// let product =
///     loss.hessian_vector(&loss.origin(), &Tensor::ones([1], &Device::flex()))?;
/// assert_eq!(product.into_scalar::<f32>(), 0.0);
/// # Ok::<(), derivatives::Error>(())
/// ```
#[must_use]
pub fn stop_gradient<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.is_autodiff() {
        tensor.detach().set_require_grad(false)
    } else {
        Marker::StopGradient.mark(tensor)
    }
}
