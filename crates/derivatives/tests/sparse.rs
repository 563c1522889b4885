//! Products with data most of which is zero, or one number in each column: those that leave it out
//! are those that multiply it.

use crate::device;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss};

const EXAMPLES: usize = 170;
const FEATURES: usize = 64;

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(self.first.forward(x).tanh())
    }
}

fn noise(place: usize) -> f64 {
    // Fractions of multiples of the golden ratio, in (-1, 1).
    ((place + 1) as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0
}

fn tensor(len: usize, seed: usize) -> Tensor<1> {
    let values: Vec<f64> = (0..len).map(|i| noise(i + 1000 * seed)).collect();
    Tensor::from_data(TensorData::new(values, [len]), (&device(), DType::F64))
}

/// Images of which one pixel in nine is set; of the others each has the number of its column.
fn images(background: impl Fn(usize) -> f64) -> Tensor<2> {
    let pixel = |place: usize| {
        if (place * 7919).is_multiple_of(9) {
            noise(place)
        } else {
            background(place % FEATURES)
        }
    };
    let pixels: Vec<f64> = (0..EXAMPLES * FEATURES).map(pixel).collect();
    let data = TensorData::new(pixels, [EXAMPLES, FEATURES]);
    Tensor::from_data(data, (&device(), DType::F64))
}

fn loss_of(x: &Tensor<2>) -> CapturedLoss {
    let net = Net {
        first: LinearConfig::new(FEATURES, 20).init(&device()),
        second: LinearConfig::new(20, 3).init(&device()),
    };
    Capture::of(&net)
        .outputs_and_loss(
            |net: &Net, device: &Device| net.forward(x.clone().to_device(device)),
            |outputs, _| log_softmax(outputs, 1).slice_dim(1, 0..1).mean().neg(),
        )
        .expect("a capture")
}

fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    let size = expected.iter().map(|x| x.abs()).fold(0.0, f64::max);
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-13 * size,
            "{found} {expected}"
        );
    }
}

#[test]
fn products_that_leave_the_background_out_are_those_with_all_of_it() {
    let backgrounds: [fn(usize) -> f64; 3] = [
        |_| 0.0,
        // As images are normalised.
        |_| -0.1307 / 0.3081,
        // As columns are.
        |column| noise(column) * 3.0,
    ];
    for background in backgrounds {
        let loss = loss_of(&images(background));
        let theta = tensor(loss.dim(), 1) * 0.3;
        let v = tensor(loss.dim(), 2);
        let point = loss.linearize(&theta).expect("a point");
        let times = point.hessian_times(&v).expect("times");
        let with_panels = times.iter().filter(|(name, ..)| name.contains("by panels"));
        // Of the first layer's tangent, and of the gradient of its weights.
        assert_eq!(with_panels.count(), 2, "{times:?}");
        // Made anew, a product has no panels.
        let product = loss.hessian_vector(&theta, &v).expect("a product");
        let found = point.hessian_vector(&v).expect("a product");
        assert_close(&entries(found), &entries(product.clone()));
        let form = point.quadratic_form(&v).expect("a form");
        let [expected] = entries((product * v.clone()).sum())[..] else {
            unreachable!("a sum is one number")
        };
        assert!((form - expected).abs() < 1e-13 * expected.abs());
        let product = loss.gauss_newton_vector(&theta, &v).expect("a product");
        let found = point.gauss_newton_vector(&v).expect("a product");
        assert_close(&entries(found), &entries(product));
        let several = point.hessian_vectors(&[v.clone(), -v.clone()]);
        let [one, other] = &several.expect("products")[..] else {
            unreachable!("two vectors have two products")
        };
        let found = entries(one.clone() - other.clone());
        let product = loss.hessian_vector(&theta, &v).expect("a product");
        assert_close(&found, &entries(product * 2.0));
    }
}

#[test]
fn what_is_not_finite_is_not_left_out_with_a_zero() {
    let loss = loss_of(&images(|_| 0.0));
    let theta = tensor(loss.dim(), 1) * 0.3;
    // The weight of a pixel that most images have not.
    let mut v = entries(tensor(loss.dim(), 2));
    v[0] = f64::INFINITY;
    let v = Tensor::from_data(TensorData::new(v, [loss.dim()]), (&device(), DType::F64));
    let point = loss.linearize(&theta).expect("a point");
    let found = entries(point.hessian_vector(&v).expect("a product"));
    let expected = entries(loss.hessian_vector(&theta, &v).expect("a product"));
    let which = |entries: &[f64]| -> Vec<bool> { entries.iter().map(|x| x.is_nan()).collect() };
    assert!(found.iter().any(|x| x.is_nan()));
    assert_eq!(which(&found), which(&expected));
}
