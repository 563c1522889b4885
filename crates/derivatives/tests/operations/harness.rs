//! One operation checked: against Burn's own gradient, against differences, against itself.
//!
//! On a device of f32 the derivatives are compared with those in f64 on flex instead of
//! differences, which f32 has not the digits for.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Error, attempt};

use super::burns::{Burns, Gradient};
use super::device::float_type;
use super::fault::{Fault, fault};
pub(crate) use super::table::{Row, limits, report};

/// What an operation is applied to: a vector of parameters, which the test shapes as it needs.
#[derive(Module, Debug)]
pub(crate) struct Point {
    theta: Param<Tensor<1>>,
}

/// The device of the run, where tensors are created in its float type in this process, unless told
/// otherwise.
pub(crate) fn device() -> Device {
    created_in(super::device::device(), float_type())
}

/// The reference: flex, where tensors are created in f64.
pub(crate) fn flex() -> Device {
    created_in(Device::flex(), DType::F64)
}

fn created_in(mut device: Device, dtype: DType) -> Device {
    // Only the first call can choose.
    let _ = device.configure(FloatDType::from(dtype));
    device
}

pub(crate) fn noise(len: usize, seed: u64) -> Vec<f64> {
    // SplitMix64, mapped to (-1, 1) and pushed away from 0: kinks stand there.
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..len)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let bits = (z ^ (z >> 31)) >> 11;
            let unit = bits as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0;
            let entry = unit + 0.05_f64.copysign(unit);
            match float_type() {
                // The reference in f64 is at the same point.
                DType::F32 => f64::from(entry as f32),
                _ => entry,
            }
        })
        .collect()
}

/// The float type of a tensor, for what has to be cast to it.
pub(crate) fn type_of<const D: usize>(x: &Tensor<D>) -> FloatDType {
    x.dtype().into()
}

pub(crate) fn tensor(values: Vec<f64>, device: &Device, dtype: DType) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), (device, dtype))
}

pub(crate) fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

pub(crate) fn error(ours: &[f64], theirs: &[f64]) -> f64 {
    error_beside(1e-3, ours, theirs)
}

/// The worst difference, relative to the largest entry and no less than `least`.
fn error_beside(least: f64, ours: &[f64], theirs: &[f64]) -> f64 {
    let size = theirs.iter().fold(least, |size, x| size.max(x.abs()));
    let gap = ours
        .iter()
        .zip(theirs)
        .map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() })
        .fold(
            0.0,
            |a: f64, b| if b.is_nan() { f64::INFINITY } else { a.max(b) },
        );
    gap / size
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// A number out of a tensor, with curvature even where the operation has none.
pub(crate) fn scalar<const D: usize>(out: Tensor<D>) -> Tensor<1> {
    let len = out.shape().num_elements();
    let device = out.device();
    let weights = tensor(
        noise(len, 77),
        &device.clone().without_autodiff(),
        out.dtype(),
    );
    let weights = if device.is_autodiff() {
        Tensor::from_inner(weights)
    } else {
        weights
    };
    (out.reshape([len]).sin() * weights).sum()
}

