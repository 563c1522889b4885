//! A module of burn-nn checked as it is: as [`harness`](crate::harness) checks an operation.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use derivatives::{Capture, Statistics};

use crate::harness::{Row, device, dot, entries, error, noise, scalar, tensor};

/// Noise of a shape, the same on every device.
pub(crate) fn input<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let len = shape.iter().product();
    let data = TensorData::new(noise(len, seed), shape);
    Tensor::from_data(data, (device, DType::F64))
}

/// Burn's gradient of the parameters, in visit order.
struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f64>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        match self.gradients.get::<D>(param.id) {
            Some(gradient) => self.values.extend(gradient.into_data().iter::<f64>()),
            None => {
                let len = param.val().shape().num_elements();
                self.values.extend(vec![0.0; len]);
            }
        }
    }
}

pub(crate) fn check_module<M: Module, const D: usize>(
    name: &str,
    make: impl Fn(&Device) -> M,
    forward: impl Fn(&M, &Device) -> Tensor<D>,
) -> Row {
    check_with(name, Statistics::Running, make, forward)
}

pub(crate) fn check_with<M: Module, const D: usize>(
    name: &str,
    statistics: Statistics,
    make: impl Fn(&Device) -> M,
    forward: impl Fn(&M, &Device) -> Tensor<D>,
) -> Row {
    let device = device();
    let auto = device.clone().autodiff();
    let model = make(&auto);
    let loss = Capture::of(&model)
        .with_statistics(statistics)
        .loss(|model: &M, device| scalar(forward(model, device)))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let burn = scalar(forward(&model, &auto));
    let burn_value: f64 = burn.clone().into_scalar();
    let mut flat = Flatten {
        gradients: &GradientsParams::from_grads(burn.backward(), &model),
        values: Vec::new(),
    };
    model.visit(&mut flat);

    let theta = loss.origin();
    let at = |values: Vec<f64>| tensor(values, &device);
    let (value, gradient) = loss.gradient(&theta).expect("a gradient");
    let gradient = entries(gradient);
    let (u, v) = (noise(loss.dim(), 12), noise(loss.dim(), 11));
    let h = 1e-5;
    let moved = |h: f64| theta.clone() + at(v.clone()) * h;
    let ahead = loss.gradient(&moved(h)).expect("a gradient");
    let behind = loss.gradient(&moved(-h)).expect("a gradient");
    let slope = (ahead.0 - behind.0) / (2.0 * h);
    let difference = entries((ahead.1 - behind.1) * (0.5 / h));
    let product = entries(loss.hessian_vector(&theta, &at(v.clone())).expect("Hv"));
    let other = entries(loss.hessian_vector(&theta, &at(u.clone())).expect("Hu"));
    let (forward_value, forward) = loss.jvp(&theta, &at(v.clone())).expect("a jvp");
    let quadratic = loss.quadratic_form(&theta, &at(v.clone())).expect("a form");
    let scale = dot(&product, &product).sqrt().max(1e-3);
    Row {
        name: name.to_owned(),
        value: error(&[value, forward_value], &[burn_value, burn_value]),
        gradient: error(&gradient, &flat.values),
        differences: (dot(&gradient, &v) - slope).abs()
            / (dot(&gradient, &gradient).sqrt() * dot(&v, &v).sqrt()).max(1e-3),
        forward: error(&[forward], &[dot(&gradient, &v)]),
        product: error(&product, &difference),
        symmetry: ((dot(&u, &product) - dot(&other, &v)).abs()
            + (dot(&v, &product) - quadratic).abs())
            / scale,
    }
}
