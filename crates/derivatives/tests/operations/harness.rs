//! One operation checked: against Burn's own gradient, against differences, against itself.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Error};

/// What an operation is applied to: a vector of parameters, which the test shapes as it needs.
#[derive(Module, Debug)]
pub(crate) struct Point {
    theta: Param<Tensor<1>>,
}

/// Errors reached by one operation; relative, by the largest entry.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Value beside Burn's.
    pub(crate) value: f64,
    /// Gradient beside Burn's.
    pub(crate) gradient: f64,
    /// Gradient beside central differences of values.
    pub(crate) differences: f64,
    /// `<g, v>` beside the forward derivative.
    pub(crate) forward: f64,
    /// Hessian-vector product beside central differences of gradients.
    pub(crate) product: f64,
    /// `<u, Hv>` beside `<Hu, v>`, and `<v, Hv>` beside the quadratic form.
    pub(crate) symmetry: f64,
    /// Values and gradients at several points by one program, and products with several vectors by
    /// another, beside one by one.
    pub(crate) stacked: f64,
}

/// The CPU, where tensors are created in f64 in this process, unless told otherwise.
pub(crate) fn device() -> Device {
    let mut device = Device::flex();
    // Only the first call can choose.
    let _ = device.configure(FloatDType::F64);
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
            unit + 0.05_f64.copysign(unit)
        })
        .collect()
}

pub(crate) fn tensor(values: Vec<f64>, device: &Device) -> Tensor<1> {
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), (device, DType::F64))
}

pub(crate) fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