pub(crate) fn capture<const D: usize>(
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Result<CapturedLoss, Error> {
    capture_on(&device(), float_type(), len, f)
}

/// A number out of `f`, whose result is marked as the outputs.
pub(crate) fn capture_on<const D: usize>(
    device: &Device,
    dtype: DType,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Result<CapturedLoss, Error> {
    let theta = Param::initialized(ParamId::new(), tensor(noise(len, 1), device, dtype));
    let model = Point { theta };
    Capture::of(&model)
        .with_parameters([model.theta.id])
        .outputs_and_loss(
            |model: &Point, _| f(model.theta.val()),
            |out, _| scalar(out),
        )
}

/// Checks `f` at a point with `len` entries.
pub(crate) fn check<const D: usize>(
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Row {
    let loss = capture(len, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let theta = noise(len, 1);
    let leaf = tensor(theta.clone(), &device().autodiff(), float_type()).require_grad();
    let burns = Burns::of(
        || scalar(f(leaf.clone())),
        |burn| {
            leaf.grad(&burn.backward())
                .map_or_else(|| vec![0.0; len], entries)
        },
    );
    let on_flex = || capture_on(&flex(), DType::F64, len, &f).expect("a capture");
    row(name, &loss, &theta, burns, on_flex)
}

/// A captured loss at a point, for one row after the other.
struct At<'a> {
    loss: &'a CapturedLoss,
    theta: Tensor<1>,
}

impl<'a> At<'a> {
    fn new(loss: &'a CapturedLoss, theta: &[f64]) -> Self {
        Self {
            loss,
            theta: upload(loss, theta),
        }
    }

    fn gradient(&self) -> (f64, Vec<f64>) {
        let (value, gradient) = self.loss.gradient(&self.theta).expect("a gradient");
        (value, entries(gradient))
    }

    fn product(&self, v: &[f64]) -> Vec<f64> {
        let v = upload(self.loss, v);
        let product = self.loss.hessian_vector(&self.theta, &v);
        entries(product.expect("a product"))
    }

    /// `<u, Jv>` beside `<J'u, v>`, relative to `|u| |Jv|`, with the Jacobian of the outputs.
    fn transposed(&self, v: &[f64]) -> f64 {
        let tangent = upload(self.loss, v);
        let pushed = self.loss.outputs_jvp(&self.theta, &tangent);
        let pushed = entries(pushed.expect("a jvp"));
        let u = noise(pushed.len(), 4);
        let pulled = self.loss.vjp(&self.theta, &upload(self.loss, &u));
        let pulled = entries(pulled.expect("a vjp"));
        error_beside(
            (norm(&u) * norm(&pushed)).max(1e-3),
            &[dot(&u, &pushed)],
            &[dot(&pulled, v)],
        )
    }
}

fn upload(loss: &CapturedLoss, values: &[f64]) -> Tensor<1> {
    tensor(values.to_vec(), loss.device(), loss.dtype())
}

/// Slope of the value and product, by central differences along `v`.
fn by_differences(loss: &CapturedLoss, theta: &[f64], v: &[f64]) -> (f64, Vec<f64>) {
    let h = 1e-5;
    let moved = |h: f64| -> (f64, Vec<f64>) {
        let theta: Vec<f64> = theta.iter().zip(v).map(|(t, v)| t + h * v).collect();
        At::new(loss, &theta).gradient()
    };
    let (ahead, behind) = (moved(h), moved(-h));
    let product = ahead
        .1
        .iter()
        .zip(behind.1)
        .map(|(a, b)| (a - b) / (2.0 * h))
        .collect();
    ((ahead.0 - behind.0) / (2.0 * h), product)
}

/// A captured loss at a point against Burn's value and gradient, against differences or against the
/// same loss `on_flex`, and against itself.
pub(crate) fn row(
    name: &str,
    loss: &CapturedLoss,
    theta: &[f64],
    burns: Burns,
    on_flex: impl FnOnce() -> CapturedLoss,
) -> Row {
    let at = At::new(loss, theta);
    let least = limits().least;
    let (value, gradient) = at.gradient();
    let (u, v) = (noise(theta.len(), 2), noise(theta.len(), 3));
    let (product, other) = (at.product(&v), at.product(&u));
    let tangent = upload(loss, &v);
    let (forward_value, forward) = loss.jvp(&at.theta, &tangent).expect("a jvp");
    let quadratic = loss.quadratic_form(&at.theta, &tangent).expect("a form");
    let linearized = loss.linearize(&at.theta).expect("a point");
    let by_adjoints = linearized.quadratic_form(&tangent).expect("a form");
    let slope = dot(&gradient, &v);
    // A slope may be small by cancellation; its rounding is that of its terms.
    let terms = (norm(&gradient) * norm(&v)).max(1e-3);

    let fault = fault(name);
    let rounded = loss.dtype() != DType::F64 || matches!(fault, Some(Fault::Rounded(_)));
    let panics = match (burns.value, &burns.gradient) {
        (None, _) => Some(Fault::Missing),
        (_, Gradient::Panics) => Some(Fault::Panics),
        _ => None,
    };
    let raced = fault == Some(Fault::Race);
    let flex = (rounded || raced || panics.is_some()).then(|| {
        let loss = on_flex();
        let at = At::new(&loss, theta);
        (at.gradient(), at.product(&v))
    });
    let (differences, second) = match &flex {
        Some(((_, first), second)) if rounded => (error(&gradient, first), error(&product, second)),
        _ => {
            let (difference, second) = by_differences(loss, theta, &v);
            ((slope - difference).abs() / terms, error(&product, &second))
        }
    };
    // Burn's own, or where there is none to be had that of flex.
    let (burn_value, burn_gradient) = match (burns.value, burns.gradient, flex) {
        (Some(value), Gradient::Of(first), _) if !raced => (value, Some(first)),
        (Some(value), Gradient::Unwritten, _) if !raced => (value, None),
        (Some(value), Gradient::Panics, Some(((_, first), _))) if !raced => (value, Some(first)),
        (_, Gradient::Unwritten, Some(((value, _), _))) => (value, None),
        (_, _, Some(((value, first), _))) => (value, Some(first)),
        (value, ..) => (value.unwrap_or(f64::NAN), None),
    };
    let scale = norm(&product).max(1e-3);
    Row {
        name: name.to_owned(),
        fault,
        panics,
        value: error_beside(least, &[value, forward_value], &[burn_value, burn_value]),
        gradient: burn_gradient.map_or(0.0, |burn| error(&gradient, &burn)),
        differences,
        forward: if loss.dtype() == DType::F64 {
            error(&[forward], &[slope])
        } else {
            (forward - slope).abs() / terms
        },
        transpose: at.transposed(&v),
        product: second,
        symmetry: ((dot(&u, &product) - dot(&other, &v)).abs()
            + (dot(&v, &product) - quadratic).abs()
            + (dot(&v, &product) - by_adjoints).abs())
            / scale,
        stacked: attempt(|| stacked(loss, [theta, &u, &v], [&product, &other])).ok(),
    }
}

/// The worst difference between all at once and one by one: of values and gradients at `points`,
/// and of products at the first point with the other two, in reverse order and once more with their
/// sum.
fn stacked(loss: &CapturedLoss, points: [&[f64]; 3], products: [&[f64]; 2]) -> f64 {
    let least = limits().least;
    let len = points[0].len();
    let rows = upload(loss, &points.concat()).reshape([3, len]);
    let (values, gradients) = loss.gradients(&rows).expect("gradients");
    let gradients: Vec<f64> = gradients.into_data().iter::<f64>().collect();
    let mut worst = 0.0_f64;
    for (row, point) in points.iter().enumerate() {
        let (value, gradient) = At::new(loss, point).gradient();
        let ours = &gradients[row * len..(row + 1) * len];
        worst = worst
            .max(error_beside(least, &[values[row]], &[value]))
            .max(error(ours, &gradient));
    }
    let [at, u, v] = points.map(|x| upload(loss, x));
    let several = loss
        .hessian_vectors(&at, &[v.clone(), u.clone(), u + v])
        .expect("products");
    let sum: Vec<f64> = products[0]
        .iter()
        .zip(products[1])
        .map(|(a, b)| a + b)
        .collect();
    for (ours, theirs) in several.into_iter().zip([products[0], products[1], &sum]) {
        worst = worst.max(error(&entries(ours), theirs));
    }
    worst
}

/// The schedule of products, and how exact Burn's gradients are, depend on the kind of device.
#[test]
fn device_is_recognised() {
    use derivatives::burn_names::{is_cpu, is_flex};
    let expected = match super::device::name().as_str() {
        "flex" => (true, true),
        "ndarray" => (false, true),
        _ => (false, false),
    };
    assert_eq!((is_flex(&device()), is_cpu(&device())), expected);
}
