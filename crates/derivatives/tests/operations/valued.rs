//! An operation of which Burn has the value and no gradient: the value is compared with Burn's, the
//! derivatives with differences.

use burn::tensor::Tensor;

use crate::harness::{Row, capture, device, noise, row, scalar, tensor};

/// Checks `f` at a point with `len` entries.
pub(crate) fn check_value<const D: usize>(
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Row {
    let loss = capture(len, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let theta = noise(len, 1);
    let value: f64 = scalar(f(tensor(theta.clone(), &device()))).into_scalar();
    row(name, &loss, &theta, value, None)
}