pub(crate) fn error(ours: &[f64], theirs: &[f64]) -> f64 {
    let size = theirs.iter().fold(1e-3_f64, |size, x| size.max(x.abs()));
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

/// A number out of a tensor, with curvature even where the operation has none.
pub(crate) fn scalar<const D: usize>(out: Tensor<D>) -> Tensor<1> {
    let len = out.shape().num_elements();
    let weights = tensor(noise(len, 77), &out.device().without_autodiff());
    let device = out.device();
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
    let device = device();
    let theta = Param::initialized(
        ParamId::new(),
        tensor(noise(len, 1), &device).require_grad_off(),
    );
    let model = Point { theta };
    Capture::of(&model)
        .with_parameters([model.theta.id])
        .loss(|model: &Point, _| scalar(f(model.theta.val())))
}

trait Off {
    fn require_grad_off(self) -> Self;
}

impl Off for Tensor<1> {
    fn require_grad_off(self) -> Self {
        self
    }
}

/// Checks `f` at a point with `len` entries.
pub(crate) fn check<const D: usize>(
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> Row {
    let device = device();
    let loss = capture(len, &f).unwrap_or_else(|error| panic!("{name}: {error}"));
    let theta = noise(len, 1);
    let leaf = tensor(theta.clone(), &device.clone().autodiff()).require_grad();
    let burn = scalar(f(leaf.clone()));
    let value: f64 = burn.clone().into_scalar();
    let gradient = leaf
        .grad(&burn.backward())
        .map_or_else(|| vec![0.0; len], entries);
    row(name, &loss, &theta, value, Some(&gradient))
}

/// A captured loss at a point against Burn's value and gradient, against differences, and against
/// itself.
pub(crate) fn row(
    name: &str,
    loss: &CapturedLoss,
    theta: &[f64],
    burn_value: f64,
    burn_gradient: Option<&[f64]>,
) -> Row {
    let at = |theta: &[f64]| tensor(theta.to_vec(), loss.device());
    let (value, gradient) = loss.gradient(&at(theta)).expect("a gradient");
    let gradient = entries(gradient);
    let (u, v) = (noise(theta.len(), 2), noise(theta.len(), 3));
    let moved = |h: f64| -> Vec<f64> { theta.iter().zip(&v).map(|(t, v)| t + h * v).collect() };
    let h = 1e-5;
    let ahead = loss.gradient(&at(&moved(h))).expect("a gradient");
    let behind = loss.gradient(&at(&moved(-h))).expect("a gradient");
    let slope = (ahead.0 - behind.0) / (2.0 * h);
    let difference: Vec<f64> = entries(ahead.1)
        .iter()
        .zip(entries(behind.1))
        .map(|(a, b)| (a - b) / (2.0 * h))
        .collect();
    let hessian = |v: &[f64]| entries(loss.hessian_vector(&at(theta), &at(v)).expect("a product"));
    let (product, other) = (hessian(&v), hessian(&u));
    let (forward_value, forward) = loss.jvp(&at(theta), &at(&v)).expect("a jvp");
    let quadratic = loss.quadratic_form(&at(theta), &at(&v)).expect("a form");
    let scale = dot(&product, &product).sqrt().max(1e-3);
    Row {
        name: name.to_owned(),
        value: error(&[value, forward_value], &[burn_value, burn_value]),
        gradient: burn_gradient.map_or(0.0, |burn| error(&gradient, burn)),
        // A slope may be small by cancellation; its rounding is that of its terms.
        differences: (dot(&gradient, &v) - slope).abs()
            / (dot(&gradient, &gradient).sqrt() * dot(&v, &v).sqrt()).max(1e-3),
        forward: error(&[forward], &[dot(&gradient, &v)]),
        product: error(&product, &difference),
        symmetry: ((dot(&u, &product) - dot(&other, &v)).abs()
            + (dot(&v, &product) - quadratic).abs())
            / scale,
        stacked: stacked(loss, [theta, &u, &v], [&product, &other]),
    }
}

/// The worst difference between all at once and one by one: of values and gradients at `points`, and of
/// products at the first point with the other two, in reverse order and once more with their sum.
fn stacked(loss: &CapturedLoss, points: [&[f64]; 3], products: [&[f64]; 2]) -> f64 {
    let device = loss.device();
    let len = points[0].len();
    let rows = tensor(points.concat(), device).reshape([3, len]);
    let (values, gradients) = loss.gradients(&rows).expect("gradients");
    let gradients: Vec<f64> = gradients.into_data().iter::<f64>().collect();
    let mut worst = 0.0_f64;
    for (row, point) in points.iter().enumerate() {
        let (value, gradient) = loss
            .gradient(&tensor(point.to_vec(), device))
            .expect("a gradient");
        let ours = &gradients[row * len..(row + 1) * len];
        worst = worst
            .max(error(&[values[row]], &[value]))
            .max(error(ours, &entries(gradient)));
    }
    let [at, u, v] = points.map(|x| tensor(x.to_vec(), device));
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

/// Prints the table and fails with the rows that are off.
pub(crate) fn report(rows: &[Row]) {
    let mut bad = Vec::new();
    println!(
        "| operation | value | gradient | differences | forward | product | symmetry | stacked |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!(
            "| {} | {:.1e} | {:.1e} | {:.1e} | {:.1e} | {:.1e} | {:.1e} | {:.1e} |",
            row.name,
            row.value,
            row.gradient,
            row.differences,
            row.forward,
            row.product,
            row.symmetry,
            row.stacked
        );
        // Burn rounds some scalars to f32; those operations are named by the caller.
        let burn = if row.name.ends_with("(f32 in Burn)") {
            1e-6
        } else {
            1e-13
        };
        // Where Burn's own gradient is not the slope of its value, ours has to be.
        let gradient = if row.name.ends_with("(wrong in Burn)") {
            row.gradient > 1e-3
        } else {
            row.gradient < burn
        };
        let good = row.value < burn
            && gradient
            // Central differences with h = 1e-5 in f64: h^2 = 1e-10, rounding 1e-16 / h.
            && row.differences < 1e-8
            && row.product < 1e-7
            && row.forward < 1e-12
            && row.symmetry < 1e-12
            // The same sums in another order.
            && row.stacked < 1e-12;
        if !good {
            bad.push(row.name.clone());
        }
    }
    assert!(bad.is_empty(), "off: {bad:?}");
}
