//! An operation of which Burn has the value and no gradient: the value is compared with Burn's, the
//! derivatives with differences.

use burn::tensor::Tensor;

use crate::harness::{Row, capture, device, dot, entries, error, noise, scalar, tensor};

/// Checks `f` at a point with `len` entries.
pub(crate) fn check_value<const D: usize>(
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Row {
    let device = device();
    let loss = capture(len, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let at = |values: Vec<f64>| tensor(values, &device);
    let (theta, u, v) = (noise(len, 1), noise(len, 2), noise(len, 3));
    let burn: f64 = scalar(f(at(theta.clone()))).into_scalar();
    let (value, gradient) = loss.gradient(&at(theta.clone())).expect("a gradient");
    let gradient = entries(gradient);
    let h = 1e-5;
    let moved = |h: f64| -> Vec<f64> { theta.iter().zip(&v).map(|(t, v)| t + h * v).collect() };
    let ahead = loss.gradient(&at(moved(h))).expect("a gradient");
    let behind = loss.gradient(&at(moved(-h))).expect("a gradient");
    let change = (ahead.0 - behind.0) / (2.0 * h);
    let difference = entries((ahead.1 - behind.1) * (0.5 / h));
    let hessian = |v: &[f64]| {
        let product = loss.hessian_vector(&at(theta.clone()), &at(v.to_vec()));
        entries(product.expect("a product"))
    };
    let (product, other) = (hessian(&v), hessian(&u));
    let theta = at(theta.clone());
    let (forward_value, forward) = loss.jvp(&theta, &at(v.clone())).expect("a jvp");
    let quadratic = loss.quadratic_form(&theta, &at(v.clone())).expect("a form");
    Row {
        name: name.to_owned(),
        value: error(&[value, forward_value], &[burn, burn]),
        // There is none to compare with.
        gradient: 0.0,
        differences: (dot(&gradient, &v) - change).abs()
            / (dot(&gradient, &gradient).sqrt() * dot(&v, &v).sqrt()).max(1e-3),
        forward: error(&[forward], &[dot(&gradient, &v)]),
        product: error(&product, &difference),
        symmetry: ((dot(&u, &product) - dot(&other, &v)).abs()
            + (dot(&v, &product) - quadratic).abs())
            / dot(&product, &product).sqrt().max(1e-3),
    }
}
