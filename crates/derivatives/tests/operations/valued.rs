//! An operation of which Burn has the value and no gradient: the value is compared with Burn's, the
//! derivatives with differences.

use burn::tensor::{DType, Tensor};

use super::burns::Burns;
use super::device::float_type;
use super::harness::{Row, capture, capture_on, device, flex, noise, row, scalar, tensor};

/// Checks `f` at a point with `len` entries.
pub(crate) fn check_value<const D: usize>(
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Row {
    let loss = capture(len, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let theta = noise(len, 1);
    let at = || tensor(theta.clone(), &device(), float_type());
    let burns = Burns::value(|| scalar(f(at())));
    let on_flex = || capture_on(&flex(), DType::F64, len, &f).expect("a capture");
    row(name, &loss, &theta, burns, on_flex)
}
